//! Matching a message allocates nothing (api.md 3.4 is evaluated under a channel's lock, once a message).

use allocation_counter::measure;
use postbell_model::headers::Headers;
use postbell_model::selector::Selector;
use postbell_model::subtopic::SubtopicPattern;

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Headers::from_stored(pairs.collect())
}

#[test]
fn a_selector_allocates_nothing_while_it_matches() {
    let headers = headers(&[
        ("price", "19.95"),
        ("quantity", "3"),
        ("urgent", "true"),
        ("lang", "de"),
        ("title", "Der größte gemeinsame Nenner"),
    ]);
    for (text, expected) in [
        ("price > 10", true),
        ("price > 10 AND lang = 'de' AND urgent", true),
        ("NOT urgent OR missing IS NULL", true),
        ("(price - 0.95) * quantity / 2 <> -quantity + 1E3", true),
        ("price BETWEEN 1 AND 19.95", true),
        ("price BETWEEN missing AND 5", false),
        (
            "lang NOT IN ('en', 'fr') AND quantity IN (1, 2, 3) AND urgent IN (TRUE)",
            true,
        ),
        ("lang IN ('en', 1, FALSE)", false),
        ("title LIKE 'Der %_ö_te%nenn%'", false),
        (
            "title LIKE '%größte%N_nn%r' AND title NOT LIKE '100!%' ESCAPE '!'",
            true,
        ),
        ("lang < title AND price / 0 IS NULL", false),
    ] {
        let selector: Selector = text.parse().unwrap();
        let mut matched = None;
        let allocations = measure(|| matched = Some(selector.matches(&headers)));
        assert_eq!(matched, Some(expected), "{text}");
        assert_eq!(allocations.count_total, 0, "{text}");
    }
    assert!(
        measure(|| drop("a = 1".parse::<Selector>())).count_total > 0,
        "the counter counts"
    );
}

#[test]
fn a_subtopic_pattern_allocates_nothing_while_it_matches() {
    let pattern: SubtopicPattern = "news.*.sports.*".parse().unwrap();
    let mut matched = None;
    let allocations = measure(|| matched = Some(pattern.matches("news.dallas.sports.today")));
    assert_eq!((matched, allocations.count_total), (Some(true), 0));
}
