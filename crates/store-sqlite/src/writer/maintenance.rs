use std::collections::VecDeque;
use std::time::{Duration, Instant};

use model::app::AppKey;
use rusqlite::{Connection, params};

use crate::error::JobError;
use crate::heads::{ChannelHead, ChannelKey};
use crate::log::retention;
use crate::log::sweep::{AgeSweep, CountSweep};
use crate::polling;
use crate::schedules::sweep;
use crate::writer::Context;
use crate::writer::transaction::Tx;

/// Heads are written once so many lag, or at the next tick.
const LAGGING_HEADS: usize = 8_192;
/// How long an error holds maintenance up.
const PAUSE: Duration = Duration::from_secs(10);
/// How long idempotency keys are kept (api.md 3.1).
pub(crate) const IDEMPOTENCY_AGE: Duration = Duration::from_secs(24 * 3_600);

/// What the writer does besides its jobs, a bounded number of rows at a time: channel heads are written,
/// messages that left their window and channels that were deleted are removed.
#[derive(Default)]
pub(crate) struct Maintenance {
    flush: Option<HeadFlush>,
    /// Heads of the running transaction's flush, clean once it commits.
    written: Vec<(ChannelKey, ChannelHead)>,
    /// The table `channels` and the log's rows up to this one say where channels stand, as committed.
    watermark: i64,
    /// What the running transaction makes of it.
    next_watermark: i64,
    /// Channels that were deleted.
    purges: VecDeque<i64>,
    /// Apps that were deleted.
    deleted_apps: VecDeque<AppKey>,
    ages: AgeSweep,
    counts: CountSweep,
    idempotency_due: bool,
    schedules_due: bool,
    polling_due: bool,
    loaded: bool,
    last_tick: Option<Instant>,
    paused_until: Option<Instant>,
}

/// One pass over the heads that the file does not know.
struct HeadFlush {
    channels: std::vec::IntoIter<(i64, ChannelKey)>,
    /// What the file will know everything up to.
    watermark: i64,
}

impl Maintenance {
    /// Whether a step has something to do now.
    pub(crate) fn has_work(&self, context: &Context) -> bool {
        if self.paused_until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        self.flush.is_some()
            || !self.purges.is_empty()
            || !self.deleted_apps.is_empty()
            || self.ages.is_due()
            || self.counts.is_due()
            || self.idempotency_due
            || self.schedules_due
            || self.polling_due
            || context.heads.dirty() >= LAGGING_HEADS
    }

    /// Once in `interval`: looks what has become due.
    pub(crate) fn tick(
        &mut self,
        connection: &Connection,
        context: &Context,
        interval: Duration,
    ) -> Result<(), JobError> {
        if self.last_tick.is_some_and(|last| last.elapsed() < interval) {
            return Ok(());
        }
        self.last_tick = Some(Instant::now());
        if context.windows.refresh(connection)? {
            self.loaded = false;
        }
        if !self.loaded {
            self.ages.reload(connection)?;
            self.counts.restart();
            self.watermark = heads_row(connection)?;
            self.next_watermark = self.watermark;
            self.purges = retention::deleted_channels(connection)?.into();
            self.deleted_apps = retention::deleted_apps(connection)?.into();
            self.loaded = true;
        }
        self.ages.set_due();
        self.counts.tick();
        self.idempotency_due = true;
        self.schedules_due = true;
        self.polling_due = true;
        // Also where no head lags: the last rows may be of a channel that was deleted since.
        if self.flush.is_none() && (context.heads.dirty() > 0 || context.heads.last_row() > self.watermark) {
            self.flush = Some(start_flush(context));
        }
        Ok(())
    }

