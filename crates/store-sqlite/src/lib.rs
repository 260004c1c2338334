//! The embedded backend of Postbell's store: one SQLite file.
//!
//! One thread owns the only connection that writes and commits many jobs with one flush
//! (`writer`); reader threads have connections of their own and never wait for it (`readers`). The
//! channel log is append-only; how it is laid out is told in `log`.
//!
//! This crate must never see another backend, the engine or axum.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use model::ids::IdSource;
use model::time::Clock;
use store::Store;
use store::commits::CommitSink;

use crate::heads::SharedHeads;
use crate::readers::Readers;
use crate::windows::Windows;
use crate::writer::Writer;

/// Apps and their settings.
mod apps;
/// Backup and restore.
pub mod backup;
/// Checkpoints beside the writer.
mod checkpoint;
/// Errors inside jobs.
mod error;
/// What tests of several modules share.
#[cfg(test)]
mod fixtures;
/// Where channels stand, in memory ahead of the file.
mod heads;
/// Inbox messages.
mod inbox;
/// API keys.
mod keys;
/// Channels and their messages.
mod log;
/// Forward-only schema changes, with checksums.
mod migrations;
/// Opening the file: pragmas, version check, the lock on the data folder.
mod open;
/// Subscriptions that are polled.
mod polling;
/// The threads that read.
mod readers;
/// What is to be published later or repeatedly.
mod schedules;
/// What the writer has done.
pub mod statistics;
/// History windows of apps.
mod windows;
/// Group commit: the one thread that writes.
mod writer;

/// How the process uses the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one server of the data folder: holds its lock, appends, maintains.
    Server,
    /// A command beside a running server or alone: no lock, no maintenance, nothing appended.
    Admin,
}

/// How the file is flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Flushed at every commit.
    Full,
    /// Never flushed: for tests alone, a crash of the machine loses data.
    Off,
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The database file; its folder is made if it is not there.
    pub path: PathBuf,
    /// What the process is.
    pub role: Role,
    /// How commits are flushed.
    pub durability: Durability,
    /// Reader threads.
    pub readers: usize,
    /// Bytes of jobs that may wait for the writer; over it operations are refused.
    pub queue_bytes: usize,
    /// How long the oldest waiting job may wait before further ones are refused.
    pub queue_age: std::time::Duration,
    /// Jobs of one transaction.
    pub batch_jobs: usize,
    /// Bytes of the jobs of one transaction.
    pub batch_bytes: usize,
    /// How often the writer looks for what has grown old, and for changed settings.
    pub maintenance_interval: std::time::Duration,
}

impl SqliteOptions {
    /// The usual options for a file.
    pub fn new(path: impl Into<PathBuf>, role: Role) -> Self {
        Self {
            path: path.into(),
            role,
            durability: Durability::Full,
            readers: 2,
            queue_bytes: 64 * 1024 * 1024,
            queue_age: std::time::Duration::from_secs(5),
            batch_jobs: 1_024,
            batch_bytes: 8 * 1024 * 1024,
            maintenance_interval: std::time::Duration::from_secs(1),
        }
    }
}

/// The store over one SQLite file.
pub struct SqliteStore {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) heads: SharedHeads,
    pub(crate) windows: Arc<Windows>,
    pub(crate) role: Role,
    /// Held until the store is closed or dropped.
    lock: parking_lot::Mutex<Option<open::FolderLock>>,
}

impl SqliteStore {
    /// Opens the file, brings its schema up to date and starts the threads. `sink` is told of commits.
    ///
    /// # Errors
    /// Another server holds the folder, the schema is newer than this binary, or the file cannot be
    /// opened.
    pub fn open(
        options: &SqliteOptions,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        sink: Arc<dyn CommitSink>,
    ) -> store::error::Result<Self> {
        open::open(options, clock, ids, sink)
    }

    /// What the writer has done since the store was opened.
    pub fn statistics(&self) -> statistics::Statistics {
        self.writer.statistics()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn check(&self) -> store::error::Result<()> {
        self.writer.run(0, |_| Ok(())).await?;
        self.readers
            .run(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?))
            .await
    }

    async fn close(&self) -> store::error::Result<()> {
        // The writer last: the last connection to end empties the write-ahead log, which readers cannot.
        self.readers.close().await;
        self.writer.close().await;
        self.lock.lock().take();
        Ok(())
    }
}
