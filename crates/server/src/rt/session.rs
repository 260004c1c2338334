use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};
use std::time::Instant;

use engine::access::caller::Caller;
use engine::access::credentials::Credentials;
use engine::access::error::AccessError;
use engine::access::snapshot::AppState;
use engine::presence::{ListenerId, Mailbox, Notice};
use hub::{BatchLimits, Connection, Delivery, EndReason, SubscriptionId};
use parking_lot::Mutex;

use super::confirm::Confirm;
use super::frame::{self, Event, Packets};
use super::kept::Answered;
use super::options::Options;
use super::subscriptions::{Kind, Resumable, Subscriptions};
use crate::websocket::close::CloseCode;

/// What one answer takes at most: a reader that is far behind shares the thread with others.
const BATCH: BatchLimits = BatchLimits {
    max_messages: 512,
    max_bytes: 64 * 1024,
};

/// One engine.io session with its one namespace. Whoever writes to the client polls it for output:
/// nobody else does, so a client that does not read costs no memory beyond its answers and notices.
pub struct Session {
    /// Its id, which is also the `connectionId` of its client.
    pub sid: Arc<str>,
    /// The app of its path.
    pub app: Arc<AppState>,
    /// The app's name as the path gave it.
    pub address: String,
    /// `clientId`, if it can be one.
    pub client: Option<Arc<str>>,
    /// `apiKey`, for when the user token is changed.
    pub key: Credentials,
    /// Notices of presence and commands.
    pub mailbox: Arc<Mailbox>,
    /// Held while a packet is handled: packets of one client are handled in order.
    pub turn: tokio::sync::Mutex<()>,
    /// Taken for moments, never across an await.
    pub state: Mutex<State>,
    closed: OnceLock<Closed>,
}

/// Why a session was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// For the close frame of a WebSocket.
    pub code: CloseCode,
    /// For people.
    pub reason: &'static str,
}

/// How output reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// By polling requests.
    Polling,
    /// By polling requests, which are answered soon: a WebSocket probes since then.
    Probing(Instant),
    /// By a WebSocket.
    WebSocket,
}

/// What changes in a session.
pub struct State {
    /// The namespace, once the client has connected to it.
    pub namespace: Option<Arc<str>>,
    /// Who calls, or why nobody may.
    pub caller: Result<Caller, AccessError>,
    /// What its subscriptions read.
    pub connection: Connection,
    /// Its subscriptions.
    pub subscriptions: Subscriptions,
    /// What the client's last session left.
    pub resumable: Resumable,
    /// Methods that were answered.
    pub answered: Answered,
    /// How output reaches the client.
    pub transport: Transport,
    /// Pings, and what the client has confirmed.
    pub confirm: Confirm,
    /// When it was opened.
    pub opened: Instant,
    replies: Vec<Vec<u8>>,
    reply_bytes: usize,
    /// Whose turn it is to write; a newer one takes it from an older one.
    writer: u64,
    waker: Option<Waker>,
}

/// What [`Session::fill`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Filled {
    /// There may be output now; without any, the waker was left.
    Open,
    /// Somebody else has the turn.
    NotYours,
    /// The session has to be closed.
    Close(Closed),
}

impl Session {
    /// A session that has just shaken hands.
    pub fn new(
        (sid, app, address): (Arc<str>, Arc<AppState>, String),
        (client, key): (Option<Arc<str>>, Credentials),
        caller: Result<Caller, AccessError>,
        (connection, transport): (Connection, Transport),
        options: &Options,
    ) -> Self {
        let now = Instant::now();
        Self {
            sid,
            app,
            address,
            client,
            key,
            mailbox: Mailbox::new(options.max_waiting),
            turn: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                namespace: None,
                caller,
                connection,
                subscriptions: Subscriptions::default(),
                resumable: Resumable::default(),
                answered: Answered::default(),
                transport,
                confirm: Confirm::new(now),
                opened: now,
                replies: Vec::new(),
                reply_bytes: 0,
                writer: 0,
                waker: None,
            }),
            closed: OnceLock::new(),
        }
    }

    /// Why it was closed, if it was.
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.get()
    }

    /// Marks it closed; false when it was. `Rt::close` is what does the rest.
    pub fn mark_closed(&self, closed: Closed) -> bool {
        self.closed.set(closed).is_ok()
    }

    /// Writes what waits, and leaves the waker when nothing does.
    pub fn fill(
        &self,
        turn: u64,
        context: &mut Context<'_>,
        packets: &mut impl Packets,
        options: &Options,
    ) -> Filled {
        let mut state = self.state.lock();
        let state = &mut *state;
        if state.writer != turn {
            return Filled::NotYours;
        }
        state.waker = Some(context.waker().clone());
        if state.reply_bytes > options.max_waiting {
            return Filled::close("the client does not read its answers");
        }
        let mut sent = state.reply_bytes;
        state.reply_bytes = 0;
        for reply in state.replies.drain(..) {
            packets.packet(&[&reply]);
        }
        let Some(namespace) = state.namespace.clone() else {
            return Filled::Open;
        };
        let to = To {
            packets,
            namespace: &namespace,
            sent: &mut sent,
        };
        if let Some(close) = state.write(&self.mailbox, context, to, options) {
            return close;
        }
        let confirm = &mut state.confirm;
        confirm.sent(sent, Instant::now());
        if confirm.take_ping(state.transport, options) {
            packets.packet(&[b"2"]);
            state.subscriptions.mark(&mut state.connection);
        }
        Filled::Open
    }

    /// Leaves an answer, and wakes who writes.
    pub fn reply(&self, packet: Vec<u8>) {
        self.state.lock().reply(packet);
    }

    /// Wakes who writes.
    pub fn wake(&self) {
        self.state.lock().wake();
    }
}

