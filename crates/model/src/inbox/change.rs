use std::fmt;
use std::str::FromStr;

use crate::time::UnixMillis;

/// How many messages a user is shown on a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Those without a read mark.
    pub unread: u64,
    /// All.
    pub total: u64,
}

/// Up to where a reader knows what a user is shown: the changes of a store, and the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeCursor {
    /// The life of the store that `change` counts in: a restore begins another one.
    pub epoch: u64,
    /// All changes up to this number are known.
    pub change: u64,
    /// What appeared or expired by itself until then is known.
    pub at: UnixMillis,
}

/// A text that is no [`ChangeCursor`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected the cursor of an event, found {0:?}")]
pub struct ChangeCursorError(String);

/// Three hexadecimal numbers: nobody but the store reads them.
impl fmt::Display for ChangeCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}-{:x}", self.epoch, self.change, self.at.0)
    }
}

impl FromStr for ChangeCursor {
    type Err = ChangeCursorError;

    fn from_str(text: &str) -> Result<Self, ChangeCursorError> {
        let mut parts = text.split('-').map(|part| match part.as_bytes() {
            [b'0'..=b'9' | b'a'..=b'f', ..] => u64::from_str_radix(part, 16).ok(),
            _ => None,
        });
        let mut next = || parts.next().flatten();
        let cursor = next()
            .zip(next())
            .zip(next().and_then(|at| i64::try_from(at).ok()));
        match (cursor, parts.next()) {
            (Some(((epoch, change), at)), None) => Ok(Self {
                epoch,
                change,
                at: UnixMillis(at),
            }),
            _ => Err(ChangeCursorError(text.chars().take(60).collect())),
        }
    }
}

/// Why a message is no longer shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// By the user or a key.
    Deleted,
    /// By the campaign system.
    Retracted,
    /// Its time is over.
    Expired,
}
