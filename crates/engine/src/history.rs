use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hub::{History, HistoryError, HistoryPage, HistoryQuery};
use model::time::Clock;
use store::SharedStore;
use store::messages::Range;

/// The store as the hub sees it: pages of a channel's log.
pub(crate) struct StoreHistory {
    pub(crate) store: SharedStore,
    pub(crate) clock: Arc<dyn Clock>,
}

impl History for StoreHistory {
    fn read(&self, query: HistoryQuery) -> BoxFuture<'static, Result<HistoryPage, HistoryError>> {
        let (store, now) = (self.store.clone(), self.clock.now());
        async move {
            let range = Range {
                after: query.after,
                max_messages: query.max_messages,
                max_bytes: query.max_bytes,
            };
            let page = store
                .read(query.channel.app, &query.channel.name, range, now)
                .await
                .map_err(|error| HistoryError(Box::new(error)))?;
            let Some(page) = page else {
                return Ok(HistoryPage::default());
            };
            let other_incarnation = query.epoch.is_some_and(|epoch| epoch != page.head.epoch);
            Ok(HistoryPage {
                messages: if other_incarnation {
                    Vec::new()
                } else {
                    page.messages
                },
                floor: page.floor,
                epoch: Some(page.head.epoch),
                head: page.head.seq,
            })
        }
        .boxed()
    }
}
