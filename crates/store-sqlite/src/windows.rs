use std::collections::HashMap;
use std::sync::Arc;

use model::app::AppKey;
use model::settings::{AppSettings, HistorySettings, ScheduleSettings, Window};
use model::time::UnixMillis;
use parking_lot::RwLock;
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::{JobError, corrupt};

/// How long apps keep what, read again when an app changed.
#[derive(Default)]
pub(crate) struct Windows {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    version: i64,
    /// How often everything was forgotten.
    generation: u64,
    apps: HashMap<AppKey, Arc<Kept>>,
}

/// What an app keeps, and how long.
#[derive(Default)]
pub(crate) struct Kept {
    history: HistorySettings,
    schedules: ScheduleSettings,
}

impl Kept {
    /// The history window of a channel.
    pub(crate) fn window(&self, channel: &str) -> Window {
        self.history.window(channel)
    }

    /// From when on a schedule is forgotten that ends at `now`.
    pub(crate) fn forget_schedule_at(&self, now: UnixMillis) -> UnixMillis {
        now + self.schedules.keep.0
    }
}

impl Windows {
    /// What an app keeps, at most a maintenance interval old. An app that is gone has the
    /// default ones.
    pub(crate) fn of(&self, connection: &Connection, app: AppKey) -> Result<Arc<Kept>, JobError> {
        let (generation, kept) = {
            let known = self.known.read();
            (known.generation, known.apps.get(&app).cloned())
        };
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let text: Option<String> = connection
            .prepare_cached("SELECT settings FROM apps WHERE app = ?1")?
            .query_row([app.0], |row| row.get(0))
            .optional()?;
        let kept = match text {
            None => Kept::default(),
            Some(text) => {
                let settings: AppSettings =
                    serde_json::from_str(&text).map_err(|error| corrupt("apps", app.0, error))?;
                Kept {
                    history: settings.history,
                    schedules: settings.schedules,
                }
            }
        };
        let kept = Arc::new(kept);
        let mut known = self.known.write();
        // What was read before everything was forgotten may be old.
        if known.generation == generation {
            known.apps.insert(app, Arc::clone(&kept));
        }
        Ok(kept)
    }

    /// Forgets everything: what a transaction that was rolled back has read was never true.
    pub(crate) fn forget(&self) {
        let mut known = self.known.write();
        known.generation += 1;
        known.apps.clear();
    }

    /// Forgets what it knows if an app changed since; tells whether it did.
    pub(crate) fn refresh(&self, connection: &Connection) -> Result<bool, JobError> {
        let version: i64 = connection
            .prepare_cached("SELECT value FROM meta WHERE name = 'access_version'")?
            .query_row([], |row| row.get(0))?;
        let mut known = self.known.write();
        if known.version == version {
            return Ok(false);
        }
        known.version = version;
        known.generation += 1;
        known.apps.clear();
        Ok(true)
    }
}
