use jiff::tz::TimeZone;

use crate::schedule::calendar::Calendar;
use crate::schedule::due::Due;
use crate::time::UnixMillis;

/// Calendar repetition across changes of the clock.
pub mod calendar;
/// Due times: which one follows, what was missed.
pub mod due;
/// Changes of a schedule.
pub mod edit;

/// The furthest that `publishAt` may lie ahead: ten years, in milliseconds (error 5030).
pub const MAX_AHEAD_MS: i64 = 3_652 * 86_400_000;
/// How far in the past `publishAt` still means now, in milliseconds (error 5030).
pub const MAX_PAST_MS: i64 = 60_000;

/// How a message repeats.
#[derive(Debug, Clone, PartialEq)]
pub enum Repetition {
    /// `repeatEvery`: so many whole seconds after the due time before, at least 1.
    Every(u64),
    /// `repeatCron` in `timezone`.
    Calendar(Box<Calendar>),
}

/// The timing fields of a publish request, each of its own type but not yet checked together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimingFields {
    /// `publishAt`, epoch milliseconds; 0 is absent.
    pub publish_at: Option<i64>,
    /// `repeatEvery`, seconds; 0 is absent.
    pub repeat_every: Option<i64>,
    /// `repeatExpiresAt`, epoch milliseconds; 0 is absent.
    pub repeat_expires_at: Option<i64>,
    /// `repeatCron`.
    pub repeat_cron: Option<String>,
    /// `timezone`.
    pub timezone: Option<String>,
    /// `repeatTimes`.
    pub repeat_times: Option<i64>,
}

/// By what rule the due times of a schedule follow each other. Where it stands is a [`Due`], the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// How it repeats, if it does.
    pub repetition: Option<Repetition>,
    /// No occurrence after this time.
    pub expires_at: Option<UnixMillis>,
    /// Stop after so many due times, skipped ones counted.
    pub times: Option<u64>,
}

/// A schedule as it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The rule.
    pub timing: Timing,
    /// The first due time.
    pub first: Due,
}

/// Why timing fields are refused. Each variant has its own error code (api.md 3.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// Code 5003.
    #[error("repeatExpiresAt: {0}")]
    RepeatExpiresAt(String),
    /// Code 5030.
    #[error("publishAt: {0}")]
    PublishAt(String),
    /// Code 5905.
    #[error("{field}: {reason}")]
    Repetition {
        /// The field that is wrong.
        field: &'static str,
        /// What was expected and what was found.
        reason: String,
    },
}

impl Planned {
    /// Checks the fields together against the present time `now` (api.md 3.1, errors 5003, 5030, 5905).
    ///
    /// `Ok(None)` means: publish now, once.
    pub fn new(fields: &TimingFields, now: UnixMillis) -> Result<Option<Self>, TimingError> {
        let publish_at = publish_at(fields.publish_at, now)?;
        let timing = Timing::restore(fields)?;
        if publish_at.is_none() && timing.repetition.is_none() {
            return Ok(None);
        }
        let first = Due {
            n: 1,
            at: timing.first(publish_at.unwrap_or(now))?,
        };
        timing.begins(first.at)?;
        Ok(Some(Self { timing, first }))
    }
}

impl Timing {
    /// The rule of fields that were checked when they were stored; what depends on the present time is
    /// not checked again.
    ///
    /// # Errors
    /// The fields contradict each other, or the time zone is no longer known.
    pub fn restore(fields: &TimingFields) -> Result<Self, TimingError> {
        let repetition = repetition(fields)?;
        let times = match fields.repeat_times {
            None => None,
            Some(_) if repetition.is_none() => {
                return Err(wrong(
                    "repeatTimes",
                    "stands without a repetition (repeatEvery or repeatCron)",
                ));
            }
            Some(times) => match u64::try_from(times) {
                Ok(times) if times >= 1 => Some(times),
                _ => {
                    return Err(wrong(
                        "repeatTimes",
                        format!("expected a whole number of at least 1, found {times}"),
                    ));
                }
            },
        };
        Ok(Self {
            expires_at: expires_at(fields.repeat_expires_at, repetition.is_some())?,
            repetition,
            times,
        })
    }

