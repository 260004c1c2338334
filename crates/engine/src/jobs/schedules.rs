use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::time::UnixMillis;
use store::schedules::Gate;
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::error::Error;

/// Schedules that one transaction picks up at most.
const BATCH: usize = 512;
/// How often the clock is looked at, whatever timers say: it may have been set.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait where something was due and then is not.
const BREATH: Duration = Duration::from_millis(10);

/// Wakes the job for what is due before it would look by itself. All that a node keeps in memory of its
/// schedules is this one time: the store's index on due times is the truth.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// When the job looks again; while it is at work, never: then all that is made wakes it.
    looks_at: AtomicI64,
    earlier: Notify,
    /// Held while this node publishes what is due: who finds nothing due then finds it published, and not
    /// on its way to the disk.
    firing: Mutex<()>,
}

impl Default for Alarm {
    fn default() -> Self {
        Self {
            looks_at: AtomicI64::new(i64::MAX),
            earlier: Notify::new(),
            firing: Mutex::new(()),
        }
    }
}

impl Alarm {
    /// Something that is due at this time is in the store now.
    pub(crate) fn due(&self, at: UnixMillis) {
        if at.0 < self.looks_at.load(Ordering::SeqCst) {
            self.earlier.notify_one();
        }
    }
}

/// Publishes what is due until `shutdown`. It waits for the earliest due time, a second at most, and is
/// woken for an earlier one. An error is logged and tried again: nothing is lost, since the store knows
/// what is due. Cancel safe: what a transaction has not done is still due.
pub(crate) async fn run(engine: Arc<Engine>, shutdown: CancellationToken) {
    let alarm = &engine.alarm;
    let mut known = None;
    loop {
        alarm.looks_at.store(i64::MAX, Ordering::SeqCst);
        let fired = tokio::select! {
            () = shutdown.cancelled() => return,
            fired = engine.fire_known(known) => fired,
        };
        known = fired.as_ref().ok().copied().flatten();
        let now = engine.clock.now();
        let wait = match fired {
            Ok(None) => LOOK,
            // The next one became due since.
            Ok(Some(next)) if next <= now => continue,
            Ok(Some(next)) => LOOK.min(Duration::from_millis(next.0.abs_diff(now.0))),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "what is due could not be published; it is tried again"
                );
                LOOK
            }
        };
        alarm.looks_at.store((now + wait).0, Ordering::SeqCst);
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = alarm.earlier.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

impl Engine {
    /// Publishes all that is due by now; the earliest due time that is left. The job does this by itself;
    /// whoever moves a clock by hand calls it to wait for what that has made due.
    ///
    /// # Errors
    /// The store's; what was not published is still due.
    pub async fn fire_due(&self) -> Result<Option<UnixMillis>, Error> {
        self.fire_known(None).await
    }

    /// The same; a time that is `known` to be due spares asking for it.
    async fn fire_known(&self, known: Option<UnixMillis>) -> Result<Option<UnixMillis>, Error> {
        let _firing = self.alarm.firing.lock().await;
        let mut next = match known.filter(|known| *known <= self.clock.now()) {
            None => self.store.next_due().await?,
            known => known,
        };
        while next.is_some_and(|next| next <= self.clock.now()) {
            let gate: Arc<dyn Gate> = Arc::new(self.access.clone());
            let fired = self.store.fire_due(BATCH, gate).await?;
            next = fired.next;
            if fired.picked == 0 {
                // Somebody else was quicker, or the clock went back between the two looks at it.
                tokio::time::sleep(BREATH).await;
                break;
            }
            tracing::debug!(
                picked = fired.picked,
                published = fired.published,
                "schedules were due"
            );
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests;
