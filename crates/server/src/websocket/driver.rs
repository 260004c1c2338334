use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use hub::{Entry, Offered, Outlet, SubscriptionId};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::unconstrained;
use tokio::time::{Sleep, sleep};

use super::assembler::Incoming;
use super::close::CloseCode;
use super::output::Output;
use super::transport::{Received, Transport};
use crate::messaging::events::heartbeats::Beat;

/// Messages that are read from one client before others get their turn.
const READS: usize = 32;
/// Rounds of reading and writing before others get their turn.
const ROUNDS: usize = 16;
/// No further message is read while so many bytes of answers wait.
const MAX_ANSWERS: usize = 64 * 1024;
/// How long the peer may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The limits of a connection.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Between two beats of the ticker that the connection was joined to; the others are multiples of it.
    pub beat: Duration,
    /// Between two pings. A peer that sent nothing at all since the last one is dead: its connection is
    /// closed. Zero: no pings.
    pub ping: Duration,
    /// A peer that takes no bytes for this long while some wait is closed (api.md 3.8).
    pub stall: Duration,
}

/// What a connection is for. All of it runs on the connection's task and must not block.
pub trait Session: Unpin {
    /// Whether a further message may be read now. One that says no must add output later, in
    /// [`Session::fill`], before it says yes again.
    fn is_ready(&self) -> bool {
        true
    }

    /// A text message came.
    fn text(&mut self, text: String, output: &mut Output);

    /// A binary message of so many bytes came.
    fn binary(&mut self, length: u64, output: &mut Output);

    /// The client broke the protocol: the last chance to say something before the close frame.
    fn violated(&mut self, code: CloseCode, reason: &str, output: &mut Output) {
        let _ = (code, reason, output);
    }

    /// Asked whenever the peer has taken all that was there: adds what waits, some ten kilobytes at a
    /// time, or leaves its waker where news come from.
    fn fill(&mut self, cx: &mut Context<'_>, output: &mut Output);

    /// Told where messages may be written directly ([`hub::Connection::set_outlet`]).
    fn set_outlet(&mut self, outlet: Weak<dyn Outlet>) {
        drop(outlet);
    }

    /// Adds a message that the outlet was offered; false when it is not for this client any more.
    fn message(&mut self, subscription: SubscriptionId, entry: &Entry, output: &mut Output) -> bool {
        let _ = (subscription, entry, output);
        false
    }

    /// Another beat has passed. Output goes into the next [`Session::fill`].
    fn beat(&mut self) {}

    /// Whether the server closes the connection now; asked at every beat and before every fill.
    fn is_ending(&self) -> bool {
        false
    }

    /// Says the last words and closes ([`Output::close`]), once [`Session::is_ending`].
    fn end(&mut self, output: &mut Output) {
        output.close(CloseCode::NORMAL, "");
    }
}

impl<T: Session + ?Sized> Session for Box<T> {
    fn is_ready(&self) -> bool {
        (**self).is_ready()
    }

    fn text(&mut self, text: String, output: &mut Output) {
        (**self).text(text, output);
    }

    fn binary(&mut self, length: u64, output: &mut Output) {
        (**self).binary(length, output);
    }

    fn violated(&mut self, code: CloseCode, reason: &str, output: &mut Output) {
        (**self).violated(code, reason, output);
    }

    fn fill(&mut self, cx: &mut Context<'_>, output: &mut Output) {
        (**self).fill(cx, output);
    }

    fn set_outlet(&mut self, outlet: Weak<dyn Outlet>) {
        (**self).set_outlet(outlet);
    }

    fn message(&mut self, subscription: SubscriptionId, entry: &Entry, output: &mut Output) -> bool {
        (**self).message(subscription, entry, output)
    }

    fn beat(&mut self) {
        (**self).beat();
    }

    fn is_ending(&self) -> bool {
        (**self).is_ending()
    }

