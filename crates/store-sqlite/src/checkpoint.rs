//! Checkpoints beside the writer.
//!
//! A checkpoint moves what the write-ahead log holds into the database file and flushes it: tens of
//! milliseconds that every publish would wait for. So a thread of its own moves the pages while the writer
//! goes on, and the writer moves only the rest itself when the log is long: a thread alone never catches
//! up with a busy writer, and the log would grow for ever.

use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};
use rusqlite::{Connection, ErrorCode};
use store::error::{Error, Result};

/// Frames of the log, 8 KiB each, after which the thread moves pages.
const BESIDE: i32 = 1_000;
/// Frames after which the writer moves the rest, so that the log begins anew.
const WHOLE: i32 = 4_000;

/// The thread that moves pages. Ends when dropped.
pub(crate) struct Checkpointer {
    wanted: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread over a connection of its own.
    pub(crate) fn start(connection: Connection) -> Result<Self> {
        let (wanted, requests) = bounded(1);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".into())
            .spawn(move || {
                let mut failures = Failures::default();
                for () in requests {
                    failures.note(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())));
                }
            })
            .map_err(|error| Error::Backend {
                source: Box::new(error),
            })?;
        Ok(Self {
            wanted: Some(wanted),
            thread: Some(thread),
        })
    }

    /// Lets commits of the writer's connection ask for checkpoints.
    pub(crate) fn watch(&self, writer: &mut Connection) -> rusqlite::Result<()> {
        let Some(wanted) = self.wanted.clone() else {
            return Ok(());
        };
        let mut asked = 0;
        let mut failures = Failures::default();
        writer.wal_hook(Some(move |wal: &mut rusqlite::hooks::Wal, frames: i32| {
            if frames < asked {
                asked = 0;
            }
            if frames >= WHOLE {
                // Busy while the thread is at it, or held up by a reader: the next commit tries again. The
                // commit itself is done, so an error must not reach it.
                failures.note(wal.checkpoint().map(drop));
            } else if frames - asked >= BESIDE {
                asked = frames;
                // Full where the thread has been asked already.
                let _ = wanted.try_send(());
            }
            Ok(())
        }))
    }
}

/// Whether checkpoints fail: said once, since every commit may try one.
#[derive(Default)]
struct Failures {
    are_told: bool,
}

impl Failures {
    fn note(&mut self, outcome: rusqlite::Result<()>) {
        match outcome {
            Ok(()) => self.are_told = false,
            // The writer and the thread meet, or a reader holds them up.
            Err(error) if is_busy(&error) => {}
            Err(_) if self.are_told => {}
            Err(error) => {
                self.are_told = true;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the write-ahead log cannot be moved into the database and grows; it is tried again"
                );
            }
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let codes = [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
    error
        .sqlite_error_code()
        .is_some_and(|code| codes.contains(&code))
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wanted.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
