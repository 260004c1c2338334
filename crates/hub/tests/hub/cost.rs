use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use crate::support::*;
use ::model::message::Message;
use ::model::position::Epoch;
use ::model::selector::Selector;
use postbell_hub::{BatchLimits, Filter, HubOptions, SubscriptionId};

const ONE: Epoch = Epoch(0xa1);
const SUB: SubscriptionId = SubscriptionId(1);

#[tokio::test]
async fn a_burst_wakes_a_connection_once() {
    let (hub, store) = hub(OPTIONS());
    let channels: Vec<_> = (0..5).map(|nth| key(&format!("c{nth}"))).collect();
    let mut connection = hub.connect();
    for (nth, channel) in channels.iter().enumerate() {
        let id = SubscriptionId(nth as u64);
        connection.subscribe(id, hub.register(channel, None), live(ONE, 0));
    }
    let wakes = Arc::new(Wakes::default());
    assert!(poll(&mut connection, &wakes, LIMITS).is_pending());
    for _ in 0..4 {
        for channel in &channels {
            publish(&hub, channel, ONE, store.append(channel, ONE, 10));
        }
    }
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    let std::task::Poll::Ready(batch) = poll(&mut connection, &wakes, LIMITS) else {
        panic!("five subscriptions have four messages each");
    };
    assert_eq!(batch.len(), 20);
    // Who runs, or writes a batch, is not woken.
    publish(&hub, &channels[0], ONE, store.append(&channels[0], ONE, 10));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_message_that_a_filter_refuses_wakes_nobody() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut connection = hub.connect();
    connection.subscribe(
        SUB,
        hub.register(&channel, Some(Multiples::new(50))),
        live(ONE, 0),
    );
    let wakes = Arc::new(Wakes::default());
    assert!(poll(&mut connection, &wakes, LIMITS).is_pending());
    for _ in 0..49 {
        publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    }
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
    assert_eq!(connection.position(SUB), Some(at(ONE, 49)));
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(connection.position(SUB), Some(at(ONE, 49)));
    assert_eq!(drain(&mut connection).await, ["1: 50"]);
    // The ring had long dropped what the filter refused: nothing was read again.
    assert_eq!(store.reads.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_groups_match_is_computed_once_a_message() {
    let options = HubOptions {
        ring_messages: 64,
        ..OPTIONS()
    };
    let (hub, store) = hub(options);
    let channel = key("news");
    let filter = Multiples::new(3);
    let mut connections = Vec::new();
    for _ in 0..20 {
        let mut connection = hub.connect();
        let filter: Arc<dyn Filter> = filter.clone();
        connection.subscribe(SUB, hub.register(&channel, Some(filter)), live(ONE, 0));
        assert!(drain(&mut connection).await.is_empty());
        connections.push(connection);
    }
    for _ in 0..30 {
        publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    }
    // The third message unparked the group: from then on publishing asks nothing.
    assert_eq!(filter.asked.load(Ordering::Relaxed), 3);
    for connection in &mut connections {
        assert_eq!(drain(connection).await.len(), 10);
    }
    assert_eq!(filter.asked.load(Ordering::Relaxed), 30);
}

#[tokio::test]
async fn a_new_group_goes_through_what_the_ring_holds() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut first = hub.connect();
    first.subscribe(SUB, hub.register(&channel, None), live(ONE, 0));
    for _ in 0..8 {
        publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    }
    let filter = Multiples::new(4);
    let mut second = hub.connect();
    second.subscribe(SUB, hub.register(&channel, Some(filter.clone())), from(ONE, 2, 8));
    assert_eq!(drain(&mut second).await, ["1: 4", "1: 8"]);
    assert_eq!(filter.asked.load(Ordering::Relaxed), 6);
    assert_eq!(store.reads.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_slow_reader_keeps_no_messages() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut slow = hub.connect();
    slow.subscribe(SUB, hub.register(&channel, None), live(ONE, 0));
    assert!(poll(&mut slow, &Arc::default(), LIMITS).is_pending());
    let published: Vec<Weak<_>> = (1..=5_000)
        .map(|seq| {
            let message = message(seq, 10);
            publish(&hub, &channel, ONE, Arc::clone(&message));
            Arc::downgrade(&message)
        })
        .collect();
    let kept = published
        .iter()
        .filter(|message| message.strong_count() > 0)
        .count();
    assert_eq!(kept, OPTIONS().ring_messages);
    for _ in 0..5_000 {
        store.append(&channel, ONE, 10);
    }
    let limits = BatchLimits {
        max_messages: 700,
        ..LIMITS
    };
    let mut seen = 0;
    while seen < 5_000 {
        for delivery in slow.next(limits).await {
            seen += 1;
            assert_eq!(line(&delivery), format!("1: {seen}"));
        }
    }
}

#[tokio::test]
async fn all_rings_together_keep_their_budget() {
    let options = HubOptions {
        ring_messages: 1_000,
        ring_bytes: 100_000,
        ..OPTIONS()
    };
    let (hub, store) = hub(options);
    let mut connection = hub.connect();
    for nth in 0..20 {
        let channel = key(&format!("c{nth}"));
        connection.subscribe(SubscriptionId(nth), hub.register(&channel, None), live(ONE, 0));
        for _ in 0..10 {
            publish(&hub, &channel, ONE, store.append(&channel, ONE, 1_000));
            assert!(hub.ring_bytes() <= 100_000);
        }
    }
    assert!(hub.ring_bytes() > 50_000, "half of the budget is in use");
    assert_eq!(drain(&mut connection).await.len(), 200);
    drop(connection);
    assert_eq!((hub.ring_bytes(), hub.channels()), (0, 0));
}

#[tokio::test]
async fn a_channel_without_readers_costs_nothing() {
    let (hub, _) = hub(OPTIONS());
    let message = message(1, 10);
    for nth in 0..1_000 {
        publish(&hub, &key(&format!("c{nth}")), ONE, Arc::clone(&message));
        hub.advance(&key(&format!("c{nth}")), ONE, 9);
    }
    assert_eq!(Arc::strong_count(&message), 1);
    assert_eq!((hub.ring_bytes(), hub.channels()), (0, 0));
}

#[tokio::test]
async fn readers_that_come_and_go_leave_nothing_behind() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let mut staying = hub.connect();
    staying.subscribe(SUB, hub.register(&channel, None), live(ONE, 0));
    let message = store.append(&channel, ONE, 10);
    for nth in 0..1_000 {
        let mut going = hub.connect();
        let other = key(&format!("c{nth}"));
        going.subscribe(
            SUB,
            hub.register(&channel, Some(Multiples::new(nth + 1))),
            live(ONE, 0),
        );
        going.subscribe(SubscriptionId(2), hub.register(&other, None), live(ONE, 0));
        assert!(poll(&mut going, &Arc::default(), LIMITS).is_pending());
        publish(&hub, &other, ONE, Arc::clone(&message));
    }
    drop(hub.register(&key("never started"), None));
    assert_eq!((hub.ring_bytes(), hub.channels()), (0, 1));
    assert_eq!(Arc::strong_count(&message), 2, "the store's and ours");
    drop(staying);
    assert_eq!(hub.channels(), 0);
}

/// A selector as a filter that counts how often it is asked.
struct Counted {
    selector: Selector,
    key: String,
    asked: Arc<AtomicUsize>,
}

impl Filter for Counted {
    fn key(&self) -> &str {
        &self.key
    }

    fn matches(&self, message: &Message) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.selector.matches(&message.content.headers)
    }
}

