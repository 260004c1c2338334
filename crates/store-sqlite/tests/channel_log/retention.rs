use std::time::Duration;

use model::settings::{AppSettings, HistorySettings};
use store::apps::Apps as _;
use store::messages::Messages as _;

use crate::world::{World, appending, keeping, name, seqs, window};

const MINUTE: Duration = Duration::from_secs(60);
const LOG: &str = "SELECT count(*) FROM log";
const ANCHORS: &str = "SELECT count(*) FROM anchors";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_left_the_count_window_is_removed_and_nothing_else() {
    let world = World::new();
    let app = world.app("shop", keeping(100, 60 * MINUTE)).await;
    world.publish_many(app, "news", 640).await;
    world.publish_many(app, "other", 90).await;
    world.wait_for(LOG, 100 + 90);
    assert_eq!(world.count(ANCHORS), 2 + 1);
    let page = world.read(app, "news", 0).await.unwrap();
    assert_eq!(seqs(&page), (541..=640).collect::<Vec<_>>());
    assert_eq!(
        seqs(&world.read(app, "other", 0).await.unwrap()),
        (1..=90).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_age_is_removed_when_it_comes_and_nothing_else() {
    let world = World::new();
    let history = HistorySettings {
        windows: vec![
            window("short*", 1_000, MINUTE),
            window("middle*", 1_000, 10 * MINUTE),
        ],
        ..keeping(1_000, 60 * MINUTE)
    };
    let app = world.app("shop", history).await;
    let other = world.app("news", keeping(1_000, 5 * MINUTE)).await;
    for number in 0..100 {
        for channel in ["short.1", "middle.1", "long"] {
            world.publish(app, channel, number).await;
        }
        world.publish(other, "short.1", number).await;
    }
    for (minutes, left) in [(1, 400), (2, 300), (6, 200), (11, 100), (60, 100), (61, 0)] {
        let start = model::time::UnixMillis(1_780_272_000_000);
        world.clock.set(start + minutes * MINUTE);
        world.wait_for(LOG, left);
        // It stays so.
        std::thread::sleep(Duration::from_millis(40));
        assert_eq!(world.count(LOG), left, "after {minutes} minutes");
        assert_eq!(world.count(ANCHORS), left / 100);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shorter_age_is_applied_when_the_settings_change() {
    let world = World::new();
    let app = world.app("shop", keeping(1_000, 60 * MINUTE)).await;
    world.publish_many(app, "news", 70).await;
    world.clock.forward(10 * MINUTE);
    world.publish_many(app, "news", 1).await;
    std::thread::sleep(Duration::from_millis(40));
    assert_eq!(world.count(LOG), 71);
    let settings = AppSettings {
        history: keeping(1_000, 5 * MINUTE),
        ..AppSettings::default()
    };
    let id = "shop".parse().unwrap();
    assert!(world.store.set_app(&id, &settings).await.unwrap());
    world.wait_for(LOG, 1);
    assert_eq!(seqs(&world.read(app, "news", 0).await.unwrap()), [71]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_channel_and_a_deleted_app_leave_no_row() {
    let world = World::new();
    let app = world.app("shop", keeping(1_000, 60 * MINUTE)).await;
    let other = world.app("news", keeping(1_000, 60 * MINUTE)).await;
    world.publish_many(app, "a", 700).await;
    world.publish_many(app, "b", 65).await;
    world.publish_many(other, "a", 65).await;
    assert!(world.store.delete_channel(app, &name("a")).await.unwrap());
    world.wait_for(LOG, 130);
    world.wait_for("SELECT count(*) FROM channels", 2);
    assert_eq!(world.count(ANCHORS), 2);

    assert!(world.store.delete_app(&"shop".parse().unwrap()).await.unwrap());
    world.wait_for("SELECT count(*) FROM apps", 1);
    world.wait_for("SELECT count(*) FROM channels", 1);
    assert_eq!(world.count(LOG), 65);
    assert_eq!(world.count(ANCHORS), 1);
    let page = world.read(other, "a", 0).await.unwrap();
    assert_eq!(seqs(&page), (1..=65).collect::<Vec<_>>());
    // Nothing comes back for an app that is gone.
    assert!(world.store.append(appending(app, "b", 1)).await.is_err());
    assert_eq!(world.store.head(app, &name("b")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idempotency_keys_are_forgotten_after_24_hours() {
    let world = World::new();
    let app = world.app("shop", keeping(1_000, 60 * MINUTE)).await;
    for key in 0..200 {
        let append = store::messages::Append {
            idempotency: Some(store::messages::Idempotency {
                key: [key; 32],
                body: [1; 32],
            }),
            ..appending(app, "news", 1)
        };
        world.store.append(append).await.unwrap();
        if key == 99 {
            world.clock.forward(60 * MINUTE);
        }
    }
    world.clock.forward(23 * 60 * MINUTE);
    world.wait_for("SELECT count(*) FROM idempotency", 100);
    world.clock.forward(60 * MINUTE);
    world.wait_for("SELECT count(*) FROM idempotency", 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removing_much_is_done_a_little_at_a_time_beside_publishes() {
    let world = World::new();
    let app = world.app("shop", keeping(100_000, 60 * MINUTE)).await;
    for _ in 0..40 {
        let mut batch = Vec::new();
        for number in 0..250 {
            let store = std::sync::Arc::clone(&world.store);
            batch.push(tokio::spawn(async move {
                store.append(appending(app, "big", number)).await.unwrap()
            }));
        }
        for append in batch {
            append.await.unwrap();
        }
    }
    assert!(world.store.delete_channel(app, &name("big")).await.unwrap());
    let before = world.store.statistics().commits;
    let mut published = 0;
    while world.count("SELECT count(*) FROM log WHERE channel = 1") > 0 {
        world.publish(app, "other", 1).await;
        published += 1;
        assert!(published < 100_000, "nothing is removed");
    }
    // 10,000 rows, at most 128 and a segment in a transaction.
    let commits = world.store.statistics().commits - before;
    assert!(commits >= 10_000 / 200, "{commits} commits");
}
