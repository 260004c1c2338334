use model::app::AppKey;
use model::inbox::InboxId;
use rusqlite::{OptionalExtension, params};
use store::commits::inbox_user;
use store::error::Result;

use super::{JOB_BYTES, SLICE_ROWS, next_change, tell_changed};
use crate::SqliteStore;

/// imported → deleted; with `owner` only a message of that user.
pub(super) async fn delete(
    store: &SqliteStore,
    app: AppKey,
    id: &InboxId,
    owner: Option<&str>,
) -> Result<bool> {
    let id = id.clone();
    let owner = owner.map(str::to_owned);
    store
        .writer
        .run_tx(JOB_BYTES, move |tx| {
            let conn = tx.connection;
            let mut find = conn.prepare_cached(
                "SELECT rowid, uid FROM inbox
                 WHERE app = ?1 AND id = ?2 AND state = 0 AND (?3 IS NULL OR uid = ?3)",
            )?;
            let found = find.query_row(params![app.0, id.as_str(), owner], |row| {
                Ok((row.get::<_, i64>(0)?, inbox_user(app, row.get_ref(1)?.as_str()?)))
            });
            let Some((rowid, user)) = found.optional()? else {
                return Ok(false);
            };
            let changed = next_change(conn)?;
            let sql = "UPDATE inbox SET state = 1, changed = ?2 WHERE rowid = ?1";
            conn.prepare_cached(sql)?.execute([rowid, changed])?;
            tell_changed(tx, changed, vec![user]);
            Ok(true)
        })
        .await
}

/// All imported messages of a user → deleted, slice by slice.
///
/// What is imported for the user meanwhile may stay: it counts as imported afterwards.
pub(super) async fn delete_all(store: &SqliteStore, app: AppKey, uid: &str) -> Result<u64> {
    let wanted = uid.to_owned();
    let rowids: Vec<i64> = store
        .readers
        .run(move |conn| {
            let sql = "SELECT rowid FROM inbox WHERE app = ?1 AND uid = ?2 AND state = 0";
            let mut select = conn.prepare_cached(sql)?;
            let rowids = select.query_map(params![app.0, wanted], |row| row.get(0))?;
            Ok(rowids.collect::<rusqlite::Result<_>>()?)
        })
        .await?;
    let mut deleted = 0;
    for slice in rowids.chunks(SLICE_ROWS) {
        let slice = slice.to_vec();
        let uid = uid.to_owned();
        let job = store.writer.run_tx(JOB_BYTES + size_of_val(&*slice), move |tx| {
            let conn = tx.connection;
            let changed = next_change(conn)?;
            // Asks again: since it was read, the row may have changed, or be another one.
            let mut update = conn.prepare_cached(
                "UPDATE inbox SET state = 1, changed = ?4
                 WHERE rowid = ?1 AND app = ?2 AND uid = ?3 AND state = 0",
            )?;
            let mut deleted = 0;
            for rowid in &slice {
                deleted += update.execute(params![rowid, app.0, uid, changed])?;
            }
            tell_changed(tx, changed, vec![inbox_user(app, &uid)]);
            Ok(deleted as u64)
        });
        deleted += job.await?;
    }
    Ok(deleted)
}
