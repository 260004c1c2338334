use std::sync::Arc;
use std::time::Duration;

use store::Store as _;
use store::commits::CommitSink;
use store::error::Error;
use store::messages::Messages as _;
use store::schedules::Schedules as _;

use super::*;
use crate::fixtures::{options, schedules};
use crate::heads::SharedHeads;
use crate::writer::flush::{Committed, Flusher};
use crate::writer::queue::Queue;

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
    for fault in [Fault::AfterCommit, Fault::Flush] {
        is_answered_and_told_once(fault).await;
    }
}

async fn is_answered_and_told_once(fault: Fault) {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Told::default());
    let options = options(folder.path());
    let store = open(&options, Arc::clone(&sink) as Arc<dyn CommitSink>);
    let app = new_app(&store).await;
    assert_eq!(append(&store, app, "a").await, 1);
    let held = Held::new(&store, Some(fault)).await;
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
    for fault in [Fault::BeforeCommit, Fault::AfterCommit, Fault::Flush] {
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
async fn an_occurrence_whose_commit_failed_is_published_once() {
    for fault in [Fault::BeforeCommit, Fault::AfterCommit, Fault::Flush] {
        let folder = tempfile::tempdir().unwrap();
        let sink = Arc::new(Told::default());
        let store = open(&options(folder.path()), Arc::clone(&sink) as Arc<dyn CommitSink>);
        let app = new_app(&store).await;
        let id = schedules::make(&store, schedules::every(app, "a", 3_600)).await;
        let held = Held::new(&store, Some(fault)).await;
        let firing = Arc::clone(&store);
        let fired = queue(&store, async move { schedules::fire(&firing).await }).await;
        held.release().await;
        match fault {
            Fault::BeforeCommit => assert!(matches!(fired.await.unwrap(), Err(Error::Unavailable { .. }))),
            Fault::AfterCommit | Fault::Flush => assert_eq!(fired.await.unwrap().unwrap().published, 1),
        }
        let again = loop {
            match schedules::fire(&store).await {
                Err(Error::Unavailable { .. }) => tokio::time::sleep(Duration::from_millis(2)).await,
                again => break again.unwrap(),
            }
        };
        assert_eq!(again.published, usize::from(fault == Fault::BeforeCommit));
        assert_eq!(sink.published(), told(&[("a", 1)]));
        let schedule = store.find_schedule(app, id).await.unwrap().unwrap();
        assert_eq!(schedule.occurrences, 1);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_schedule_whose_commit_failed_is_there_if_its_answer_says_so() {
    for fault in [Fault::BeforeCommit, Fault::AfterCommit, Fault::Flush] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&options(folder.path()), Arc::new(Told::default()));
        let app = new_app(&store).await;
        let held = Held::new(&store, Some(fault)).await;
        let making = Arc::clone(&store);
        let new = schedules::every(app, "a", 3_600);
        let made = queue(&store, async move { making.schedule(new).await }).await;
        held.release().await;
        let made = made.await.unwrap();
        let is_there = store.next_due().await.unwrap().is_some();
        match fault {
            Fault::BeforeCommit => assert!(matches!(made, Err(Error::Unavailable { .. })) && !is_there),
            Fault::AfterCommit | Fault::Flush => assert!(made.is_ok() && is_there),
        }
        store.close().await.unwrap();
    }
}

/// What is committed while the flush before it fails is neither lost nor told twice.
#[tokio::test]
async fn a_failed_flush_answers_what_is_committed_behind_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Told::default());
    let options = crate::SqliteOptions {
        batch_jobs: 1,
        ..options(folder.path())
    };
    let store = open(&options, Arc::clone(&sink) as Arc<dyn CommitSink>);
    let app = new_app(&store).await;
    let held = Held::new(&store, Some(Fault::Flush)).await;
    let mut waiting = Vec::new();
    for _ in 0..20 {
        waiting.push(queue_append(&store, app, "a").await);
    }
    held.release().await;
    let mut taken = Vec::new();
    for answer in waiting {
        match answer.await.unwrap() {
            Err(Error::Unavailable { .. }) => {}
            answer => taken.push(seq(answer)),
        }
    }
    let last = taken.len() as u64;
    assert!(last >= 1, "the transaction whose flush failed is there");
    assert_eq!(taken, (1..=last).collect::<Vec<_>>());
    assert_eq!(store.statistics().recoveries, 1);
    assert_eq!(append_again(&store, app, "a").await, last + 1);
    let expected: Vec<_> = (1..=last + 1).map(|seq| ("a".to_owned(), seq)).collect();
    assert_eq!(sink.published(), expected);
    store.close().await.unwrap();
}

/// The kernel tells of a failed write once: the next flush would succeed over what the failed one left.
#[tokio::test]
async fn nothing_is_flushed_behind_a_failed_flush() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let told = Arc::new(Told::default());
    let sink = || Arc::clone(&told) as Arc<dyn CommitSink>;
    open(&options, sink()).close().await.unwrap();
    let connection = crate::open::writer_connection(&options).unwrap();
    let heads = SharedHeads::load(&connection, options.role).unwrap();
    let queue = Arc::new(Queue::new(1_000, Duration::from_secs(1)));
    let flusher = Flusher::start(&connection, &options, heads, sink(), queue).unwrap();
    let failing = Committed {
        fails: true,
        ..Committed::default()
    };
    assert!(flusher.take(Committed::default()).is_ok());
    assert!(flusher.take(failing).is_err());
    assert!(flusher.take(Committed::default()).is_err());
}
