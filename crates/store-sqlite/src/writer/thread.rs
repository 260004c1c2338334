use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use store::error::Error;

use crate::checkpoint::Checkpointer;
use crate::error::{JobError, backend};
use crate::open::writer_connection;
use crate::statistics::Counters;
use crate::writer::Context;
use crate::writer::flush::{Committed, Flusher};
use crate::writer::job::Job;
use crate::writer::maintenance::Maintenance;
use crate::writer::queue::{Queue, Work};
use crate::writer::transaction::{IdMint, Pending, Tx};
use crate::{Role, SqliteOptions};

/// How long the writer waits for work before it looks after what lags.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long after a batch the writer waits for the next before it does maintenance alone.
const BETWEEN_BATCHES: Duration = Duration::from_millis(2);
/// Jobs after which a batch takes maintenance along: it touches pages at the other end of the log, which
/// small batches would each write anew.
const JOBS_BETWEEN: usize = 64;
/// Rows that maintenance touches at most in a transaction of its own.
const IDLE_BUDGET: usize = 128;

/// How a transaction ended.
enum Ended {
    /// The next may begin; whoever waits for this one is answered once it is flushed.
    Committed(Committed),
    /// It could not be begun; nothing was done.
    NotBegun(rusqlite::Error),
    /// A job failed unexpectedly; rolled back.
    JobFailed(JobError),
    /// Maintenance failed; rolled back.
    MaintenanceFailed(JobError),
    /// The commit failed: the connection is not to be trusted any more.
    Unknown(rusqlite::Error),
}

pub(crate) struct WriterThread {
    pub(super) connection: Connection,
    pub(super) options: SqliteOptions,
    pub(super) context: Context,
    pub(super) queue: Arc<Queue>,
    pub(super) counters: Arc<Counters>,
    pub(super) pending: Pending,
    mint: IdMint,
    pub(super) maintenance: Maintenance,
    /// Jobs since a batch took maintenance along.
    since_maintenance: usize,
    /// Absent only while the file is being opened again.
    pub(super) flusher: Option<Flusher>,
    /// Absent in commands beside a server. Behind the connection, whose hook it ends after.
    pub(super) checkpointer: Option<Checkpointer>,
}

impl Drop for WriterThread {
    /// Nobody waits for a writer that has ended, by a panic of the commit sink too.
    fn drop(&mut self) {
        self.queue.suspend("the writer of the store has ended");
    }
}

impl WriterThread {
    pub(crate) fn new(
        connection: Connection,
        options: SqliteOptions,
        context: Context,
        queue: Arc<Queue>,
        counters: Arc<Counters>,
    ) -> Result<Self, Error> {
        let checkpointer = match options.role {
            Role::Server => Some(Checkpointer::start(writer_connection(&options)?)?),
            Role::Admin => None,
        };
        // Dropped before it where an error comes: the thread lives as long as the connection's hook.
        let mut connection = connection;
        if let Some(checkpointer) = &checkpointer {
            checkpointer.watch(&mut connection).map_err(backend)?;
        }
        let pending = Pending {
            last_row: context.heads.last_row(),
            ..Pending::default()
        };
        let mint = IdMint::after_last_of(&connection)?;
        let flusher = start_flusher(&connection, &options, &context, &queue)?;
        Ok(Self {
            mint,
            flusher: Some(flusher),
            checkpointer,
            connection,
            options,
            context,
            queue,
            counters,
            pending,
            maintenance: Maintenance::default(),
            since_maintenance: 0,
        })
    }

    /// Until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let mut busy = false;
        loop {
            let patience = match self.maintains() && self.maintenance.has_work(&self.context) {
                false => PATIENCE.min(self.options.maintenance_interval),
                // A batch takes maintenance along; a flush for it alone would hold the next one up.
                true if busy => BETWEEN_BATCHES,
                true => Duration::ZERO,
            };
            let work = self
                .queue
                .take(self.options.batch_jobs, self.options.batch_bytes, patience);
            busy = matches!(work, Work::Batch(_));
            if self.flusher.as_ref().is_some_and(Flusher::has_ended) {
                self.recover(Committed::default());
            }
            // Also where jobs never stop coming.
            self.tick();
            match work {
                Work::Batch(jobs) => self.run_together(jobs),
                Work::Idle => self.maintain(),
                Work::Closed => break,
            }
        }
        self.flush_all();
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

    fn tick(&mut self) {
        if !self.maintains() {
            return;
        }
        let ticked =
            self.maintenance
                .tick(&self.connection, &self.context, self.options.maintenance_interval);
        if let Err(error) = ticked {
            tracing::warn!(error = ?error, "looking for what has to be cleaned up failed");
        }
    }

    fn run_together(&mut self, jobs: Vec<Box<dyn Job>>) {
        self.since_maintenance += jobs.len();
        let budget = match self.since_maintenance {
            since if self.maintains() && since >= JOBS_BETWEEN => {
                self.since_maintenance = 0;
                (4 * since + 64).min(1_024)
            }
            _ => 0,
        };
        self.run_jobs(jobs, budget);
    }

