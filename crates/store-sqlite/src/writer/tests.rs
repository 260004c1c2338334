use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rusqlite::ffi;
use store::Store as _;
use store::commits::{Commit, CommitSink};
use store::contract::clock::ManualClock;
use store::error::Error;
use store::messages::{Appended, Messages as _};
use tokio::task::JoinHandle;

use crate::SqliteStore;
use crate::error::JobError;
use crate::fixtures::{Told, appending, new_app, open, open_with_clock, options};
use crate::writer::job::Job;
use crate::writer::transaction::Tx;

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
}

pub(crate) fn fail_before_commit() -> rusqlite::Result<()> {
    fail(Fault::BeforeCommit)
}

pub(crate) fn fail_after_commit() -> rusqlite::Result<()> {
    fail(Fault::AfterCommit)?;
    if let Some((left, fault)) = FAULT.get() {
        FAULT.set(Some((left.saturating_sub(1), fault)));
    }
    Ok(())
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

async fn queue_append(
    store: &Arc<SqliteStore>,
    app: model::app::AppKey,
    channel: &str,
) -> JoinHandle<Answer> {
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

async fn append(store: &SqliteStore, app: model::app::AppKey, channel: &str) -> u64 {
    seq(store.append(appending(app, channel)).await)
}

async fn head_seq(store: &SqliteStore, app: model::app::AppKey, channel: &str) -> Option<u64> {
    let head = store.head(app, &channel.parse().unwrap()).await.unwrap();
    head.map(|head| head.seq)
}

fn told(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected
        .iter()
        .map(|(channel, seq)| ((*channel).into(), *seq))
        .collect()
}

#[tokio::test]
async fn jobs_that_wait_share_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&options(folder.path()), Arc::new(Told::default()));
    let app = new_app(&store).await;
    let held = Held::new(&store, None).await;
    let mut answers = Vec::new();
    for _ in 0..200 {
        answers.push(queue_append(&store, app, "news").await);
    }
    let before = store.statistics();
    held.release().await;
    for (answer, expected) in answers.into_iter().zip(1..) {
        assert_eq!(seq(answer.await.unwrap()), expected);
    }
    let after = store.statistics();
    assert_eq!(after.jobs - before.jobs, 201);
    // The holding job's, that of the 200, and a few of maintenance that ran since.
    assert!(
        after.commits - before.commits < 10,
        "{before:?} was followed by {after:?}"
    );
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_job_that_fails_or_panics_leaves_its_neighbours_alone() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Told::default());
    let store = open(&options(folder.path()), Arc::clone(&sink) as Arc<dyn CommitSink>);
    let app = new_app(&store).await;
    let held = Held::new(&store, None).await;
    let bad = |panics: bool| {
        let writing = Arc::clone(&store);
        let job = move |connection: &rusqlite::Connection| {
            connection.execute("INSERT INTO meta (name, value) VALUES ('half', 1)", [])?;
            assert!(!panics, "a bug");
            connection.execute("INSERT INTO meta (name, value) VALUES ('heads_row', 1)", [])?;
            Ok(())
        };
        async move { writing.writer.run(0, job).await }
    };
    let first = queue_append(&store, app, "a").await;
    let failing = queue(&store, bad(false)).await;
    let second = queue_append(&store, app, "a").await;
    let panicking = queue(&store, bad(true)).await;
    let third = queue_append(&store, app, "b").await;
    held.release().await;

    assert_eq!(seq(first.await.unwrap()), 1);
    assert_eq!(seq(second.await.unwrap()), 2);
    assert_eq!(seq(third.await.unwrap()), 1);
    for answer in [failing.await.unwrap(), panicking.await.unwrap()] {
        assert!(matches!(answer, Err(Error::Backend { .. })), "{answer:?}");
    }
    assert_eq!(sink.published(), told(&[("a", 1), ("a", 2), ("b", 1)]));
    let halves = store.writer.run(0, |connection| {
        let sql = "SELECT count(*) FROM meta WHERE name = 'half'";
        Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)
    });
    assert_eq!(halves.await.unwrap(), 0);
    assert_eq!(append(&store, app, "a").await, 3);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_failed_commit_that_is_not_there_publishes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Told::default());
    let store = open(&options(folder.path()), Arc::clone(&sink) as Arc<dyn CommitSink>);
    let app = new_app(&store).await;
    assert_eq!(append(&store, app, "a").await, 1);
    let held = Held::new(&store, Some(Fault::BeforeCommit)).await;
    let old = queue_append(&store, app, "a").await;
    let new = queue_append(&store, app, "b").await;
    let deleting = Arc::clone(&store);
    let deleted = queue(&store, async move {
        deleting.delete_channel(app, &"a".parse().unwrap()).await
    })
    .await;
    held.release().await;
    for answer in [old.await.unwrap(), new.await.unwrap()] {
        assert!(matches!(answer, Err(Error::Unavailable { .. })), "{answer:?}");
    }
    assert!(matches!(deleted.await.unwrap(), Err(Error::Unavailable { .. })));
    assert_eq!(store.statistics().recoveries, 1);
    assert_eq!(sink.published(), told(&[("a", 1)]));
    assert_eq!(head_seq(&store, app, "a").await, Some(1));
    assert_eq!(head_seq(&store, app, "b").await, None);

    // The writer takes jobs again as soon as it has answered, which it may not have done quite yet.
    assert_eq!(append_again(&store, app, "a").await, 2);
    assert_eq!(append(&store, app, "b").await, 1);
    assert_eq!(sink.published(), told(&[("a", 1), ("a", 2), ("b", 1)]));
    store.close().await.unwrap();
}

