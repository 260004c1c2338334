use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::support::*;
use ::model::position::{Epoch, Position, Since};
use bytes::Bytes;
use postbell_hub::{BatchLimits, Delivery, Form, HubOptions, Start, SubscriptionId};

const ONE: Epoch = Epoch(0xa1);
const TWO: Epoch = Epoch(0xb2);
const SUB: SubscriptionId = SubscriptionId(1);

#[tokio::test]
async fn replay_and_live_messages_come_once_and_in_order() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    for _ in 0..20 {
        store.append(&channel, ONE, 10);
    }
    let mut connection = hub.connect();
    let registration = hub.register(&channel, None);
    let published = store.append(&channel, ONE, 10);
    publish(&hub, &channel, ONE, published);
    connection.subscribe(SUB, registration, from(ONE, 17, 21));
    assert_eq!(drain(&mut connection).await, ["1: 18", "1: 19", "1: 20", "1: 21"]);
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(drain(&mut connection).await, ["1: 22"]);
    assert_eq!(connection.position(SUB), Some(at(ONE, 22)));
}

#[tokio::test]
async fn a_live_reader_costs_no_read_of_the_store() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), live(ONE, 0));
    assert!(drain(&mut connection).await.is_empty());
    for _ in 0..5 {
        publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
        assert_eq!(drain(&mut connection).await.len(), 1);
    }
    assert_eq!(store.reads.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_hole_and_a_hint_are_filled_from_the_store() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), live(ONE, 0));
    assert!(drain(&mut connection).await.is_empty());
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    store.append(&channel, ONE, 10);
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    store.append(&channel, ONE, 10);
    hub.advance(&channel, ONE, 4);
    assert_eq!(drain(&mut connection).await, ["1: 1", "1: 2", "1: 3", "1: 4"]);
}

#[tokio::test]
async fn a_hint_beyond_the_store_does_not_keep_readers_asking() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    store.append(&channel, ONE, 10);
    connection.subscribe(SUB, hub.register(&channel, None), live(ONE, 1));
    hub.advance(&channel, ONE, 9);
    assert!(drain(&mut connection).await.is_empty());
    assert_eq!(store.reads.load(Ordering::Relaxed), 1);
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(drain(&mut connection).await, ["1: 2"]);
}

#[tokio::test]
async fn a_gap_covers_what_the_window_no_longer_holds() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    for _ in 0..6 {
        store.append(&channel, ONE, 10);
    }
    store.change(&channel, |log| log.floor = 4);
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), from(ONE, 1, 6));
    let expected = ["1: gap 00000000000000a1-1 to 00000000000000a1-4", "1: 5", "1: 6"];
    assert_eq!(drain(&mut connection).await, expected);
}

#[tokio::test]
async fn a_gap_that_the_start_brings_comes_first() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    store.append(&channel, ONE, 10);
    let start = Start {
        gap: Some(Since::Seq(77)),
        ..from(ONE, 0, 1)
    };
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), start);
    let expected = ["1: gap 77 to 00000000000000a1-0", "1: 1"];
    assert_eq!(drain(&mut connection).await, expected);
}

#[tokio::test]
async fn a_reader_of_a_channel_to_come_gets_it_from_its_first_message() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), WAITING);
    assert!(drain(&mut connection).await.is_empty());
    assert_eq!(connection.position(SUB), Some(Position::Start));
    store.append(&channel, ONE, 10);
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(drain(&mut connection).await, ["1: 1", "1: 2"]);
}

#[tokio::test]
async fn deleting_a_channel_ends_its_readers_after_what_came_before() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), live(ONE, 0));
    assert!(drain(&mut connection).await.is_empty());
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    store.change(&channel, |log| *log = Default::default());
    hub.end_channel(&channel, ONE, reason(7));
    assert_eq!(drain(&mut connection).await, ["1: 1", "1: 2", "1: end 7"]);
    assert_eq!((connection.subscriptions(), hub.channels()), (0, 0));
}

#[tokio::test]
async fn a_channel_made_again_is_a_gap_for_readers_that_nobody_ended() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    store.append(&channel, ONE, 10);
    connection.subscribe(SUB, hub.register(&channel, None), live(ONE, 1));
    assert!(drain(&mut connection).await.is_empty());
    store.change(&channel, |log| *log = Default::default());
    publish(&hub, &channel, TWO, store.append(&channel, TWO, 10));
    let expected = ["1: gap 00000000000000a1-1 to 00000000000000b2-0", "1: 1"];
    assert_eq!(drain(&mut connection).await, expected);
    // A late hint of the old incarnation changes nothing.
    hub.advance(&channel, ONE, 5);
    assert!(drain(&mut connection).await.is_empty());
    publish(&hub, &channel, TWO, store.append(&channel, TWO, 10));
    assert_eq!(drain(&mut connection).await, ["1: 2"]);
}

#[tokio::test]
async fn an_end_of_the_old_incarnation_leaves_readers_of_the_new_one() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), live(ONE, 0));
    store.append(&channel, TWO, 10);
    connection.subscribe(SubscriptionId(2), hub.register(&channel, None), live(TWO, 1));
    hub.end_channel(&channel, ONE, reason(7));
    assert_eq!(drain(&mut connection).await, ["1: end 7"]);
    publish(&hub, &channel, TWO, store.append(&channel, TWO, 10));
    assert_eq!(drain(&mut connection).await, ["2: 2"]);
}

