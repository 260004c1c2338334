use std::collections::HashMap;
use std::sync::Arc;

use model::app::AppKey;
use model::settings::{AppSettings, HistorySettings};
use parking_lot::RwLock;
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::{JobError, corrupt};

/// The history settings of apps, read again when an app changed.
#[derive(Default)]
pub(crate) struct Windows {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    version: i64,
    apps: HashMap<AppKey, Arc<HistorySettings>>,
}

impl Windows {
    /// The history settings of an app, at most a maintenance interval old. An app that is gone has the
    /// default ones.
    pub(crate) fn of(&self, connection: &Connection, app: AppKey) -> Result<Arc<HistorySettings>, JobError> {
        if let Some(known) = self.known.read().apps.get(&app) {
            return Ok(Arc::clone(known));
        }
        let text: Option<String> = connection
            .prepare_cached("SELECT settings FROM apps WHERE app = ?1")?
            .query_row([app.0], |row| row.get(0))
            .optional()?;
        let history = match text {
            None => HistorySettings::default(),
            Some(text) => {
                let settings: AppSettings =
                    serde_json::from_str(&text).map_err(|error| corrupt("apps", app.0, error))?;
                settings.history
            }
        };
        let history = Arc::new(history);
        self.known.write().apps.insert(app, Arc::clone(&history));
        Ok(history)
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
        *known = Known {
            version,
            apps: HashMap::new(),
        };
        Ok(true)
    }
}
