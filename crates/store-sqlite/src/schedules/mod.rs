//! Schedules: one narrow row each for where it stands, found by an index on the due time; what it
//! publishes stands in a row of its own that is written once.
//!
//! Everything that changes a schedule runs in the writer, one after the other: whoever comes second sees
//! what the first one did.

use std::sync::Arc;

use async_trait::async_trait;
use model::app::AppKey;
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension as _, params};
use store::error::Result;
use store::schedules::{
    Edit, Edited, Fired, Gate, NewSchedule, Occurrence, Schedule, SchedulePage, ScheduleQuery, Scheduled,
    Schedules,
};
use uuid::Uuid;

use crate::SqliteStore;
use crate::error::JobError;
use crate::writer::transaction::Tx;

/// Cancelling.
mod cancel;
/// Editing.
mod edit;
/// Picking up what is due.
mod fire;
/// The list of schedules.
mod list;
/// Due times that have passed.
mod occurrences;
/// Schedules as they are stored.
mod row;
/// Making a schedule.
mod schedule;
/// Removing what is not needed any more.
pub(crate) mod sweep;

/// What a job without content holds in memory, about.
const JOB_BYTES: usize = 256;

/// The values of the column `state`.
mod state {
    pub(super) const WAITING: i64 = 0;
    pub(super) const PUBLISHED: i64 = 1;
    pub(super) const CANCELLED: i64 = 2;
    pub(super) const FAILED: i64 = 3;
}

/// Why a schedule has failed whose channel is gone.
const CHANNEL_DELETED: &str = "the channel was deleted";

#[async_trait]
impl Schedules for SqliteStore {
    async fn schedule(&self, new: NewSchedule) -> Result<Scheduled> {
        self.require_server()?;
        let bytes = JOB_BYTES + new.content.size();
        self.writer
            .run_tx(bytes, move |tx| schedule::schedule(tx, &new))
            .await
    }

    async fn find_schedule(&self, app: AppKey, id: Uuid) -> Result<Option<Schedule>> {
        let heads = self.heads.clone();
        self.readers
            .run(move |connection| row::find(connection, &heads, app, id))
            .await
    }

    async fn cancel_schedule(&self, app: AppKey, id: Uuid) -> Result<Option<u64>> {
        self.require_server()?;
        self.writer
            .run_tx(JOB_BYTES, move |tx| cancel::cancel(tx, app, id))
            .await
    }

    async fn edit_schedule(&self, app: AppKey, id: Uuid, edit: Edit) -> Result<Edited> {
        self.require_server()?;
        let bytes = JOB_BYTES + edit.content.as_ref().map_or(0, |content| content.size());
        self.writer
            .run_tx(bytes, move |tx| edit::edit(tx, app, id, &edit))
            .await
    }

    async fn schedules(&self, app: AppKey, query: ScheduleQuery) -> Result<SchedulePage> {
        let heads = self.heads.clone();
        self.readers
            .run(move |connection| list::list(connection, &heads, app, &query))
            .await
    }

    async fn occurrences(&self, app: AppKey, id: Uuid, after: u64, limit: usize) -> Result<Vec<Occurrence>> {
        self.readers
            .run(move |connection| occurrences::list(connection, app, id, after, limit))
            .await
    }

    async fn next_due(&self) -> Result<Option<UnixMillis>> {
        self.readers.run(next_due).await
    }

    async fn fire_due(&self, limit: usize, gate: Arc<dyn Gate>) -> Result<Fired> {
        self.require_server()?;
        self.writer
            .run_tx(JOB_BYTES, move |tx| fire::fire_due(tx, limit, &*gate))
            .await
    }
}

/// The earliest due time: the first entry of an index, however many wait.
fn next_due(connection: &Connection) -> std::result::Result<Option<UnixMillis>, JobError> {
    let next = connection
        .prepare_cached("SELECT next_at FROM schedules WHERE next_at IS NOT NULL ORDER BY next_at LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(next.map(UnixMillis))
}

/// Changes how many schedules of an app wait.
fn count(connection: &Connection, app: AppKey, change: i64) -> std::result::Result<(), JobError> {
    connection
        .prepare_cached(
            "INSERT INTO schedule_counts (app, waiting) VALUES (?1, ?2)
             ON CONFLICT (app) DO UPDATE SET waiting = waiting + excluded.waiting",
        )?
        .execute(params![app.0, change])?;
    Ok(())
}

/// A schedule that waits does so no more.
fn end(
    tx: &Tx<'_>,
    app: AppKey,
    schedule: i64,
    state: i64,
    reason: Option<&str>,
) -> std::result::Result<(), JobError> {
    tx.connection
        .prepare_cached(
            "UPDATE schedules SET state = ?2, next_at = NULL, remove_at = ?3, reason = ?4,
                                  revision = revision + 1
             WHERE schedule = ?1",
        )?
        .execute(params![schedule, state, forget_at(tx, app)?.0, reason])?;
    Ok(())
}

/// From when on a schedule is forgotten that ends now.
fn forget_at(tx: &Tx<'_>, app: AppKey) -> std::result::Result<UnixMillis, JobError> {
    let kept = tx.context.windows.of(tx.connection, app)?;
    Ok(kept.forget_schedule_at(tx.now))
}

#[cfg(test)]
mod tests;
