use proptest::prelude::*;

use super::*;

#[test]
fn an_id_is_written_in_upper_case_and_read_in_any() {
    let text = "message:0199A6C2-7E5F-7D3A-8B11-2233445566FF";
    let id: MessageId = text.parse().unwrap();
    assert_eq!(id.to_string(), text);
    assert_eq!(text.to_lowercase().parse(), Ok(id));
    let occurrence: MessageId = format!("{text}-12").parse().unwrap();
    assert_eq!((occurrence.base, occurrence.occurrence), (id.base, Some(12)));
    assert_eq!(occurrence.to_string(), format!("{text}-12"));
}

#[test]
fn what_is_no_message_id_is_refused() {
    let id = "message:0199A6C2-7E5F-7D3A-8B11-2233445566FF";
    for text in [
        "",
        "message:",
        "0199A6C2-7E5F-7D3A-8B11-2233445566FF",
        &format!("{id}-"),
        &format!("{id}-0"),
        &format!("{id}-x"),
        &format!("{id}x"),
        &format!("{id}-99999999999"),
    ] {
        assert!(text.parse::<MessageId>().is_err(), "{text}");
    }
}

#[test]
fn subtopics_have_no_empty_part_and_no_star() {
    for text in ["news", "news.dallas.sports", "å.ä"] {
        assert!(text.parse::<Subtopic>().is_ok(), "{text}");
    }
    for text in ["", ".", "news.", ".news", "a..b", "a.*", "a\n", &"x".repeat(256)] {
        assert!(text.parse::<Subtopic>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn a_written_id_reads_back(base: u128, occurrence in prop::option::of(1u32..)) {
        let id = MessageId { base: Uuid::from_u128(base), occurrence };
        prop_assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,60}") {
        let _ = text.parse::<MessageId>();
        let _ = format!("message:{text}").parse::<MessageId>();
    }
}
