use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};
use store::error::Error;

use crate::error::{JobError, backend};
use crate::open::writer_connection;
use crate::writer::Context;
use crate::writer::job::Job;
use crate::writer::maintenance::Maintenance;
use crate::writer::queue::{Queue, Work};
use crate::writer::transaction::{IdMint, Pending, Tx};
use crate::{Role, SqliteOptions};

/// Why nothing is taken while the connection is made anew.
const LOST: &str = "the database failed at a commit and is being opened again";
/// How long the writer waits for work before it looks after what lags.
const PATIENCE: Duration = Duration::from_millis(250);
/// Rows that maintenance touches at most in a transaction of its own.
const IDLE_BUDGET: usize = 128;

/// How a transaction ended.
enum Ended {
    Committed,
    /// Rolled back; nothing was done.
    RolledBack(Error),
    /// The commit failed: the connection is not to be trusted any more.
    Unknown(rusqlite::Error),
}

pub(crate) struct WriterThread {
    connection: Connection,
    options: SqliteOptions,
    context: Context,
    queue: Arc<Queue>,
    pending: Pending,
    mint: IdMint,
    maintenance: Maintenance,
}

impl WriterThread {
    pub(crate) fn new(
        connection: Connection,
        options: SqliteOptions,
        context: Context,
        queue: Arc<Queue>,
    ) -> Self {
        let pending = Pending {
            last_row: context.heads.last_row(),
            ..Pending::default()
        };
        Self {
            connection,
            options,
            context,
            queue,
            pending,
            mint: IdMint::default(),
            maintenance: Maintenance::default(),
        }
    }

