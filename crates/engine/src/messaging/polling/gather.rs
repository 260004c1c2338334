use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hub::{BatchLimits, ChannelKey, Connection, Delivery, EndReason, Entry};
use model::permission::Access;
use model::position::{Position, Since};
use store::messages::Start;
use store::polling::Subscription;
use tokio::time::{Instant, timeout_at};

use super::Polled;
use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;
use crate::messaging::Wanted;
use crate::messaging::subscribe::ONLY;
use crate::streams::Reader;

/// How long a poll goes through a history in which its filter finds little. The next one goes on behind it.
const SCAN: Duration = Duration::from_secs(2);
/// About how many bytes of messages an answer holds at most; the first message always comes.
const BYTES: usize = 8 * 1024 * 1024;

impl Engine {
    /// Reads what the subscription gets after `since`; where that is nothing, waits until `deadline` for
    /// something. It is a live stream that ends with its first news: replay, catching up and live messages come as on
    /// every other transport.
    pub(super) async fn gather(
        &self,
        caller: &Caller,
        subscription: &Subscription,
        since: Since,
        deadline: Instant,
    ) -> Result<Polled, Error> {
        let wanted = Wanted {
            selector: subscription.selector.as_deref().map(str::to_owned),
            subtopic: subscription.subtopic.as_deref().map(str::to_owned),
        };
        let filter = self.filters.open(&wanted, caller)?;
        let (app, channel) = (caller.app.key, &subscription.channel);
        let key = ChannelKey {
            app,
            name: channel.clone(),
        };
        let mut connection = self.hub.connect();
        // Registered first, then the head is read: nothing published in between is lost.
        let registration = self.hub.register(&key, filter);
        let start = self
            .store
            .start(app, channel, Some(since), self.clock.now())
            .await?;
        let begin = hub::Start {
            epoch: start.head.map(|head| head.epoch),
            after: start.after,
            head: start.head.map_or(0, |head| head.seq),
            gap: start.gap.then_some(since),
        };
        connection.subscribe(ONLY, registration, begin);

        let mut page = Page::new(caller.app.settings.limits.poll_page);
        let scanned = deadline.max(Instant::now() + SCAN);
        // Out of time: the answer has what was found, and the cursor passes what was not wanted.
        let _ = timeout_at(scanned, page.fill(&mut connection, &start)).await;
        if page.is_empty() && Instant::now() < deadline {
            let _open = self
                .streams
                .open(caller, channel, Reader::Connection(connection.handle()))?;
            if let Ok(batch) = timeout_at(deadline, connection.next(page.room())).await {
                page.take(batch);
            }
        }
        page.finish(&mut connection, caller, subscription)
    }
}

/// An answer in the making.
struct Page {
    messages: Vec<Arc<Entry>>,
    gap: Option<(Since, Position)>,
    max_messages: usize,
    bytes: usize,
    /// Behind the last message or gap.
    position: Option<Position>,
    /// Nothing more is taken: a gap follows the messages, and the next poll is told of it.
    is_cut: bool,
    ended: Option<EndReason>,
}

impl Page {
    fn new(max_messages: usize) -> Self {
        Self {
            messages: Vec::new(),
            gap: None,
            max_messages: max_messages.max(1),
            bytes: 0,
            position: None,
            is_cut: false,
            ended: None,
        }
    }

    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.gap.is_none() && self.ended.is_none()
    }

    fn is_full(&self) -> bool {
        self.is_cut || self.ended.is_some() || self.messages.len() >= self.max_messages || self.bytes >= BYTES
    }

    fn room(&self) -> BatchLimits {
        BatchLimits {
            max_messages: self.max_messages - self.messages.len(),
            max_bytes: BYTES - self.bytes.min(BYTES),
        }
    }

    /// Takes all that there was at the start.
    async fn fill(&mut self, connection: &mut Connection, start: &Start) {
        while !self.is_full() {
            let room = self.room();
            let batch = poll_fn(|cx| match connection.poll_batch(cx, room) {
                Poll::Ready(batch) => Poll::Ready(Some(batch)),
                Poll::Pending if has_reached(connection, start) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            match batch.await {
                Some(batch) => self.take(batch),
                None => return,
            }
        }
    }

    fn take(&mut self, batch: Vec<Delivery>) {
        for delivery in batch {
            if self.is_cut {
                return;
            }
            match delivery {
                Delivery::Message { entry, .. } => {
                    self.bytes += entry.message.content.size();
                    self.position = Some(entry.position());
                    self.messages.push(entry);
                }
                Delivery::Gap { from, to, .. } if self.messages.is_empty() => {
                    let from = self.gap.map_or(from, |(first, _)| first);
                    self.gap = Some((from, to));
                    self.position = Some(to);
                }
                Delivery::Gap { .. } => self.is_cut = true,
                Delivery::End { reason, .. } | Delivery::Closed { reason } => self.ended = Some(reason),
            }
        }
    }

    fn finish(
        self,
        connection: &mut Connection,
        caller: &Caller,
        subscription: &Subscription,
    ) -> Result<Polled, Error> {
        if let Some(reason) = &self.ended
            && self.position.is_none()
        {
            return Err(ended(reason, caller, subscription));
        }
        let reached = match self.is_cut {
            true => None,
            false => connection.position(ONLY),
        };
        Ok(Polled {
            messages: self.messages,
            position: reached.or(self.position).unwrap_or(subscription.position),
            gap: self.gap,
        })
    }
}

/// Whether the reader has had everything up to where the channel stood at the start.
fn has_reached(connection: &mut Connection, start: &Start) -> bool {
    let (Some(head), Some(position)) = (start.head, connection.position(ONLY)) else {
        return true;
    };
    match position {
        Position::Start => false,
        Position::At { epoch, seq } => epoch != head.epoch || seq >= head.seq,
    }
}

/// Why a poll gets no answer: the caller is no longer let in, the channel is gone, the server stops.
fn ended(reason: &EndReason, caller: &Caller, subscription: &Subscription) -> Error {
    let renewed = caller.renewed();
    let allowed = renewed.and_then(|caller| caller.may(Access::Subscribe, subscription.channel.as_str()));
    match (allowed, reason.code) {
        (Err(error), _) => error.into(),
        (Ok(()), 5909) => Error::NoSubscription,
        (Ok(()), 5919) => Error::Internal(reason.message.to_string().into()),
        (Ok(()), _) => Error::Unavailable {
            reason: reason.message.to_string(),
        },
    }
}