/// Appends once the store takes jobs again.
async fn append_again(store: &SqliteStore, app: model::app::AppKey, channel: &str) -> u64 {
    loop {
        match store.append(appending(app, channel)).await {
            Err(Error::Unavailable { .. }) => tokio::time::sleep(Duration::from_millis(2)).await,
            answer => return seq(answer),
        }
    }
}

#[tokio::test]
async fn a_failed_commit_that_is_there_is_answered_and_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Told::default());
    let options = options(folder.path());
    let store = open(&options, Arc::clone(&sink) as Arc<dyn CommitSink>);
    let app = new_app(&store).await;
    assert_eq!(append(&store, app, "a").await, 1);
    let held = Held::new(&store, Some(Fault::AfterCommit)).await;
    let first = queue_append(&store, app, "a").await;
    let second = queue_append(&store, app, "b").await;
    let third = queue_append(&store, app, "a").await;
    held.release().await;
    assert_eq!(seq(first.await.unwrap()), 2);
    assert_eq!(seq(second.await.unwrap()), 1);
    assert_eq!(seq(third.await.unwrap()), 3);
    assert_eq!(store.statistics().recoveries, 1);
    assert_eq!(append_again(&store, app, "a").await, 4);
    let expected = told(&[("a", 1), ("a", 2), ("b", 1), ("a", 3), ("a", 4)]);
    assert_eq!(sink.published(), expected);
    store.close().await.unwrap();

    let store = open(&options, Arc::new(Told::default()));
    assert_eq!(head_seq(&store, app, "a").await, Some(4));
    assert_eq!(append(&store, app, "b").await, 2);
    store.close().await.unwrap();
}

#[tokio::test]
async fn without_an_append_nobody_knows_what_became_of_a_failed_commit() {
    for fault in [Fault::BeforeCommit, Fault::AfterCommit] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&options(folder.path()), Arc::new(Told::default()));
        let held = Held::new(&store, Some(fault)).await;
        let writing = Arc::clone(&store);
        let job = |connection: &rusqlite::Connection| {
            connection.execute("INSERT INTO meta (name, value) VALUES ('mine', 1)", [])?;
            Ok(())
        };
        let answer = queue(&store, async move { writing.writer.run(0, job).await }).await;
        held.release().await;
        let answer = answer.await.unwrap();
        assert!(matches!(answer, Err(Error::OutcomeUnknown { .. })), "{answer:?}");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_full_queue_refuses_an_append_and_publishes_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let options = crate::SqliteOptions {
        queue_bytes: 1_500,
        ..options(folder.path())
    };
    let store = open(&options, Arc::new(Told::default()));
    let app = new_app(&store).await;
    let held = Held::new(&store, None).await;
    let mut taken = vec![];
    for _ in 0..3 {
        taken.push(queue_append(&store, app, "a").await);
    }
    let refused = store.append(appending(app, "a")).await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    held.release().await;
    for (answer, expected) in taken.into_iter().zip(1..) {
        assert_eq!(seq(answer.await.unwrap()), expected);
    }
    assert_eq!(head_seq(&store, app, "a").await, Some(3));
    store.close().await.unwrap();
}