    /// The first due time from `earliest` on.
    fn first(&self, earliest: UnixMillis) -> Result<UnixMillis, TimingError> {
        match &self.repetition {
            Some(Repetition::Calendar(calendar)) => calendar
                .after(UnixMillis(earliest.0.saturating_sub(1)))
                .ok_or_else(|| wrong("repeatCron", "matches no time in the next 50 years")),
            _ => Ok(earliest),
        }
    }

    /// `repeatExpiresAt` must lie after the first due time, or after the present of a schedule that is
    /// past it (error 5003).
    fn begins(&self, first: UnixMillis) -> Result<(), TimingError> {
        match self.expires_at {
            Some(at) if at <= first => Err(TimingError::RepeatExpiresAt(format!(
                "{at} is not after the first occurrence or the present time, {first}"
            ))),
            _ => Ok(()),
        }
    }
}

fn publish_at(given: Option<i64>, now: UnixMillis) -> Result<Option<UnixMillis>, TimingError> {
    let at = match given {
        None | Some(0) => return Ok(None),
        Some(at) => at,
    };
    if at < 0 {
        let reason = format!("expected epoch milliseconds, a whole number of at least 0, found {at}");
        return Err(TimingError::PublishAt(reason));
    }
    if at < now.0.saturating_sub(MAX_PAST_MS) {
        let reason = format!(
            "lies {} ms in the past; at most {MAX_PAST_MS} ms are taken as now",
            now.0.saturating_sub(at)
        );
        return Err(TimingError::PublishAt(reason));
    }
    if at > now.0.saturating_add(MAX_AHEAD_MS) {
        return Err(TimingError::PublishAt(format!(
            "{at} lies more than 10 years ahead"
        )));
    }
    Ok((at > now.0).then_some(UnixMillis(at)))
}

fn repetition(fields: &TimingFields) -> Result<Option<Repetition>, TimingError> {
    let every = match fields.repeat_every {
        None | Some(0) => None,
        Some(every) => match u64::try_from(every) {
            Ok(every) => Some(every),
            Err(_) => {
                let reason = format!("expected whole seconds, at least 1, found {every}");
                return Err(wrong("repeatEvery", reason));
            }
        },
    };
    let Some(expression) = fields.repeat_cron.as_deref() else {
        if fields.timezone.is_some() {
            return Err(wrong("timezone", "stands without repeatCron"));
        }
        return Ok(every.map(Repetition::Every));
    };
    if every.is_some() {
        return Err(wrong(
            "repeatCron",
            "stands beside repeatEvery; give one kind of repetition",
        ));
    }
    let timezone = match fields.timezone.as_deref() {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name).map_err(|_| {
            wrong(
                "timezone",
                format!(
                    "expected an IANA time zone such as Europe/Stockholm, found {:?}",
                    short(name)
                ),
            )
        })?,
    };
    let calendar = Calendar::parse(expression, timezone).map_err(|reason| wrong("repeatCron", reason))?;
    Ok(Some(Repetition::Calendar(Box::new(calendar))))
}

fn expires_at(given: Option<i64>, repeats: bool) -> Result<Option<UnixMillis>, TimingError> {
    match given {
        None | Some(0) => Ok(None),
        Some(at) if at < 0 => {
            let reason = format!("expected epoch milliseconds, a whole number of at least 0, found {at}");
            Err(TimingError::RepeatExpiresAt(reason))
        }
        Some(_) if !repeats => Err(TimingError::RepeatExpiresAt(
            "stands without a repetition (repeatEvery or repeatCron)".into(),
        )),
        Some(at) => Ok(Some(UnixMillis(at))),
    }
}

fn wrong(field: &'static str, reason: impl Into<String>) -> TimingError {
    TimingError::Repetition {
        field,
        reason: reason.into(),
    }
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
