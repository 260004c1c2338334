use std::time::Duration;

use model::position::Since;
use model::settings::HistorySettings;
use model::time::Clock as _;

use super::{HOUR, app_keeping, keeping, name, publish, publish_many, read_at, seqs, window};
use crate::Store;
use crate::contract::clock::ManualClock;
use crate::contract::fixtures::{NOW, new_app};

const MINUTE: Duration = Duration::from_secs(60);
const MILLISECOND: Duration = Duration::from_millis(1);

pub async fn a_message_has_the_time_of_the_stores_clock(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    assert_eq!(publish(store, app, "news", 1).await.published_at, NOW);
    clock.forward(HOUR);
    assert_eq!(publish(store, app, "news", 2).await.published_at, NOW + HOUR);
}

pub async fn times_and_ids_never_go_backwards_when_the_clock_does(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let first = publish(store, app, "news", 1).await;
    clock.set(NOW - HOUR);
    let second = publish(store, app, "news", 2).await;
    let elsewhere = publish(store, app, "other", 1).await;
    assert_eq!(second.published_at, NOW);
    assert!(first.id < second.id && second.id < elsewhere.id);
    let head = store.head(app, &name("news")).await.unwrap().unwrap();
    assert_eq!(head.last_published_at, Some(NOW));
}

pub async fn since_a_duration_starts_at_the_first_message_that_is_not_older(
    store: &dyn Store,
    clock: &ManualClock,
) {
    let app = new_app(store, "shop").await;
    for number in 0..200 {
        publish(store, app, "news", number).await;
        clock.forward(MINUTE);
    }
    // Message n was published n - 1 minutes after the first; now it is minute 200.
    let now = clock.now();
    for (ago, after) in [
        (Duration::ZERO, 200),
        (MINUTE - MILLISECOND, 200),
        (MINUTE, 199),
        (10 * MINUTE, 190),
        (10 * MINUTE + MILLISECOND, 190),
        (136 * MINUTE, 64),
        (137 * MINUTE, 63),
        (200 * MINUTE, 0),
        (24 * HOUR, 0),
        (1_000_000 * HOUR, 0),
    ] {
        let since = Some(Since::Ago(ago));
        let start = store.start(app, &name("news"), since, now).await.unwrap();
        assert_eq!((start.after, start.gap), (after, false), "{ago:?}");
    }
}

pub async fn what_left_the_age_window_is_never_answered(store: &dyn Store, clock: &ManualClock) {
    let app = app_keeping(store, "shop", keeping(1_000, 30 * MINUTE)).await;
    let messages = async {
        let mut messages = Vec::new();
        for number in 0..100 {
            messages.push(publish(store, app, "news", number).await);
            clock.forward(MINUTE);
        }
        messages
    };
    let messages = messages.await;
    let epoch = store.head(app, &name("news")).await.unwrap().unwrap().epoch;
    // Now it is minute 100; message n is of minute n - 1. One that is as old as the window is still held.
    for (later, floor) in [
        (Duration::ZERO, 70),
        (MILLISECOND, 71),
        (MINUTE, 71),
        (28 * MINUTE, 98),
        (29 * MINUTE, 99),
        (29 * MINUTE + MILLISECOND, 100),
        (HOUR, 100),
    ] {
        let now = clock.now() + later;
        for after in [0, floor - 1] {
            let page = read_at(store, app, "news", after, 1_000, now).await;
            assert_eq!(page.floor, floor, "{later:?}");
            assert_eq!(seqs(&page.messages), (floor + 1..=100).collect::<Vec<_>>());
        }
        let page = read_at(store, app, "news", floor, 5, now).await;
        let expected: Vec<_> = (floor + 1..=100).take(5).collect();
        assert_eq!(seqs(&page.messages), expected);
        assert!(page.floor <= floor);

        let start = async |since| {
            let start = store.start(app, &name("news"), Some(since), now).await.unwrap();
            (start.after, start.gap)
        };
        assert_eq!(start(Since::All).await, (floor, false));
        assert_eq!(start(Since::Ago(24 * HOUR)).await, (floor, false));
        assert_eq!(start(Since::Seq(floor)).await, (floor, false));
        assert_eq!(start(Since::Seq(floor - 1)).await, (floor, true));
        let seq = floor - 1;
        assert_eq!(start(Since::Position { epoch, seq }).await, (floor, true));

        let mut found = Vec::new();
        for message in &messages[floor as usize - 1..(floor as usize + 1).min(100)] {
            let published = store.published(app, message.id, now).await.unwrap();
            found.push(published.is_some());
        }
        assert_eq!(found, [false, true][..found.len()], "{later:?}");
    }
}

pub async fn an_empty_history_goes_on_where_it_stood(store: &dyn Store, clock: &ManualClock) {
    let app = app_keeping(store, "shop", keeping(1_000, MINUTE)).await;
    publish_many(store, app, "news", 70).await;
    let old = store.head(app, &name("news")).await.unwrap().unwrap();
    clock.forward(HOUR);
    let page = read_at(store, app, "news", 0, 10, clock.now()).await;
    assert_eq!((page.floor, page.messages.len(), page.head), (70, 0, old));
    assert_eq!(publish(store, app, "news", 71).await.seq, 71);
    let page = read_at(store, app, "news", 0, 10, clock.now()).await;
    assert_eq!((page.floor, seqs(&page.messages)), (70, vec![71]));
    assert_eq!(page.head.epoch, old.epoch);
}

pub async fn each_pattern_has_its_own_age(store: &dyn Store, clock: &ManualClock) {
    let history = HistorySettings {
        windows: vec![window("short*", 1_000, MINUTE)],
        ..keeping(1_000, HOUR)
    };
    let app = app_keeping(store, "shop", history).await;
    for channel in ["short.1", "long"] {
        publish_many(store, app, channel, 3).await;
    }
    let now = clock.now() + 2 * MINUTE;
    let held = async |channel| read_at(store, app, channel, 0, 10, now).await.messages.len();
    assert_eq!((held("short.1").await, held("long").await), (0, 3));
}
