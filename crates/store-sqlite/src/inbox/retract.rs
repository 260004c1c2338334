use model::app::AppKey;
use model::inbox::InboxId;
use rusqlite::params;
use store::error::Result;
use store::inbox::Retracted;

use super::{JOB_BYTES, SLICE_ROWS, next_change};
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
        let job = store.writer.run(JOB_BYTES + bytes, move |conn| {
            let changed = next_change(conn)?;
            let mut update = conn.prepare_cached(
                "UPDATE inbox SET state = 3, changed = ?3 WHERE app = ?1 AND id = ?2 AND state = 0",
            )?;
            let mut left = Vec::new();
            for id in &slice {
                if update.execute(params![app.0, id.as_str(), changed])? == 0 {
                    left.push(id.clone());
                }
            }
            Ok(left)
        });
        let left = job.await?;
        retracted.retracted += asked - left.len() as u64;
        retracted.not_retracted.extend(left);
    }
    Ok(retracted)
}
