//! The least that a durable publish can cost with this edge and this store: the body is parsed, one thread
//! inserts what waits in one transaction, and answers once that is flushed. No keys, limits or ids, no
//! channels, no readers.

use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::Context as _;
use bytes::Bytes;
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

/// A body to be stored, and who waits for it.
type Job = (Bytes, oneshot::Sender<()>);

/// Where handlers leave bodies.
#[derive(Clone)]
pub struct Least(Sender<Job>);

/// As many rows as a window of the measured server holds.
const WINDOW: i64 = 1_000;

impl Least {
    /// Starts the thread over a file of its own.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(".")?;
        let connection = Connection::open(folder.path().join("least.db"))?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
             CREATE TABLE log (row INTEGER PRIMARY KEY, body BLOB NOT NULL)",
        )?;
        let (jobs, waiting) = channel();
        std::thread::Builder::new().name("least".into()).spawn(move || {
            let _folder = folder;
            write(&connection, &waiting)
        })?;
        Ok(Self(jobs))
    }

    /// Stores a body.
    pub async fn store(&self, body: Bytes) -> anyhow::Result<()> {
        let (done, is_done) = oneshot::channel();
        self.0.send((body, done)).ok().context("the writer has ended")?;
        Ok(is_done.await?)
    }
}

fn write(connection: &Connection, waiting: &Receiver<Job>) -> anyhow::Result<()> {
    let mut last = 0;
    let mut done = Vec::new();
    while let Ok(first) = waiting.recv() {
        let transaction = connection.unchecked_transaction()?;
        let mut insert = connection.prepare_cached("INSERT INTO log (row, body) VALUES (?1, ?2)")?;
        for (body, is_done) in std::iter::once(first).chain(waiting.try_iter()) {
            last += 1;
            insert.execute(params![last, &body[..]])?;
            done.push(is_done);
        }
        connection
            .prepare_cached("DELETE FROM log WHERE row <= ?1")?
            .execute([last - WINDOW])?;
        transaction.commit()?;
        for is_done in done.drain(..) {
            let _ = is_done.send(());
        }
    }
    Ok(())
}
