use super::{Selector, error, matches, selector};

#[test]
fn errors_tell_where_what_was_expected_and_what_was_found() {
    let cases = [
        ("", "position 1: expected a condition, found end"),
        (
            "foo > 10 OR foo >",
            "position 18: expected a value after '>', found end",
        ),
        ("a AND", "position 6: expected a condition after 'AND', found end"),
        (
            "a = 1 b",
            "position 7: expected an operator or the end after '1', found 'b'",
        ),
        (
            "(a = 1",
            "position 7: expected ')' or an operator after '1', found end",
        ),
        (
            "a = 1)",
            "position 6: expected an operator or the end after '1', found ')'",
        ),
        ("a = = 1", "position 5: expected a value after '=', found '='"),
        (
            "a = 1 = 2",
            "position 7: expected AND, OR or the end after '1', found '='",
        ),
        ("a = NOT b", "position 5: expected a value after '=', found 'NOT'"),
        (
            "a = NULL",
            "position 5: expected a value (IS NULL asks for a missing one) after '=', found 'NULL'",
        ),
        (
            "a IS 5",
            "position 6: expected NULL or NOT NULL after 'IS', found '5'",
        ),
        ("a IS NOT b", "position 10: expected NULL after 'NOT', found 'b'"),
        (
            "a NOT = 1",
            "position 7: expected BETWEEN, IN or LIKE after 'NOT', found '='",
        ),
        (
            "a BETWEEN 1",
            "position 12: expected AND and the upper bound after '1', found end",
        ),
        (
            "a IN 1",
            "position 6: expected '(' and a list of literals after 'IN', found '1'",
        ),
        ("a IN ()", "position 7: expected a literal after '(', found ')'"),
        ("a IN (b)", "position 7: expected a literal after '(', found 'b'"),
        (
            "a IN (-'b')",
            "position 8: expected a number after '-', found ''b''",
        ),
        ("a IN (1", "position 8: expected ',' or ')' after '1', found end"),
        (
            "a LIKE b",
            "position 8: expected a pattern in single quotes after 'LIKE', found 'b'",
        ),
        (
            "a LIKE 'b' ESCAPE 1",
            "position 19: expected one character in single quotes after 'ESCAPE', found '1'",
        ),
        (
            "a LIKE 'b' ESCAPE 'xy'",
            "position 19: expected one character after ESCAPE",
        ),
        (
            "a LIKE 'b!c' ESCAPE '!'",
            "position 8: expected %, _ or '!' after the escape character '!', found 'c'",
        ),
        (
            "a LIKE 'b!' ESCAPE '!'",
            "position 8: expected %, _ or '!' after the escape character '!', found the end",
        ),
        ("10", "position 1: expected a condition, found a number"),
        ("a AND 'b'", "position 7: expected a condition, found a string"),
        (
            "a + (b = 1) > 2",
            "position 5: expected a number, found a condition",
        ),
        (
            "a + 'b' > 2",
            "position 5: expected a number or a header, found a string",
        ),
        (
            "-TRUE = 2",
            "position 2: expected a number or a header, found TRUE or FALSE",
        ),
        (
            "1 = 'a'",
            "position 5: expected a number to compare with, found a string",
        ),
        (
            "'a' = TRUE",
            "position 7: expected a string to compare with, found TRUE or FALSE",
        ),
        (
            "a + 1 IN ('x')",
            "position 11: expected a number to compare with, found a string",
        ),
        (
            "1 LIKE 'a'",
            "position 1: expected a header or a string before LIKE, found a number",
        ),
        (
            "a ! = 1",
            "position 3: expected a header, a literal, an operator or a parenthesis, found '!'; names with other characters go in double quotes",
        ),
        (
            "ä-ö = #",
            "position 7: expected a header, a literal, an operator or a parenthesis, found '#'; names with other characters go in double quotes",
        ),
        (
            "a = 'it",
            "position 5: expected ' at the end of this string, found end",
        ),
        (
            "\"a = 1",
            "position 1: expected \" at the end of this name in double quotes, found end",
        ),
        ("\"\" = 1", "position 1: expected a header's name, found \"\""),
        ("a = 7E", "position 5: expected digits after the exponent's E"),
        ("a = 7x", "position 6: expected an operator after \"7\""),
        (
            "a = 1e999",
            "position 5: expected a number within the range of a double",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text).to_string(), expected, "{text}");
    }
}

#[test]
fn positions_count_characters_and_spans_bytes() {
    let error = error("ä = 'ö' oder");
    assert_eq!((error.position(), error.span()), (9, 10..14));
}

