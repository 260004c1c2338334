use async_trait::async_trait;
use model::app::AppKey;
use model::key::{ApiKey, KeyDigest};
use model::time::UnixMillis;
use rusqlite::{Row, params};
use store::error::Result;
use store::keys::Keys;

use crate::SqliteStore;
use crate::apps::{self, bump_access_version};
use crate::error::{JobError, corrupt};

/// What a job of this module holds in memory, about.
const JOB_BYTES: usize = 512;

#[async_trait]
impl Keys for SqliteStore {
    async fn create_key(&self, app: AppKey, key: &ApiKey) -> Result<bool> {
        let key = key.clone();
        let created = self.writer.run(JOB_BYTES, move |conn| {
            if !apps::is_there(conn, app)? {
                return Ok(None);
            }
            let mut known = conn.prepare_cached("SELECT 1 FROM keys WHERE app = ?1 AND digest = ?2")?;
            if known.exists(params![app.0, key.digest.0])? {
                return Ok(Some(false));
            }
            let mut insert = conn.prepare_cached(
                "INSERT INTO keys (app, id, name, digest, scopes, created, expires, revoked)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            insert.execute(params![
                app.0,
                &*key.id,
                key.name.as_str(),
                key.digest.0,
                key.scopes.to_string(),
                key.created.0,
                key.expires.map(|at| at.0),
                key.revoked.map(|at| at.0),
            ])?;
            bump_access_version(conn)?;
            Ok(Some(true))
        });
        created.await?.ok_or_else(apps::deleted)
    }

    async fn keys(&self, app: AppKey) -> Result<Vec<ApiKey>> {
        self.readers
            .run(move |conn| {
                let mut select = conn.prepare_cached(
                    "SELECT id, name, digest, scopes, created, expires, revoked FROM keys
                     WHERE app = ?1 ORDER BY created, rowid",
                )?;
                let mut rows = select.query([app.0])?;
                let mut keys = Vec::new();
                while let Some(row) = rows.next()? {
                    keys.push(key(row)?);
                }
                Ok(keys)
            })
            .await
    }

    async fn revoke_key(&self, app: AppKey, id: &str, now: UnixMillis) -> Result<bool> {
        let id = id.to_owned();
        self.writer
            .run(JOB_BYTES, move |conn| {
                let mut revoke = conn.prepare_cached(
                    "UPDATE keys SET revoked = ?3 WHERE app = ?1 AND id = ?2 AND revoked IS NULL",
                )?;
                if revoke.execute(params![app.0, id, now.0])? == 0 {
                    return Ok(false);
                }
                bump_access_version(conn)?;
                Ok(true)
            })
            .await
    }
}

fn key(row: &Row<'_>) -> std::result::Result<ApiKey, JobError> {
    let id: Box<str> = row.get(0)?;
    let name: String = row.get(1)?;
    let scopes: String = row.get(3)?;
    Ok(ApiKey {
        name: name.parse().map_err(|error| corrupt("keys", &id, error))?,
        digest: KeyDigest(row.get(2)?),
        scopes: scopes.parse().map_err(|error| corrupt("keys", &id, error))?,
        created: UnixMillis(row.get(4)?),
        expires: row.get::<_, Option<i64>>(5)?.map(UnixMillis),
        revoked: row.get::<_, Option<i64>>(6)?.map(UnixMillis),
        id,
    })
}
