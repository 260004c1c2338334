use super::{matches, selector, truth};

#[test]
fn foo_over_10_delivers_20_and_50_of_20_10_50_5_and_absent() {
    let delivered: Vec<_> = [Some("20"), Some("10"), Some("50"), Some("5"), None]
        .into_iter()
        .filter(|foo| {
            let pairs: Vec<_> = foo.iter().map(|value| ("foo", *value)).collect();
            matches("foo > 10", &pairs)
        })
        .collect();
    assert_eq!(delivered, [Some("20"), Some("50")]);
}

#[test]
fn unequal_is_written_in_two_ways() {
    for text in ["a <> 'x'", "a != 'x'"] {
        assert_eq!(truth(text, &[("a", "x")]), Some(false), "{text}");
        assert_eq!(truth(text, &[("a", "y")]), Some(true), "{text}");
        assert_eq!(truth(text, &[]), None, "{text}");
    }
}

#[test]
fn a_missing_header_is_unknown() {
    for text in [
        "a = 1",
        "a <> 1",
        "a = 'x'",
        "a = TRUE",
        "a",
        "a < b",
        "a + 1 > 0",
        "a BETWEEN 1 AND 2",
        "a IN (1, 'x', TRUE)",
        "a LIKE '%'",
        "-a = 1",
    ] {
        assert_eq!(truth(text, &[]), None, "{text}");
    }
    assert_eq!(truth("a IS NULL", &[]), Some(true));
    assert_eq!(truth("a IS NOT NULL", &[]), Some(false));
    assert_eq!(truth("a IS NULL", &[("a", "")]), Some(false));
}

#[test]
fn and_or_and_not_know_the_unknown() {
    let table = [(Some(true), "a"), (Some(false), "b"), (None, "c")];
    let pairs = [("a", "true"), ("b", "false")];
    for (left, l) in table {
        assert_eq!(truth(l, &pairs), left);
        for (right, r) in table {
            let and = match (left, right) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
            let or = match (left, right) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
            assert_eq!(truth(&format!("{l} AND {r}"), &pairs), and, "{l} AND {r}");
            assert_eq!(truth(&format!("{l} OR {r}"), &pairs), or, "{l} OR {r}");
        }
    }
}

#[test]
fn against_a_number_a_header_is_read_as_a_number_and_nothing_else() {
    for (text, value) in [
        ("20", "20"),
        ("+20", "20"),
        ("-20", "-20"),
        ("020", "20"),
        ("20.50", "20.5"),
        ("20.", "20"),
        (".5", "0.5"),
        ("2e1", "20"),
        ("2E+1", "20"),
        ("200e-1", "20"),
        ("9007199254740993", "9007199254740992"),
        ("123456789012345678901234567890", "1.2345678901234568E29"),
        ("-0", "0"),
    ] {
        assert_eq!(
            truth(&format!("a = {value}"), &[("a", text)]),
            Some(true),
            "{text}"
        );
    }
    for text in [
        "", " ", " 20", "20 ", "abc", "true", "0x10", "1_000", "1,000", "inf", "NaN", "infinity", "-", "+",
        ".", "e5", "1e", "1e+", "--1", "+-1", "1.2.3", "1e5.5", "٣", "20\u{0}",
    ] {
        assert_eq!(truth("a = 20", &[("a", text)]), None, "{text:?}");
        assert_eq!(truth("a < 20", &[("a", text)]), None, "{text:?}");
        assert_eq!(truth("a + 0 IS NULL", &[("a", text)]), Some(true), "{text:?}");
        assert_eq!(truth("a IS NULL", &[("a", text)]), Some(false), "{text:?}");
    }
    assert_eq!(truth("a > 1E308", &[("a", "1e999")]), Some(true));
}

#[test]
fn against_a_truth_value_a_header_is_read_as_true_or_false_and_nothing_else() {
    for (text, expected) in [
        ("true", Some(true)),
        ("false", Some(false)),
        ("TRUE", None),
        ("1", None),
        ("", None),
    ] {
        let pairs = [("a", text)];
        assert_eq!(truth("a = TRUE", &pairs), expected, "{text}");
        assert_eq!(truth("a", &pairs), expected, "{text}");
        assert_eq!(truth("NOT a", &pairs), expected.map(|truth| !truth), "{text}");
        assert_eq!(truth("FALSE = a", &pairs), expected.map(|truth| !truth), "{text}");
        assert_eq!(truth("a IN (TRUE)", &pairs), expected, "{text}");
    }
    assert!(matches("FALSE < TRUE", &[]));
}

#[test]
fn strings_compare_by_code_point() {
    assert!(matches("a > 'Z'", &[("a", "a")]));
    assert!(matches("a < 'ä'", &[("a", "z")]));
    assert!(matches("a > '\u{ffff}'", &[("a", "\u{10000}")]));
    assert!(matches("a = 'é'", &[("a", "é")]));
    assert!(!matches("a = 'e\u{301}'", &[("a", "é")]));
    assert!(matches("a < 'b '", &[("a", "b")]));
}

