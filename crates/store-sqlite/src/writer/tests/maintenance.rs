use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use store::Store as _;
use store::contract::clock::ManualClock;
use store::messages::Messages as _;

use super::*;
use crate::SqliteOptions;
use crate::error::JobError;
use crate::fixtures::{open_with_clock, options};
use crate::writer::job::Job;
use crate::writer::transaction::Tx;

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

#[tokio::test]
async fn a_channel_deleted_right_after_a_message_is_purged_whole() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        batch_jobs: 5,
        maintenance_interval: Duration::ZERO,
        ..options(folder.path())
    };
    let store = open(&options, Arc::new(Told::default()));
    let app = new_app(&store).await;
    let held = Held::new(&store, None).await;
    // The first transaction leaves a head to write; the second writes it, behind newer messages and the
    // delete.
    let mut answers = Vec::new();
    for _ in 0..9 {
        answers.push(queue_append(&store, app, "a").await);
    }
    let deleting = Arc::clone(&store);
    let delete = async move { deleting.delete_channel(app, &"a".parse().unwrap()).await };
    let deleted = queue(&store, delete).await;
    held.release().await;
    for (answer, expected) in answers.into_iter().zip(1..) {
        assert_eq!(seq(answer.await.unwrap()), expected);
    }
    assert!(deleted.await.unwrap().unwrap());
    wait_for(&store, "SELECT count(*) FROM channels", 0).await;
    assert_eq!(count(&store, "SELECT count(*) FROM log").await, 0);
    store.close().await.unwrap();
}
