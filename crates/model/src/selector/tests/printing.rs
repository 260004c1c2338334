use super::selector;

#[test]
fn the_canonical_text_does_not_depend_on_how_it_was_written() {
    let cases = [
        (" a=1 ", "a = 1"),
        ("((a))and(b)", "a AND b"),
        ("a and (b and c)", "a AND b AND c"),
        ("a or (b or c)", "a OR b OR c"),
        ("(a and b) or c", "a AND b OR c"),
        ("\"a\" = 1", "a = 1"),
        ("\"not\" = 1", "\"not\" = 1"),
        ("\"a b\"\"c\" = 1", "\"a b\"\"c\" = 1"),
        ("a = 1e3", "a = 1000"),
        ("a = 0.10", "a = 0.1"),
        ("a = 1e300", "a = 1E300"),
        ("a = -(5)", "a = -5"),
        ("a = - - 5", "a = 5"),
        ("a = --b", "a = - -b"),
        ("a = -+b", "a = -+b"),
        ("a = 'it''s'", "a = 'it''s'"),
        ("a in (2, 1, 'b', 1.0, TRUE, 'a')", "a IN (1, 2, 'a', 'b', TRUE)"),
        ("not a in (1)", "a NOT IN (1)"),
        ("a not in (1)", "a NOT IN (1)"),
        ("not a is null", "a IS NOT NULL"),
        ("not (a between 1 and 2)", "a NOT BETWEEN 1 AND 2"),
        ("not not a like 'x'", "NOT a NOT LIKE 'x'"),
        ("a like 'x%%'", "a LIKE 'x%'"),
        (
            "a like 'x!%!_!!\\' escape '!'",
            "a LIKE 'x\\%\\_!\\\\' ESCAPE '\\'",
        ),
        ("a like 'x\\' escape '!'", "a LIKE 'x\\'"),
        ("a!=1", "a <> 1"),
        ("a <> 'x' and not (b or c)", "a <> 'x' AND NOT (b OR c)"),
    ];
    for (text, expected) in cases {
        let read = selector(text);
        assert_eq!(read.to_string(), expected, "{text}");
        assert_eq!(selector(expected).condition, read.condition, "{text}");
    }
}
