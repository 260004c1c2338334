use std::time::Duration;

use store::messages::Messages as _;

use crate::world::{World, keeping, name, seqs};

const HOUR: Duration = Duration::from_secs(3_600);
const HEADS_WRITTEN: &str = "SELECT (SELECT value FROM meta WHERE name = 'heads_row') = max(row) FROM log";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_every_channel_stands_where_it_stood() {
    let mut world = World::new();
    let app = world.app("shop", keeping(1_000, HOUR)).await;
    world.publish_many(app, "written", 70).await;
    world.publish_many(app, "both", 3).await;
    world.publish_many(app, "gone", 3).await;
    world.wait_for(HEADS_WRITTEN, 1);
    // The heads of these the file may not know yet.
    world.publish_many(app, "both", 2).await;
    world.publish_many(app, "new", 65).await;
    assert!(world.store.delete_channel(app, &name("gone")).await.unwrap());
    world.publish_many(app, "gone", 1).await;
    world.publish_many(app, "made and gone", 2).await;
    assert!(
        world
            .store
            .delete_channel(app, &name("made and gone"))
            .await
            .unwrap()
    );
    let before = world.store.channels(app, None, 100).await.unwrap();
    let standing: Vec<_> = before.iter().map(|c| (c.name.as_str(), c.head.seq)).collect();
    assert_eq!(standing, [("both", 5), ("gone", 1), ("new", 65), ("written", 70)]);

    for _ in 0..2 {
        world.crash();
        assert_eq!(world.store.channels(app, None, 100).await.unwrap(), before);
        for channel in &before {
            let page = world.read(app, channel.name.as_str(), 0).await.unwrap();
            assert_eq!(seqs(&page), (1..=channel.head.seq).collect::<Vec<_>>());
        }
    }
    for channel in &before {
        let message = world.publish(app, channel.name.as_str(), 0).await;
        assert_eq!(message.seq, channel.head.seq + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_numbers_are_never_used_twice() {
    let mut world = World::new();
    let app = world.app("shop", keeping(1_000, HOUR)).await;
    let mut last_row = 0;
    for round in 0..12 {
        world.publish_many(app, "news", 70).await;
        let row = world.count("SELECT min(row) FROM log");
        assert!(row > last_row, "row {row} after {last_row}");
        last_row = world.count("SELECT max(row) FROM log");
        match round % 3 {
            0 => assert!(world.store.delete_channel(app, &name("news")).await.unwrap()),
            1 => world.clock.forward(2 * HOUR),
            _ => {
                world.clock.forward(2 * HOUR);
                assert!(world.store.delete_channel(app, &name("news")).await.unwrap());
            }
        }
        world.wait_for("SELECT count(*) FROM log", 0);
        if round % 2 == 0 {
            world.crash();
        } else {
            world.reopen().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_number_is_not_used_twice_after_the_last_rows_were_purged() {
    // Heads are written once at the start, and then only where something needs them.
    let mut world = World::with_maintenance_every(HOUR);
    let app = world.app("shop", keeping(1_000, HOUR)).await;
    let mut last_row = 0;
    for _ in 0..3 {
        world.publish_many(app, "gone", 70).await;
        assert!(world.count("SELECT min(row) FROM log") > last_row);
        last_row = world.count("SELECT max(row) FROM log");
        assert!(world.store.delete_channel(app, &name("gone")).await.unwrap());
        world.wait_for("SELECT count(*) FROM log", 0);
        world.crash();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_between_a_delete_and_its_purge_leaves_nothing_behind() {
    let mut world = World::new();
    let app = world.app("shop", keeping(10_000, HOUR)).await;
    for channel in ["a", "b", "c"] {
        world.publish_many(app, channel, 300).await;
        assert!(world.store.delete_channel(app, &name(channel)).await.unwrap());
        world.crash();
        world.publish_many(app, "kept", 1).await;
    }
    world.wait_for("SELECT count(*) FROM channels", 1);
    assert_eq!(world.count("SELECT count(*) FROM log"), 3);
    assert_eq!(world.count("SELECT count(*) FROM anchors"), 0);
    let page = world.read(app, "kept", 0).await.unwrap();
    assert_eq!(seqs(&page), [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_end_leaves_no_write_ahead_log_and_nothing_to_find_out() {
    let mut world = World::new();
    let app = world.app("shop", keeping(1_000, HOUR)).await;
    world.publish_many(app, "news", 5).await;
    store::Store::close(&*world.store).await.unwrap();
    assert!(!world.folder.path().join("postbell.db-wal").exists());
    assert_eq!(world.count(HEADS_WRITTEN), 1);
    let written = world.count("SELECT seq FROM channels WHERE name = 'news'");
    assert_eq!(written, 5);
    world.reopen().await;
    assert_eq!(world.publish(app, "news", 6).await.seq, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_ascend_over_a_restart_with_a_clock_set_back() {
    let mut world = World::new();
    let app = world.app("shop", keeping(1_000, HOUR)).await;
    let before = world.publish(app, "news", 1).await.id;
    store::Store::close(&*world.store).await.unwrap();
    world
        .clock
        .set(model::time::Clock::now(&*world.clock) - 24 * HOUR);
    world.reopen().await;
    let after = world.publish(app, "other", 1).await.id;
    assert!(before < after, "{before} was followed by {after}");
}
