use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use model::position::{Position, Since};

use crate::end::EndReason;
use crate::entry::Entry;
use crate::hub::Shared;
use crate::outlet::Outlet;
use crate::registration::{Registration, Start};
use crate::signal::{Signal, Slot, SubscriptionId};

/// Pages of history for readers that fell behind the rings.
mod catch_up;
/// One look at what waits: news, the history, the rings.
mod turn;

/// What a subscriber is told.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// A message.
    Message {
        /// Whose.
        subscription: SubscriptionId,
        /// The message; [`Entry::position`] is where it brings the reader.
        entry: Arc<Entry>,
    },
    /// What lies between two positions is lost to this reader.
    Gap {
        /// Whose.
        subscription: SubscriptionId,
        /// The position from which the reader asked to go on.
        from: Since,
        /// The position from which it does go on.
        to: Position,
    },
    /// The last word of a subscription.
    End {
        /// Whose.
        subscription: SubscriptionId,
        /// Why.
        reason: EndReason,
    },
    /// The last word of the connection, in place of one for each of its subscriptions.
    Closed {
        /// Why.
        reason: EndReason,
    },
}

/// How much one batch may hold. One message goes in whatever its size.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// The most messages.
    pub max_messages: usize,
    /// About the most bytes.
    pub max_bytes: usize,
}

/// The readers of one client connection, polled by the task that writes to it. An idle one takes about
/// 300 bytes with one subscription; what a reader has not read yet takes none.
pub struct Connection {
    shared: Arc<Shared>,
    signal: Arc<Signal>,
    /// Indexed by [`Slot`]; empty places are used again.
    subscriptions: Vec<Option<Subscription>>,
    generation: u32,
    /// Only while there is something to do.
    work: Option<Box<Work>>,
}

struct Subscription {
    id: SubscriptionId,
    generation: u32,
    /// A gap to tell before anything else.
    gap: Option<Box<Since>>,
    registration: Registration,
}

/// A subscription that is not parked is in exactly one of these places.
#[derive(Default)]
struct Work {
    /// To be read from the rings, in turn.
    ready: VecDeque<Slot>,
    /// Waiting for a page of history, in turn.
    behind: VecDeque<Behind>,
    /// The page on its way: one at a time, so that a connection holds one at most.
    reading: Option<(Slot, catch_up::Reading)>,
}

/// A subscription that needs a page of history. `fresh`: not one from the cache.
struct Behind {
    slot: Slot,
    fresh: bool,
}

/// A way to end a connection from elsewhere: a key was revoked, a token has expired.
#[derive(Clone)]
pub struct ConnectionHandle {
    signal: Arc<Signal>,
}

impl ConnectionHandle {
    /// Ends the connection before whatever waits to be delivered.
    pub fn end(&self, reason: EndReason) {
        self.signal.order(|orders| orders.close = Some(reason));
    }

    /// Ends one subscription before whatever waits to be delivered; nothing happens when it is gone.
    pub fn end_subscription(&self, subscription: SubscriptionId, reason: EndReason) {
        self.signal
            .order(|orders| orders.ends.push((subscription, reason)));
    }
}

impl Connection {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            signal: Arc::new(Signal::new()),
            subscriptions: Vec::new(),
            generation: 0,
            work: None,
        }
    }

    /// A way to end this connection from elsewhere.
    pub fn handle(&self) -> ConnectionHandle {
        ConnectionHandle {
            signal: Arc::clone(&self.signal),
        }
    }

    /// Starts a registered reader under this name. A subscription of the same name is dropped without
    /// a word. To be called by the task that polls, or before it does.
    pub fn subscribe(&mut self, id: SubscriptionId, mut registration: Registration, start: Start) {
        self.unsubscribe(id);
        registration.start(start);
        self.generation = self.generation.wrapping_add(1);
        let subscription = Subscription {
            id,
            generation: self.generation,
            gap: start.gap.map(Box::new),
            registration,
        };
        let free = self.subscriptions.iter().position(Option::is_none);
        let index = free.unwrap_or(self.subscriptions.len());
        let slot = Slot {
            index: index as u32,
            generation: self.generation,
        };
        match self.subscriptions.get_mut(index) {
            Some(place) => *place = Some(subscription),
            None => {
                if self.subscriptions.is_empty() {
                    self.subscriptions.reserve_exact(1);
                }
                self.subscriptions.push(Some(subscription));
            }
        }
        self.work.get_or_insert_default().ready.push_back(slot);
    }

    /// Drops a subscription without a word; false when there is none of this name.
    pub fn unsubscribe(&mut self, id: SubscriptionId) -> bool {
        let place = self.subscriptions.iter_mut().find(|place| has_id(place, id));
        place.and_then(Option::take).is_some()
    }

    /// How many subscriptions there are.
    pub fn subscriptions(&self) -> usize {
        self.subscriptions.iter().flatten().count()
    }

    /// Where a subscription is: up to there it was handed everything that is for it. It moves on
    /// without deliveries too, past messages that its filter refuses (heartbeats, api.md 3.6). `None`
    /// while a message is on its way to the outlet, and when there is no subscription of this name.
    pub fn position(&mut self, id: SubscriptionId) -> Option<Position> {
        let place = self.subscriptions.iter_mut().find(|place| has_id(place, id))?;
        let Registration { channel, cursor, .. } = &mut place.as_mut()?.registration;
        let position = channel.position(cursor);
        // Without an outlet nothing was written behind the back of who polls.
        position.or_else(|| (!self.signal.has_outlet()).then(|| cursor.position()))
    }

    /// Where messages are written that find their reader up to date; to be set once, before the first
    /// subscription or right after it.
    pub fn set_outlet(&mut self, outlet: Weak<dyn Outlet>) {
        self.signal.set_outlet(outlet);
    }

    /// All that waits, within the limits; pending while nothing does. The waker is called at most once
    /// until the next poll, but for pages of history. Runs within a tokio runtime.
    pub fn poll_batch(&mut self, context: &mut Context<'_>, limits: BatchLimits) -> Poll<Vec<Delivery>> {
        // On the stack while it is looked at: most turns leave nothing to do, and so no box.
        let mut work = self.work.take().map(|work| *work).unwrap_or_default();
        let batch = self.turn(&mut work, context, limits);
        if !work.is_idle() {
            self.work = Some(Box::new(work));
        }
        batch
    }

    /// Waits for the next batch. Nothing is lost when the future is dropped.
    pub async fn next(&mut self, limits: BatchLimits) -> Vec<Delivery> {
        poll_fn(|context| self.poll_batch(context, limits)).await
    }

    fn get(&mut self, slot: Slot) -> Option<&mut Subscription> {
        let subscription = self.subscriptions.get_mut(slot.index as usize)?.as_mut();
        subscription.filter(|subscription| subscription.generation == slot.generation)
    }

    fn remove(&mut self, slot: Slot) {
        if self.get(slot).is_some() {
            self.subscriptions[slot.index as usize] = None;
        }
    }
}

impl Work {
    fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.behind.is_empty() && self.reading.is_none()
    }
}

fn has_id(place: &Option<Subscription>, id: SubscriptionId) -> bool {
    place.as_ref().is_some_and(|subscription| subscription.id == id)
}

#[cfg(test)]
mod tests;
