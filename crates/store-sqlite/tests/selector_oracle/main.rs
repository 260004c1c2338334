//! Selectors against SQLite's own evaluation of the same WHERE clause (api.md 3.4): random conditions over
//! random headers, with the coercions and real division spelled out in SQL.

#![expect(clippy::unwrap_used, reason = "in a test everything unexpected is a failure")]

use std::fmt::Write as _;

use model::headers::Headers;
use model::selector::Selector;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use rusqlite::{Connection, params_from_iter};

/// The headers that conditions speak of, as a selector names them, and the columns that hold them.
const HEADERS: [(&str, &str, &str); 4] = [
    ("a", "a", "a"),
    ("b", "b", "b"),
    ("größe", "größe", "c"),
    ("d-e", "\"d-e\"", "d"),
];

/// The same thing in both languages.
#[derive(Debug, Clone)]
struct Both {
    selector: String,
    sql: String,
}

/// A header by the way it is read: `_text`, `_number` or `_flag` of a column.
#[derive(Debug, Clone, Copy)]
struct Name(usize);

impl Name {
    fn read_as(self, suffix: &str) -> Both {
        let (_, selector, column) = HEADERS[self.0];
        both(selector, &format!("{column}_{suffix}"))
    }
}

fn both(selector: &str, sql: &str) -> Both {
    Both {
        selector: selector.to_owned(),
        sql: sql.to_owned(),
    }
}

/// Two things with the same words between them.
fn joined(left: &Both, words: &str, right: &Both) -> Both {
    both(
        &format!("{} {words} {}", left.selector, right.selector),
        &format!("{} {words} {}", left.sql, right.sql),
    )
}

fn wrapped(before: &str, inner: &Both, after: &str) -> Both {
    both(
        &format!("{before}{}{after}", inner.selector),
        &format!("{before}{}{after}", inner.sql),
    )
}

fn names() -> impl Strategy<Value = Name> + Clone {
    (0..HEADERS.len()).prop_map(Name)
}

/// Literals that SQLite reads as reals, so that it divides as reals too.
fn numbers() -> impl Strategy<Value = Both> + Clone {
    let whole = select(vec!["0", "1", "2", "5", "10", "20", "007"]).prop_map(|n| both(n, &format!("{n}.0")));
    let real = select(vec!["0.5", ".25", "2.50", "1e1", "5E-1", "2.0e+1"]).prop_map(|n| both(n, n));
    prop_oneof![whole, real]
}

fn strings() -> impl Strategy<Value = Both> + Clone {
    select(vec![
        "''", "'10'", "'5'", "'abc'", "'aé'", "'b'", "'true'", "'it''s'", "'Z'",
    ])
    .prop_map(|text| both(text, text))
}

fn flags() -> impl Strategy<Value = Both> + Clone {
    select(vec!["TRUE", "FALSE"]).prop_map(|flag| both(flag, flag))
}

/// What is a number by itself, not because of what it is compared with.
fn sums() -> impl Strategy<Value = Both> + Clone {
    let leaf = prop_oneof![
        3 => numbers(),
        1 => names().prop_map(|name| wrapped("+ ", &name.read_as("number"), "")),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let any = prop_oneof![inner.clone(), names().prop_map(|name| name.read_as("number"))];
        prop_oneof![
            (any.clone(), select(vec!["+", "-", "*", "/"]), any.clone())
                .prop_map(|(left, operator, right)| joined(&left, operator, &right)),
            any.clone()
                .prop_map(|number| wrapped("(0 + ", &number, ")").with_real_zero()),
            any.prop_map(|number| wrapped("- (", &number, ")")),
        ]
    })
}

impl Both {
    fn with_real_zero(mut self) -> Self {
        self.sql = self.sql.replacen("(0 +", "(0.0 +", 1);
        self
    }
}

/// Values of one sort, and that they are of it by themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sort {
    Number,
    Text,
    Flag,
}

fn typed() -> impl Strategy<Value = (Sort, Both)> + Clone {
    prop_oneof![
        3 => sums().prop_map(|number| (Sort::Number, number)),
        2 => strings().prop_map(|text| (Sort::Text, text)),
        1 => flags().prop_map(|flag| (Sort::Flag, flag)),
    ]
}

fn suffix(sort: Sort) -> &'static str {
    match sort {
        Sort::Number => "number",
        Sort::Text => "text",
        Sort::Flag => "flag",
    }
}

/// A header or a value, to stand beside something of this sort.
fn beside(sort: Sort) -> BoxedStrategy<Both> {
    let values = match sort {
        Sort::Number => sums().boxed(),
        Sort::Text => strings().boxed(),
        Sort::Flag => flags().boxed(),
    };
    prop_oneof![names().prop_map(move |name| name.read_as(suffix(sort))), values].boxed()
}

