use std::sync::Arc;

use store::Store as _;
use store::commits::CommitSink;
use store::error::Error;

use super::*;
use crate::fixtures::options;

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
