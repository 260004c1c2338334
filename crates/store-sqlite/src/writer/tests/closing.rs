use std::sync::Arc;
use std::time::Duration;

use store::Store as _;
use store::commits::{Commit, CommitSink};
use store::contract::clock::ManualClock;
use store::error::Error;
use store::messages::Messages as _;

use super::*;
use crate::fixtures::{NumberedIds, options};

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

#[tokio::test]
async fn a_store_that_cannot_be_opened_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let store = open(&options, Arc::new(Told::default()));
    let app = new_app(&store).await;
    append(&store, app, "a").await;
    store.close().await.unwrap();
    let connection = rusqlite::Connection::open(&options.path).unwrap();
    let damage = "PRAGMA ignore_check_constraints = ON; UPDATE log SET id = x'01'";
    connection.execute_batch(damage).unwrap();
    drop(connection);
    let (opened, outcome) = channel();
    std::thread::spawn(move || {
        let ids = Arc::new(NumberedIds::default());
        let clock = Arc::new(ManualClock::default());
        let store = SqliteStore::open(&options, clock, ids, Arc::new(Told::default()));
        opened.send(store.is_err())
    });
    assert_eq!(outcome.recv_timeout(Duration::from_secs(20)), Ok(true));
}
