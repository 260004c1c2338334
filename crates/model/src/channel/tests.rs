use proptest::prelude::*;

use super::*;

#[test]
fn names_are_checked_as_the_contract_says() {
    for name in ["default", "news.sports", "räksmörgås", "a b", "*", "channels2"] {
        assert!(name.parse::<ChannelName>().is_ok(), "{name}");
    }
    for name in [
        "",
        ".",
        "..",
        "a/b",
        "a?b",
        "a#b",
        "a\nb",
        "channels",
        "scheduled",
        &"x".repeat(256),
    ] {
        assert!(name.parse::<ChannelName>().is_err(), "{name}");
    }
}

#[test]
fn a_star_stands_for_any_characters() {
    let matches = |pattern: &str, name: &str| ChannelPattern::new(pattern).matches(name);
    assert!(matches("news.*", "news."));
    assert!(matches("news.*", "news.a.b"));
    assert!(!matches("news.*", "news"));
    assert!(matches("*", ""));
    assert!(matches("*.log", "a.log.log"));
    assert!(matches("a*b*c", "abbc"));
    assert!(!matches("a*b*c", "acb"));
    assert!(!matches("ab*ba", "aba"));
    assert!(matches("exact", "exact"));
    assert!(!matches("exact", "exactly"));
}

fn reference(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|skip| reference(rest, &name[skip..])),
        Some((first, rest)) => name.first() == Some(first) && reference(rest, &name[1..]),
    }
}

proptest! {
    #[test]
    fn patterns_match_as_the_plain_definition_does(pattern in "[ab*]{0,6}", name in "[ab]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(
            ChannelPattern::new(&pattern).matches(&name),
            reference(&chars(&pattern), &chars(&name))
        );
    }

    #[test]
    fn a_name_that_is_accepted_holds_the_rules(text in "\\PC{0,300}") {
        if let Ok(name) = text.parse::<ChannelName>() {
            prop_assert_eq!(name.as_str(), &text);
            let forbidden = |c: char| c == '/' || c == '?' || c == '#';
            prop_assert!(!text.contains(forbidden) && text.len() <= 255);
        }
    }
}
