use std::time::Duration;

use model::position::{Epoch, Since};

use super::{HOUR, app_keeping, keeping, name, publish, publish_many};
use crate::Store;
use crate::contract::fixtures::{NOW, new_app};
use crate::messages::Start;

pub async fn each_form_of_since_has_its_start_in_a_whole_history(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    publish_many(store, app, "news", 70).await;
    check(store, app, 70, 0).await;
}

pub async fn each_form_of_since_has_its_start_in_a_history_that_lost_messages(store: &dyn Store) {
    let app = app_keeping(store, "shop", keeping(10, HOUR)).await;
    publish_many(store, app, "news", 75).await;
    check(store, app, 75, 65).await;
}

/// A channel whose window holds (floor, last].
async fn check(store: &dyn Store, app: model::app::AppKey, last: u64, floor: u64) {
    let head = store.head(app, &name("news")).await.unwrap().unwrap();
    let ours = |seq| {
        let epoch = head.epoch;
        Some(Since::Position { epoch, seq })
    };
    let foreign = |seq| {
        let epoch = Epoch(head.epoch.0 ^ 1);
        Some(Since::Position { epoch, seq })
    };
    let seq = |seq| Some(Since::Seq(seq));
    let mut cases = vec![
        (None, last, false),
        (Some(Since::All), floor, false),
        (Some(Since::Ago(100 * HOUR)), floor, false),
        (foreign(0), floor, true),
        (foreign(last), floor, true),
        (foreign(last - 1), floor, true),
        (seq(last + 1), floor, true),
        (ours(last + 1), floor, true),
        (seq(i64::MAX as u64), floor, true),
    ];
    for at in [floor, floor + 1, last - 1, last] {
        cases.extend([(seq(at), at, false), (ours(at), at, false)]);
    }
    if floor > 0 {
        for at in [0, floor - 1] {
            cases.extend([(seq(at), floor, true), (ours(at), floor, true)]);
        }
    }
    for (since, after, gap) in cases {
        let start = store.start(app, &name("news"), since, NOW).await.unwrap();
        let expected = Start {
            head: Some(head),
            after,
            gap,
        };
        assert_eq!(start, expected, "{since:?}");
    }
}

pub async fn a_channel_that_never_was_starts_before_whatever_comes(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    publish(store, app, "other", 1).await;
    let position = |seq| Since::Position { epoch: Epoch(7), seq };
    for (since, gap) in [
        (None, false),
        (Some(Since::All), false),
        (Some(Since::Ago(Duration::from_secs(1))), false),
        (Some(Since::Seq(0)), false),
        (Some(Since::Seq(3)), true),
        (Some(position(3)), true),
    ] {
        let start = store.start(app, &name("news"), since, NOW).await.unwrap();
        let expected = Start {
            head: None,
            after: 0,
            gap,
        };
        assert_eq!(start, expected, "{since:?}");
    }
}
