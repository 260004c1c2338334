use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError};
use parking_lot::Mutex;
use rusqlite::Connection;
use store::error::{Error, Result};
use tokio::sync::oneshot;

use crate::error::JobError;

/// Reads that may wait for a reader thread; further ones are refused.
const QUEUE: usize = 16_384;

/// Reads that share a snapshot at most: taking one costs two system calls, a fifth of a short read.
const TOGETHER: usize = 8;

struct Job {
    run: Box<dyn FnOnce(&Connection) + Send>,
    /// Whether it goes by the file alone: what is known in memory may be newer than a snapshot of others.
    shares_snapshot: bool,
}

/// Threads with a read-only connection each, fed from one queue.
pub(crate) struct Readers {
    queue: Mutex<Option<Sender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    /// Starts `count` threads (at least one), each with a connection of `connect`.
    pub(crate) fn start(count: usize, connect: impl Fn() -> Result<Connection>) -> Result<Self> {
        let (sender, receiver) = crossbeam_channel::bounded::<Job>(QUEUE);
        let mut threads = Vec::new();
        for number in 0..count.max(1) {
            let connection = connect()?;
            let receiver: Receiver<Job> = receiver.clone();
            let thread = std::thread::Builder::new()
                .name(format!("store-reader-{number}"))
                .spawn(move || {
                    while let Ok(first) = receiver.recv() {
                        serve(&connection, first, &receiver);
                    }
                })
                .map_err(|error| Error::Backend {
                    source: Box::new(error),
                })?;
            threads.push(thread);
        }
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            threads: Mutex::new(threads),
        })
    }

    /// Runs a short read on one of the threads.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> std::result::Result<T, JobError> + Send + 'static,
    ) -> Result<T> {
        self.enqueue(false, job).await
    }

    /// The same for a read that goes by the file alone, and begins no transaction: others may share its
    /// snapshot.
    pub(crate) async fn run_together<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> std::result::Result<T, JobError> + Send + 'static,
    ) -> Result<T> {
        self.enqueue(true, job).await
    }

    async fn enqueue<T: Send + 'static>(
        &self,
        shares_snapshot: bool,
        job: impl FnOnce(&Connection) -> std::result::Result<T, JobError> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let run = Box::new(move |connection: &Connection| {
            // A caller that went away needs no answer, and no work either.
            if !answer.is_closed() {
                let _ = answer.send(job(connection));
            }
        });
        let job = Job { run, shares_snapshot };
        {
            let queue = self.queue.lock();
            let Some(queue) = queue.as_ref() else {
                return Err(closed());
            };
            queue.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => Error::Unavailable {
                    reason: "too many reads are waiting".into(),
                },
                TrySendError::Disconnected(_) => closed(),
            })?;
        }
        answered.await.map_err(|_| closed())?.map_err(Error::from)
    }

    /// Ends the threads after what is queued.
    pub(crate) async fn close(&self) {
        self.queue.lock().take();
        let threads = std::mem::take(&mut *self.threads.lock());
        let join = || threads.into_iter().for_each(|thread| drop(thread.join()));
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

/// Runs a job; one that may share its snapshot together with those behind it that may too. They were asked
/// for before the snapshot is taken, so each sees what was committed before it was asked for.
fn serve(connection: &Connection, first: Job, waiting: &Receiver<Job>) {
    // A job that panics drops its answer; the thread goes on.
    let run = |job: Job| drop(catch_unwind(AssertUnwindSafe(|| (job.run)(connection))));
    if !first.shares_snapshot {
        return run(first);
    }
    let mut together = vec![first];
    let mut alone = None;
    while together.len() < TOGETHER && alone.is_none() {
        match waiting.try_recv() {
            Ok(job) if job.shares_snapshot => together.push(job),
            Ok(job) => alone = Some(job),
            Err(_) => break,
        }
    }
    let is_open = together.len() > 1 && begin(connection);
    together.into_iter().for_each(run);
    if is_open {
        end(connection);
    }
    alone.into_iter().for_each(run);
}

/// Begins a snapshot: it is taken with the first read.
fn begin(connection: &Connection) -> bool {
    control(connection, "BEGIN").is_ok()
}

fn end(connection: &Connection) {
    if let Err(error) = control(connection, "COMMIT") {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a snapshot of the database could not be ended"
        );
    }
}

fn control(connection: &Connection, statement: &str) -> rusqlite::Result<usize> {
    connection.prepare_cached(statement)?.execute([])
}

fn closed() -> Error {
    Error::Unavailable {
        reason: "the store is closed".into(),
    }
}
