use super::{Selector, SelectorError};
use crate::headers::Headers;

/// What is read, and what is refused with which words.
mod grammar;
/// How values are read, and what is unknown.
mod meaning;
/// `LIKE`.
mod patterns;
/// The canonical text.
mod printing;
/// Random selectors and headers.
mod properties;

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Headers::from_stored(pairs.collect())
}

fn selector(text: &str) -> Selector {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(text: &str, pairs: &[(&str, &str)]) -> bool {
    selector(text).matches(&headers(pairs))
}

/// True, false or unknown: what the selector and its negation say.
fn truth(text: &str, pairs: &[(&str, &str)]) -> Option<bool> {
    let (plain, negated) = (matches(text, pairs), matches(&format!("NOT ({text})"), pairs));
    assert!(!(plain && negated), "{text} is both true and false");
    (plain || negated).then_some(plain)
}

fn error(text: &str) -> SelectorError {
    match text.parse::<Selector>() {
        Ok(selector) => panic!("{text} was read as {selector}"),
        Err(error) => error,
    }
}
