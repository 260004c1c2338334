use super::SubtopicPattern;

fn matches(pattern: &str, subtopic: &str) -> bool {
    pattern.parse::<SubtopicPattern>().unwrap().matches(subtopic)
}

#[test]
fn without_a_star_the_subtopic_must_be_the_same() {
    assert!(matches("news.dallas", "news.dallas"));
    for other in [
        "news",
        "news.dallas.sports",
        "news.Dallas",
        "dallas",
        "news.dallasx",
    ] {
        assert!(!matches("news.dallas", other), "{other}");
    }
}

#[test]
fn a_trailing_star_stands_for_one_or_more_parts() {
    assert!(matches("news.*", "news.dallas"));
    assert!(matches("news.*", "news.dallas.sports"));
    assert!(!matches("news.*", "news"));
    assert!(!matches("news.*", "newspaper.dallas"));
    assert!(matches("*", "news"));
    assert!(matches("*", "news.dallas.sports"));
}

#[test]
fn an_inner_star_stands_for_exactly_one_part() {
    assert!(matches("news.*.sports", "news.dallas.sports"));
    assert!(!matches("news.*.sports", "news.sports"));
    assert!(!matches("news.*.sports", "news.texas.dallas.sports"));
    assert!(matches("*.dallas.*", "news.dallas.sports.today"));
    assert!(!matches("*.dallas.*", "news.dallas"));
    assert!(matches("*.*", "a.b.c"));
    assert!(!matches("*.*", "a"));
}

#[test]
fn a_pattern_is_displayed_as_it_was_written() {
    for text in ["news.*", "*", "a.*.b", "ä.b"] {
        assert_eq!(text.parse::<SubtopicPattern>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_pattern_is_refused_with_what_was_found() {
    let long = "a".repeat(256);
    for text in [
        "", ".", "a.", ".a", "a..b", "new*", "a.*b", "**", "a.\u{1}", &long,
    ] {
        let error = text.parse::<SubtopicPattern>().unwrap_err().to_string();
        let found: String = text.chars().take(60).collect();
        assert!(error.ends_with(&format!("found {found:?}")), "{error}");
    }
    assert_eq!(SubtopicPattern::parse_optional(""), Ok(None));
    assert!(SubtopicPattern::parse_optional("a b").unwrap().is_some());
}
