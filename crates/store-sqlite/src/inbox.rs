use async_trait::async_trait;
use model::app::AppKey;
use model::inbox::change::Counts;
use model::inbox::{InboxId, InboxMessage};
use model::time::UnixMillis;
use rusqlite::Connection;
use store::commits::Commit;
use store::error::Result;
use store::inbox::{Changes, ChangesQuery, Imported, Inbox, ListQuery, Retracted, Snapshot, SyncBatch};

use crate::SqliteStore;
use crate::error::JobError;
use crate::writer::transaction::Tx;

/// What a user is shown that a cursor does not know.
mod changes;
/// Removing what nobody needs any more.
mod cleanup;
/// How many messages a user is shown.
mod count;
/// One user's messages, or all of them, from imported to deleted.
mod delete;
/// Storing new messages.
mod import;
/// What a user is shown.
mod list;
/// Read marks.
mod mark_read;
/// Taking messages back.
mod retract;
/// Rows as messages.
mod row;
/// One message in any state.
mod show;
/// The list with where its changes go on.
mod snapshot;
/// Deleted messages on their way to the campaign system.
mod sync;

/// What a job without texts of its own holds in memory, about.
const JOB_BYTES: usize = 256;

/// Rows that one job changes at most, so that a publish never waits long behind it.
const SLICE_ROWS: usize = 250;

#[async_trait]
impl Inbox for SqliteStore {
    async fn import(&self, app: AppKey, messages: Vec<InboxMessage>) -> Result<Imported> {
        import::import(self, app, messages).await
    }

    async fn list(&self, app: AppKey, query: ListQuery<'_>) -> Result<Vec<InboxMessage>> {
        list::list(self, app, query).await
    }

    async fn snapshot(&self, app: AppKey, query: ListQuery<'_>) -> Result<Snapshot> {
        snapshot::snapshot(self, app, query).await
    }

    async fn changes(&self, app: AppKey, query: ChangesQuery<'_>) -> Result<Option<Changes>> {
        changes::changes(self, app, query).await
    }

    async fn count(&self, app: AppKey, uid: &str, client: &str, now: UnixMillis) -> Result<Counts> {
        count::count(self, app, uid, client, now).await
    }

    async fn mark_read(&self, app: AppKey, id: &InboxId, uid: &str, now: UnixMillis) -> Result<bool> {
        mark_read::mark_read(self, app, id, uid, now).await
    }

    async fn show(&self, app: AppKey, id: &InboxId) -> Result<Option<InboxMessage>> {
        show::show(self, app, id).await
    }

    async fn delete(&self, app: AppKey, id: &InboxId, owner: Option<&str>) -> Result<bool> {
        delete::delete(self, app, id, owner).await
    }

    async fn delete_all(&self, app: AppKey, uid: &str) -> Result<u64> {
        delete::delete_all(self, app, uid).await
    }

    async fn retract(&self, app: AppKey, ids: Vec<InboxId>) -> Result<Retracted> {
        retract::retract(self, app, ids).await
    }

    async fn claim_deleted(
        &self,
        app: AppKey,
        claim: u64,
        limit: usize,
        now: UnixMillis,
        until: UnixMillis,
    ) -> Result<SyncBatch> {
        sync::claim_deleted(self, app, sync::Claim { claim, now, until }, limit).await
    }

    async fn mark_synced(&self, app: AppKey, batch: &SyncBatch) -> Result<u64> {
        sync::mark_synced(self, app, batch).await
    }

    async fn release_claim(&self, app: AppKey, batch: &SyncBatch) -> Result<()> {
        sync::release_claim(self, app, batch).await
    }

    async fn count_deleted(&self, app: AppKey) -> Result<u64> {
        sync::count_deleted(self, app).await
    }

    async fn cleanup(&self, app: AppKey, now: UnixMillis, keep_deleted: bool) -> Result<u64> {
        cleanup::cleanup(self, app, now, keep_deleted).await
    }
}

/// Tells who follows the inbox of these users that a job has changed it.
fn tell_changed(tx: &mut Tx<'_>, change: i64, users: Vec<u64>) {
    if !users.is_empty() {
        tx.pending.commits.push(Commit::InboxChanged {
            change: change.cast_unsigned(),
            users: users.into(),
        });
    }
}

/// The commit number for the rows that this job changes: unique to the job and greater than every one
/// before. It is a write: a job calls it after its checks.
fn next_change(conn: &Connection) -> std::result::Result<i64, JobError> {
    let sql = "UPDATE meta SET value = value + 1 WHERE name = 'inbox_changed' RETURNING value";
    Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}
