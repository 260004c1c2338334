//! The second half of a commit: flushing the write-ahead log, and answering.
//!
//! The writer commits without a flush (`synchronous = NORMAL`). Where much comes in, it hands the transaction
//! over to a thread that flushes, and meanwhile runs the next one, if enough waits for it. It is never more
//! than one ahead: what comes meanwhile collects for the transaction after that. Where little comes in, it
//! flushes itself, which spares two changes of thread. SQLite itself flushes what a checkpoint or a new log
//! relies on.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;
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

/// What flushes, here or on a thread of its own. What that could not flush comes back from
/// [`Flusher::end`].
pub(super) struct Flusher {
    // One at a time, in the order of the commits: the writer flushes itself only where the thread has nothing
    // left to flush, and waits here until it has told of its last.
    flush: Arc<Mutex<Flush>>,
    transactions: Sender<Committed>,
    thread: JoinHandle<Option<Committed>>,
    has_ended: Arc<AtomicBool>,
    queue: Arc<Queue>,
}

/// What it is done with.
struct Flush {
    /// The write-ahead log; absent where nothing is ever flushed.
    log: Option<File>,
    heads: SharedHeads,
    sink: Arc<dyn CommitSink>,
    queue: Arc<Queue>,
    /// A transaction was not flushed, or is not yet told of, should the sink panic. What is behind it must not
    /// be told of either: the kernel tells of a failed write once, and the next flush would succeed.
    is_broken: bool,
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
        let flush = Arc::new(Mutex::new(Flush {
            log,
            heads,
            sink,
            queue: Arc::clone(&queue),
            is_broken: false,
        }));
        // Without room: who hands over waits until the transaction before is flushed.
        let (transactions, committed) = bounded(0);
        let ended = Ended {
            has_ended: Arc::clone(&has_ended),
            queue: Arc::clone(&queue),
        };
        let beside = Arc::clone(&flush);
        let thread = std::thread::Builder::new()
            .name("store-flush".into())
            .spawn(move || {
                let _ended = ended;
                committed
                    .into_iter()
                    .find_map(|committed| beside.lock().complete(committed).err())
            })
            .map_err(|error| Error::Backend {
                source: Box::new(error),
            })?;
        Ok(Self {
            flush,
            transactions,
            thread,
            has_ended,
            queue,
        })
    }

    /// Lets a transaction be flushed and answered, waiting for the flush of the one before, and for its own
    /// where little else comes in.
    ///
    /// # Errors
    /// Gives it back where it could not be flushed, or the thread has ended.
    pub(super) fn take(&self, committed: Committed) -> std::result::Result<(), Committed> {
        let beside = self.queue.flush_begins();
        if !beside {
            return self.flush.lock().complete(committed);
        }
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
    /// Flushes a transaction, tells readers, and answers.
    ///
    /// # Errors
    /// Gives it back where it, or one before it, could not be flushed.
    fn complete(&mut self, committed: Committed) -> std::result::Result<(), Committed> {
        if self.is_broken {
            self.queue.flush_ended();
            return Err(committed);
        }
        self.is_broken = true;
        #[cfg(test)]
        let flushed = committed.fail_flush().and_then(|()| self.flush());
        #[cfg(not(test))]
        let flushed = self.flush();
        self.queue.flush_ended();
        if let Err(error) = flushed {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the write-ahead log could not be flushed"
            );
            return Err(committed);
        }
        self.heads.flushed(&committed.heads);
        if !committed.commits.is_empty() {
            self.sink.committed(committed.commits);
        }
        self.is_broken = false;
        answer(committed.jobs, || Ok(()));
        Ok(())
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