#[tokio::test]
async fn a_channel_found_deleted_ends_its_readers() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), from(ONE, 0, 3));
    assert_eq!(drain(&mut connection).await, ["1: end 101"]);
    assert_eq!(store.reads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn closing_ends_old_and_new_readers_after_what_came_before() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), live(ONE, 0));
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    hub.close_all(reason(9));
    connection.subscribe(SubscriptionId(2), hub.register(&channel, None), live(ONE, 1));
    assert_eq!(drain(&mut connection).await, ["1: 1", "2: end 9", "1: end 9"]);
}

#[tokio::test]
async fn a_handle_ends_a_subscription_or_the_connection_at_once() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    for id in 1..=3 {
        connection.subscribe(SubscriptionId(id), hub.register(&channel, None), live(ONE, 0));
    }
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    let handle = connection.handle();
    handle.end_subscription(SubscriptionId(2), reason(5));
    assert_eq!(drain(&mut connection).await, ["2: end 5", "1: 1", "3: 1"]);
    handle.end(reason(6));
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(drain(&mut connection).await, ["closed 6"]);
    assert_eq!(hub.channels(), 0);
}

#[tokio::test]
async fn a_subscription_dropped_while_dirty_gets_nothing() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), live(ONE, 0));
    assert!(drain(&mut connection).await.is_empty());
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert!(connection.unsubscribe(SUB));
    connection.subscribe(SubscriptionId(2), hub.register(&channel, None), live(ONE, 1));
    assert!(drain(&mut connection).await.is_empty());
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(drain(&mut connection).await, ["2: 2"]);
}

#[tokio::test]
async fn an_unreadable_history_ends_the_reader() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    store.append(&channel, ONE, 10);
    *store.fails.lock() = true;
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), from(ONE, 0, 1));
    assert_eq!(drain(&mut connection).await, ["1: end 102"]);
}

#[tokio::test]
async fn the_limits_of_a_batch_hold_but_for_one_large_message() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    connection.subscribe(SUB, hub.register(&channel, None), live(ONE, 0));
    for bytes in [5_000, 10, 10, 10] {
        publish(&hub, &channel, ONE, store.append(&channel, ONE, bytes));
    }
    let limits = BatchLimits {
        max_messages: 2,
        max_bytes: 1_000,
    };
    let mut sizes = Vec::new();
    for _ in 0..3 {
        sizes.push(connection.next(limits).await.len());
    }
    assert_eq!(sizes, [1, 2, 1]);
}

#[tokio::test]
async fn a_wire_form_is_encoded_once_for_all_readers() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    for id in 1..=3 {
        connection.subscribe(SubscriptionId(id), hub.register(&channel, None), live(ONE, 0));
    }
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    let mut encoded = 0;
    let batch = connection.next(LIMITS).await;
    assert_eq!(batch.len(), 3);
    for delivery in &batch {
        let Delivery::Message { entry, .. } = delivery else {
            panic!("expected a message");
        };
        let bytes = entry.wire(Form::Sse, |entry| {
            encoded += 1;
            Bytes::from(entry.position().to_string())
        });
        assert_eq!(bytes, "00000000000000a1-1");
    }
    assert_eq!(encoded, 1);
}

#[tokio::test]
async fn many_slow_readers_share_the_pages_that_they_read() {
    let options = HubOptions {
        page_messages: 10,
        ..OPTIONS()
    };
    let (hub, store) = hub(options);
    let channel = key("news");
    for _ in 0..100 {
        store.append(&channel, ONE, 10);
    }
    let readers = (0..50).map(|nth| {
        let mut connection = hub.connect();
        connection.subscribe(SUB, hub.register(&channel, None), from(ONE, nth % 5, 100));
        async move { drain(&mut connection).await.len() }
    });
    let counts = futures_util::future::join_all(readers).await;
    assert_eq!(counts[..5], [100, 99, 98, 97, 96]);
    assert_eq!(counts.iter().sum::<usize>(), 10 * (100 + 99 + 98 + 97 + 96));
    let reads = store.reads.load(Ordering::Relaxed);
    assert!(
        reads <= 30,
        "50 readers of ten pages read the store {reads} times"
    );
    assert_eq!(store.most_running.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_connection_that_does_not_poll_keeps_no_turn_at_the_store() {
    let options = HubOptions {
        concurrent_reads: 1,
        ..OPTIONS()
    };
    let (hub, store) = hub(options);
    for name in ["stuck", "other"] {
        store.append(&key(name), ONE, 10);
    }
    let mut stuck = hub.connect();
    stuck.subscribe(SUB, hub.register(&key("stuck"), None), from(ONE, 0, 1));
    assert!(poll(&mut stuck, &Arc::default(), LIMITS).is_pending());
    let mut other = hub.connect();
    other.subscribe(SUB, hub.register(&key("other"), None), from(ONE, 0, 1));
    assert_eq!(drain(&mut other).await, ["1: 1"]);
}