#[tokio::test]
async fn ten_selectors_of_ten_thousand_subscribers_cost_ten_evaluations_a_message() {
    let (hub, _) = hub(OPTIONS());
    let channel = key("news");
    let asked = Arc::new(AtomicUsize::new(0));
    let wakes: Vec<_> = (0..10).map(|_| Arc::new(Wakes::default())).collect();
    let mut connections = Vec::new();
    for nth in 0..10_000 {
        // Each subscriber has a filter of its own; the text alone tells which are the same.
        let selector: Selector = format!("n = {}", nth % 10).parse().unwrap();
        let filter = Counted {
            key: selector.to_string(),
            selector,
            asked: Arc::clone(&asked),
        };
        let mut connection = hub.connect();
        connection.subscribe(SUB, hub.register(&channel, Some(Arc::new(filter))), live(ONE, 0));
        assert!(poll(&mut connection, &wakes[nth % 10], LIMITS).is_pending());
        connections.push(connection);
    }
    for seq in 1..=20 {
        publish(&hub, &channel, ONE, message_with(seq, &[("n", "10")]));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 20 * 10);
    assert!(wakes.iter().all(|wakes| wakes.0.load(Ordering::Relaxed) == 0));

    publish(&hub, &channel, ONE, message_with(21, &[("n", "7")]));
    assert_eq!(asked.load(Ordering::Relaxed), 21 * 10);
    let woken: Vec<_> = wakes
        .iter()
        .map(|wakes| wakes.0.load(Ordering::Relaxed))
        .collect();
    assert_eq!(woken, [0, 0, 0, 0, 0, 0, 0, 1_000, 0, 0]);
    // The thousand share what the publish found out.
    for (nth, connection) in connections
        .iter_mut()
        .enumerate()
        .filter(|(nth, _)| nth % 10 == 7)
    {
        let std::task::Poll::Ready(batch) = poll(connection, &wakes[7], LIMITS) else {
            panic!("subscriber {nth} has a message");
        };
        assert_eq!(batch.iter().map(line).collect::<Vec<_>>(), ["1: 21"]);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 21 * 10);
}