#[tokio::test]
async fn closing_runs_what_waits_and_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&options(folder.path()), Arc::new(Told::default()));
    let app = new_app(&store).await;
    let held = Held::new(&store, None).await;
    let waiting = queue_append(&store, app, "a").await;
    let closing = Arc::clone(&store);
    let closed = tokio::spawn(async move { closing.close().await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    held.release().await;
    assert_eq!(seq(waiting.await.unwrap()), 1);
    closed.await.unwrap().unwrap();
    let refused = store.append(appending(app, "a")).await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    let read = store.channels(app, None, 1).await;
    assert!(matches!(read, Err(Error::Unavailable { .. })), "{read:?}");
    // Closing again is no harm.
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_job_whose_caller_went_away_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&options(folder.path()), Arc::new(Told::default()));
    let app = new_app(&store).await;
    let held = Held::new(&store, None).await;
    let gone = queue_append(&store, app, "gone").await;
    let stays = queue_append(&store, app, "stays").await;
    gone.abort();
    gone.await.unwrap_err();
    held.release().await;
    assert_eq!(seq(stays.await.unwrap()), 1);
    assert_eq!(head_seq(&store, app, "gone").await, None);
    store.close().await.unwrap();
}

/// Panics at the first message.
struct Broken;

impl CommitSink for Broken {
    fn committed(&self, _commits: Vec<Commit>) {
        panic!("a bug in the sink");
    }
}

#[tokio::test]
async fn nobody_waits_for_a_writer_that_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&options(folder.path()), Arc::new(Broken));
    let app = new_app(&store).await;
    let held = Held::new(&store, None).await;
    let first = queue_append(&store, app, "a").await;
    held.release().await;
    // It is committed, but who would know.
    let first = first.await.unwrap();
    assert!(matches!(first, Err(Error::OutcomeUnknown { .. })), "{first:?}");
    let second = store.append(appending(app, "a")).await;
    assert!(second.is_err(), "{second:?}");
    store.close().await.unwrap();
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

/// A job behind which the next one waits already.
struct Endless {
    store: Weak<SqliteStore>,
    ends: Arc<AtomicBool>,
}

impl Job for Endless {
    fn run(&mut self, _tx: &mut Tx<'_>) -> std::result::Result<(), JobError> {
        if let Some(store) = self.store.upgrade()
            && !self.ends.load(Ordering::SeqCst)
        {
            let next = Self {
                store: self.store.clone(),
                ends: Arc::clone(&self.ends),
            };
            store.writer.queue.push(Box::new(next), 0).unwrap();
        }
        Ok(())
    }

    fn answer(self: Box<Self>, _outcome: store::error::Result<()>) {}

    fn is_abandoned(&self) -> bool {
        false
    }
}

const AGE: Duration = Duration::from_secs(24 * 3_600);

#[tokio::test]
async fn what_has_grown_old_is_removed_while_jobs_never_stop_coming() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let store = open_with_clock(
        &options(folder.path()),
        Arc::new(Told::default()),
        Arc::clone(&clock),
    );
    let app = new_app(&store).await;
    let ends = Arc::new(AtomicBool::new(false));
    let endless = Endless {
        store: Arc::downgrade(&store),
        ends: Arc::clone(&ends),
    };
    store.writer.queue.push(Box::new(endless), 0).unwrap();
    for _ in 0..70 {
        append(&store, app, "a").await;
    }
    clock.forward(2 * AGE);
    wait_for(&store, "SELECT count(*) FROM log", 0).await;
    ends.store(true, Ordering::SeqCst);
    store.close().await.unwrap();
}

#[tokio::test]
async fn maintenance_that_fails_does_not_take_jobs_apart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let store = open_with_clock(
        &options(folder.path()),
        Arc::new(Told::default()),
        Arc::clone(&clock),
    );
    let app = new_app(&store).await;
    for _ in 0..70 {
        append(&store, app, "a").await;
    }
    wait_for(&store, "SELECT value FROM meta WHERE name = 'heads_row'", 70).await;
    let breaking = store.writer.run(0, |connection| {
        connection.execute_batch(
            "CREATE TRIGGER broken BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'broken'); END",
        )?;
        Ok(())
    });
    breaking.await.unwrap();
    let held = Held::new(&store, None).await;
    let mut answers = Vec::new();
    for _ in 0..100 {
        answers.push(queue_append(&store, app, "a").await);
    }
    let before = store.statistics();
    clock.forward(2 * AGE);
    // A tick is due by then.
    tokio::time::sleep(Duration::from_millis(10)).await;
    held.release().await;
    for (answer, expected) in answers.into_iter().zip(71..) {
        assert_eq!(seq(answer.await.unwrap()), expected);
    }
    let after = store.statistics();
    assert!(after.rollbacks > before.rollbacks, "nothing failed");
    assert!(
        after.commits - before.commits < 10,
        "{before:?} was followed by {after:?}"
    );
    store.close().await.unwrap();
}
