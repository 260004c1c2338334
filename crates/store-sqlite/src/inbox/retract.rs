use model::app::AppKey;
use model::inbox::InboxId;
use rusqlite::{OptionalExtension, params};
use store::commits::inbox_user;
use store::error::Result;
use store::inbox::Retracted;

use super::{JOB_BYTES, SLICE_ROWS, next_change, tell_changed};
use crate::SqliteStore;

/// imported → retracted, slice by slice.
pub(super) async fn retract(store: &SqliteStore, app: AppKey, ids: Vec<InboxId>) -> Result<Retracted> {
    let mut retracted = Retracted::default();
    let mut ids = ids.into_iter();
    while ids.len() > 0 {
        let slice: Vec<InboxId> = ids.by_ref().take(SLICE_ROWS).collect();
        let asked = slice.len() as u64;
        let bytes: usize = slice
            .iter()
            .map(|id| id.as_str().len() + size_of::<InboxId>())
            .sum();
        let job = store.writer.run_tx(JOB_BYTES + bytes, move |tx| {
            let conn = tx.connection;
            let changed = next_change(conn)?;
            let mut update = conn.prepare_cached(
                "UPDATE inbox SET state = 3, changed = ?3 WHERE app = ?1 AND id = ?2 AND state = 0
                 RETURNING uid",
            )?;
            let (mut left, mut users) = (Vec::new(), Vec::new());
            for id in &slice {
                let retracted = update.query_row(params![app.0, id.as_str(), changed], |row| {
                    Ok(inbox_user(app, row.get_ref(0)?.as_str()?))
                });
                match retracted.optional()? {
                    Some(user) => users.push(user),
                    None => left.push(id.clone()),
                }
            }
            tell_changed(tx, changed, users);
            Ok(left)
        });
        let left = job.await?;
        retracted.retracted += asked - left.len() as u64;
        retracted.not_retracted.extend(left);
    }
    Ok(retracted)
}