    /// Does up to about `budget` rows of work inside the open transaction.
    pub(crate) fn step(&mut self, tx: &mut Tx<'_>, budget: usize) -> Result<(), JobError> {
        let mut left = budget;
        if self.flush.is_none() && tx.context.heads.dirty() >= LAGGING_HEADS {
            self.flush = Some(start_flush(tx.context));
        }
        left -= self.write_heads(tx.connection, tx.context, left)?;
        while left > 0
            && let Some(app) = self.deleted_apps.front().copied()
        {
            let removed = retention::purge_app(tx, app, left)?;
            left = left.saturating_sub(removed.max(1));
            if removed == 0 {
                self.deleted_apps.pop_front();
            }
        }
        while left > 0
            && let Some(channel) = self.purges.front().copied()
        {
            let Some(removed) = retention::purge(tx, channel, self.next_watermark, left)? else {
                self.flush.get_or_insert_with(|| start_flush(tx.context));
                break;
            };
            left = left.saturating_sub(removed.max(1));
            if removed == 0 {
                self.purges.pop_front();
            }
        }
        if left > 0 && self.ages.is_due() {
            let swept = self.ages.sweep(tx, self.next_watermark, left)?;
            left = left.saturating_sub(swept);
        }
        if left > 0 && self.counts.is_due() {
            let swept = self.counts.sweep(tx, self.next_watermark, left)?;
            left = left.saturating_sub(swept);
        }
        if left > 0 && self.idempotency_due {
            let removed = retention::forget_idempotency_keys(tx.connection, tx.now - IDEMPOTENCY_AGE, left)?;
            self.idempotency_due = removed == left;
            left -= removed;
        }
        if left > 0 && self.schedules_due {
            let removed = sweep::remove_ended(tx, left)?;
            self.schedules_due = removed >= left;
            left = left.saturating_sub(removed);
        }
        if left > 0 && self.polling_due {
            let removed = polling::remove_gone(tx, left)?;
            self.polling_due = removed >= left;
        }
        Ok(())
    }

    /// Takes over what a commit left to do, and what it did.
    pub(crate) fn committed(&mut self, over_count: &mut u64, purges: &mut Vec<i64>, context: &Context) {
        self.watermark = self.next_watermark;
        self.counts.add(std::mem::take(over_count));
        self.purges.extend(purges.drain(..));
        if !self.written.is_empty() {
            context.heads.written(self.written.drain(..));
        }
    }

    /// A transaction was rolled back: its flush begins anew, the rest is found again.
    pub(crate) fn rolled_back(&mut self) {
        self.written.clear();
        self.flush = None;
        self.next_watermark = self.watermark;
        self.counts.restart();
        self.loaded = false;
    }

    /// After an error: not again for a while.
    pub(crate) fn pause(&mut self) {
        self.paused_until = Some(Instant::now() + PAUSE);
    }

    /// Writes every head that lags, for a clean end.
    pub(crate) fn write_all_heads(
        &mut self,
        connection: &Connection,
        context: &Context,
    ) -> Result<(), JobError> {
        if context.heads.dirty() == 0 && heads_row(connection)? == context.heads.last_row() {
            return Ok(());
        }
        self.flush = Some(start_flush(context));
        connection.execute_batch("BEGIN IMMEDIATE")?;
        self.write_heads(connection, context, usize::MAX)?;
        connection.execute_batch("COMMIT")?;
        Ok(())
    }

    /// Writes up to `budget` heads of the running pass; how many.
    fn write_heads(
        &mut self,
        connection: &Connection,
        context: &Context,
        budget: usize,
    ) -> Result<usize, JobError> {
        let Some(flush) = &mut self.flush else {
            return Ok(0);
        };
        let mut statement = connection.prepare_cached(
            // What the running transaction deleted has its last row already.
            "UPDATE channels SET seq = ?2, row = ?3, published_at = ?4 WHERE channel = ?1 AND deleted = 0",
        )?;
        let mut count = 0;
        while count < budget
            && let Some((channel, key)) = flush.channels.next()
        {
            count += 1;
            // A channel that was deleted since, or made anew, is not ours to write.
            let Some(head) = context
                .heads
                .committed(key.0, &key.1)
                .filter(|head| head.channel == channel)
            else {
                continue;
            };
            statement.execute(params![
                head.channel,
                head.seq as i64,
                head.row,
                head.published_at.map(|at| at.0)
            ])?;
            self.written.push((key, head));
        }
        if flush.channels.len() == 0 {
            connection
                .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'heads_row'")?
                .execute([flush.watermark])?;
            self.next_watermark = flush.watermark;
            self.flush = None;
        }
        Ok(count)
    }
}

fn start_flush(context: &Context) -> HeadFlush {
    // The watermark first: what is published after it is found dirty by the next pass.
    let watermark = context.heads.last_row();
    HeadFlush {
        channels: context.heads.dirty_channels().into_iter(),
        watermark,
    }
}

/// Up to which row of the log the table `channels` says where channels stand.
fn heads_row(connection: &Connection) -> Result<i64, JobError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE name = 'heads_row'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}
