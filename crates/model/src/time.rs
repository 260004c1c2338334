use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A clock that stands still until it is moved.
pub mod manual;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The time that lies `duration` before this one, saturating.
    pub fn minus(self, duration: Duration) -> Self {
        self - duration
    }

    /// Reads an RFC 3339 date-time; an offset (`Z` or `±hh:mm`) is required. Digits of the fraction
    /// behind the third are no part of the result.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, DateTimeError> {
        date_time(text).ok_or_else(|| DateTimeError(text.chars().take(40).collect()))
    }
}

/// RFC 3339 5.6. It is stricter than what jiff reads (a full date, a separator, a full time, an offset
/// of less than a day) and wider in the year 9999.
fn date_time(text: &str) -> Option<UnixMillis> {
    let local = text.get(..19)?;
    let bytes = local.as_bytes();
    let shaped = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')]
        .iter()
        .all(|(at, separator)| bytes[*at] == *separator)
        && matches!(bytes[10], b'T' | b't' | b' ');
    if !shaped {
        return None;
    }
    let (fraction_millis, offset) = match text[19..].strip_prefix('.') {
        None => (0, &text[19..]),
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (fraction, offset) = rest.split_at(digits);
            if fraction.is_empty() {
                return None;
            }
            let millis = fraction.bytes().chain(*b"000").take(3);
            let millis = millis.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0'));
            (millis, offset)
        }
    };
    let local: jiff::civil::DateTime = local.parse().ok()?;
    let since = local.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
    let millis = since.as_secs() * 1_000 + fraction_millis - offset_minutes(offset)? * 60_000;
    Some(UnixMillis(millis))
}

/// The minutes of `Z` or `±hh:mm`.
fn offset_minutes(text: &str) -> Option<i64> {
    let sign = match text.as_bytes() {
        b"Z" | b"z" => return Some(0),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let two_digits = |digits: &str| {
        let all = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i64>().ok().filter(|_| all)
    };
    let hours = two_digits(text.get(1..3)?).filter(|hours| *hours <= 23)?;
    let minutes = two_digits(text.get(4..6)?).filter(|minutes| *minutes <= 59)?;
    Some(sign * (hours * 60 + minutes))
}

impl Add<Duration> for UnixMillis {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for UnixMillis {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Where all code takes the time from, so that tests and the manual clock can move it.
pub trait Clock: Send + Sync + 'static {
    /// The present, as exact as the clock has it.
    fn timestamp(&self) -> jiff::Timestamp;

    /// The present in whole milliseconds.
    fn now(&self) -> UnixMillis {
        UnixMillis(self.timestamp().as_millisecond())
    }
}

/// A text that is no RFC 3339 date-time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 date-time such as 2014-11-06T13:34:59+01:00, found {0:?}")]
pub struct DateTimeError(String);

/// A text that is no duration that can be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a whole number with a unit, such as `250ms`, `30s`, `10m`, `24h` or `7d`.
    #[error("expected a duration such as 250ms, 30s, 10m, 24h or 7d, found {0:?}")]
    Malformed(String),
    /// More than 100 years.
    #[error("expected a duration of at most 36525d (100 years), found {0:?}")]
    TooLong(String),
    /// Nothing, where some time is wanted.
    #[error("expected a duration of more than 0, found {0:?}")]
    Zero(String),
}

/// Reads a whole number with a unit: `ms`, `s`, `m`, `h` or `d`; at most 100 years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let found = || text.chars().take(40).collect();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(DurationError::Malformed(found())),
    };
    if number.is_empty() {
        return Err(DurationError::Malformed(found()));
    }
    // Digits alone: what cannot be read is too large.
    let total = number
        .parse()
        .ok()
        .and_then(|number: u64| number.checked_mul(unit_millis));
    total
        .filter(|total| *total <= 36_525 * 86_400_000)
        .map(Duration::from_millis)
        .ok_or_else(|| DurationError::TooLong(found()))
}

/// Writes a duration so that [`parse_duration`] reads it back, in the largest unit that is exact.
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if millis >= size && millis.is_multiple_of(size) {
            return format!("{}{unit}", millis / size);
        }
    }
    format!("{millis}ms")
}

/// A duration in settings and configuration: text such as `"30s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The interval of a built-in timer, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Never by itself.
    Off,
    /// At this interval.
    Every(Duration),
}

impl std::str::FromStr for Timer {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        if text == "off" {
            return Ok(Self::Off);
        }
        match parse_duration(text)? {
            Duration::ZERO => Err(DurationError::Zero(text.into())),
            interval => Ok(Self::Every(interval)),
        }
    }
}

impl Serialize for Timer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_str("off"),
            Self::Every(interval) => serializer.serialize_str(&format_duration(*interval)),
        }
    }
}

impl<'de> Deserialize<'de> for Timer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error: DurationError| serde::de::Error::custom(format!("{error}, or \"off\"")))
    }
}

#[cfg(test)]
mod tests;
