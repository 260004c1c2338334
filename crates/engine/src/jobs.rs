use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::app::AppKey;
use model::time::{Timer, UnixMillis};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::access::snapshot::AppState;
use crate::error::Error;

/// Schedules: what is due is published.
pub mod schedules;

/// How often the timers are looked at.
const TICK: Duration = Duration::from_secs(1);

/// A job of an app that time drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Job {
    Sync,
    Cleanup,
}

/// When a job of an app is due next.
struct Due {
    interval: Duration,
    at: UnixMillis,
}

/// Where whoever moves the clock waits for what that has made due.
pub(crate) struct Jobs(mpsc::Sender<oneshot::Sender<Option<UnixMillis>>>);

/// The questions of [`Jobs`], which [`run`] answers.
pub(crate) type Asked = mpsc::Receiver<oneshot::Sender<Option<UnixMillis>>>;

impl Jobs {
    pub(crate) fn new() -> (Self, Asked) {
        let (ask, asked) = mpsc::channel(1);
        (Self(ask), asked)
    }

    /// Runs what is due by now to its end, and tells when the next turn is; `None` if nobody answers any
    /// more.
    pub(crate) async fn settle(&self) -> Option<Option<UnixMillis>> {
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.ok()?;
        answered.await.ok()
    }
}

/// Runs sync and cleanup of every app by its timers until `shutdown` (api.md 4). A job that is still
/// running is not started again; an error is logged and the next turn comes as usual.
pub(crate) async fn run(engine: Arc<Engine>, mut asked: Asked, shutdown: CancellationToken) {
    let mut due: HashMap<(AppKey, Job), Due> = HashMap::new();
    let mut running = JoinSet::new();
    let mut busy = std::collections::HashSet::new();
    let mut ticks = tokio::time::interval(TICK);
    loop {
        let mut answer = None;
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = running.join_next(), if !running.is_empty() => {
                if let Ok(key) = ended {
                    busy.remove(&key);
                }
                continue;
            }
            Some(waiting) = asked.recv() => answer = Some(waiting),
            _ = ticks.tick() => {}
        }
        let apps = engine.access.apps();
        due.retain(|(key, _), _| apps.iter().any(|app| app.key == *key));
        for app in apps {
            for job in [Job::Sync, Job::Cleanup] {
                let key = (app.key, job);
                if is_due(&mut due, key, interval(&app, job), engine.clock.now()) && busy.insert(key) {
                    let (engine, app) = (Arc::clone(&engine), Arc::clone(&app));
                    running.spawn(async move {
                        run_job(&engine, &app, job).await;
                        key
                    });
                }
            }
        }
        if let Some(answer) = answer {
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = finish(&mut running) => {}
            }
            busy.clear();
            let _ = answer.send(due.values().map(|due| due.at).min());
        }
    }
    // What was sent must still be marked: running jobs see the stop between two batches.
    let _ = tokio::time::timeout(Duration::from_secs(5), finish(&mut running)).await;
}

async fn finish<T: Send + 'static>(running: &mut JoinSet<T>) {
    while running.join_next().await.is_some() {}
}

/// The interval of a job, if it runs by itself.
fn interval(app: &AppState, job: Job) -> Option<Duration> {
    let timer = match job {
        Job::Sync if app.settings.sync.url.is_none() => Timer::Off,
        Job::Sync => app.settings.sync.timer,
        Job::Cleanup => app.settings.cleanup.timer,
    };
    match timer {
        Timer::Off => None,
        Timer::Every(interval) => Some(interval),
    }
}

/// Whether the job is due now; if so its next turn is set. The first turn comes one interval after the
/// job was first seen with it.
fn is_due(
    due: &mut HashMap<(AppKey, Job), Due>,
    key: (AppKey, Job),
    interval: Option<Duration>,
    now: UnixMillis,
) -> bool {
    let Some(interval) = interval else {
        due.remove(&key);
        return false;
    };
    let known = due.entry(key).or_insert_with(|| Due {
        interval,
        at: now + interval,
    });
    if known.interval != interval {
        *known = Due {
            interval,
            at: now + interval,
        };
    }
    // A clock that went back must not put the job off for longer than its interval.
    known.at = known.at.min(now + interval);
    if now < known.at {
        return false;
    }
    known.at = now + interval;
    true
}

async fn run_job(engine: &Engine, app: &AppState, job: Job) {
    let (name, done) = match job {
        Job::Sync => ("sync", engine.sync_app(app).await),
        Job::Cleanup => ("cleanup", engine.cleanup_app(app).await),
    };
    match done {
        Ok(0) => tracing::debug!(app.id = %app.id, job = name, "nothing to do"),
        Ok(count) => tracing::info!(app.id = %app.id, job = name, messages = count, "done"),
        Err(Error::NothingMarked) => {
            tracing::info!(app.id = %app.id, job = name, "the messages of the batch changed meanwhile");
        }
        Err(error) => {
            tracing::warn!(app.id = %app.id, job = name, error = &error as &dyn std::error::Error, "failed; the next turn tries again");
        }
    }
}

#[cfg(test)]
mod tests;