#[test]
fn keywords_have_no_letter_case_and_names_do() {
    assert!(matches(
        "a Is nOt nUlL aNd B bEtWeEn 1 And 3",
        &[("a", "x"), ("B", "2")]
    ));
    assert!(!matches("A = 'x'", &[("a", "x")]));
    assert!(!matches("a = 'X'", &[("a", "x")]));
}

#[test]
fn names_are_words_or_stand_in_double_quotes() {
    for (text, name) in [
        ("_a1 = 'x'", "_a1"),
        ("$b = 'x'", "$b"),
        ("größe = 'x'", "größe"),
        ("\"ios-alert\" = 'x'", "ios-alert"),
        ("\"a\"\"b\" = 'x'", "a\"b"),
        ("\"and\" = 'x'", "and"),
        ("\"1\"='x'", "1"),
    ] {
        assert!(matches(text, &[(name, "x")]), "{text}");
    }
}

#[test]
fn literals_are_strings_numbers_and_truth_values() {
    assert!(matches("a = 'it''s'", &[("a", "it's")]));
    assert!(matches("a = ''", &[("a", "")]));
    for number in [
        "7000",
        "7E3",
        "7e+3",
        "7000.0",
        "7000.",
        "70.00e2",
        "0.7E4",
        ".7E4",
        "7000000e-3",
    ] {
        assert!(matches(&format!("a = {number}"), &[("a", "7000")]), "{number}");
    }
    assert!(matches(
        "a = TRUE AND b = false",
        &[("a", "true"), ("b", "false")]
    ));
}

#[test]
fn or_binds_loosest_then_and_then_not_then_predicates_then_sums_then_products_then_signs() {
    let canonical = [
        ("a OR b AND c", "a OR b AND c"),
        ("(a OR b) AND c", "(a OR b) AND c"),
        ("NOT a AND b", "NOT a AND b"),
        ("NOT (a AND b)", "NOT (a AND b)"),
        ("(NOT (a = 1))", "NOT a = 1"),
        ("a = b + c * d", "a = b + c * d"),
        ("a = (b + c) * d", "a = (b + c) * d"),
        ("a = ((b * c) + d)", "a = b * c + d"),
        ("a = -b * c", "a = -b * c"),
        ("a = -(b * c)", "a = -(b * c)"),
        ("a = b - (c - d) - e", "a = b - (c - d) - e"),
        ("a = (b / c) / d", "a = b / c / d"),
        ("a = b / (c / d)", "a = b / (c / d)"),
        ("a BETWEEN 1 + 1 AND 2 AND b", "a BETWEEN 1 + 1 AND 2 AND b"),
    ];
    for (text, expected) in canonical {
        assert_eq!(selector(text).to_string(), expected);
    }
}

#[test]
fn an_empty_text_is_no_selector() {
    assert_eq!(Selector::parse_optional(""), Ok(None));
    assert_eq!(Selector::parse_optional(" \t\n"), Ok(None));
    assert!(Selector::parse_optional("a").unwrap().is_some());
}

#[test]
fn a_selector_has_at_most_1024_bytes() {
    let fits = format!("a = '{}'", "x".repeat(1_018));
    assert_eq!(fits.len(), 1_024);
    selector(&fits);
    let too_long = format!("{fits} ");
    assert_eq!(
        error(&too_long).to_string(),
        "position 1025: a selector has at most 1024 bytes, found 1025"
    );
    // The limit lies within a character.
    let wide = "ä".repeat(600);
    assert_eq!(error(&format!(" '{wide}'")).span().start, 1_024);
    assert_eq!(error(&format!("'{wide}'")).span().start, 1_023);
}

#[test]
fn a_selector_has_at_most_32_levels() {
    let nested = |open: &str, close: &str, levels: usize| {
        format!("{}a = 1{}", open.repeat(levels), close.repeat(levels))
    };
    selector(&nested("(", ")", 32));
    let error_33 = error(&nested("(", ")", 33));
    assert_eq!(
        error_33.to_string(),
        "position 33: a selector has at most 32 levels"
    );
    selector(&nested("NOT ", "", 32));
    assert_eq!(error(&nested("NOT ", "", 33)).position(), 129);
    selector(&format!("a = {}b", "-".repeat(32)));
    error(&format!("a = {}b", "-".repeat(33)));
    selector(&nested("NOT(", ")", 16));
    error(&nested("NOT(", ")", 17));
    // What follows one another is not nested.
    selector(&["a"; 200].join(" OR "));
    selector(&format!("{}>0", ["a"; 200].join("+")));
}