    fn end(&mut self, output: &mut Output) {
        (**self).end(output);
    }
}

/// The task of one connection. Ends when the connection has. Messages that find it idle are written by
/// those who publish them.
pub struct Driver<S, T>(Arc<Shared<S, T>>);

/// Held by the task while it polls: whoever else comes then does without.
struct Shared<S, T>(Mutex<State<S, T>>);

struct State<S, T> {
    transport: Transport<S>,
    session: T,
    limits: Arc<Limits>,
    beat: Arc<Beat>,
    beats: u32,
    stalled: u32,
    /// A ping went out, and nothing has come in since.
    awaits_pong: bool,
    /// From the close frame on.
    closing: Option<Box<Closing>>,
}

struct Closing {
    /// The peer has so long to take the close frame and to answer it.
    timer: Pin<Box<Sleep>>,
    /// Its close frame came.
    is_answered: bool,
    is_shut: bool,
}

impl<S, T> Driver<S, T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: Session + Send + 'static,
{
    /// A connection over a socket whose handshake is done.
    pub fn new(transport: Transport<S>, mut session: T, limits: Arc<Limits>, beat: Arc<Beat>) -> Self {
        Self(Arc::new_cyclic(|shared: &Weak<Shared<S, T>>| {
            session.set_outlet(shared.clone());
            Shared(Mutex::new(State {
                transport,
                session,
                limits,
                beat,
                beats: 0,
                stalled: 0,
                awaits_pong: false,
                closing: None,
            }))
        }))
    }
}

impl<S, T> Outlet for Shared<S, T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    T: Session + Send,
{
    fn offer(&self, subscription: SubscriptionId, entry: &Arc<Entry>) -> Offered {
        match self.0.try_lock() {
            Some(mut state) => state.offer(subscription, entry),
            None => Offered::Refused,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, T: Session> State<S, T> {
    /// Writes a message if nothing is before it and the socket takes at least its first bytes.
    fn offer(&mut self, subscription: SubscriptionId, entry: &Entry) -> Offered {
        let is_free = self.closing.is_none() && self.transport.is_flushed();
        if !is_free || !self.session.message(subscription, entry, self.transport.output()) {
            return Offered::Refused;
        }
        // Nobody is to be woken when the socket has room again but the task, which asks by itself. And
        // the budget of whoever publishes is not this connection's.
        let cx = &mut Context::from_waker(Waker::noop());
        let flush = unconstrained(std::future::poll_fn(|cx| self.transport.poll_flush(cx)));
        match pin!(flush).poll(cx) {
            Poll::Ready(Ok(())) => Offered::Written,
            Poll::Ready(Err(_)) | Poll::Pending => match self.transport.take_back() {
                true => Offered::Refused,
                false => Offered::Begun,
            },
        }
    }

    /// Pings, and whether the peer is alive; false ends the connection.
    fn beat(&mut self) -> bool {
        self.beats = self.beats.wrapping_add(1);
        let progressed = self.transport.take_progressed();
        if self.transport.is_flushed() || progressed {
            self.stalled = 0;
        } else {
            self.stalled += 1;
            // Reading pauses meanwhile: whether the peer is alive is not known.
            self.awaits_pong = false;
            if self.session.is_ending() || self.stalled > beats(self.limits.stall, &self.limits) {
                let stalled_ms = self.limits.stall.as_millis() as u64;
                tracing::info!(stalled_ms, "closing a WebSocket whose peer takes no bytes");
                return false;
            }
            return true;
        }
        if self.limits.ping.is_zero() || !self.beats.is_multiple_of(beats(self.limits.ping, &self.limits)) {
            self.session.beat();
            return true;
        }
        if self.transport.take_heard() {
            self.awaits_pong = false;
        }
        if self.awaits_pong {
            tracing::info!("closing a WebSocket whose peer answers no pings");
            return false;
        }
        self.awaits_pong = true;
        self.transport.output().ping();
        self.session.beat();
        true
    }

    fn receive(&mut self, received: Received) -> bool {
        let output = self.transport.output();
        match received {
            Received::Incoming(Incoming::Text(text)) => self.session.text(text, output),
            Received::Incoming(Incoming::Binary(length)) => self.session.binary(length, output),
            Received::Incoming(Incoming::Ping(payload)) => output.pong(&payload),
            Received::Incoming(Incoming::Pong) => {}
            Received::Incoming(Incoming::Close(close)) => {
                match close {
                    Some((code, _)) => output.close(code, ""),
                    None => output.close_without_code(),
                }
                self.closing = Some(Closing::new(true));
            }
            Received::Violation(violation) => {
                self.session.violated(violation.code, violation.reason, output);
                output.close(violation.code, violation.reason);
            }
            Received::Gone => return false,
        }
        true
    }

    /// Reads what came, within the bounds of one turn. `None`: the peer is gone; else whether there may
    /// be more.
    fn read(&mut self, cx: &mut Context<'_>) -> Option<bool> {
        for _ in 0..READS {
            let is_full = self.transport.output().len() >= MAX_ANSWERS;
            if is_full || self.transport.output().is_closing() || !self.session.is_ready() {
                return Some(false);
            }
            match self.transport.poll_receive(cx) {
                Poll::Pending => return Some(false),
                Poll::Ready(received) => {
                    if !self.receive(received) {
                        return None;
                    }
                }
            }
        }
        Some(true)
    }

    /// After the close frame: writes it, waits for the peer's, ends the socket.
    fn poll_closing(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let closing = self.closing.get_or_insert_with(|| Closing::new(false));
        if closing.timer.as_mut().poll(cx).is_ready() || ready!(self.transport.poll_flush(cx)).is_err() {
            return Poll::Ready(());
        }
        if !closing.is_shut {
            if ready!(self.transport.poll_shutdown(cx)).is_err() {
                return Poll::Ready(());
            }
            closing.is_shut = true;
        }
        match closing.is_answered {
            true => Poll::Ready(()),
            // Closing a socket with unread bytes could take the close frame away from the peer.
            false => self.transport.poll_gone(cx),
        }
    }
}

impl Closing {
    fn new(is_answered: bool) -> Box<Self> {
        Box::new(Self {
            timer: Box::pin(sleep(CLOSE_TIMEOUT)),
            is_answered,
            is_shut: false,
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, T: Session> Future for Driver<S, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.0.lock().poll(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, T: Session> State<S, T> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.closing.is_none() && self.beat.poll_due(cx) {
            if !self.beat() {
                return Poll::Ready(());
            }
        }
        for _ in 0..ROUNDS {
            if self.transport.output().is_closing() {
                return self.poll_closing(cx);
            }
            match self.transport.poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "writing to a WebSocket failed");
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
            if self.session.is_ending() {
                self.session.end(self.transport.output());
                continue;
            }
            let Some(more) = self.read(cx) else {
                return Poll::Ready(());
            };
            self.session.fill(cx, self.transport.output());
            if !more && self.transport.output().is_empty() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// How many beats a time takes, at least one.
fn beats(time: Duration, limits: &Limits) -> u32 {
    let beats = time.as_millis().div_ceil(limits.beat.as_millis().max(1));
    u32::try_from(beats).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests;