impl State {
    /// Leaves an answer, and wakes who writes.
    pub fn reply(&mut self, packet: Vec<u8>) {
        self.reply_bytes += packet.len();
        self.replies.push(packet);
        self.wake();
    }

    /// Wakes who writes.
    pub fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Leaves an event with an id as an answer.
    pub fn reply_event(&mut self, name: &str, id: &str, rest: &[u8]) {
        let Some(namespace) = self.namespace.clone() else {
            return;
        };
        let mut packet = Vec::new();
        let namespace = &*namespace;
        Event { namespace, name, id }.write(&mut Single(&mut packet), rest);
        self.reply(packet);
    }

    /// Takes the turn to write from whoever had it.
    pub fn take_turn(&mut self) -> u64 {
        self.writer += 1;
        self.wake();
        self.writer
    }

    /// Forgets the answers that wait.
    pub fn clear_replies(&mut self) {
        self.replies = Vec::new();
        self.reply_bytes = 0;
    }

    /// Notices and messages.
    fn write<P: Packets>(
        &mut self,
        mailbox: &Mailbox,
        context: &mut Context<'_>,
        mut to: To<'_, P>,
        options: &Options,
    ) -> Option<Filled> {
        match mailbox.poll(context) {
            std::task::Poll::Pending => {}
            std::task::Poll::Ready(Err(engine::presence::Overflowed)) => {
                return Some(Filled::close("the client does not read its notices"));
            }
            std::task::Poll::Ready(Ok(notices)) => {
                for (listener, notice) in notices {
                    if let Some(close) = self.notice(listener, &notice, &mut to) {
                        return Some(close);
                    }
                }
            }
        }
        if self.confirm.is_full(self.transport, *to.sent, options) {
            return None;
        }
        let std::task::Poll::Ready(deliveries) = self.connection.poll_batch(context, BATCH) else {
            return None;
        };
        deliveries
            .iter()
            .find_map(|delivery| self.delivery(delivery, &mut to))
    }

    fn notice(
        &mut self,
        listener: ListenerId,
        notice: &Notice,
        to: &mut To<'_, impl Packets>,
    ) -> Option<Filled> {
        let rest = match notice {
            Notice::Command(command) => frame::command(command),
            Notice::Users(status) => frame::users(status),
            Notice::End(reason) => return self.end(listener.0, reason, to),
        };
        if let Some(subscription) = self.subscriptions.get(listener.0) {
            to.event(&subscription.id, &rest);
        }
        None
    }

    fn delivery(&mut self, delivery: &Delivery, to: &mut To<'_, impl Packets>) -> Option<Filled> {
        match delivery {
            Delivery::Message { subscription, entry } => {
                if let Some(subscription) = self.subscriptions.get(subscription.0) {
                    to.event(&subscription.id, &frame::message(entry));
                }
                None
            }
            // RT has no way to tell a gap: what the window lost is skipped (api.md 3.6).
            Delivery::Gap { .. } => None,
            Delivery::End { subscription, reason } => self.end(subscription.0, reason, to),
            Delivery::Closed { reason } => Some(Filled::Close(closing(reason))),
        }
    }

    /// Tells the end of a subscription. The SDK forgets a subscription that ends with an error: where it
    /// is to come back, the whole session is closed, and the client connects anew.
    fn end(&mut self, id: u64, reason: &EndReason, to: &mut To<'_, impl Packets>) -> Option<Filled> {
        if matches!(reason.code, 5914 | 5919) {
            return Some(Filled::Close(closing(reason)));
        }
        if let Some(subscription) = self.subscriptions.remove(id) {
            to.event(&subscription.id, &frame::error(reason.code, &reason.message));
            if matches!(subscription.kind, Kind::Messages { .. }) {
                self.connection.unsubscribe(SubscriptionId(id));
            }
        }
        None
    }
}

impl Filled {
    fn close(reason: &'static str) -> Self {
        Self::Close(Closed {
            code: CloseCode::NORMAL,
            reason,
        })
    }
}

fn closing(reason: &EndReason) -> Closed {
    match reason.code {
        5914 => Closed {
            code: CloseCode::GOING_AWAY,
            reason: "the server is shutting down",
        },
        _ => Closed {
            code: CloseCode::INTERNAL,
            reason: "an error inside the server",
        },
    }
}

/// Where events go, and how many bytes of them went.
struct To<'a, P> {
    packets: &'a mut P,
    namespace: &'a str,
    sent: &'a mut usize,
}

impl<P: Packets> To<'_, P> {
    fn event(&mut self, id: &str, rest: &[u8]) {
        const NAME: &str = "SUB_RES";
        let event = Event {
            namespace: self.namespace,
            name: NAME,
            id,
        };
        event.write(self.packets, rest);
        *self.sent += rest.len() + id.len();
    }
}

/// One packet by itself.
struct Single<'a>(&'a mut Vec<u8>);

impl Packets for Single<'_> {
    fn packet(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.0.extend_from_slice(part);
        }
    }
}
