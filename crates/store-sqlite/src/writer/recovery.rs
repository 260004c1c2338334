use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, params};
use store::commits::Commit;
use store::error::Error;

use crate::error::{JobError, backend};
use crate::open::writer_connection;
use crate::writer::flush::{Committed, Flusher};
use crate::writer::maintenance::Maintenance;
use crate::writer::thread::{WriterThread, answer, start_flusher};
use crate::writer::transaction::Proof;

/// Why nothing is taken while the connection is made anew.
const LOST: &str = "the database failed at a commit and is being opened again";
/// How long callers wait to be told what became of a failed commit.
const PATIENCE: Duration = Duration::from_secs(5);

impl WriterThread {
    /// After a failed commit or flush: opens the file again, makes sure of what it holds, and answers by
    /// that, the transaction that was to be flushed first and then `last`.
    pub(super) fn recover(&mut self, last: Committed) {
        self.queue.suspend(LOST);
        self.counters.recoveries.add(1);
        let unflushed = match self.flusher.take().map(Flusher::end) {
            None => None,
            Some(Ok(unflushed)) => unflushed,
            // The sink panicked: `last` is dropped, and whoever waits learns that nobody knows.
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        };
        let mut transactions: Vec<_> = unflushed.into_iter().chain([last]).collect();
        let began = Instant::now();
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
            if began.elapsed() > PATIENCE {
                for transaction in &mut transactions {
                    answer(std::mem::take(&mut transaction.jobs), || Err(unknown()));
                }
            }
            if !self.queue.resume(LOST) {
                break false;
            }
            self.queue.suspend(LOST);
            std::thread::sleep(delay);
            delay = (delay * 2).min(Duration::from_secs(2));
        };
        for transaction in transactions {
            self.settle(transaction, reopened);
        }
        self.pending.roll_back(self.context.heads.last_row());
        self.context.windows.forget();
        self.maintenance = Maintenance::default();
        self.queue.resume(LOST);
    }

    /// Tells of a transaction what the file says of it.
    fn settle(&self, transaction: Committed, reopened: bool) {
        let found = match transaction.proof {
            Some(proof) if reopened => self.holds(proof).ok(),
            _ => None,
        };
        if found == Some(true) {
            self.context.sink.committed(transaction.commits);
        } else {
            self.tell_inboxes(transaction.commits);
        }
        answer(transaction.jobs, || match found {
            Some(true) => Ok(()),
            Some(false) => Err(Error::Unavailable { reason: LOST.into() }),
            None => Err(unknown()),
        });
    }

    /// A new connection over a file of which everything is flushed, heads from the file.
    fn reopen(&mut self) -> Result<(), Error> {
        // Ends the old connection first: its transaction may be open still and hold the write lock.
        self.connection = Connection::open_in_memory().map_err(backend)?;
        let mut connection = writer_connection(&self.options)?;
        // After a failed flush the system may believe pages clean that never reached the disk: what the
        // WAL holds is written and flushed anew, into the database file. Emptied, it has no room for a
        // transaction that is not seen now and that a crash would bring back.
        let busy: i64 = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(backend)?;
        if busy != 0 {
            let reason = "readers hold the write-ahead log".into();
            return Err(Error::Unavailable { reason });
        }
        // The first commit flushes the emptied log, and shows that commits work again.
        connection
            .execute_batch(
                "INSERT INTO meta (name, value) VALUES ('recoveries', 1)
                 ON CONFLICT (name) DO UPDATE SET value = value + 1",
            )
            .map_err(backend)?;
        let heads = &self.context.heads;
        heads
            .reload(&connection, self.options.role)
            .map_err(Error::from)?;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.watch(&mut connection).map_err(backend)?;
        }
        let flusher = start_flusher(&connection, &self.options, &self.context, &self.queue)?;
        self.connection = connection;
        self.flusher = Some(flusher);
        Ok(())
    }

    /// A transaction that changed inboxes may be there although nobody could be told so: who follows
    /// them looks again. Its numbers say nothing, since they come again if it is not there.
    fn tell_inboxes(&self, commits: Vec<Commit>) {
        let hints = commits.into_iter().filter_map(|commit| match commit {
            Commit::InboxChanged { users, .. } => Some(Commit::InboxChanged { change: 0, users }),
            _ => None,
        });
        let hints: Vec<_> = hints.collect();
        if !hints.is_empty() {
            self.context.sink.committed(hints);
        }
    }

    fn holds(&self, proof: Proof) -> Result<bool, JobError> {
        let found = match proof {
            Proof::Message { row, id } => self
                .connection
                .prepare_cached("SELECT 1 FROM log WHERE row = ?1 AND id = ?2 AND occurrence IS ?3")?
                .query_row(params![row, id.base.as_bytes().as_slice(), id.occurrence], |_| {
                    Ok(())
                }),
            Proof::Schedule(app, id) => self
                .connection
                .prepare_cached("SELECT 1 FROM schedules WHERE app = ?1 AND id = ?2")?
                .query_row(params![app.0, id.as_bytes().as_slice()], |_| Ok(())),
        };
        Ok(found.optional()?.is_some())
    }
}

fn unknown() -> Error {
    Error::OutcomeUnknown {
        source: "the commit failed, and nothing tells whether it is there".into(),
    }
}
