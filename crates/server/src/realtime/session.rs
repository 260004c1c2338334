use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use engine::access::caller::Caller;
use engine::access::credentials::Credentials;
use engine::streams::OpenStream;
use http::StatusCode;
use hub::{BatchLimits, Connection, Delivery, EndReason, Entry, Outlet, SubscriptionId};

use super::inboxes::Inboxes;
use super::operations::{Doing, Done, Publishing};
use super::request::{Id, Refused, parse};
use super::{Shared, answer};
use crate::error::ChannelError;
use crate::serve::request_id::RequestId;
use crate::websocket::close::CloseCode;
use crate::websocket::driver::Session;
use crate::websocket::output::Output;

/// What one look at the hub takes at most.
const BATCH: BatchLimits = BatchLimits {
    max_messages: 256,
    max_bytes: FILLED,
};
/// Bytes of output that are written before more is asked for: so much waits for a client that stops
/// reading, and one message.
const FILLED: usize = 16 * 1024;

/// One connection of `/api/realtime`: its subscriptions, and the operations that run.
pub struct Realtime {
    pub(super) shared: Arc<Shared>,
    pub(super) caller: Caller,
    /// With which the connection was opened: a new user token replaces the one in them.
    pub(super) credentials: Credentials,
    request_id: Option<RequestId>,
    pub(super) connection: Connection,
    /// By the index that is in their [`SubscriptionId`]; empty places are used again.
    pub(super) subscriptions: Vec<Option<Subscription>>,
    /// How many were begun.
    pub(super) begun: u32,
    pub(super) inboxes: Inboxes,
    pub(super) publishing: Vec<Publishing>,
    pub(super) publishing_bytes: usize,
    /// An operation that the next one has to wait for.
    pub(super) doing: Option<Doing<Done>>,
    beats: u32,
    positions_are_due: bool,
}

/// A subscription of the connection.
pub(super) struct Subscription {
    pub(super) number: SubscriptionId,
    pub(super) id: Id,
    pub(super) open: OpenStream,
}

impl Realtime {
    pub(super) fn new(
        shared: &Arc<Shared>,
        caller: Caller,
        credentials: Credentials,
        request_id: Option<RequestId>,
    ) -> Self {
        Self {
            connection: shared.state.engine.connect(),
            shared: Arc::clone(shared),
            caller,
            credentials,
            request_id,
            subscriptions: Vec::new(),
            begun: 0,
            inboxes: Inboxes::default(),
            publishing: Vec::new(),
            publishing_bytes: 0,
            doing: None,
            beats: 0,
            positions_are_due: false,
        }
    }

    fn get(&self, number: SubscriptionId) -> Option<&Subscription> {
        let subscription = self.subscriptions.get(index(number))?.as_ref()?;
        (subscription.number == number).then_some(subscription)
    }

    pub(super) fn remove(&mut self, number: SubscriptionId) -> Option<Subscription> {
        self.connection.unsubscribe(number);
        let place = self.subscriptions.get_mut(index(number))?;
        place.take_if(|subscription| subscription.number == number)
    }

    pub(super) fn end_subscription(
        &mut self,
        number: SubscriptionId,
        reason: &EndReason,
        output: &mut Output,
    ) {
        if let Some(subscription) = self.remove(number) {
            answer::end(output, &subscription.id, reason.code, &reason.message);
        }
    }

    /// Errors of ours carry the id of the request that opened the connection, as the log does.
    pub(super) fn refuse(&self, id: Option<&Id>, error: ChannelError, output: &mut Output) {
        match &self.request_id {
            Some(request_id) if error.status() == StatusCode::INTERNAL_SERVER_ERROR => {
                answer::error(output, id, &ChannelError::internal(request_id.as_str()));
            }
            _ => answer::error(output, id, &error),
        }
    }

    fn deliver(&mut self, delivery: &Delivery, output: &mut Output) {
        match delivery {
            Delivery::Message { subscription, entry } => {
                if let Some(subscription) = self.get(*subscription) {
                    answer::message(output, &subscription.id, entry);
                }
            }
            Delivery::Gap {
                subscription,
                from,
                to,
            } => {
                if let Some(subscription) = self.get(*subscription) {
                    answer::gap(output, &subscription.id, from, *to);
                }
            }
            Delivery::End { subscription, reason } => self.end_subscription(*subscription, reason, output),
            Delivery::Closed { reason } => self.end_all(reason, output),
        }
    }

