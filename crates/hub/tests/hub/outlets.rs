use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use crate::support::*;
use ::model::position::Epoch;
use postbell_hub::{Connection, Fanout, Hub, Offered, SubscriptionId, run_all};

const ONE: Epoch = Epoch(0xa1);
const SUB: SubscriptionId = SubscriptionId(1);

/// A reader of `news` that is up to date, with a socket that says this.
fn reader(hub: &Hub, says: &[Offered], head: u64) -> (Connection, Arc<Socket>, Arc<Wakes>) {
    let (socket, wakes) = (Socket::new(says), Arc::new(Wakes::default()));
    let outlet: Weak<Socket> = Arc::downgrade(&socket);
    let mut connection = hub.connect();
    connection.set_outlet(outlet);
    connection.subscribe(SUB, hub.register(&key("news"), None), live(ONE, head));
    assert!(poll(&mut connection, &wakes, LIMITS).is_pending());
    (connection, socket, wakes)
}

#[tokio::test]
async fn a_message_for_a_reader_that_is_up_to_date_is_written_without_waking_it() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let (mut connection, socket, wakes) = reader(&hub, &[Offered::Written], 0);
    for seq in 1..=20 {
        publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
        assert_eq!(socket.lines(), [format!("1: {seq}")]);
        assert_eq!(connection.position(SUB), Some(at(ONE, seq)));
    }
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
    assert!(drain(&mut connection).await.is_empty());
}

#[tokio::test]
async fn what_the_socket_does_not_take_the_reader_reads() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let (mut connection, socket, wakes) = reader(&hub, &[Offered::Written, Offered::Refused], 0);
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(socket.lines(), ["1: 1"]);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    // Until it has looked, nothing is offered, so that nothing overtakes.
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert!(socket.lines().is_empty());
    assert_eq!(drain(&mut connection).await, ["1: 2", "1: 3"]);
}

#[tokio::test]
async fn who_has_begun_a_message_is_woken_and_does_not_read_it_again() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let (mut connection, socket, wakes) = reader(&hub, &[Offered::Begun], 0);
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(socket.lines(), ["1: 1"]);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(drain(&mut connection).await, ["1: 2"]);
}

#[tokio::test]
async fn what_is_published_together_is_read_in_one_batch() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let (mut connection, socket, wakes) = reader(&hub, &[Offered::Written], 0);
    let publish = |_| hub.publish(&channel, ONE, store.append(&channel, ONE, 10));
    let fanouts: Vec<Fanout> = (0..3).filter_map(publish).collect();
    assert_eq!(connection.position(SUB), None);
    run_all(fanouts);
    assert!(socket.lines().is_empty());
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(drain(&mut connection).await, ["1: 1", "1: 2", "1: 3"]);
}

#[tokio::test]
async fn an_order_comes_before_a_message_that_is_on_its_way() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let (mut connection, socket, _) = reader(&hub, &[Offered::Written], 0);
    let fanout = hub.publish(&channel, ONE, store.append(&channel, ONE, 10));
    connection.handle().end(reason(9));
    run_all(fanout);
    assert!(socket.lines().is_empty());
    assert_eq!(drain(&mut connection).await, ["closed 9"]);
}

#[tokio::test]
async fn who_leaves_while_a_message_is_on_its_way_leaves_nothing_behind() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let (mut leaving, _, _) = reader(&hub, &[Offered::Written], 0);
    let (staying, socket, _) = reader(&hub, &[Offered::Written], 0);
    let fanout = hub.publish(&channel, ONE, store.append(&channel, ONE, 10));
    assert!(leaving.unsubscribe(SUB));
    // The place that was left is somebody else's.
    let (next, other, _) = reader(&hub, &[Offered::Written], 1);
    run_all(fanout);
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(socket.lines(), ["1: 1", "1: 2"]);
    assert_eq!(other.lines(), ["1: 2"]);
    drop((leaving, staying, next));
    assert_eq!((hub.channels(), hub.ring_bytes()), (0, 0));
}

#[tokio::test]
async fn a_reader_that_starts_ahead_of_the_hub_is_not_offered_what_it_has() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let (_first, _, _) = reader(&hub, &[Offered::Written], 0);
    // The store told it of a message that is still on its way to the hub.
    let (mut ahead, socket, _) = reader(&hub, &[Offered::Written], 1);
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert!(socket.lines().is_empty());
    assert!(drain(&mut ahead).await.is_empty());
    publish(&hub, &channel, ONE, store.append(&channel, ONE, 10));
    assert_eq!(socket.lines(), ["1: 2"]);
}

#[tokio::test]
async fn a_great_many_readers_are_served_in_tasks() {
    let (hub, store) = hub(OPTIONS());
    let channel = key("news");
    let readers: Vec<_> = (0..500).map(|_| reader(&hub, &[Offered::Written], 0)).collect();
    for seq in 1..=3 {
        run_all(hub.publish(&channel, ONE, store.append(&channel, ONE, 10)));
        let served = || {
            let had = readers.iter().map(|(_, socket, _)| socket.lines());
            had.filter(|lines| *lines == [format!("1: {seq}")]).count()
        };
        let at_once = served();
        assert!((1..=128).contains(&at_once));
        tokio::task::yield_now().await;
        assert_eq!(at_once + served(), readers.len());
    }
}
