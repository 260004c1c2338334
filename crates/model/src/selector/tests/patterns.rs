use super::{matches, truth};

fn like(pattern: &str, text: &str) -> bool {
    matches(&format!("a LIKE '{pattern}'"), &[("a", text)])
}

#[test]
fn percent_stands_for_any_characters_and_underscore_for_one() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "x", false),
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("abc", "ABC", false),
        ("%", "", true),
        ("%", "anything\nat all", true),
        ("_", "", false),
        ("_", "ä", true),
        ("_", "😀", true),
        ("__", "ä", false),
        ("a%", "a", true),
        ("a%", "ba", false),
        ("%a", "ba", true),
        ("%a", "ab", false),
        ("a%a", "a", false),
        ("a%a", "aa", true),
        ("%an%na", "banana", true),
        ("%ana%ana%", "banana", false),
        ("%ana%ana%", "bananana", true),
        ("b_n%", "banana", true),
        ("%_n_n_", "banana", true),
        ("%a_a%", "banana", true),
        ("%n_x%", "banana", false),
        ("_%_", "a", false),
        ("_%_", "ab", true),
        ("%_ü%", "gür", true),
        ("%_ü%", "ür", false),
        ("a%%b", "ab", true),
        ("100\\%", "100\\x", true),
    ] {
        assert_eq!(like(pattern, text), expected, "{text:?} LIKE {pattern:?}");
    }
    assert_eq!(truth("a NOT LIKE 'b%'", &[("a", "c")]), Some(true));
    assert!(matches("'abc' LIKE 'a%'", &[]));
}

#[test]
fn an_escape_character_takes_what_follows_literally() {
    for (pattern, escape, text, expected) in [
        ("100!%", "!", "100%", true),
        ("100!%", "!", "100x", false),
        ("a!_%", "!", "a_b", true),
        ("a!_%", "!", "axb", false),
        ("a!!b", "!", "a!b", true),
        ("%%%_", "%", "%_", true),
        ("a''%", "b", "a'x", true),
    ] {
        let text_of = format!("a LIKE '{pattern}' ESCAPE '{escape}'");
        assert_eq!(
            matches(&text_of, &[("a", text)]),
            expected,
            "{text_of} over {text}"
        );
    }
}

#[test]
fn segments_of_more_than_64_characters_are_found() {
    let long = "abcdefghij".repeat(20);
    let with_gap = long.replacen('j', "_", 1);
    assert!(like(&format!("%{with_gap}%"), &format!("xx{long}yy")));
    assert!(!like(&format!("%{with_gap}%"), &format!("xx{}yy", &long[1..])));
    assert!(!like(&format!("%{with_gap}k%"), &format!("xx{long}yy")));
}

/// Trying out where each `%` ends would take longer than anyone waits.
#[test]
fn a_pattern_goes_over_a_text_once() {
    let text = "a".repeat(8_000);
    for pattern in [
        "%a".repeat(400),
        "%a_".repeat(300),
        format!("%{}_b%", "a".repeat(900)),
    ] {
        assert!(!like(&format!("{pattern}b"), &text));
    }
}
