//! Backendless RT (api.md 3.6): what the official SDK's live connection speaks. The wire is engine.io 4
//! with socket.io 5 in it, framed here: text only, over polling and WebSocket, one namespace a session.
//!
//! A client that does not read costs no memory but its answers and notices, both bounded: messages stay in
//! the hub until somebody writes them. What a client has not confirmed is sent again when it comes back.
//!
//! # Layout
//!
//! - [`request`]: from an HTTP request to one of the transports.
//! - `polling`, `websocket`: the transports; each polls a session for output.
//! - [`session`]: a session and its output, in order: answers, notices, messages, ping.
//! - `receive`, `subscribe`, `invoke`: what a client sends.
//! - [`packet`], [`frame`]: the wire, in and out, without I/O.
//! - [`subscriptions`], [`confirm`], [`kept`]: what a client has, what it has confirmed, and what is kept
//!   for it when it goes.
//! - [`options`]: every limit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use engine::Engine;
use parking_lot::Mutex;

use self::confirm::Looked;
use self::kept::{Answered, Client, Kept, Left};
use self::options::Options;
use self::session::{Closed, Session, Transport};
use self::subscriptions::Resumable;
use crate::State;
use crate::messaging::events::heartbeats::Heartbeats;
use crate::websocket::close::CloseCode;
use crate::websocket::driver;

/// Pings, and what a client has confirmed.
pub mod confirm;
/// The wire, out.
pub mod frame;
/// Methods.
mod invoke;
/// What sessions leave.
pub mod kept;
/// Every limit.
pub mod options;
/// The wire, in.
pub mod packet;
/// Polling requests.
mod polling;
/// What a client sends.
mod receive;
/// From an HTTP request to a transport.
pub mod request;
/// Sessions.
pub mod session;
/// Subscribing.
mod subscribe;
/// What a session reads.
pub mod subscriptions;
/// The WebSocket.
mod websocket;

/// The sessions of this node.
pub struct Rt {
    engine: Arc<Engine>,
    /// For what is asked of every request.
    state: State,
    options: Options,
    heartbeats: Arc<Heartbeats>,
    limits: Arc<driver::Limits>,
    // Taken when a session opens, connects or closes, and at every look; never across an await. The state
    // of a session is never locked within it.
    sessions: Mutex<Sessions>,
    is_watching: AtomicBool,
}

#[derive(Default)]
struct Sessions {
    open: HashMap<Arc<str>, Arc<Session>>,
    /// Those that are connected, by client.
    clients: HashMap<Client, Arc<Session>>,
    kept: Kept,
}

impl Rt {
    /// No sessions yet.
    pub fn new(state: State) -> Arc<Self> {
        let options = state.settings.rt.clone();
        let beat = options.stall / 6;
        let limits = driver::Limits {
            beat,
            // engine.io has pings of its own.
            ping: Duration::ZERO,
            stall: options.stall,
        };
        Arc::new(Self {
            engine: Arc::clone(&state.engine),
            state,
            heartbeats: Arc::new(Heartbeats::every(beat)),
            limits: Arc::new(limits),
            options,
            sessions: Mutex::default(),
            is_watching: AtomicBool::new(false),
        })
    }

    /// How many sessions are open.
    pub fn count(&self) -> usize {
        self.sessions.lock().open.len()
    }

    /// Adds a session; `None` when there are as many as may be, or the server is stopping.
    fn add(self: &Arc<Self>, session: Session) -> Option<Arc<Session>> {
        let session = Arc::new(session);
        {
            let mut sessions = self.sessions.lock();
            let is_full = sessions.open.len() >= self.options.max_sessions;
            if is_full || self.engine.streams_end().is_cancelled() {
                return None;
            }
            sessions
                .open
                .insert(Arc::clone(&session.sid), Arc::clone(&session));
        }
        if !self.is_watching.swap(true, Ordering::AcqRel) {
            self.engine
                .spawn(watch(Arc::downgrade(self), Arc::clone(&self.engine)));
        }
        Some(session)
    }

    /// An open session of this app.
    fn find(&self, sid: &str, app: model::app::AppKey) -> Option<Arc<Session>> {
        let sessions = self.sessions.lock();
        let session = sessions.open.get(sid)?;
        (session.app.key == app).then(|| Arc::clone(session))
    }