fn comparisons() -> impl Strategy<Value = Both> {
    let operators = || select(vec!["=", "<>", "!=", "<", "<=", ">", ">="]);
    let with_value = typed()
        .prop_flat_map(move |(sort, value)| (Just(value), operators(), beside(sort), any::<bool>()))
        .prop_map(|(value, operator, other, turned)| match turned {
            true => joined(&other, operator, &value),
            false => joined(&value, operator, &other),
        });
    // Two headers are strings.
    let headers = (names(), operators(), names())
        .prop_map(|(left, operator, right)| joined(&left.read_as("text"), operator, &right.read_as("text")));
    prop_oneof![4 => with_value, 1 => headers]
}

/// `BETWEEN` bounds may be of different sorts: each side is a comparison of its own.
fn ranges() -> impl Strategy<Value = Both> {
    (names(), typed(), typed(), any::<bool>()).prop_map(|(name, low, high, negated)| {
        let not = if negated { "NOT " } else { "" };
        let header = name.read_as("text").selector;
        let selector = format!("{header} {not}BETWEEN {} AND {}", low.1.selector, high.1.selector);
        let column = |sort| name.read_as(suffix(sort)).sql;
        let sql = match low.0 == high.0 {
            true => format!("{} {not}BETWEEN {} AND {}", column(low.0), low.1.sql, high.1.sql),
            false => format!(
                "({not}({} >= {} AND {} <= {}))",
                column(low.0),
                low.1.sql,
                column(high.0),
                high.1.sql
            ),
        };
        both(&selector, &sql)
    })
}

fn lists() -> impl Strategy<Value = Both> {
    let literals = prop_oneof![
        numbers().prop_map(|number| (Sort::Number, number)),
        numbers().prop_map(|number| (Sort::Number, wrapped("-", &number, ""))),
        strings().prop_map(|text| (Sort::Text, text)),
        flags().prop_map(|flag| (Sort::Flag, flag)),
    ];
    (names(), prop::collection::vec(literals, 1..5), any::<bool>()).prop_map(|(name, literals, negated)| {
        let not = if negated { "NOT " } else { "" };
        let list: Vec<_> = literals.iter().map(|(_, literal)| &*literal.selector).collect();
        let selector = format!("{} {not}IN ({})", name.read_as("text").selector, list.join(", "));
        let first = literals[0].0;
        let sql = match literals.iter().all(|(sort, _)| *sort == first) {
            true => {
                let list: Vec<_> = literals.iter().map(|(_, literal)| &*literal.sql).collect();
                format!(
                    "{} {not}IN ({})",
                    name.read_as(suffix(first)).sql,
                    list.join(", ")
                )
            }
            false => {
                let equals: Vec<_> = literals
                    .iter()
                    .map(|(sort, literal)| format!("{} = {}", name.read_as(suffix(*sort)).sql, literal.sql))
                    .collect();
                format!("({not}({}))", equals.join(" OR "))
            }
        };
        both(&selector, &sql)
    })
}

fn likes() -> impl Strategy<Value = Both> {
    let pieces = select(vec![
        "%", "_", "a", "b", "c", "é", "1", "0", ".", "!%", "!_", "!!",
    ]);
    let operands = prop_oneof![names().prop_map(|name| name.read_as("text")), strings()];
    (operands, prop::collection::vec(pieces, 0..6), any::<bool>()).prop_map(|(operand, pieces, negated)| {
        let not = if negated { "NOT " } else { "" };
        wrapped(
            "",
            &operand,
            &format!(" {not}LIKE '{}' ESCAPE '!'", pieces.concat()),
        )
    })
}

fn null_tests() -> impl Strategy<Value = Both> {
    let values = prop_oneof![
        names().prop_map(|name| name.read_as("text")),
        sums().prop_map(|number| wrapped("(", &number, ")")),
    ];
    (values, select(vec![" IS NULL", " IS NOT NULL"])).prop_map(|(value, test)| wrapped("", &value, test))
}

/// Without needless parentheses: both must agree on what binds how tightly.
fn conditions() -> impl Strategy<Value = Both> {
    let predicates = prop_oneof![
        4 => comparisons(),
        1 => ranges(),
        1 => lists(),
        1 => likes(),
        1 => null_tests(),
        1 => names().prop_map(|name| name.read_as("flag")),
        1 => flags(),
    ];
    predicates.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| joined(&left, "AND", &right)),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| joined(&left, "OR", &right)),
            inner
                .clone()
                .prop_map(|condition| wrapped("NOT ", &condition, "")),
            inner.prop_map(|condition| wrapped("(", &condition, ")")),
        ]
    })
}

fn values() -> impl Strategy<Value = Option<String>> {
    let texts = select(vec![
        "0", "-0", "1", "2", "5", "10", "+10", "-5", "007", "0.5", ".5", "5.", "1e1", "5E-1", "1e+1", "10.0",
        "", " 5", "5 ", "1e", "e5", ".", "-", "+-1", "1.2.3", "0x10", "inf", "NaN", "abc", "a%b", "aé", "Z",
        "b", "true", "false", "TRUE", "it's",
    ]);
    prop_oneof![1 => Just(None), 5 => texts.prop_map(|text| Some(text.to_owned()))]
}

