use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use model::key::Scope;
use model::time::manual::{LAST, ManualClock};
use model::time::{Clock, UnixMillis};

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

/// A clock that requests may move (api.md 5).
pub trait Movable: Clock + Debug {
    /// Moves the clock. Where the time is kept, it is so before anybody sees the clock moved.
    ///
    /// # Errors
    /// The time cannot be kept; the clock stands where it stood.
    fn move_to(&self, at: UnixMillis) -> io::Result<()>;

    /// Makes what was kept durable.
    ///
    /// # Errors
    /// It may be lost if the machine fails.
    fn flush(&self) -> io::Result<()>;
}

impl Movable for ManualClock {
    fn move_to(&self, at: UnixMillis) -> io::Result<()> {
        self.set(at);
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A manual clock whose time is kept in a file, so that it goes on there and never back after a restart.
#[derive(Debug)]
pub struct StoredClock {
    clock: ManualClock,
    file: File,
}

impl StoredClock {
    /// Opens the clock that `path` holds; where there is none it starts at `start`.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds something else.
    pub fn open(path: &Path, start: UnixMillis) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let at = match text.trim() {
            "" => start,
            text => UnixMillis(text.parse().map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the file holds no time in milliseconds; remove it to start at the wall clock",
                )
            })?),
        };
        let clock = ManualClock::new(at);
        let stored = Self { clock, file };
        stored.move_to(stored.now())?;
        stored.flush()?;
        Ok(stored)
    }
}

impl Clock for StoredClock {
    fn timestamp(&self) -> jiff::Timestamp {
        self.clock.timestamp()
    }
}

impl Movable for StoredClock {
    fn move_to(&self, at: UnixMillis) -> io::Result<()> {
        // Always of one length and in one write, so that a kill leaves the old time or the new one.
        let at = at.0.clamp(0, LAST.0);
        self.file.write_all_at(format!("{at:015}\n").as_bytes(), 0)?;
        self.clock.set(UnixMillis(at));
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl Engine {
    /// Moves the manual clock by `by`, in jumps of `step`, and waits after each until everything that it
    /// made due was done: schedules, expired streams, the timers of sync and cleanup (api.md 5); live inboxes
    /// are woken. The time that it shows then is durable.
    ///
    /// Jumps that make nothing due are taken together. One call at a time; a call that is dropped leaves
    /// the clock between two jumps.
    ///
    /// # Errors
    /// [`Error::NotFound`] without a manual clock; the key is not `admin`; the time would lie beyond the
    /// year 9998; what is due cannot be done, or the server is stopping: the clock stays where it came to.
    pub async fn advance_clock(
        &self,
        caller: &Caller,
        by: Duration,
        step: Option<Duration>,
    ) -> Result<UnixMillis, Error> {
        let clock = self.manual_clock.as_ref().ok_or(Error::NotFound {
            what: "route: the clock is moved by requests with serve --dev --clock manual alone",
        })?;
        caller.needs(Scope::Admin)?;
        let _alone = self.clock_moves.lock().await;
        let mut now = clock.now();
        let target = now + by;
        if target > LAST {
            return Err(Error::parameter("ms", "leads beyond the year 9998"));
        }
        let step = millis(step.unwrap_or(by)).max(1);
        let mut next = self.settle().await?;
        while now < target {
            now = stop_after(now, target, step, next);
            clock.move_to(now).map_err(internal)?;
            next = self.settle().await?;
        }
        clock.flush().map_err(internal)?;
        Ok(now)
    }

    /// Does everything that is due by now, and tells when the next thing is.
    async fn settle(&self) -> Result<Option<UnixMillis>, Error> {
        if self.stopping.is_cancelled() {
            return Err(stopping());
        }
        self.streams.check_expiries(self.clock.now());
        let expiry = self.streams.next_expiry();
        let inbox = self.watchers.fire(self.clock.now());
        let schedule = self.fire_due().await?;
        let job = self.jobs.settle().await.ok_or_else(stopping)?;
        Ok([expiry, inbox, schedule, job].into_iter().flatten().min())
    }
}

/// The end of the jumps from `now` that come before anything is due at `next`, and of the one that
/// reaches it.
fn stop_after(now: UnixMillis, target: UnixMillis, step: i64, next: Option<UnixMillis>) -> UnixMillis {
    let Some(next) = next else {
        return target;
    };
    let ahead = next.0.saturating_sub(now.0).max(1);
    let jumps = (ahead - 1) / step + 1;
    target.min(UnixMillis(now.0.saturating_add(jumps.saturating_mul(step))))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn internal(error: io::Error) -> Error {
    Error::Internal(Box::new(error))
}

fn stopping() -> Error {
    Error::Unavailable {
        reason: "the server is shutting down".into(),
    }
}

#[cfg(test)]
mod tests;
