//! Any text is a selector or is refused with a position inside of it; what was read is printed as a text
//! that means the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postbell_model::headers::Headers;
use postbell_model::limits::SELECTOR_BYTES;
use postbell_model::selector::Selector;

fuzz_target!(|text: &str| {
    let headers = Headers::from_stored(vec![
        ("a".into(), "20".into()),
        ("b".into(), "true".into()),
        ("c".into(), "größe_%".into()),
        ("d".into(), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab".into()),
    ]);
    match text.parse::<Selector>() {
        Ok(selector) => {
            let printed = selector.to_string();
            if printed.len() <= SELECTOR_BYTES {
                let again: Selector = printed.parse().expect("canonical text is a selector");
                assert_eq!(again.to_string(), printed);
                assert_eq!(again.matches(&headers), selector.matches(&headers));
            }
            selector.matches(&headers);
        }
        Err(error) => {
            assert!(error.position() <= text.chars().count() + 1);
            assert!(text.get(error.span()).is_some());
        }
    }
});