/// The columns of one row, from the headers as parameters. A number is an optional sign, a mantissa of digits
/// with at most one point, and perhaps an exponent with digits; nothing else.
fn row() -> String {
    let mut parts: [String; 4] = Default::default();
    for (at, (_, _, column)) in HEADERS.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let c = column;
        write!(parts[0], "{comma}?{} AS {c}_text", at + 1).unwrap();
        write!(
            parts[1],
            ", CASE WHEN substr({c}_text, 1, 1) IN ('+', '-') THEN substr({c}_text, 2) ELSE {c}_text END AS {c}_unsigned"
        )
        .unwrap();
        write!(
            parts[2],
            ", CASE instr(lower({c}_unsigned), 'e') WHEN 0 THEN {c}_unsigned
                 ELSE substr({c}_unsigned, 1, instr(lower({c}_unsigned), 'e') - 1) END AS {c}_mantissa
             , CASE instr(lower({c}_unsigned), 'e') WHEN 0 THEN '0'
                 ELSE substr({c}_unsigned, instr(lower({c}_unsigned), 'e') + 1) END AS {c}_exponent"
        )
        .unwrap();
        write!(
            parts[3],
            ", CASE WHEN {c}_mantissa GLOB '*[0-9]*' AND {c}_mantissa NOT GLOB '*[^0-9.]*'
                 AND {c}_mantissa NOT GLOB '*.*.*'
                 AND {c}_exponent GLOB '*[0-9]' AND substr({c}_exponent, 2) NOT GLOB '*[^0-9]*'
                 AND substr({c}_exponent, 1, 1) GLOB '[-+0-9]'
                 THEN CAST({c}_text AS REAL) END AS {c}_number
             , CASE {c}_text WHEN 'true' THEN 1 WHEN 'false' THEN 0 END AS {c}_flag"
        )
        .unwrap();
    }
    let [texts, unsigned, scientific, read] = parts;
    format!(
        "WITH texts AS (SELECT {texts}), unsigned AS (SELECT *{unsigned} FROM texts),
         scientific AS (SELECT *{scientific} FROM unsigned), headers AS (SELECT *{read} FROM scientific)"
    )
}

/// What SQLite makes of a condition over these values.
fn sqlite_says(condition: &Both, values: &[Option<String>]) -> Option<bool> {
    thread_local! {
        static SQLITE: Connection = {
            let sqlite = Connection::open_in_memory().unwrap();
            sqlite.execute_batch("PRAGMA case_sensitive_like = ON").unwrap();
            sqlite
        };
    }
    SQLITE.with(|sqlite| {
        let query = format!("{} SELECT {} FROM headers", row(), condition.sql);
        sqlite
            .query_row(&query, params_from_iter(values), |row| row.get(0))
            .unwrap_or_else(|error| panic!("{error}: {query}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_selector_is_what_sqlite_makes_of_the_same_condition(
        condition in conditions(),
        values in prop::collection::vec(values(), HEADERS.len()),
    ) {
        let Ok(selector) = condition.selector.parse::<Selector>() else {
            // Random conditions may be longer or deeper than a selector may be, but nothing else.
            prop_assert!(
                condition.selector.len() > model::limits::SELECTOR_BYTES
                    || condition.selector.matches(['(', '-', '+']).count() + condition.selector.matches("NOT").count()
                        > model::limits::SELECTOR_DEPTH,
                "{:?}: {:?}", condition.selector, condition.selector.parse::<Selector>()
            );
            return Ok(());
        };
        let negated = format!("NOT ({selector})").parse::<Selector>();
        let given = HEADERS.iter().zip(&values);
        let headers = Headers::from_stored(
            given
                .filter_map(|((name, ..), value)| Some(((*name).into(), value.as_deref()?.into())))
                .collect(),
        );
        let expected = sqlite_says(&condition, &values);
        prop_assert_eq!(selector.matches(&headers), expected == Some(true), "{}", &selector);
        if let Ok(negated) = negated {
            prop_assert_eq!(negated.matches(&headers), expected == Some(false), "NOT ({})", &selector);
        }
    }
}

#[test]
fn the_random_conditions_are_true_false_and_unknown_often_enough() {
    let mut runner = TestRunner::deterministic();
    let (mut outcomes, mut read) = ([0; 3], 0);
    for _ in 0..600 {
        let condition = conditions().new_tree(&mut runner).unwrap().current();
        let values = prop::collection::vec(values(), HEADERS.len());
        let values = values.new_tree(&mut runner).unwrap().current();
        read += usize::from(condition.selector.parse::<Selector>().is_ok());
        outcomes[match sqlite_says(&condition, &values) {
            Some(true) => 0,
            Some(false) => 1,
            None => 2,
        }] += 1;
    }
    assert!(outcomes.iter().all(|count| *count > 60), "{outcomes:?}");
    assert!(read > 500, "{read} of 600");
}
