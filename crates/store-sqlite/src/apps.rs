use async_trait::async_trait;
use model::app::{AppId, AppKey};
use model::settings::AppSettings;
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::apps::{App, Apps};
use store::error::{Error, Result};

use crate::SqliteStore;
use crate::error::{JobError, corrupt};

/// What a job of this module holds in memory, about.
const JOB_BYTES: usize = 512;

const COLUMNS: &str = "SELECT app, id, settings, created FROM apps WHERE deleted = 0";

#[async_trait]
impl Apps for SqliteStore {
    async fn access_version(&self) -> Result<u64> {
        self.readers
            .run(|conn| {
                let mut select =
                    conn.prepare_cached("SELECT value FROM meta WHERE name = 'access_version'")?;
                let version: i64 = select.query_row([], |row| row.get(0))?;
                Ok(version.cast_unsigned())
            })
            .await
    }

    async fn create_app(&self, id: &AppId, settings: &AppSettings, now: UnixMillis) -> Result<Option<App>> {
        let json = settings_json(settings)?;
        let created = self.writer.run(JOB_BYTES + json.len(), {
            let id = id.clone();
            move |conn| {
                if app_key(conn, &id)?.is_some() {
                    return Ok(None);
                }
                let sql = "INSERT INTO apps (id, settings, created) VALUES (?1, ?2, ?3)";
                conn.prepare_cached(sql)?
                    .execute(params![id.as_str(), json, now.0])?;
                let key = AppKey(conn.last_insert_rowid());
                bump_access_version(conn)?;
                Ok(Some(key))
            }
        });
        Ok(created.await?.map(|key| App {
            key,
            id: id.clone(),
            settings: settings.clone(),
            created: now,
        }))
    }

    async fn set_app(&self, id: &AppId, settings: &AppSettings) -> Result<bool> {
        let json = settings_json(settings)?;
        let id = id.clone();
        self.writer
            .run(JOB_BYTES + json.len(), move |conn| {
                let Some(key) = app_key(conn, &id)? else {
                    return Ok(false);
                };
                let sql = "UPDATE apps SET settings = ?2 WHERE app = ?1";
                conn.prepare_cached(sql)?.execute(params![key.0, json])?;
                bump_access_version(conn)?;
                Ok(true)
            })
            .await
    }

    async fn app(&self, id: &AppId) -> Result<Option<App>> {
        let id = id.clone();
        self.readers
            .run(move |conn| {
                let mut select = conn.prepare_cached(&format!("{COLUMNS} AND id = ?1"))?;
                let mut rows = select.query([id.as_str()])?;
                rows.next()?.map(app).transpose()
            })
            .await
    }

    async fn apps(&self) -> Result<Vec<App>> {
        self.readers
            .run(|conn| {
                let mut select = conn.prepare_cached(&format!("{COLUMNS} ORDER BY id"))?;
                let mut rows = select.query([])?;
                let mut apps = Vec::new();
                while let Some(row) = rows.next()? {
                    apps.push(app(row)?);
                }
                Ok(apps)
            })
            .await
    }

    async fn delete_app(&self, id: &AppId) -> Result<bool> {
        let id = id.clone();
        self.writer
            .run(JOB_BYTES, move |conn| {
                let Some(key) = app_key(conn, &id)? else {
                    return Ok(false);
                };
                conn.prepare_cached("UPDATE apps SET deleted = 1 WHERE app = ?1")?
                    .execute([key.0])?;
                bump_access_version(conn)?;
                Ok(true)
            })
            .await
    }
}

/// Tells every node that an app, its settings or a key changed.
pub(crate) fn bump_access_version(conn: &Connection) -> std::result::Result<(), JobError> {
    let sql = "UPDATE meta SET value = value + 1 WHERE name = 'access_version'";
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Whether the app is there. What is written for a deleted one might miss the purge of its rows.
pub(crate) fn is_there(conn: &Connection, app: AppKey) -> std::result::Result<bool, JobError> {
    let mut select = conn.prepare_cached("SELECT 1 FROM apps WHERE app = ?1 AND deleted = 0")?;
    Ok(select.exists([app.0])?)
}

/// Fails the job where the app is gone.
pub(crate) fn require_app(conn: &Connection, app: AppKey) -> std::result::Result<(), JobError> {
    if is_there(conn, app)? {
        Ok(())
    } else {
        Err(deleted().into())
    }
}

/// What a write for a deleted app is answered.
pub(crate) fn deleted() -> Error {
    let reason = "the app was deleted".into();
    Error::Unavailable { reason }
}

fn app_key(conn: &Connection, id: &AppId) -> std::result::Result<Option<AppKey>, JobError> {
    let mut select = conn.prepare_cached("SELECT app FROM apps WHERE id = ?1 AND deleted = 0")?;
    let key = select.query_row([id.as_str()], |row| row.get(0).map(AppKey));
    Ok(key.optional()?)
}

fn app(row: &Row<'_>) -> std::result::Result<App, JobError> {
    let key: i64 = row.get(0)?;
    let id: String = row.get(1)?;
    let settings: String = row.get(2)?;
    Ok(App {
        key: AppKey(key),
        id: id.parse().map_err(|error| corrupt("apps", key, error))?,
        settings: serde_json::from_str(&settings).map_err(|error| corrupt("apps", key, error))?,
        created: UnixMillis(row.get(3)?),
    })
}

fn settings_json(settings: &AppSettings) -> Result<String> {
    serde_json::to_string(settings).map_err(|error| Error::Backend {
        source: Box::new(error),
    })
}
