use std::sync::Arc;
use std::thread::JoinHandle;

use model::ids::IdSource;
use model::time::Clock;
use parking_lot::Mutex;
use rusqlite::Connection;
use store::commits::CommitSink;
use store::error::{Error, Result};
use tokio::sync::oneshot;

use crate::SqliteOptions;
use crate::error::JobError;
use crate::heads::SharedHeads;
use crate::statistics::{Counters, Statistics};
use crate::windows::Windows;
use crate::writer::job::FnJob;
use crate::writer::queue::Queue;
use crate::writer::transaction::Tx;

/// The thread that flushes what is committed, and answers.
mod flush;
/// Jobs and their answers.
mod job;
/// What the writer does besides: heads, retention, purging.
pub(crate) mod maintenance;
/// The bounded queue in front of the writer.
mod queue;
/// Finding out what became of a failed commit.
mod recovery;
/// The thread: collects jobs, commits them together.
mod thread;
/// What a job sees of the transaction it runs in.
pub(crate) mod transaction;

/// What the writer shares with the rest of the store.
pub(crate) struct Context {
    pub(crate) heads: SharedHeads,
    pub(crate) windows: Arc<Windows>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) sink: Arc<dyn CommitSink>,
}

/// The handle to the one thread that writes.
pub(crate) struct Writer {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread over its connection.
    pub(crate) fn start(connection: Connection, options: SqliteOptions, context: Context) -> Result<Self> {
        let queue = Arc::new(Queue::new(options.queue_bytes, options.queue_age));
        let counters = Arc::new(Counters::default());
        let thread = thread::WriterThread::new(
            connection,
            options,
            context,
            Arc::clone(&queue),
            Arc::clone(&counters),
        )?;
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || thread.run())
            .map_err(|error| Error::Backend {
                source: Box::new(error),
            })?;
        Ok(Self {
            queue,
            counters,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs a job inside the next transaction and answers once that is durable. It is queued before the
    /// future is there.
    ///
    /// The job does all its checks before its first write and may be run again after a rollback.
    /// `bytes` is about what it holds in memory.
    pub(crate) fn run<T: Send + 'static, J>(
        &self,
        bytes: usize,
        mut job: J,
    ) -> impl Future<Output = Result<T>> + Send + use<T, J>
    where
        J: FnMut(&Connection) -> std::result::Result<T, JobError> + Send + 'static,
    {
        self.run_tx(bytes, move |tx| job(tx.connection))
    }

    /// The same for a job that appends to or deletes channels.
    pub(crate) fn run_tx<T: Send + 'static, J>(
        &self,
        bytes: usize,
        job: J,
    ) -> impl Future<Output = Result<T>> + Send + use<T, J>
    where
        J: FnMut(&mut Tx<'_>) -> std::result::Result<T, JobError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let queued = self.queue.push(Box::new(FnJob::new(job, answer)), bytes);
        async move {
            queued?;
            // Every job is answered, unless the writer ended in the midst of its transaction.
            answered.await.map_err(|_| Error::OutcomeUnknown {
                source: "the writer of the store has ended".into(),
            })?
        }
    }

    /// What the thread has done so far.
    pub(crate) fn statistics(&self) -> Statistics {
        self.counters.read()
    }

    /// Runs what is queued, writes what lags and ends the thread.
    pub(crate) async fn close(&self) {
        self.queue.close("the store is closed");
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close("the store is closed");
        if let Some(thread) = self.thread.get_mut().take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
