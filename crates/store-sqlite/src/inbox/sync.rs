use model::app::AppKey;
use model::inbox::InboxId;
use model::time::UnixMillis;
use rusqlite::{Connection, params};
use store::error::Result;
use store::inbox::SyncBatch;

use super::{JOB_BYTES, SLICE_ROWS, row};
use crate::SqliteStore;
use crate::error::JobError;

/// Who claims, and from when until when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) claim: u64,
    pub(super) now: UnixMillis,
    pub(super) until: UnixMillis,
}

/// Claims up to `limit` deleted messages, what was never claimed first.
pub(super) async fn claim_deleted(
    store: &SqliteStore,
    app: AppKey,
    claim: Claim,
    limit: usize,
) -> Result<SyncBatch> {
    let mut ids = Vec::new();
    while ids.len() < limit {
        let slice = SLICE_ROWS.min(limit - ids.len());
        let job = store
            .writer
            .run(JOB_BYTES, move |conn| claim_slice(conn, app, claim, slice));
        let claimed = job.await?;
        // A claim that has run out at once would meet its own rows again.
        let is_last = claimed.len() < slice || claim.until <= claim.now;
        ids.extend(claimed);
        if is_last {
            break;
        }
    }
    Ok(SyncBatch {
        claim: claim.claim,
        ids,
    })
}

fn claim_slice(
    conn: &Connection,
    app: AppKey,
    claim: Claim,
    limit: usize,
) -> std::result::Result<Vec<InboxId>, JobError> {
    let mut select = conn.prepare_cached(
        "SELECT rowid, id FROM inbox INDEXED BY inbox_deleted
         WHERE app = ?1 AND state = 1 AND claimed_until <= ?2
         ORDER BY claimed_until, rowid LIMIT ?3",
    )?;
    let mut rows = select.query(params![app.0, claim.now.0, limit as i64])?;
    let mut found: Vec<(i64, InboxId)> = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, InboxId::from_stored(row::text(row, 1)?)));
    }
    let mut update =
        conn.prepare_cached("UPDATE inbox SET claim = ?2, claimed_until = ?3 WHERE rowid = ?1")?;
    for (rowid, _) in &found {
        update.execute([*rowid, claim.claim.cast_signed(), claim.until.0])?;
    }
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// deleted → synced for what the claim still holds, whether its time is over or not: the campaign system
/// knows, and nobody else has claimed it since. It is no change that the user sees: the commit number stays.
pub(super) async fn mark_synced(store: &SqliteStore, app: AppKey, batch: &SyncBatch) -> Result<u64> {
    each_slice(store, app, batch, |conn, slice| {
        let mut update = conn.prepare_cached(
            "UPDATE inbox SET state = 2, claim = NULL, claimed_until = 0
             WHERE app = ?1 AND id = ?2 AND state = 1 AND claim = ?3",
        )?;
        let mut synced = 0;
        for id in &slice.ids {
            synced += update.execute(params![slice.app.0, id.as_str(), slice.claim])?;
        }
        Ok(synced as u64)
    })
    .await
}

/// Gives a claim back: what it still holds can be claimed at once.
pub(super) async fn release_claim(store: &SqliteStore, app: AppKey, batch: &SyncBatch) -> Result<()> {
    let released = each_slice(store, app, batch, |conn, slice| {
        let mut update = conn.prepare_cached(
            "UPDATE inbox SET claim = NULL, claimed_until = 0
             WHERE app = ?1 AND id = ?2 AND state = 1 AND claim = ?3",
        )?;
        let mut released = 0;
        for id in &slice.ids {
            released += update.execute(params![slice.app.0, id.as_str(), slice.claim])?;
        }
        Ok(released as u64)
    });
    released.await.map(drop)
}

/// How many messages stand as deleted.
pub(super) async fn count_deleted(store: &SqliteStore, app: AppKey) -> Result<u64> {
    let sql = "SELECT count(*) FROM inbox INDEXED BY inbox_deleted WHERE app = ?1 AND state = 1";
    let count = store.readers.run(move |conn| {
        let mut select = conn.prepare_cached(sql)?;
        Ok(select.query_row([app.0], |row| row.get::<_, i64>(0))?)
    });
    Ok(count.await?.cast_unsigned())
}

/// A part of a batch, for one job.
struct Slice {
    app: AppKey,
    claim: i64,
    ids: Vec<InboxId>,
}

/// Runs a job for every slice of a batch, one after the other; the sum of what they return.
async fn each_slice(
    store: &SqliteStore,
    app: AppKey,
    batch: &SyncBatch,
    job: fn(&Connection, &Slice) -> std::result::Result<u64, JobError>,
) -> Result<u64> {
    let mut sum = 0;
    for ids in batch.ids.chunks(SLICE_ROWS) {
        let slice = Slice {
            app,
            claim: batch.claim.cast_signed(),
            ids: ids.to_vec(),
        };
        let bytes: usize = ids
            .iter()
            .map(|id| id.as_str().len() + size_of::<InboxId>())
            .sum();
        sum += store
            .writer
            .run(JOB_BYTES + bytes, move |conn| job(conn, &slice))
            .await?;
    }
    Ok(sum)
}
