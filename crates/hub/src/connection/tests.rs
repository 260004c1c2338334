use std::sync::Arc;
use std::task::{Context, Waker};

use futures_util::future::BoxFuture;
use model::position::Epoch;

use super::{BatchLimits, Connection, Subscription};
use crate::fixture::{key, reason};
use crate::history::{History, HistoryError, HistoryPage, HistoryQuery};
use crate::hub::{Hub, HubOptions};
use crate::parked::Place;
use crate::registration::Start;
use crate::signal::{Signal, SubscriptionId};

struct Unused;

impl History for Unused {
    fn read(&self, _: HistoryQuery) -> BoxFuture<'static, Result<HistoryPage, HistoryError>> {
        panic!("nobody reads the history here")
    }
}

#[test]
fn an_idle_reader_takes_less_than_360_bytes() {
    let options = HubOptions {
        ring_messages: 8,
        ring_bytes: 1 << 20,
        page_messages: 8,
        page_bytes: 1 << 20,
        page_cache_bytes: 1 << 20,
        concurrent_reads: 1,
        gone: reason(1),
        unreadable: reason(2),
    };
    let hub = Hub::new(options, Arc::new(Unused));
    let mut connection = hub.connect();
    let start = Start {
        epoch: Some(Epoch(1)),
        after: 3,
        head: 3,
        gap: None,
    };
    connection.subscribe(SubscriptionId(1), hub.register(&key("news"), None), start);
    let limits = BatchLimits {
        max_messages: 8,
        max_bytes: 1 << 20,
    };
    let batch = connection.poll_batch(&mut Context::from_waker(Waker::noop()), limits);
    assert!(batch.is_pending());
    // What an idle connection owns: itself, one subscription, its signal, and its place among the
    // parked, which may be half empty.
    assert!(connection.work.is_none());
    assert_eq!(connection.subscriptions.capacity(), 1);
    let counts = 2 * size_of::<usize>();
    let bytes = size_of::<Connection>()
        + size_of::<Option<Subscription>>()
        + size_of::<Signal>()
        + counts
        + 2 * size_of::<Place>();
    assert!(bytes < 360, "an idle reader takes {bytes} bytes");
}
