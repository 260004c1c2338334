use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::time::Instant;

use super::Rt;
use super::packet::{Malformed, Packet};
use super::session::{Filled, Session, Transport};
use crate::websocket::close::CloseCode;
use crate::websocket::driver::{self, Driver};
use crate::websocket::handshake::Upgrade;
use crate::websocket::output::Output;
use crate::websocket::transport;

/// A WebSocket of a session: from its probe on, or from its handshake.
pub struct Socket {
    rt: Arc<Rt>,
    session: Arc<Session>,
    /// The turn to write, once the session writes to it.
    turn: Option<u64>,
    /// A packet that is being handled: the next one is read when that is done.
    handling: Option<Handling>,
    end: Option<(CloseCode, &'static str)>,
}

type Handling = Pin<Box<dyn Future<Output = Result<(), Malformed>> + Send>>;

impl Socket {
    /// A WebSocket of a session that polls: it has to probe first.
    pub fn probing(rt: Arc<Rt>, session: Arc<Session>) -> Self {
        Self {
            rt,
            session,
            turn: None,
            handling: None,
            end: None,
        }
    }

    /// A WebSocket whose handshake opened the session.
    pub fn opened(rt: Arc<Rt>, session: Arc<Session>) -> Self {
        let mut socket = Self::probing(rt, session);
        socket.turn = Some(socket.session.state.lock().take_turn());
        socket
    }

    /// Runs it to its end, once its handshake is answered.
    pub async fn run(self, upgrade: Upgrade) {
        let Some(io) = upgrade.socket().await else {
            return;
        };
        let transport = transport::Transport::new(io, self.rt.options.max_payload);
        let limits = Arc::clone(&self.rt.limits);
        let beat = self.rt.heartbeats.join();
        Driver::new(transport, self, limits, beat).await;
    }

    /// Before it takes over: `2probe`, then `5`.
    fn probe(&mut self, packet: Result<Packet<'_>, Malformed>, output: &mut Output) {
        let mut state = self.session.state.lock();
        match (packet, state.transport) {
            (Ok(Packet::Probe), Transport::Polling | Transport::Probing(_)) => {
                state.transport = Transport::Probing(Instant::now());
                drop(state);
                // The polling request that is held is answered, so that the client can go over.
                self.session.wake();
                output.text(&[b"3probe"]);
            }
            (Ok(Packet::Upgrade), Transport::Probing(_)) => {
                state.transport = Transport::WebSocket;
                // The client has read its last polling answer before it said so.
                state.confirm.confirm();
                state.subscriptions.confirm();
                self.turn = Some(state.take_turn());
            }
            _ => {
                drop(state);
                self.end = Some((CloseCode::PROTOCOL, "expected 2probe and then 5"));
            }
        }
    }

    fn violated(&mut self, reason: &'static str) {
        self.rt.close(&self.session, CloseCode::PROTOCOL, reason);
        self.end = Some((CloseCode::PROTOCOL, reason));
    }
}

impl driver::Session for Socket {
    fn is_ready(&self) -> bool {
        self.handling.is_none()
    }

    fn text(&mut self, text: String, output: &mut Output) {
        if self.turn.is_none() {
            return self.probe(Packet::parse(&text), output);
        }
        let (rt, session) = (Arc::clone(&self.rt), Arc::clone(&self.session));
        self.handling = Some(Box::pin(async move { rt.receive(&session, &text).await }));
    }

    fn binary(&mut self, _length: u64, _output: &mut Output) {
        self.violated("binary packets are not taken");
    }

    fn fill(&mut self, cx: &mut Context<'_>, output: &mut Output) {
        if let Some(handling) = &mut self.handling
            && let std::task::Poll::Ready(handled) = handling.as_mut().poll(cx)
        {
            self.handling = None;
            if let Err(malformed) = handled {
                self.violated(malformed.0);
            }
            // The next packet may be there already.
            cx.waker().wake_by_ref();
        }
        let Some(turn) = self.turn else { return };
        if self.session.closed().is_some() {
            return;
        }
        if let Filled::Close(closed) = self.session.fill(turn, cx, output, &self.rt.options) {
            self.rt.close(&self.session, closed.code, closed.reason);
            cx.waker().wake_by_ref();
        } else if self.session.closed().is_some() {
            // Closed before the waker was left.
            cx.waker().wake_by_ref();
        }
    }

    fn is_ending(&self) -> bool {
        self.end.is_some() || self.session.closed().is_some()
    }

    fn end(&mut self, output: &mut Output) {
        let closed = self.session.closed().map(|closed| (closed.code, closed.reason));
        let (code, reason) = self.end.or(closed).unwrap_or((CloseCode::NORMAL, ""));
        output.close(code, reason);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.turn.is_some() {
            self.rt
                .close(&self.session, CloseCode::NORMAL, "its WebSocket is gone");
            return;
        }
        let mut state = self.session.state.lock();
        if let Transport::Probing(_) = state.transport {
            state.transport = Transport::Polling;
        }
    }
}