    fn end_all(&mut self, reason: &EndReason, output: &mut Output) {
        for index in 0..self.subscriptions.len() {
            if let Some(number) = self.subscriptions[index].as_ref().map(|open| open.number) {
                self.end_subscription(number, reason, output);
            }
        }
        self.inboxes.end_all(reason, output);
    }

    fn tell_positions(&mut self, output: &mut Output) {
        for subscription in self.subscriptions.iter().flatten() {
            if let Some(position) = self.connection.position(subscription.number) {
                answer::position(output, &subscription.id, position);
            }
        }
        self.inboxes.tell_positions(output);
    }
}

impl Session for Realtime {
    fn is_ready(&self) -> bool {
        let options = &self.shared.options;
        !self.shared.is_ending.load(Ordering::Acquire)
            && self.doing.is_none()
            && self.publishing.len() < options.publishes
            && self.publishing_bytes < options.publish_bytes
    }

    fn text(&mut self, text: String, output: &mut Output) {
        let begun = parse(&text).and_then(|request| self.begin(&text, request, output));
        if let Err(Refused { id, error }) = begun {
            self.refuse(id.as_ref(), error, output);
        }
    }

    fn binary(&mut self, length: u64, output: &mut Output) {
        let text =
            format!("the message is not a JSON object: expected a text message, found {length} binary bytes");
        let error = ChannelError::new(StatusCode::BAD_REQUEST, 5901, text);
        self.refuse(None, error, output);
    }

    fn violated(&mut self, code: CloseCode, reason: &str, output: &mut Output) {
        let (status, number) = match code {
            CloseCode::TOO_BIG => (StatusCode::PAYLOAD_TOO_LARGE, 5910),
            CloseCode::NOT_UTF8 => (StatusCode::BAD_REQUEST, 5901),
            _ => (StatusCode::BAD_REQUEST, 5908),
        };
        self.refuse(None, ChannelError::new(status, number, reason), output);
    }

    fn fill(&mut self, cx: &mut Context<'_>, output: &mut Output) {
        self.poll_publishing(cx, output);
        if let Some(doing) = &mut self.doing
            && let Poll::Ready(done) = doing.as_mut().poll(cx)
        {
            self.doing = None;
            self.finish(done, output);
        }
        while output.len() < FILLED
            && let Poll::Ready(deliveries) = self.connection.poll_batch(cx, BATCH)
        {
            for delivery in &deliveries {
                self.deliver(delivery, output);
            }
        }
        self.inboxes.fill(cx, output, FILLED);
        // A position that is told stands behind what it says was delivered.
        if std::mem::take(&mut self.positions_are_due) {
            self.tell_positions(output);
        }
    }

    fn set_outlet(&mut self, outlet: Weak<dyn Outlet>) {
        self.connection.set_outlet(outlet);
    }

    fn message(&mut self, subscription: SubscriptionId, entry: &Entry, output: &mut Output) -> bool {
        let subscription = self.get(subscription);
        if let Some(subscription) = subscription {
            answer::message(output, &subscription.id, entry);
        }
        subscription.is_some()
    }

    fn beat(&mut self) {
        let options = &self.shared.options;
        let period = options
            .position
            .as_millis()
            .div_ceil(options.beat.as_millis().max(1));
        self.beats = self.beats.wrapping_add(1);
        self.positions_are_due |= u128::from(self.beats).is_multiple_of(period.max(1));
    }

    /// What was begun is answered first, as requests in flight are (api.md 5).
    fn is_ending(&self) -> bool {
        self.shared.is_ending.load(Ordering::Acquire) && self.publishing.is_empty()
    }

    fn end(&mut self, output: &mut Output) {
        let message = "the server is shutting down";
        let reason = EndReason {
            code: 5914,
            message: message.into(),
        };
        self.end_all(&reason, output);
        output.close(CloseCode::GOING_AWAY, message);
    }
}

/// The place of a subscription.
pub(super) fn index(number: SubscriptionId) -> usize {
    (number.0 & u64::from(u32::MAX)) as usize
}
