use model::app::AppKey;
use model::inbox::InboxId;
use model::time::UnixMillis;
use rusqlite::{OptionalExtension, params};
use store::commits::inbox_user;
use store::error::Result;

use super::{JOB_BYTES, next_change, tell_changed};
use crate::SqliteStore;

/// Marks a message that the user is shown as read.
pub(super) async fn mark_read(
    store: &SqliteStore,
    app: AppKey,
    id: &InboxId,
    uid: &str,
    now: UnixMillis,
) -> Result<bool> {
    let id = id.clone();
    let uid = uid.to_owned();
    let job = store.writer.run_tx(JOB_BYTES, move |tx| {
        let conn = tx.connection;
        let mut find = conn.prepare_cached(
            "SELECT rowid, read FROM inbox
             WHERE app = ?1 AND id = ?2 AND uid = ?3 AND state = 0 AND created_at <= ?4 AND expires_at > ?4",
        )?;
        let found = find.query_row(params![app.0, id.as_str(), uid, now.0], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
        });
        let Some((rowid, is_read)) = found.optional()? else {
            return Ok(false);
        };
        if !is_read {
            let changed = next_change(conn)?;
            // The mark keeps the number that the row had: whoever knows that one knew the message.
            let sql = "UPDATE inbox SET read = changed, changed = ?2 WHERE rowid = ?1";
            conn.prepare_cached(sql)?.execute([rowid, changed])?;
            tell_changed(tx, changed, vec![inbox_user(app, &uid)]);
        }
        Ok(true)
    });
    job.await
}