#[test]
fn two_headers_compare_as_strings() {
    let pairs = [("a", "10"), ("b", "9"), ("c", "10")];
    assert!(matches("a < b", &pairs));
    assert!(matches("a = c", &pairs));
    assert!(matches("a > +b", &pairs), "a sign makes it a number");
    assert!(matches("a + 0 > b", &pairs));
    assert!(matches("b BETWEEN a AND '9'", &pairs));
}

#[test]
fn division_is_real_and_by_zero_it_is_unknown() {
    assert!(matches("7 / 2 = 3.5", &[]));
    assert!(matches("a / 4 = 0.25", &[("a", "1")]));
    for text in [
        "1 / 0 = 1",
        "1 / 0 <> 1",
        "a / b > 0",
        "1 / (a - a) = 1",
        "1 / -0 < 0",
    ] {
        assert_eq!(truth(text, &[("a", "5"), ("b", "0")]), None, "{text}");
    }
    assert!(matches("1 / 0 IS NULL", &[]));
    assert!(
        matches("a - a IS NULL", &[("a", "1e999")]),
        "infinity less infinity is no number"
    );
}

#[test]
fn arithmetic_goes_from_left_to_right() {
    for (text, value) in [
        ("10 - 3 - 2", "5"),
        ("100 / 10 / 2", "5"),
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("-2 - -3", "1"),
        ("- (2 + 3)", "-5"),
        ("2 * -3", "-6"),
        ("a * a - a", "6"),
        ("8--3", "11"),
    ] {
        assert!(matches(&format!("{text} = {value}"), &[("a", "3")]), "{text}");
    }
}

#[test]
fn between_includes_its_bounds() {
    for (text, expected) in [
        ("1", Some(true)),
        ("2", Some(true)),
        ("3", Some(true)),
        ("0", Some(false)),
        ("4", Some(false)),
        ("x", None),
    ] {
        assert_eq!(truth("a BETWEEN 1 AND 3", &[("a", text)]), expected, "{text}");
        assert_eq!(
            truth("a NOT BETWEEN 1 AND 3", &[("a", text)]),
            expected.map(|truth| !truth),
            "{text}"
        );
    }
    // One side alone can settle it.
    assert_eq!(truth("5 BETWEEN b AND 3", &[]), Some(false));
    assert_eq!(truth("1 BETWEEN 3 AND b", &[]), Some(false));
    assert_eq!(truth("2 BETWEEN 1 AND b", &[]), None);
    assert!(matches("a BETWEEN 'b' AND 'd'", &[("a", "c")]));
}

#[test]
fn in_is_any_of_the_comparisons() {
    assert!(matches("a IN (3, 1, 2)", &[("a", "2.0")]));
    assert!(matches("a IN ('x', 'y')", &[("a", "y")]));
    assert!(matches("a NOT IN ('x', 'y')", &[("a", "z")]));
    assert!(matches("a IN (-1, +2, 0)", &[("a", "-1")]));
    assert!(matches("a IN (0)", &[("a", "-0")]));
    assert!(matches("a IN (-0)", &[("a", "0")]));
    assert!(matches("a * 2 IN (4)", &[("a", "2")]));
    assert!(matches("'x' IN ('x')", &[]));
    // Against the numbers it is unknown, against the strings it is not.
    assert_eq!(truth("a IN (1, 'x')", &[("a", "x")]), Some(true));
    assert_eq!(truth("a IN (1, 'x')", &[("a", "y")]), None);
    assert_eq!(truth("a IN (1, 'x')", &[("a", "2")]), Some(false));
    assert_eq!(truth("a IN (1, TRUE)", &[("a", "true")]), Some(true));
}

#[test]
fn null_tests_look_at_values_too() {
    assert!(matches("a + 1 IS NOT NULL", &[("a", "1")]));
    assert!(matches("a + 1 IS NULL", &[("a", "x")]));
    assert!(matches(
        "'x' IS NOT NULL AND 1 IS NOT NULL AND TRUE IS NOT NULL",
        &[]
    ));
}

#[test]
fn two_selectors_joined_match_what_both_match() {
    let both = selector("a = 1 OR b = 1").and(selector("c = 1"));
    assert_eq!(both.to_string(), "(a = 1 OR b = 1) AND c = 1");
    assert!(both.matches(&super::headers(&[("a", "1"), ("c", "1")])));
    assert!(!both.matches(&super::headers(&[("a", "1")])));
    assert_eq!(
        selector("a").and(selector("( A ) OR a")).to_string(),
        "a AND (A OR a)"
    );
    assert_eq!(selector("a = 1").and(selector("a=1")).to_string(), "a = 1");
}

#[test]
fn truth_values_stand_as_conditions() {
    assert!(matches("TRUE", &[]));
    assert!(!matches("FALSE OR NOT TRUE", &[]));
}
