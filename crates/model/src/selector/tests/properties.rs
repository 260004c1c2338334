use proptest::prelude::*;

use super::Selector;
use crate::headers::Headers;

/// Texts that are selectors most of the time.
fn conditions() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("$größe_1".to_owned()),
        Just("\"a-b\"".to_owned()),
        Just("\"IN\"".to_owned()),
    ];
    let string = "[ab%_!é' ]{0,4}".prop_map(|text| format!("'{}'", text.replace('\'', "''")));
    let number = prop_oneof![
        "[0-9]{1,3}",
        "[0-9]{0,2}\\.[0-9]{1,2}",
        "[0-9]e[+-]?[0-9]{1,2}",
        any::<f64>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(|n| format!("{:e}", n.abs())),
    ];
    let flag = prop_oneof![Just("TRUE".to_owned()), Just("false".to_owned())];
    let numbers = prop_oneof![number.clone(), name.clone()].prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), "[-+*/]", inner.clone()).prop_map(|(l, op, r)| format!("{l} {op} {r}")),
            inner.clone().prop_map(|n| format!("({n})")),
            ("[-+]", inner).prop_map(|(sign, n)| format!("{sign}({n})")),
        ]
    });
    let value = prop_oneof![numbers, string.clone(), flag.clone(), name.clone()];
    let literal = prop_oneof![number, string.clone(), flag.clone()];
    let operator = prop_oneof![
        Just("="),
        Just("<>"),
        Just("!="),
        Just("<"),
        Just("<="),
        Just(">"),
        Just(">=")
    ];
    let not = prop_oneof![Just(""), Just(" NOT")];
    let predicate = prop_oneof![
        (value.clone(), operator, value.clone()).prop_map(|(l, op, r)| format!("{l}{op}{r}")),
        (value.clone(), not.clone(), value.clone(), value.clone())
            .prop_map(|(v, not, l, h)| format!("{v}{not} BETWEEN {l} AND {h}")),
        (name.clone(), not.clone(), prop::collection::vec(literal, 1..4))
            .prop_map(|(v, not, list)| format!("{v}{not} IN ({})", list.join(","))),
        (name.clone(), not.clone(), string).prop_map(|(v, not, pattern)| format!("{v}{not} LIKE {pattern}")),
        (value, not).prop_map(|(v, not)| format!("{v} IS{not} NULL")),
        name,
        flag,
    ];
    predicate.prop_recursive(4, 20, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("{l} AND {r}")),
            (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("{l} or {r}")),
            inner.clone().prop_map(|c| format!("not ({c})")),
            inner.prop_map(|c| format!("({c})")),
        ]
    })
}

fn any_headers() -> impl Strategy<Value = Headers> {
    let value = prop_oneof![
        "[ab%_!é' ]{0,4}",
        "[0-9]{1,3}",
        Just("true".to_owned()),
        Just("false".to_owned())
    ];
    prop::collection::btree_map(
        prop_oneof![Just("a"), Just("b"), Just("$größe_1"), Just("a-b"), Just("IN")],
        value,
        0..5,
    )
    .prop_map(|map| {
        let pairs = map.into_iter().map(|(name, value)| (name.into(), value.into()));
        Headers::from_stored(pairs.collect())
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(text in conditions(), headers in any_headers()) {
        if let Ok(selector) = text.parse::<Selector>() {
            let again = Selector::parse(&selector.to_string()).unwrap();
            prop_assert_eq!(&again.condition, &selector.condition);
            prop_assert_eq!(again.to_string(), selector.to_string());
            prop_assert_eq!(again.matches(&headers), selector.matches(&headers));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        if let Err(error) = text.parse::<Selector>() {
            prop_assert!(error.position() <= text.chars().count() + 1);
            prop_assert!(text.get(error.span()).is_some());
        }
    }

    #[test]
    fn no_row_of_tokens_makes_it_panic(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "a", "\"b\"", "'x%'", "1", ".5", "7E3", "AND", "OR", "NOT", "BETWEEN", "IN", "LIKE", "ESCAPE", "IS",
            "NULL", "TRUE", "FALSE", "=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "(", ")", ",", "'", "\"",
        ]), 0..24),
        headers in any_headers(),
    ) {
        let text = tokens.join(" ");
        match text.parse::<Selector>() {
            Ok(selector) => {
                let again = Selector::parse(&selector.to_string()).unwrap();
                prop_assert_eq!(&again.condition, &selector.condition);
                selector.matches(&headers);
            }
            Err(error) => prop_assert!(error.position() <= text.chars().count() + 1),
        }
    }
}

#[test]
fn the_random_texts_are_selectors_often_enough() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let read = (0..400)
        .filter(|_| {
            let text = conditions().new_tree(&mut runner).unwrap().current();
            text.parse::<Selector>().is_ok()
        })
        .count();
    assert!(read > 100, "{read} of 400");
}
