use proptest::prelude::*;

use super::*;

#[test]
fn every_form_of_since_is_read() {
    assert_eq!("all".parse(), Ok(Since::All));
    assert_eq!("0".parse(), Ok(Since::Seq(0)));
    assert_eq!("17".parse(), Ok(Since::Seq(17)));
    assert_eq!("10m".parse(), Ok(Since::Ago(Duration::from_secs(600))));
    let position = Since::Position {
        epoch: Epoch(0xab),
        seq: 7,
    };
    assert_eq!("00000000000000ab-7".parse(), Ok(position));
}

#[test]
fn what_is_no_position_is_refused() {
    for text in [
        "",
        "-",
        "x",
        "ab-7",
        "00000000000000AB-7",
        "00000000000000ab-",
        "00000000000000ab--1",
        "-5",
        "+5",
        "9223372036854775808",
        "10x",
    ] {
        assert!(text.parse::<Since>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn a_written_position_reads_back(epoch: u64, seq in 0..i64::MAX as u64) {
        let written = Position::At { epoch: Epoch(epoch), seq }.to_string();
        prop_assert_eq!(written.parse(), Ok(Since::Position { epoch: Epoch(epoch), seq }));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,40}") {
        let _ = text.parse::<Since>();
    }
}
