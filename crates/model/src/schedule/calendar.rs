use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::time::UnixMillis;

/// The furthest that two matching days can lie apart, in days, with a margin: a 29 February that must be
/// a certain weekday skips at most 40 years.
const HORIZON_DAYS: u32 = 50 * 366;

/// The longest expression in bytes.
const MAX_EXPRESSION: usize = 255;

/// A calendar repetition: `repeatCron` in `timezone` (api.md 3.1), exact to the second.
///
/// Where hours, minutes and seconds are fixed (no `*`, `?` or step), each local time runs once: one that
/// daylight saving skips at the next valid instant, a doubled one at the first. With a wildcard or step
/// the expression matches whatever the clock on the wall shows: skipped times are left out, doubled ones
/// run twice.
///
/// The fields are read by `croner`; the search is our own, because that of `croner` takes a list such as
/// `0,30 2` for a wildcard and leaves out a time whose gap ends on a day that does not match.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    cron: Cron,
    timezone: TimeZone,
    hours: u64,
    minutes: u64,
    seconds: u64,
    fixed: bool,
}

impl Calendar {
    /// Reads 5 fields, or 6 with the seconds first; names of months and weekdays are allowed.
    ///
    /// # Errors
    /// What is wrong with the expression, for the caller.
    pub fn parse(expression: &str, timezone: TimeZone) -> Result<Self, String> {
        let fields: Vec<&str> = expression.split_ascii_whitespace().collect();
        if expression.len() > MAX_EXPRESSION {
            return Err(format!(
                "expected at most {MAX_EXPRESSION} bytes, found {}",
                expression.len()
            ));
        }
        if !matches!(fields.len(), 5 | 6) {
            return Err(format!(
                "expected 5 fields (or 6, seconds first), found {}",
                fields.len()
            ));
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).build();
        let cron = parser.parse(expression).map_err(|error| {
            wrong_field(&parser, &fields).unwrap_or_else(|| {
                let short: String = expression.chars().take(60).collect();
                format!("{short:?} is no cron expression: {error}")
            })
        })?;
        let time_fields = &fields[..fields.len() - 3];
        let mask = |last: u32, matches: &dyn Fn(u32) -> bool| {
            (0..=last)
                .filter(|value| matches(*value))
                .fold(0u64, |mask, value| mask | 1 << value)
        };
        let pattern = &cron.pattern;
        Ok(Self {
            hours: mask(23, &|hour| pattern.hour_match(hour).unwrap_or(false)),
            minutes: mask(59, &|minute| pattern.minute_match(minute).unwrap_or(false)),
            seconds: mask(59, &|second| pattern.second_match(second).unwrap_or(false)),
            fixed: !time_fields.iter().any(|field| field.contains(['*', '?', '/'])),
            timezone,
            cron,
        })
    }

    /// The first due time after `time`, a whole second; `None` if there is none within 50 years or
    /// before the end of the year 9999.
    pub fn after(&self, time: UnixMillis) -> Option<UnixMillis> {
        let second = Timestamp::from_second(time.0.div_euclid(1_000)).ok()?;
        let next = match self.fixed {
            true => self.fixed_after(second),
            false => self.running_after(second),
        };
        next.map(|next| UnixMillis(next.as_millisecond()))
    }

    /// How many due times lie in (`from`, `until`], at most `limit`, and the last one counted.
    ///
    /// Whole days without a change of the clock are counted, not walked through.
    pub fn count(&self, from: UnixMillis, until: UnixMillis, limit: u64) -> (u64, Option<UnixMillis>) {
        let (mut count, mut last, mut after) = (0u64, None, from);
        while count < limit {
            if let Some((day, times)) = self.whole_day(after, until)
                && times <= limit - count
            {
                if times > 0 {
                    count += times;
                    last = Some(day.last_due);
                }
                after = day.last_second;
                continue;
            }
            let Some(next) = self.after(after).filter(|next| *next <= until) else {
                break;
            };
            // The next day is tried as a whole before it is walked through.
            match self.start_of_later_day(after, next) {
                Some(start) => after = UnixMillis(start.0 - 1_000),
                None => {
                    count += 1;
                    last = Some(next);
                    after = next;
                }
            }
        }
        (count, last)
    }

    /// The next local time that matches, in the order of the calendar; each is mapped to its one instant.
    /// The mapping never goes back, so the first that lies after `after` is the answer.
    fn fixed_after(&self, after: Timestamp) -> Option<Timestamp> {
        let mut local = self.timezone.to_datetime(after);
        loop {
            local = self.match_from(local)?;
            let instant = self.instant(local)?;
            if instant > after {
                return Some(instant);
            }
            local = local.checked_add(1.second()).ok()?;
        }
    }

    /// Walks from one change of the clock to the next: between two of them local time runs evenly.
    fn running_after(&self, after: Timestamp) -> Option<Timestamp> {
        let mut from = after.checked_add(1.second()).ok()?;
        loop {
            let offset = self.timezone.to_offset(from);
            let local = self.match_from(offset.to_datetime(from))?;
            let instant = offset.to_timestamp(local).ok();
            match (self.timezone.following(from).next(), instant) {
                (None, instant) => return instant,
                (Some(change), Some(instant)) if instant < change.timestamp() => return Some(instant),
                (Some(change), _) => from = change.timestamp(),
            }
        }
    }

