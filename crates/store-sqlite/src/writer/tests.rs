use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use model::app::AppKey;
use rusqlite::ffi;
use store::messages::{Appended, Messages as _};
use tokio::task::JoinHandle;

use crate::SqliteStore;
use crate::fixtures::{Told, appending, new_app, open};

/// Ending, and refusing.
mod closing;
/// Commits that fail.
mod faults;
/// Many jobs in one commit.
mod group;
/// Maintenance beside jobs.
mod maintenance;

thread_local! {
    /// Which commit of this writer fails: how many succeed before it, and where it fails.
    static FAULT: Cell<Option<(u32, Fault)>> = const { Cell::new(None) };
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Nothing of the transaction is there.
    BeforeCommit,
    /// The transaction is there.
    AfterCommit,
    /// The transaction is there, and its flush fails.
    Flush,
}

pub(crate) fn fail_before_commit() -> rusqlite::Result<()> {
    fail(Fault::BeforeCommit)
}

pub(crate) fn fail_after_commit() -> rusqlite::Result<()> {
    fail(Fault::AfterCommit)
}

/// Whether the flush of the transaction that is committed now fails.
pub(crate) fn fails_flush() -> bool {
    if fail(Fault::Flush).is_err() {
        return true;
    }
    if let Some((left, fault)) = FAULT.get() {
        FAULT.set(Some((left.saturating_sub(1), fault)));
    }
    false
}

fn fail(at: Fault) -> rusqlite::Result<()> {
    if FAULT.get() != Some((0, at)) {
        return Ok(());
    }
    FAULT.set(None);
    let code = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
    Err(rusqlite::Error::SqliteFailure(code, None))
}

/// Holds the writer, so that what comes meanwhile waits for one transaction.
struct Held {
    job: JoinHandle<()>,
    release: Sender<()>,
}

impl Held {
    /// The commit after the one of the holding job fails as told.
    async fn new(store: &Arc<SqliteStore>, fault: Option<Fault>) -> Self {
        let (release, released) = channel();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let mut begin = Some(begin);
        let store = Arc::clone(store);
        let job = tokio::spawn(async move {
            let hold = move |_: &rusqlite::Connection| {
                FAULT.set(fault.map(|fault| (1, fault)));
                begin.take().map(|begin| begin.send(()));
                released.recv().unwrap();
                Ok(())
            };
            store.writer.run(0, hold).await.unwrap();
        });
        begun.await.unwrap();
        Self { job, release }
    }

    async fn release(self) {
        self.release.send(()).unwrap();
        self.job.await.unwrap();
    }
}

/// Starts an operation, and returns when it waits for the writer.
async fn queue<T, F>(store: &Arc<SqliteStore>, operation: F) -> JoinHandle<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let before = store.writer.queue.waiting();
    let handle = tokio::spawn(operation);
    while store.writer.queue.waiting() == before {
        tokio::task::yield_now().await;
    }
    handle
}

type Answer = store::error::Result<Appended>;

async fn queue_append(store: &Arc<SqliteStore>, app: AppKey, channel: &str) -> JoinHandle<Answer> {
    let append = appending(app, channel);
    let writing = Arc::clone(store);
    queue(store, async move { writing.append(append).await }).await
}

fn seq(answer: Answer) -> u64 {
    match answer {
        Ok(Appended::New { message, .. }) => message.seq,
        other => panic!("expected a new message, found {other:?}"),
    }
}

async fn append(store: &SqliteStore, app: AppKey, channel: &str) -> u64 {
    seq(store.append(appending(app, channel)).await)
}

async fn head_seq(store: &SqliteStore, app: AppKey, channel: &str) -> Option<u64> {
    let head = store.head(app, &channel.parse().unwrap()).await.unwrap();
    head.map(|head| head.seq)
}

fn told(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected
        .iter()
        .map(|(channel, seq)| ((*channel).into(), *seq))
        .collect()
}

/// What a query counts.
async fn count(store: &SqliteStore, sql: &'static str) -> i64 {
    let counted = store.readers.run(move |connection| {
        let count = connection.query_row(sql, [], |row| row.get(0))?;
        Ok(count)
    });
    counted.await.unwrap()
}

async fn wait_for(store: &SqliteStore, sql: &'static str, expected: i64) {
    let began = Instant::now();
    while count(store, sql).await != expected {
        assert!(began.elapsed() < Duration::from_secs(20), "{sql}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
