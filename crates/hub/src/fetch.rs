use std::sync::Arc;

use model::position::Epoch;

use crate::channel::{Channel, Truth};
use crate::entry::Entry;
use crate::history::{HistoryError, HistoryPage, HistoryQuery};
use crate::hub::Shared;
use crate::pages::Page;

/// A page for one reader: from the cache, or from the history with what that said about the channel.
pub(crate) struct Fetched {
    pub(crate) page: Arc<Page>,
    pub(crate) truth: Option<Truth>,
}

/// What a reader asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) epoch: Option<Epoch>,
    pub(crate) after: u64,
    /// Whether the reader must know how the channel stands now, which the cache cannot tell.
    pub(crate) fresh: bool,
}

/// The page from the cache, if it is there and will do.
pub(crate) fn cached(shared: &Shared, channel: &Channel, wanted: Wanted) -> Option<Fetched> {
    let epoch = wanted.epoch.filter(|_| !wanted.fresh)?;
    let page = shared.pages.get(&channel.key, epoch, wanted.after)?;
    Some(Fetched { page, truth: None })
}

/// Reads a page, waiting for a turn first. Many readers want the same page at the same time: once its
/// turn has come, each looks again whether another has brought it.
pub(crate) async fn fetch(
    shared: Arc<Shared>,
    channel: Arc<Channel>,
    wanted: Wanted,
) -> Result<Fetched, HistoryError> {
    // The semaphore is never closed; were it, reading without a turn would still be right.
    let _turn = Arc::clone(&shared.turns).acquire_owned().await.ok();
    if let Some(fetched) = cached(&shared, &channel, wanted) {
        return Ok(fetched);
    }
    let version = channel.version();
    let query = HistoryQuery {
        channel: channel.key.clone(),
        epoch: wanted.epoch,
        after: wanted.after,
        max_messages: shared.options.page_messages.max(1),
        max_bytes: shared.options.page_bytes,
    };
    let answer = shared.history.read(query).await?;
    let truth = Truth {
        epoch: answer.epoch,
        floor: answer.floor,
        head: answer.head,
        version,
    };
    let page = Arc::new(page(&channel, wanted, answer));
    if let (Some(epoch), false) = (truth.epoch, page.entries.is_empty()) {
        shared.pages.insert(&channel.key, epoch, &page);
    }
    Ok(Fetched {
        page,
        truth: Some(truth),
    })
}

fn page(channel: &Channel, wanted: Wanted, answer: HistoryPage) -> Page {
    let start = wanted.after.max(answer.floor);
    let entries: Vec<_> = match answer.epoch {
        Some(epoch) if wanted.epoch.is_none_or(|known| known == epoch) => answer
            .messages
            .into_iter()
            .filter(|message| message.seq > start)
            .map(|message| Arc::new(Entry::new(channel.key.name.clone(), epoch, message)))
            .collect(),
        _ => Vec::new(),
    };
    let end = entries
        .last()
        .map_or(start.max(answer.head), |entry| entry.message.seq);
    Page { entries, start, end }
}