    /// Until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            let patience = if self.maintains() && self.maintenance.has_work(&self.context) {
                Duration::ZERO
            } else {
                PATIENCE
            };
            match self
                .queue
                .take(self.options.batch_jobs, self.options.batch_bytes, patience)
            {
                Work::Batch(jobs) => self.run_together(jobs),
                Work::Idle => self.maintain(),
                Work::Closed => break,
            }
        }
        if self.maintains() {
            let written = self.maintenance.write_all_heads(&self.connection, &self.context);
            if let Err(error) = written {
                tracing::warn!(error = ?error, "the heads of channels could not be written; the next start reads them from the log");
            }
        }
    }

    fn maintains(&self) -> bool {
        self.options.role == Role::Server
    }

    /// One transaction for all jobs; where one fails unexpectedly, one each.
    fn run_together(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let budget = if self.maintains() {
            (2 * jobs.len() + 32).min(512)
        } else {
            0
        };
        match self.transact(&mut jobs, budget) {
            Ended::Committed => answer(jobs, || Ok(())),
            Ended::RolledBack(error) if jobs.len() == 1 && budget == 0 => {
                let mut error = Some(error);
                answer(jobs, || Err(error.take().unwrap_or_else(lost)));
            }
            Ended::RolledBack(_) => {
                for job in jobs {
                    self.run_alone(job);
                }
            }
            Ended::Unknown(error) => self.recover(jobs, error),
        }
    }

    fn run_alone(&mut self, job: Box<dyn Job>) {
        let mut jobs = vec![job];
        match self.transact(&mut jobs, 0) {
            Ended::Committed => answer(jobs, || Ok(())),
            Ended::RolledBack(error) => {
                let mut error = Some(error);
                answer(jobs, || Err(error.take().unwrap_or_else(lost)));
            }
            Ended::Unknown(error) => self.recover(jobs, error),
        }
    }

    /// Runs the jobs, and up to `budget` rows of maintenance, in one transaction.
    fn transact(&mut self, jobs: &mut [Box<dyn Job>], budget: usize) -> Ended {
        if let Err(error) = self.connection.execute_batch("BEGIN IMMEDIATE") {
            return Ended::RolledBack(backend(error));
        }
        if let Err(error) = self.fill_transaction(jobs, budget) {
            let rolled_back = self.connection.execute_batch("ROLLBACK");
            // Some errors (a full disk, an I/O error) roll back by themselves.
            if let (Err(error), false) = (rolled_back, self.connection.is_autocommit()) {
                return Ended::Unknown(error);
            }
            self.pending.roll_back(self.context.heads.last_row());
            self.maintenance.rolled_back();
            return Ended::RolledBack(error.into());
        }
        match self.commit() {
            Ok(()) => {
                self.publish();
                Ended::Committed
            }
            Err(error) => Ended::Unknown(error),
        }
    }

    fn fill_transaction(&mut self, jobs: &mut [Box<dyn Job>], budget: usize) -> Result<(), JobError> {
        let now = self.context.clock.now();
        let mut tx = Tx {
            connection: &self.connection,
            context: &self.context,
            pending: &mut self.pending,
            mint: &mut self.mint,
            now,
        };
        for job in jobs {
            job.run(&mut tx)?;
        }
        if budget > 0 && self.maintenance.has_work(&self.context) {
            self.maintenance.step(&mut tx, budget)?;
        }
        Ok(())
    }

    fn commit(&self) -> rusqlite::Result<()> {
        #[cfg(test)]
        crate::writer::tests::fail_before_commit()?;
        self.connection.execute_batch("COMMIT")?;
        #[cfg(test)]
        crate::writer::tests::fail_after_commit()?;
        Ok(())
    }

    /// Makes the changes to memory true and tells the live readers, in commit order.
    fn publish(&mut self) {
        let pending = &mut self.pending;
        self.context.heads.commit(pending.heads.drain(), pending.last_row);
        self.maintenance
            .committed(&mut pending.trims, &mut pending.purges, &self.context);
        pending.last_id = None;
        let commits = std::mem::take(&mut pending.commits);
        if !commits.is_empty() {
            self.context.sink.committed(commits);
        }
    }

    /// A transaction of maintenance alone.
    fn maintain(&mut self) {
        if !self.maintains() {
            return;
        }
        if let Err(error) = self.maintenance.tick(&self.connection, &self.context) {
            tracing::warn!(error = ?error, "looking for what has to be cleaned up failed");
            return;
        }
        if !self.maintenance.has_work(&self.context) {
            return;
        }
        match self.transact(&mut [], IDLE_BUDGET) {
            Ended::Committed => {}
            Ended::RolledBack(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cleaning up failed; it is tried again later"
                );
                self.maintenance.pause();
            }
            Ended::Unknown(error) => self.recover(Vec::new(), error),
        }
    }

    /// After a failed commit: opens the file again, makes sure of what it holds, and answers by that.
    fn recover(&mut self, jobs: Vec<Box<dyn Job>>, error: rusqlite::Error) {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a commit failed; the database is opened again"
        );
        self.queue.suspend(LOST);
        let proof = self.pending.last_id;
        let mut delay = Duration::from_millis(10);
        let reopened = loop {
            match self.reopen() {
                Ok(()) => break true,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the database cannot be opened again yet"
                    );
                }
            }
            if !self.queue.resume(LOST) {
                break false;
            }
            self.queue.suspend(LOST);
            std::thread::sleep(delay);
            delay = (delay * 2).min(Duration::from_secs(2));
        };
        let found = match proof {
            Some(id) if reopened => self.holds(id).ok(),
            _ => None,
        };
        let mut cause = Some(error);
        match found {
            Some(true) => {
                self.context
                    .sink
                    .committed(std::mem::take(&mut self.pending.commits));
                answer(jobs, || Ok(()));
            }
            Some(false) => answer(jobs, || Err(lost())),
            None => answer(jobs, || {
                let source: store::error::Source = match cause.take() {
                    Some(error) => Box::new(error),
                    None => "the commit failed".into(),
                };
                Err(Error::OutcomeUnknown { source })
            }),
        }
        self.pending.roll_back(self.context.heads.last_row());
        self.maintenance = Maintenance::default();
        self.queue.resume(LOST);
    }

    /// A new connection, everything that the WAL holds flushed into the file, heads from the file.
    fn reopen(&mut self) -> Result<(), Error> {
        let connection = writer_connection(&self.options)?;
        // After a failed flush the system may believe pages clean that never reached the disk; copying
        // them into the database file writes and flushes them anew.
        connection
            .query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get::<_, i64>(0))
            .map_err(backend)?;
        self.context.heads.reload(&connection).map_err(Error::from)?;
        self.connection = connection;
        Ok(())
    }

    fn holds(&self, id: model::message::MessageId) -> Result<bool, JobError> {
        let found = self
            .connection
            .prepare_cached("SELECT 1 FROM log WHERE id = ?1")?
            .query_row([id.base.as_bytes().as_slice()], |_| Ok(()))
            .optional()?;
        Ok(found.is_some())
    }
}

fn answer(jobs: Vec<Box<dyn Job>>, mut outcome: impl FnMut() -> store::error::Result<()>) {
    for job in jobs {
        job.answer(outcome());
    }
}

fn lost() -> Error {
    Error::Unavailable { reason: LOST.into() }
}