    /// A session has connected: it takes the place of its client's last one, and what that left.
    fn admit(&self, session: &Arc<Session>) -> Option<(Resumable, Answered)> {
        let client = (session.app.key, Arc::clone(session.client.as_ref()?));
        let last = self.sessions.lock().clients.get(&client).cloned();
        if let Some(last) = last.filter(|last| !Arc::ptr_eq(last, session)) {
            self.close(&last, CloseCode::NORMAL, "its client has connected anew");
        }
        let left = {
            let mut sessions = self.sessions.lock();
            // One that was closed meanwhile is not to be found here any more.
            if session.closed().is_some() {
                return None;
            }
            sessions.clients.insert(client.clone(), Arc::clone(session));
            sessions.kept.take(&client)?
        };
        Some((Resumable::new(left.stopped, left.until), left.answered))
    }

    /// The client leaves.
    fn leave(&self, session: &Arc<Session>) {
        self.close(session, CloseCode::NORMAL, "the client left");
    }

    /// Closes a session: its subscriptions end, and where they stopped is kept for its client.
    fn close(&self, session: &Arc<Session>, code: CloseCode, reason: &'static str) {
        if !session.mark_closed(Closed { code, reason }) {
            return;
        }
        tracing::debug!(reason, "an RT session is closed");
        let (ended, stopped, answered) = {
            let mut state = session.state.lock();
            let state = &mut *state;
            let (ended, stopped) = state.subscriptions.stop(&mut state.resumable);
            state.connection = self.engine.connect();
            state.clear_replies();
            (ended, stopped, std::mem::take(&mut state.answered))
        };
        drop(ended);
        session.wake();
        let mut sessions = self.sessions.lock();
        sessions.open.remove(&session.sid);
        let Some(client) = &session.client else { return };
        let client = (session.app.key, Arc::clone(client));
        let is_current = sessions
            .clients
            .get(&client)
            .is_some_and(|current| Arc::ptr_eq(current, session));
        if is_current {
            sessions.clients.remove(&client);
            let until = Instant::now() + self.options.resume;
            let left = Left {
                stopped,
                answered,
                until,
            };
            sessions.kept.add(client, left, &self.options);
        }
    }

    /// Looks at all sessions: pings that are due, clients that are gone.
    fn look(&self) {
        let now = Instant::now();
        let all: Vec<_> = {
            let mut sessions = self.sessions.lock();
            sessions.kept.expire(now);
            sessions.open.values().cloned().collect()
        };
        for session in all {
            let (looked, is_late) = {
                let mut state = session.state.lock();
                let age = now.saturating_duration_since(state.opened);
                let is_late = state.namespace.is_none() && age > self.options.connect_timeout;
                if let Transport::Probing(since) = state.transport
                    && now.saturating_duration_since(since) > self.options.upgrade_timeout
                {
                    state.transport = Transport::Polling;
                }
                let transport = state.transport;
                (state.confirm.look(now, transport, &self.options), is_late)
            };
            match looked {
                Looked::Dead => self.close(&session, CloseCode::NORMAL, "the client answers no pings"),
                _ if is_late => self.close(&session, CloseCode::NORMAL, "no namespace was connected to"),
                Looked::PingDue => session.wake(),
                Looked::Fine => {}
            }
        }
    }

    fn close_all(&self) {
        let all: Vec<_> = self.sessions.lock().open.values().cloned().collect();
        for session in all {
            self.close(&session, CloseCode::GOING_AWAY, "the server is shutting down");
        }
    }
}

/// Looks after sessions until the server stops, then closes them: their clients connect anew elsewhere.
async fn watch(rt: Weak<Rt>, engine: Arc<Engine>) {
    let Some(tick) = rt.upgrade().map(|rt| rt.options.tick) else {
        return;
    };
    let mut ticks = tokio::time::interval(tick);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let stops = tokio::select! {
            () = engine.streams_end().cancelled() => true,
            _ = ticks.tick() => false,
        };
        let Some(rt) = rt.upgrade() else { return };
        if stops {
            return rt.close_all();
        }
        rt.look();
    }
}
