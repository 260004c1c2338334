use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::time::parse_duration;

/// Which incarnation of a channel a `seq` belongs to: random, renewed when the channel is deleted and
/// made again, or restored from a backup (api.md 3.6). Written as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A reader's place in a channel: everything up to it has been seen (api.md 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// Before the first publish, written `0`.
    Start,
    /// After the message `seq` of this epoch, written `<epoch>-<seq>`.
    At {
        /// The channel's incarnation.
        epoch: Epoch,
        /// The last seen sequence number; 0 is before the first.
        seq: u64,
    },
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("0"),
            Self::At { epoch, seq } => write!(f, "{epoch}-{seq}"),
        }
    }
}

/// From where a reader asks to go on (api.md 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Everything that the history holds.
    All,
    /// After this position.
    Position {
        /// The incarnation that the reader knows.
        epoch: Epoch,
        /// The last seq that it has seen.
        seq: u64,
    },
    /// After this seq, whatever the epoch.
    Seq(u64),
    /// What was published within this time before now.
    Ago(Duration),
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Position { epoch, seq } => write!(f, "{epoch}-{seq}"),
            Self::Seq(seq) => seq.fmt(f),
            Self::Ago(duration) => f.write_str(&crate::time::format_duration(*duration)),
        }
    }
}

/// A text that is none of the forms of `since`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a position such as 0123456789abcdef-42, a sequence number, `all` or a duration such as 10m, found {0:?}"
)]
pub struct SinceError(String);

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        let fail = || SinceError(text.chars().take(60).collect());
        if text == "all" {
            return Ok(Self::All);
        }
        if let Some((epoch, seq)) = text.split_once('-') {
            let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            if epoch.len() != 16 || !epoch.bytes().all(hex) {
                return Err(fail());
            }
            let epoch = u64::from_str_radix(epoch, 16).map_err(|_| fail())?;
            return Ok(Self::Position {
                epoch: Epoch(epoch),
                seq: whole(seq).ok_or_else(fail)?,
            });
        }
        if let Some(seq) = whole(text) {
            return Ok(Self::Seq(seq));
        }
        parse_duration(text).map(Self::Ago).map_err(|_| fail())
    }
}

/// A sequence number: decimal digits, below 2^63 (what the stores hold).
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.then(|| text.parse().ok()).flatten()?;
    i64::try_from(number).is_ok().then_some(number)
}

#[cfg(test)]
mod tests;
