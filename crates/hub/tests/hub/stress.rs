use std::sync::Arc;
use std::time::Duration;

use ::model::position::Epoch;
use postbell_hub::{BatchLimits, Delivery, Filter, Hub, HubOptions, SubscriptionId};

use crate::support::*;

const ONE: Epoch = Epoch(0xa1);
const MESSAGES: u64 = 3_000;

/// Reads the multiples of `of` up to the last message, from wherever the log is at the start.
async fn read_all(hub: Hub, store: Arc<FakeStore>, of: u64, max_messages: usize) {
    let channel = key("news");
    let mut connection = hub.connect();
    let filter = (of > 1).then(|| Multiples::new(of) as Arc<dyn Filter>);
    let registration = hub.register(&channel, filter);
    let head = store.log(&channel).head();
    let after = head.saturating_sub(100);
    connection.subscribe(SubscriptionId(1), registration, from(ONE, after, head));
    let limits = BatchLimits {
        max_messages,
        max_bytes: 1 << 20,
    };
    let mut expected = (after / of + 1) * of;
    while expected <= MESSAGES {
        for delivery in connection.next(limits).await {
            let Delivery::Message { entry, .. } = delivery else {
                panic!("nothing was lost and nothing ended");
            };
            assert_eq!(entry.message.seq, expected);
            expected += of;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_on_many_threads_miss_nothing() {
    let (hub, store) = hub(HubOptions {
        ring_messages: 64,
        ..OPTIONS()
    });
    store.change(&key("news"), |log| log.epoch = Some(ONE));
    let publisher = {
        let (hub, store) = (hub.clone(), Arc::clone(&store));
        tokio::spawn(async move {
            for seq in 1..=MESSAGES {
                let message = store.append(&key("news"), ONE, 10);
                match seq % 97 {
                    0 => hub.advance(&key("news"), ONE, seq),
                    _ => publish(&hub, &key("news"), ONE, message),
                }
                if seq % 16 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        })
    };
    let readers: Vec<_> = (0..40)
        .map(|nth| {
            let reading = read_all(hub.clone(), Arc::clone(&store), 1 + nth % 4, 1 + nth as usize);
            tokio::spawn(tokio::time::timeout(Duration::from_secs(60), reading))
        })
        .collect();
    publisher.await.unwrap();
    for reader in readers {
        reader.await.unwrap().expect("a reader waits for ever");
    }
    assert_eq!((hub.channels(), hub.ring_bytes()), (0, 0));
}
