use std::time::{Duration, Instant};

use super::options::Options;
use super::session::Transport;

/// Pings of a session, and what its client has confirmed. A pong confirms all that was sent before its
/// ping: what is not confirmed may be lost with the connection, and is sent again when the client comes
/// back. Over a WebSocket no more than a window is sent beyond what is confirmed, so that neither that
/// nor what lies in the kernel's buffers grows without bounds; a polling client confirms by its next request.
#[derive(Debug)]
pub struct Confirm {
    /// Bytes since the session began: sent, sent before the last ping, confirmed.
    sent: u64,
    marked: u64,
    confirmed: u64,
    /// When the first byte was sent that is not marked.
    unmarked_since: Option<Instant>,
    /// When the last ping was sent, and whether its pong is awaited.
    last_ping: Instant,
    awaits_pong: bool,
    /// Since when a ping waits for its way out.
    due: Option<Instant>,
}

/// What a look at the clock brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Looked {
    /// Nothing.
    Fine,
    /// A ping is due: whoever writes is to be woken.
    PingDue,
    /// The client is dead.
    Dead,
}

impl Confirm {
    /// Of a session that begins now.
    pub fn new(now: Instant) -> Self {
        Self {
            sent: 0,
            marked: 0,
            confirmed: 0,
            unmarked_since: None,
            last_ping: now,
            awaits_pong: false,
            due: None,
        }
    }

    /// So many bytes went out.
    pub fn sent(&mut self, bytes: usize, now: Instant) {
        if bytes > 0 {
            self.sent += bytes as u64;
            self.unmarked_since.get_or_insert(now);
        }
    }

    /// Whether messages have to wait until the client has confirmed some; `more` bytes are on their way.
    pub fn is_full(&self, transport: Transport, more: usize, options: &Options) -> bool {
        let open = self.sent + more as u64 - self.confirmed;
        transport == Transport::WebSocket && open >= options.window as u64
    }

    /// Whether a ping is to be sent now, behind what was sent; what was sent before is marked.
    pub fn take_ping(&mut self, transport: Transport, options: &Options) -> bool {
        let unmarked = self.sent - self.marked;
        let wanted = transport == Transport::WebSocket && unmarked >= options.window as u64 / 4;
        if self.awaits_pong || !(wanted || self.due.is_some()) {
            return false;
        }
        self.due = None;
        self.awaits_pong = true;
        self.last_ping = Instant::now();
        self.mark();
        true
    }

    /// Everything sent so far is what the next confirmation confirms.
    pub fn mark(&mut self) {
        self.marked = self.sent;
        self.unmarked_since = None;
    }

    /// A pong came; false when none was awaited.
    pub fn pong(&mut self) -> bool {
        let awaited = std::mem::take(&mut self.awaits_pong);
        if awaited {
            self.confirm();
        }
        awaited
    }

    /// What was marked has arrived.
    pub fn confirm(&mut self) {
        self.confirmed = self.marked;
    }

    /// Looks at the clock.
    pub fn look(&mut self, now: Instant, transport: Transport, options: &Options) -> Looked {
        let passed = |since: Instant| now.saturating_duration_since(since);
        if self.awaits_pong {
            return match passed(self.last_ping) > options.pong_timeout {
                true => Looked::Dead,
                false => Looked::Fine,
            };
        }
        if let Some(due) = self.due {
            // A WebSocket that takes nothing is closed by who writes to it, unless that takes too long.
            let patience = match transport {
                Transport::WebSocket => options.pong_timeout * 2,
                _ => options.pong_timeout,
            };
            return match passed(due) > patience {
                true => Looked::Dead,
                false => Looked::PingDue,
            };
        }
        let unconfirmed = self.unmarked_since.map_or(Duration::ZERO, passed);
        let asks = transport == Transport::WebSocket && unconfirmed >= options.confirm_after;
        if asks || passed(self.last_ping) >= options.ping_interval {
            self.due = Some(now);
            return Looked::PingDue;
        }
        Looked::Fine
    }
}

#[cfg(test)]
mod tests;
