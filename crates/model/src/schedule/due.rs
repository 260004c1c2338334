use crate::schedule::{Repetition, Timing};
use crate::time::UnixMillis;

/// A due time of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// Which one: from 1, skipped ones counted.
    pub n: u64,
    /// When.
    pub at: UnixMillis,
}

/// What is to happen when a schedule is picked up (api.md 3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fire {
    /// The occurrence to publish: the latest that is due.
    pub due: Due,
    /// How many due times before it were missed: those from the one that was next up to `due.n - 1`.
    pub skipped: u64,
    /// The due time after it; `None`: the schedule ends with this one.
    pub next: Option<Due>,
}

impl Timing {
    /// The due time that follows `due`, if the schedule goes on (api.md 3.1): counted from the due time
    /// and not from when it was published, so that the cadence never drifts.
    pub fn after(&self, due: Due) -> Option<Due> {
        let at = match self.repetition.as_ref()? {
            Repetition::Every(seconds) => UnixMillis(due.at.0.checked_add(interval(*seconds))?),
            Repetition::Calendar(calendar) => calendar.after(due.at)?,
        };
        let n = due.n.checked_add(1)?;
        self.holds(Due { n, at }).then_some(Due { n, at })
    }

    /// `next` and all due times that follow it.
    pub fn upcoming(&self, next: Due) -> impl Iterator<Item = Due> + '_ {
        std::iter::successors(Some(next), |due| self.after(*due))
    }

    /// What to do at `now` with a schedule whose next due time is `next`; `None`: nothing is due yet.
    pub fn catch_up(&self, next: Due, now: UnixMillis) -> Option<Fire> {
        if next.at > now {
            return None;
        }
        let due = self.latest(next, now, u64::MAX);
        Some(Fire {
            due,
            skipped: due.n - next.n,
            next: self.after(due),
        })
    }

    /// The due time `steps` after `due`, or the last one if the schedule ends before. For walking through
    /// skipped ones from the middle.
    pub fn skip(&self, due: Due, steps: u64) -> Due {
        self.latest(due, UnixMillis(i64::MAX), steps)
    }

    /// The latest due time from `from` on that lies at or before `until`, at most `steps` after it.
    fn latest(&self, from: Due, until: UnixMillis, steps: u64) -> Due {
        let until = self.expires_at.map_or(until, |expires| until.min(expires));
        let left = self.times.map_or(u64::MAX, |times| times.saturating_sub(from.n));
        let steps = steps.min(left).min(u64::MAX - from.n);
        let (steps, at) = match &self.repetition {
            None => (0, None),
            Some(Repetition::Every(seconds)) => {
                let interval = interval(*seconds).unsigned_abs();
                let ahead = match until > from.at {
                    true => until.0.abs_diff(from.at.0),
                    false => 0,
                };
                // The product is at most `ahead`, so that nothing overflows.
                let steps = steps.min(ahead / interval);
                let at = from.at.0.saturating_add_unsigned(steps * interval);
                (steps, Some(UnixMillis(at)))
            }
            Some(Repetition::Calendar(calendar)) => calendar.count(from.at, until, steps),
        };
        Due {
            n: from.n + steps,
            at: at.unwrap_or(from.at),
        }
    }

    /// Whether the schedule still has this due time.
    pub(super) fn holds(&self, due: Due) -> bool {
        self.times.is_none_or(|times| due.n <= times)
            && self.expires_at.is_none_or(|expires| due.at <= expires)
    }
}

/// Seconds as milliseconds, saturating, at least 1.
pub(super) fn interval(seconds: u64) -> i64 {
    i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000)
        .max(1)
}

#[cfg(test)]
mod tests;
