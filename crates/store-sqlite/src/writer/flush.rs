//! The second half of a commit: a thread that flushes the write-ahead log and answers.
//!
//! The writer commits without a flush (`synchronous = NORMAL`) and hands the transaction over; while it is
//! flushed the writer runs the next one, if enough waits for it. It is never more than one ahead: what comes
//! meanwhile collects for the transaction after that. SQLite itself flushes what a checkpoint or a new log
//! relies on.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;
use store::commits::{Commit, CommitSink};
use store::error::{Error, Result};

use crate::error::backend;
use crate::heads::{ChannelHead, ChannelKey, SharedHeads};
use crate::writer::job::Job;
use crate::writer::queue::Queue;
use crate::writer::thread::answer;
use crate::writer::transaction::Proof;
use crate::{Durability, SqliteOptions};

/// A transaction that is committed and not yet known to be on disk.
#[derive(Default)]
pub(super) struct Committed {
    /// Who is answered then.
    pub(super) jobs: Vec<Box<dyn Job>>,
    /// What readers may be told of channels then.
    pub(super) heads: Vec<(ChannelKey, Option<ChannelHead>)>,
    /// What live readers are told then.
    pub(super) commits: Vec<Commit>,
    /// What shows whether it took place, should the flush fail.
    pub(super) proof: Option<Proof>,
    /// Whether its flush fails, in tests.
    #[cfg(test)]
    pub(super) fails: bool,
}

#[cfg(test)]
impl Committed {
    fn fail_flush(&self) -> io::Result<()> {
        match self.fails {
            true => Err(io::Error::other("a flush of a test")),
            false => Ok(()),
        }
    }
}

/// The thread that flushes. What it could not flush comes back from [`Flusher::end`].
pub(super) struct Flusher {
    transactions: Sender<Committed>,
    thread: JoinHandle<Option<Committed>>,
    has_ended: Arc<AtomicBool>,
    queue: Arc<Queue>,
}

/// What the thread works with.
struct Flush {
    /// The write-ahead log; absent where nothing is ever flushed.
    log: Option<File>,
    heads: SharedHeads,
    sink: Arc<dyn CommitSink>,
    ended: Ended,
}

/// Dropped with the thread, in a panic too: tells the writer, which may wait for jobs.
struct Ended {
    has_ended: Arc<AtomicBool>,
    queue: Arc<Queue>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Release);
        self.queue.wake();
    }
}

impl Flusher {
    /// Starts the thread, and leaves the flushes of this connection's commits to it.
    pub(super) fn start(
        connection: &Connection,
        options: &SqliteOptions,
        heads: SharedHeads,
        sink: Arc<dyn CommitSink>,
        queue: Arc<Queue>,
    ) -> Result<Self> {
        let log = match options.durability {
            Durability::Full => {
                connection
                    .execute_batch("PRAGMA synchronous = NORMAL")
                    .map_err(backend)?;
                Some(open_log(options).map_err(|error| Error::Backend {
                    source: Box::new(error),
                })?)
            }
            Durability::Off => None,
        };
        let has_ended = Arc::new(AtomicBool::new(false));
        let flush = Flush {
            log,
            heads,
            sink,
            ended: Ended {
                has_ended: Arc::clone(&has_ended),
                queue: Arc::clone(&queue),
            },
        };
        // Without room: who hands over waits until the transaction before is flushed.
        let (transactions, committed) = bounded(0);
        let thread = std::thread::Builder::new()
            .name("store-flush".into())
            .spawn(move || flush.run(&committed))
            .map_err(|error| Error::Backend {
                source: Box::new(error),
            })?;
        Ok(Self {
            transactions,
            thread,
            has_ended,
            queue,
        })
    }

    /// Hands a transaction over, waiting for the flush of the one before.
    ///
    /// # Errors
    /// Gives it back where the thread has ended.
    pub(super) fn hand_over(&self, committed: Committed) -> std::result::Result<(), Committed> {
        self.queue.flush_begins();
        self.transactions.send(committed).map_err(|unsent| {
            self.queue.flush_ended();
            unsent.into_inner()
        })
    }

    /// Whether a flush has failed.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Ends the thread after what it has; the transaction that it could not flush.
    ///
    /// # Errors
    /// The thread panicked, in the sink: nobody can be told anything any more.
    pub(super) fn end(self) -> std::thread::Result<Option<Committed>> {
        drop(self.transactions);
        self.thread.join()
    }
}

impl Flush {
    fn run(self, transactions: &Receiver<Committed>) -> Option<Committed> {
        for committed in transactions {
            #[cfg(test)]
            let flushed = committed.fail_flush().and_then(|()| self.flush());
            #[cfg(not(test))]
            let flushed = self.flush();
            self.ended.queue.flush_ended();
            if let Err(error) = flushed {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the write-ahead log could not be flushed"
                );
                return Some(committed);
            }
            self.heads.flushed(&committed.heads);
            if !committed.commits.is_empty() {
                self.sink.committed(committed.commits);
            }
            answer(committed.jobs, || Ok(()));
        }
        None
    }

    fn flush(&self) -> io::Result<()> {
        self.log.as_ref().map_or(Ok(()), File::sync_data)
    }
}

/// Opens the write-ahead log beside the database, where SQLite keeps it.
fn open_log(options: &SqliteOptions) -> io::Result<File> {
    let mut path = options.path.canonicalize()?.into_os_string();
    path.push("-wal");
    File::open(&path).map_err(|error| {
        let text = format!("cannot open {}: {error}", path.display());
        io::Error::new(error.kind(), text)
    })
}