    /// The one instant of a local time: the first of a doubled one, the end of the gap for a skipped one.
    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        match self.timezone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                let inside = after.to_timestamp(local).ok()?;
                self.timezone
                    .following(inside)
                    .map(|change| change.timestamp())
                    .find(|change| self.timezone.to_datetime(*change) > local)
            }
        }
    }

    /// The first local time from `from` on that every field matches, whether it exists or not.
    fn match_from(&self, from: DateTime) -> Option<DateTime> {
        let mut date = from.date();
        if self.day_matches(date)
            && let Some(time) = self.time_from(from.time())
        {
            return Some(date.to_datetime(time));
        }
        for _ in 0..HORIZON_DAYS {
            date = date.tomorrow().ok()?;
            if self.day_matches(date) {
                return Some(date.to_datetime(self.time_from(Time::midnight())?));
            }
        }
        None
    }

    fn day_matches(&self, date: Date) -> bool {
        let month = u32::from(date.month().unsigned_abs());
        let day = u32::from(date.day().unsigned_abs());
        let weekday = u32::from(date.weekday().to_sunday_zero_offset().unsigned_abs());
        let weekday = croner::Weekday::from_days_from_sunday(weekday);
        let pattern = &self.cron.pattern;
        // `croner` fails for days that no calendar has alone.
        pattern.month_match(month).unwrap_or(false)
            && pattern
                .day_match(i32::from(date.year()), month, day, weekday)
                .unwrap_or(false)
    }

    /// The first time of day from `from` on that hours, minutes and seconds match.
    fn time_from(&self, from: Time) -> Option<Time> {
        let (hour, minute, second) = (from.hour(), from.minute(), from.second());
        if self.hours >> hour & 1 == 1 {
            if self.minutes >> minute & 1 == 1
                && let Some(second) = lowest(self.seconds, second)
            {
                return Time::new(hour, minute, second, 0).ok();
            }
            if let Some(minute) = lowest(self.minutes, minute + 1) {
                return Time::new(hour, minute, lowest(self.seconds, 0)?, 0).ok();
            }
        }
        let hour = lowest(self.hours, hour + 1)?;
        Time::new(hour, lowest(self.minutes, 0)?, lowest(self.seconds, 0)?, 0).ok()
    }

    /// The local day that begins right after `after`, if it ends by `until` and the clock does not change
    /// in it, with its number of due times.
    fn whole_day(&self, after: UnixMillis, until: UnixMillis) -> Option<(Day, u64)> {
        let start = Timestamp::from_millisecond(after.0.checked_add(1_000)?).ok()?;
        let local = self.timezone.to_datetime(start);
        if local.time() != Time::midnight() {
            return None;
        }
        let end = start.checked_add(24.hours()).ok()?;
        let last_second = UnixMillis(end.as_millisecond() - 1_000);
        let before = Timestamp::from_millisecond(after.0).ok()?;
        let change = self.timezone.following(before).next();
        if last_second > until || change.is_some_and(|change| change.timestamp() <= end) {
            return None;
        }
        let highest = |mask: u64| i64::from(63 - mask.leading_zeros());
        let last = highest(self.hours) * 3_600 + highest(self.minutes) * 60 + highest(self.seconds);
        let times = match self.day_matches(local.date()) {
            true => [self.hours, self.minutes, self.seconds]
                .iter()
                .map(|mask| u64::from(mask.count_ones()))
                .product(),
            false => 0,
        };
        let last_due = UnixMillis(start.as_millisecond() + last * 1_000);
        Some((
            Day {
                last_due,
                last_second,
            },
            times,
        ))
    }

    /// The start of the local day of `next`, if that day is a later one than that of `after`.
    fn start_of_later_day(&self, after: UnixMillis, next: UnixMillis) -> Option<UnixMillis> {
        let local = |time: UnixMillis| {
            let time = Timestamp::from_millisecond(time.0).ok()?;
            Some(time.to_zoned(self.timezone.clone()))
        };
        let start = local(next)?.start_of_day().ok()?;
        let start = UnixMillis(start.timestamp().as_millisecond());
        (start.0 - 1_000 > after.0).then_some(start)
    }
}

/// Which field of an expression is wrong, and what was expected there; `None` if each is right by itself.
fn wrong_field(parser: &CronParser, fields: &[&str]) -> Option<String> {
    const EXPECTED: [(&str, &str); 6] = [
        ("seconds", "0 to 59"),
        ("minutes", "0 to 59"),
        ("hours", "0 to 23"),
        ("days of the month", "1 to 31 or L"),
        ("months", "1 to 12 or JAN to DEC"),
        ("weekdays", "0 to 7 or SUN to SAT"),
    ];
    let expected = EXPECTED.get(EXPECTED.len() - fields.len()..)?;
    fields
        .iter()
        .zip(expected)
        .enumerate()
        .find_map(|(at, (field, (name, range)))| {
            let mut alone = vec!["*"; fields.len()];
            alone[at] = field;
            parser.parse(&alone.join(" ")).err()?;
            let found: String = field.chars().take(40).collect();
            Some(format!(
                "{name}: expected {range}, `*`, or lists, ranges and steps of them, found {found:?}"
            ))
        })
}

/// A local day of 24 hours.
struct Day {
    last_due: UnixMillis,
    last_second: UnixMillis,
}

/// The lowest bit that is set from `from` on.
fn lowest(mask: u64, from: i8) -> Option<i8> {
    let left = mask.checked_shr(u32::from(from.unsigned_abs()))?;
    if left == 0 {
        return None;
    }
    i8::try_from(left.trailing_zeros()).ok().map(|ahead| from + ahead)
}

#[cfg(test)]
mod tests;
