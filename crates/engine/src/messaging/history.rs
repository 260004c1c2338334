use std::sync::Arc;

use model::channel::ChannelName;
use model::message::Message;
use model::permission::Access;
use model::position::{Epoch, Position, Since};
use store::messages::Range;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;
use crate::messaging::Wanted;

/// Bytes of one page at most, about; the first message always comes.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A page of a channel's history (api.md 3.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// The channel.
    pub channel: ChannelName,
    /// The channel's incarnation; `None` before the first publish.
    pub epoch: Option<Epoch>,
    /// Ascending.
    pub messages: Vec<Arc<Message>>,
    /// Where the next page starts.
    pub next: Position,
    /// Not all that was asked for is there: from what was asked to where the page starts.
    pub gap: Option<(Since, Position)>,
}

impl Engine {
    /// Reads a page of a channel's history (api.md 3.7).
    ///
    /// # Errors
    /// Access, the name, a limit of 0 or over the app's, filters that are [`Error::NotBuilt`].
    pub async fn history(
        &self,
        caller: &Caller,
        channel: &str,
        since: Since,
        limit: usize,
        wanted: &Wanted,
    ) -> Result<HistoryPage, Error> {
        let channel: ChannelName = channel.parse()?;
        caller.may(Access::Subscribe, channel.as_str())?;
        wanted.filter(caller)?;
        let most = caller.app.settings.limits.history_page;
        if !(1..=most).contains(&limit) {
            return Err(Error::parameter(
                "limit",
                format!("expected 1 to {most}, found {limit}"),
            ));
        }
        let (app, now) = (caller.app.key, self.clock.now());
        let start = self.store.start(app, &channel, Some(since), now).await?;
        let Some(head) = start.head else {
            let gap = start.gap.then_some((since, Position::Start));
            return Ok(HistoryPage {
                channel,
                epoch: None,
                messages: Vec::new(),
                next: Position::Start,
                gap,
            });
        };
        let range = Range {
            after: start.after,
            max_messages: limit,
            max_bytes: PAGE_BYTES,
        };
        let page = self.store.read(app, &channel, range, now).await?;
        // Deleted, and perhaps made anew, between the two reads: nothing of the asked incarnation is left.
        let page = page.filter(|page| page.head.epoch == head.epoch);
        let Some(page) = page else {
            let gap = Some((since, Position::Start));
            return Ok(HistoryPage {
                channel,
                epoch: None,
                messages: Vec::new(),
                next: Position::Start,
                gap,
            });
        };
        let epoch = head.epoch;
        let from = start.after.max(page.floor);
        let lost = start.gap || page.floor > start.after;
        let last = page.messages.last().map_or(from, |message| message.seq);
        Ok(HistoryPage {
            channel,
            epoch: Some(epoch),
            messages: page.messages,
            next: Position::At { epoch, seq: last },
            gap: lost.then_some((since, Position::At { epoch, seq: from })),
        })
    }
}