    /// One transaction for all jobs and up to `budget` rows of maintenance; where a job fails unexpectedly,
    /// one each; where maintenance does, one without it.
    fn run_jobs(&mut self, mut jobs: Vec<Box<dyn Job>>, budget: usize) {
        match self.transact(&mut jobs, budget) {
            Ended::Committed(committed) => self.hand_over(Committed { jobs, ..committed }),
            Ended::NotBegun(error) => answer(jobs, || {
                let reason = format!("the database takes no transaction: {error}");
                Err(Error::Unavailable { reason })
            }),
            Ended::JobFailed(error) if jobs.len() == 1 => {
                if let Some(job) = jobs.pop() {
                    job.answer(Err(error.into()));
                }
            }
            Ended::JobFailed(_) => {
                for job in jobs {
                    self.run_jobs(vec![job], 0);
                }
            }
            Ended::MaintenanceFailed(error) => {
                self.pause_maintenance(&error);
                self.run_jobs(jobs, 0);
            }
            Ended::Unknown(error) => self.recover_from(error, jobs),
        }
    }

    /// Lets a transaction be flushed and answered. One that nobody waits for is flushed with the next.
    fn hand_over(&mut self, committed: Committed) {
        if committed.jobs.is_empty() && committed.commits.is_empty() {
            return;
        }
        let given_back = match &self.flusher {
            Some(flusher) => flusher.take(committed).err(),
            None => Some(committed),
        };
        if let Some(committed) = given_back {
            self.recover(committed);
        }
    }

    /// Waits until all is flushed and answered.
    fn flush_all(&mut self) {
        let unflushed = self.flusher.take().map(Flusher::end);
        if let Some(Ok(Some(unflushed))) = unflushed {
            self.recover(unflushed);
        }
    }

    fn pause_maintenance(&mut self, error: &JobError) {
        tracing::warn!(error = ?error, "cleaning up failed; it is tried again later");
        self.maintenance.pause();
    }

    /// Runs the jobs, and up to `budget` rows of maintenance, in one transaction.
    fn transact(&mut self, jobs: &mut [Box<dyn Job>], budget: usize) -> Ended {
        if let Err(error) = self.control("BEGIN IMMEDIATE") {
            return Ended::NotBegun(error);
        }
        if let Err(failed) = self.fill_transaction(jobs, budget) {
            let rolled_back = self.connection.execute_batch("ROLLBACK");
            // Some errors (a full disk, an I/O error) roll back by themselves.
            if let (Err(error), false) = (rolled_back, self.connection.is_autocommit()) {
                return Ended::Unknown(error);
            }
            self.pending.roll_back(self.context.heads.last_row());
            self.context.windows.forget();
            self.maintenance.rolled_back();
            self.counters.rollbacks.add(1);
            return failed;
        }
        match self.commit() {
            Ok(()) => {
                self.counters.commits.add(1);
                self.counters.jobs.add(jobs.len());
                Ended::Committed(self.committed())
            }
            Err(error) => Ended::Unknown(error),
        }
    }

    /// Begins or ends a transaction; prepared once.
    fn control(&self, statement: &str) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(statement)?.execute([])
    }

    fn fill_transaction(&mut self, jobs: &mut [Box<dyn Job>], budget: usize) -> Result<(), Ended> {
        let now = self.context.clock.now();
        let mut tx = Tx {
            connection: &self.connection,
            log_insert: None,
            context: &self.context,
            pending: &mut self.pending,
            mint: &mut self.mint,
            now,
            jobs: jobs.len(),
            queue: &self.queue,
        };
        for job in jobs {
            job.run(&mut tx).map_err(Ended::JobFailed)?;
        }
        if budget > 0 && self.maintenance.has_work(&self.context) {
            self.maintenance
                .step(&mut tx, budget)
                .map_err(Ended::MaintenanceFailed)?;
        }
        Ok(())
    }

    fn commit(&self) -> rusqlite::Result<()> {
        #[cfg(test)]
        crate::writer::tests::fail_before_commit()?;
        self.control("COMMIT")?;
        #[cfg(test)]
        crate::writer::tests::fail_after_commit()?;
        Ok(())
    }

    /// Makes the changes to memory true for the writer; what the rest of the world is told once they are
    /// flushed.
    fn committed(&mut self) -> Committed {
        let pending = &mut self.pending;
        let committed = pending.take_committed();
        self.context.heads.commit(&committed.heads, pending.last_row);
        self.maintenance
            .committed(&mut pending.over_count, &mut pending.purges, &self.context);
        committed
    }

    /// A transaction of maintenance alone.
    fn maintain(&mut self) {
        if !self.maintains() || !self.maintenance.has_work(&self.context) {
            return;
        }
        match self.transact(&mut [], IDLE_BUDGET) {
            Ended::Committed(committed) => self.hand_over(committed),
            Ended::NotBegun(error) => self.pause_maintenance(&error.into()),
            Ended::JobFailed(error) | Ended::MaintenanceFailed(error) => self.pause_maintenance(&error),
            Ended::Unknown(error) => self.recover_from(error, Vec::new()),
        }
    }

    /// After a commit of these jobs that failed.
    fn recover_from(&mut self, error: rusqlite::Error, jobs: Vec<Box<dyn Job>>) {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a commit failed; the database is opened again"
        );
        let unknown = self.pending.take_committed();
        self.recover(Committed { jobs, ..unknown });
    }
}

/// Starts the thread that flushes what is committed over this connection.
pub(super) fn start_flusher(
    connection: &Connection,
    options: &SqliteOptions,
    context: &Context,
    queue: &Arc<Queue>,
) -> Result<Flusher, Error> {
    let (heads, sink) = (context.heads.clone(), Arc::clone(&context.sink));
    Flusher::start(connection, options, heads, sink, Arc::clone(queue))
}

/// Answers every job the same.
pub(super) fn answer(jobs: Vec<Box<dyn Job>>, mut outcome: impl FnMut() -> store::error::Result<()>) {
    for job in jobs {
        job.answer(outcome());
    }
}
