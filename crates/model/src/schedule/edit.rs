use crate::schedule::due::{Due, interval};
use crate::schedule::{Repetition, Timing, TimingError, TimingFields, publish_at};
use crate::time::UnixMillis;

/// The timing fields of an edit (api.md 3.3): `None` leaves a field as it is, `Some(None)` removes it,
/// and so does 0 where 0 is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimingEdit {
    /// `publishAt`, epoch milliseconds.
    pub publish_at: Option<Option<i64>>,
    /// `repeatEvery`, seconds.
    pub repeat_every: Option<Option<i64>>,
    /// `repeatExpiresAt`, epoch milliseconds.
    pub repeat_expires_at: Option<Option<i64>>,
    /// `repeatCron`.
    pub repeat_cron: Option<Option<String>>,
    /// `timezone`.
    pub timezone: Option<Option<String>>,
    /// `repeatTimes`.
    pub repeat_times: Option<Option<i64>>,
}

/// What an edit makes of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    /// The fields after the edit.
    pub fields: TimingFields,
    /// The rule.
    pub timing: Timing,
    /// The due time that comes next; `None`: by its new rule the schedule has ended.
    pub next: Option<Due>,
}

impl TimingEdit {
    /// The fields after the edit.
    pub fn apply(&self, fields: &TimingFields) -> TimingFields {
        fn given<T: Clone>(edit: &Option<Option<T>>, field: &Option<T>) -> Option<T> {
            edit.clone().unwrap_or_else(|| field.clone())
        }
        let nonzero = |number: Option<i64>| number.filter(|number| *number != 0);
        TimingFields {
            publish_at: nonzero(given(&self.publish_at, &fields.publish_at)),
            repeat_every: nonzero(given(&self.repeat_every, &fields.repeat_every)),
            repeat_expires_at: nonzero(given(&self.repeat_expires_at, &fields.repeat_expires_at)),
            repeat_cron: given(&self.repeat_cron, &fields.repeat_cron),
            timezone: given(&self.timezone, &fields.timezone),
            repeat_times: given(&self.repeat_times, &fields.repeat_times),
        }
    }

    /// The due times of a schedule after an edit at `now`, where `n` is the number of the due time that
    /// would have come next: they are counted anew from `now`, and `n` goes on (api.md 3.3).
    ///
    /// A `publishAt` that still lies ahead comes next. Without one, a schedule that waits for its first
    /// due time or no longer repeats is due now, as if it were published now; a repetition that runs
    /// already goes on after `now` (`repeatEvery`: one interval after), so that an edit by itself
    /// publishes nothing. `Ok(None)`: the edit leaves the timing as it is, and the due times with it.
    ///
    /// # Errors
    /// Those of [`Planned::new`](crate::schedule::Planned::new). A `publishAt` from before the edit may lie in the past.
    pub fn rebase(
        &self,
        fields: &TimingFields,
        n: u64,
        now: UnixMillis,
    ) -> Result<Option<Edited>, TimingError> {
        let fields = Self::default().apply(fields);
        let edited = self.apply(&fields);
        if edited == fields {
            return Ok(None);
        }
        let timing = Timing::restore(&edited)?;
        let publish_at = match self.publish_at {
            Some(given) => publish_at(given, now)?,
            None => edited.publish_at.map(UnixMillis).filter(|at| *at > now),
        };
        let starts = n <= 1 || self.publish_at.flatten().is_some();
        let earliest = match (publish_at, &timing.repetition) {
            (Some(at), _) => at,
            (None, Some(Repetition::Every(seconds))) if !starts => {
                UnixMillis(now.0.saturating_add(interval(*seconds)))
            }
            (None, Some(Repetition::Calendar(_))) if !starts => UnixMillis(now.0.saturating_add(1)),
            (None, _) => now,
        };
        let at = timing.first(earliest)?;
        timing.begins(if n <= 1 { at } else { now })?;
        let next = Due { n, at };
        Ok(Some(Edited {
            fields: edited,
            next: timing.holds(next).then_some(next),
            timing,
        }))
    }
}

#[cfg(test)]
mod tests;
