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

type Job = Box<dyn FnOnce(&Connection) + Send>;

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
                    for job in receiver {
                        // A job that panics drops its answer; the thread goes on.
                        let _ = catch_unwind(AssertUnwindSafe(|| job(&connection)));
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
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // A caller that went away needs no answer, and no work either.
            if !answer.is_closed() {
                let _ = answer.send(job(connection));
            }
        });
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

fn closed() -> Error {
    Error::Unavailable {
        reason: "the store is closed".into(),
    }
}
