use std::time::Duration;

use model::time::{UnixMillis, parse_duration};

/// When to publish, as `publish` takes it.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Later and repeatedly")]
pub struct TimingArgs {
    /// Publish then: 2026-12-24T15:00:00+01:00, epoch milliseconds, or +10m from now
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Time>,
    /// Publish again at this interval, e.g. 30s, 10m, 1d
    #[arg(long, value_name = "DURATION", value_parser = seconds, conflicts_with = "cron")]
    pub every: Option<u64>,
    /// Publish by the calendar: minute, hour, day, month, weekday; names allowed
    #[arg(long, value_name = "EXPRESSION")]
    pub cron: Option<String>,
    /// IANA time zone of --cron, e.g. Europe/Stockholm [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "cron")]
    pub timezone: Option<String>,
    /// No repetition after this time, written as for --at
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Time>,
    /// Stop after so many repetitions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub times: Option<u64>,
}

/// A point in time, or one that lies so far ahead of the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Epoch milliseconds.
    At(i64),
    /// So far from now.
    In(Duration),
}

impl Time {
    /// Epoch milliseconds, where it is `now`.
    pub fn millis(self, now: UnixMillis) -> i64 {
        match self {
            Self::At(at) => at,
            Self::In(ahead) => (now + ahead).0,
        }
    }
}

/// A field of an edit: another value, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// This one.
    To(T),
    /// The field is removed.
    None,
}

impl<T> Change<T> {
    /// The value, `None` where the field is removed.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::To(value) => Some(value),
            Self::None => None,
        }
    }
}

/// Reads `none`, or what `read` does.
pub fn change<T>(text: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Change<T>, String> {
    match text {
        "none" => Ok(Change::None),
        text => read(text).map(Change::To),
    }
}

/// Reads an RFC 3339 time, epoch milliseconds, or `+` and a duration.
///
/// # Errors
/// What was expected.
pub fn time(text: &str) -> Result<Time, String> {
    if let Some(ahead) = text.strip_prefix('+') {
        return parse_duration(ahead)
            .map(Time::In)
            .map_err(|error| error.to_string());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(millis) = text.parse()
    {
        return Ok(Time::At(millis));
    }
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => Ok(Time::At(time.as_millisecond())),
        Err(_) => Err(
            "expected a time with its offset such as 2026-12-24T15:00:00+01:00, epoch milliseconds, or +10m"
                .to_owned(),
        ),
    }
}

/// Reads a duration of whole seconds.
///
/// # Errors
/// What was expected.
pub fn seconds(text: &str) -> Result<u64, String> {
    let duration = parse_duration(text).map_err(|error| error.to_string())?;
    match duration.as_secs() {
        seconds if seconds >= 1 && duration.subsec_nanos() == 0 => Ok(seconds),
        _ => Err("expected whole seconds, at least 1s".to_owned()),
    }
}

/// A time of the server in the local time zone, for people.
pub fn local(millis: i64) -> String {
    in_zone(millis, jiff::tz::TimeZone::system())
}

fn in_zone(millis: i64, zone: jiff::tz::TimeZone) -> String {
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(time) => time
            .to_zoned(zone)
            .strftime("%a %Y-%m-%d %H:%M:%S %:z")
            .to_string(),
        Err(_) => millis.to_string(),
    }
}

#[cfg(test)]
mod tests;
