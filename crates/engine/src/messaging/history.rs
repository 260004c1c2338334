use std::sync::Arc;

use model::channel::ChannelName;
use model::message::Message;
use model::permission::Access;
use model::position::{Epoch, Position, Since};
use store::messages::Range;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;
use crate::filters::MessageFilter;
use crate::messaging::Wanted;

/// Bytes of one page at most, about; the first message always comes.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Bytes that are looked through for one page at most, about, where a filter leaves messages out.
const SCAN_BYTES: usize = 8 * PAGE_BYTES;

/// Messages of one read of the store while looking through.
const SCAN_READ: usize = 1_000;

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
    /// Reads a page of a channel's history (api.md 3.7). With a selector or subtopic it looks through so
    /// many messages at most: it may end before `limit` is reached, and then the next page goes on.
    ///
    /// # Errors
    /// Access, the name, a limit of 0 or over the app's, a bad selector or subtopic.
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
        let filter = MessageFilter::new(wanted, caller)?;
        let limits = &caller.app.settings.limits;
        let most = limits.history_page;
        if !(1..=most).contains(&limit) {
            return Err(Error::parameter(
                "limit",
                format!("expected 1 to {most}, found {limit}"),
            ));
        }
        let (app, now) = (caller.app.key, self.clock.now());
        let start = self.store.start(app, &channel, Some(since), now).await?;
        let Some(head) = start.head else {
            return Ok(HistoryPage::empty(channel, start.gap.then_some(since)));
        };
        let mut scan = Scan::new(start.after, limit, filter, limits.history_scan);
        while let Some(range) = scan.next_range() {
            let page = self.store.read(app, &channel, range, now).await?;
            // Deleted, and perhaps made anew, in between: nothing of the asked incarnation is left.
            match page.filter(|page| page.head.epoch == head.epoch) {
                Some(page) => scan.take(page),
                None => return Ok(HistoryPage::empty(channel, Some(since))),
            }
        }
        let at = |seq| Position::At {
            epoch: head.epoch,
            seq,
        };
        let lost = start.gap || scan.floor > start.after;
        Ok(HistoryPage {
            channel,
            epoch: Some(head.epoch),
            messages: scan.found,
            next: at(scan.after),
            gap: lost.then(|| (since, at(start.after.max(scan.floor)))),
        })
    }
}

impl HistoryPage {
    /// The page of a channel that is not there; `lost` is what was asked for, where that was once.
    fn empty(channel: ChannelName, lost: Option<Since>) -> Self {
        Self {
            channel,
            epoch: None,
            messages: Vec::new(),
            next: Position::Start,
            gap: lost.map(|since| (since, Position::Start)),
        }
    }
}

/// Going through a channel's log for what a filter lets pass.
struct Scan {
    filter: Option<MessageFilter>,
    /// Looked through up to here.
    after: u64,
    limit: usize,
    /// So many messages and bytes more may be looked through.
    messages: usize,
    bytes: usize,
    found: Vec<Arc<Message>>,
    found_bytes: usize,
    /// What the window no longer held at the first read.
    floor: u64,
    is_first: bool,
    is_done: bool,
}

impl Scan {
    fn new(after: u64, limit: usize, filter: Option<MessageFilter>, most: usize) -> Self {
        // Without a filter the first read is the page.
        let (messages, bytes) = match filter {
            Some(_) => (most.max(limit), SCAN_BYTES),
            None => (limit, PAGE_BYTES),
        };
        Self {
            filter,
            after,
            limit,
            messages,
            bytes,
            found: Vec::new(),
            found_bytes: 0,
            floor: 0,
            is_first: true,
            is_done: false,
        }
    }

    /// What to read next; `None` once the page is whole.
    fn next_range(&self) -> Option<Range> {
        let goes_on = !self.is_done && self.messages > 0 && self.bytes > 0;
        goes_on.then(|| Range {
            after: self.after,
            max_messages: self.messages.min(self.limit.max(SCAN_READ)),
            max_bytes: PAGE_BYTES.min(self.bytes),
        })
    }

    fn take(&mut self, page: store::messages::Page) {
        if self.is_first {
            self.floor = page.floor;
            self.after = self.after.max(page.floor);
            self.is_first = false;
        } else if page.floor > self.after {
            // Messages left the window since the last read: the next page tells the gap.
            self.is_done = true;
            return;
        }
        let Some(filter) = &self.filter else {
            self.after = page.messages.last().map_or(self.after, |last| last.seq);
            self.found = page.messages;
            self.is_done = true;
            return;
        };
        self.is_done = page.messages.is_empty();
        for message in page.messages {
            let size = message.content.size();
            if filter.matches(&message) {
                if !self.found.is_empty() && self.found_bytes + size > PAGE_BYTES {
                    self.is_done = true;
                    return;
                }
                self.found_bytes += size;
                self.after = message.seq;
                self.found.push(message);
                if self.found.len() == self.limit {
                    self.is_done = true;
                    return;
                }
            } else {
                self.after = message.seq;
            }
            self.messages = self.messages.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(size);
        }
        self.is_done |= self.after >= page.head.seq;
    }
}
