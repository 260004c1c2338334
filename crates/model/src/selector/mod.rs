//! Conditional delivery: the selector, the condition part of an SQL-92 WHERE clause over a message's
//! headers (api.md 3.4).
//!
//! A text is read once into a tree of typed conditions: which comparison is one of numbers, of texts or
//! of truth values is settled then, so that matching a message looks headers up, compares, and
//! allocates nothing.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::headers::Headers;
use crate::limits;

use condition::Condition;
use parser::Parser;

/// How the text of a header is read as a number or a truth value.
mod coercion;
/// The tree.
mod condition;
/// Why a text is no selector.
mod error;
/// What a condition says about headers.
mod evaluate;
/// Text to tokens.
mod lexer;
/// Tokens to the tree.
mod parser;
/// `LIKE`.
mod pattern;
/// The tree to canonical text.
mod print;

pub use error::SelectorError;

/// A condition over the headers of a message.
///
/// Displayed it is its canonical text: read again it is the same selector, and selectors that differ in
/// spaces, letter case of keywords or needless parentheses alone have the same one. That text may be
/// longer than what a selector may have when it comes from outside; keep what was given, where it is to
/// be read again later.
///
/// ```
/// # use postbell_model::{headers::Headers, selector::Selector};
/// let selector: Selector = "foo > 10 and lang in ('en', 'de')".parse()?;
/// let headers = |foo: &str| Headers::from_stored(vec![("foo".into(), foo.into()), ("lang".into(), "de".into())]);
/// assert!(selector.matches(&headers("20")));
/// assert!(!selector.matches(&headers("10")));
/// # Ok::<(), postbell_model::selector::SelectorError>(())
/// ```
#[derive(Clone)]
pub struct Selector {
    condition: Condition,
    text: Box<str>,
}

impl Selector {
    /// Reads a text in which nothing but spaces means no selector.
    ///
    /// # Errors
    /// As for [`Selector::from_str`].
    pub fn parse_optional(text: &str) -> Result<Option<Self>, SelectorError> {
        match text.trim().is_empty() {
            true => Ok(None),
            false => text.parse().map(Some),
        }
    }

    /// Whether a message with these headers is delivered: only where the condition is true, neither false
    /// nor unknown. Allocates nothing.
    pub fn matches(&self, headers: &Headers) -> bool {
        self.condition.truth(headers) == Some(true)
    }

    /// What matches both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == other {
            return self;
        }
        Self::new(self.condition.and(other.condition))
    }

    fn new(condition: Condition) -> Self {
        let text = condition.to_string().into_boxed_str();
        Self { condition, text }
    }

    /// Reads a text of any length.
    fn parse(text: &str) -> Result<Self, SelectorError> {
        Parser::new(text)?.selector().map(Self::new)
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    /// # Errors
    /// What is no selector, with the position; more than [`limits::SELECTOR_BYTES`] bytes or
    /// [`limits::SELECTOR_DEPTH`] levels.
    fn from_str(text: &str) -> Result<Self, SelectorError> {
        if text.len() > limits::SELECTOR_BYTES {
            return Err(SelectorError::too_long(text));
        }
        Self::parse(text)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selector({:?})", self.text)
    }
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Selector {}

impl Hash for Selector {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

#[cfg(test)]
mod tests;
