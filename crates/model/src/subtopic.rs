use std::fmt;
use std::str::FromStr;

/// A pattern over subtopics such as `news.*` (api.md 3.5): a trailing `*` stands for one or more parts,
/// an inner one for exactly one. 1 to 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubtopicPattern(Box<str>);

/// A text that is no pattern over subtopics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a dotted subtopic such as news.dallas or news.* (1 to 255 bytes, no empty part, `*` only for a whole part), found {0:?}"
)]
pub struct SubtopicPatternError(String);

impl SubtopicPattern {
    /// Reads a text in which nothing means no pattern.
    ///
    /// # Errors
    /// As for [`SubtopicPattern::from_str`].
    pub fn parse_optional(text: &str) -> Result<Option<Self>, SubtopicPatternError> {
        match text.is_empty() {
            true => Ok(None),
            false => text.parse().map(Some),
        }
    }

    /// Whether a message with this subtopic is delivered. Allocates nothing.
    pub fn matches(&self, subtopic: &str) -> bool {
        let mut parts = subtopic.split('.');
        let mut wanted = self.0.split('.').peekable();
        while let Some(own) = wanted.next() {
            let Some(part) = parts.next() else { return false };
            match own {
                "*" if wanted.peek().is_none() => return true,
                "*" => {}
                _ if own == part => {}
                _ => return false,
            }
        }
        parts.next().is_none()
    }
}

impl FromStr for SubtopicPattern {
    type Err = SubtopicPatternError;

    fn from_str(text: &str) -> Result<Self, SubtopicPatternError> {
        let is_bad = |part: &str| {
            part.is_empty() || (part != "*" && part.contains(|c: char| c == '*' || c.is_control()))
        };
        if text.len() > 255 || text.split('.').any(is_bad) {
            return Err(SubtopicPatternError(text.chars().take(60).collect()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for SubtopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
