use std::ops::Range;

use crate::limits;

/// A text that is no selector (error 5906): where it goes wrong, what was expected, what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("position {position}: {problem}")]
pub struct SelectorError {
    position: usize,
    span: Range<usize>,
    problem: String,
}

impl SelectorError {
    pub(super) fn new(text: &str, span: Range<usize>, problem: impl Into<String>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        Self {
            position: before.chars().count() + 1,
            span,
            problem: problem.into(),
        }
    }

    pub(super) fn too_long(text: &str) -> Self {
        let limit = limits::SELECTOR_BYTES;
        let problem = format!("a selector has at most {limit} bytes, found {}", text.len());
        Self::new(text, text.floor_char_boundary(limit)..text.len(), problem)
    }

    /// The character at which it goes wrong, counted from 1; one past the last for the end.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The bytes of the text that it is about.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}
