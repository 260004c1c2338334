//! How the socket of an HTTP/1.1 connection comes from hyper to the writer of a streamed answer.
//!
//! hyper flushes its socket only when all that it had to write is written, so the flush behind the last
//! byte of the head is where the socket is taken. It is taken from underneath hyper, whose connection is
//! dropped then: nothing of it is needed any more, because the head says `connection: close`, so bytes
//! that hyper has read ahead are of no request (RFC 9112, 9.6).

use std::mem;

use parking_lot::Mutex;

use super::guard::GuardedTcp;
use super::streaming::Chunks;

const END_OF_HEAD: &[u8; 4] = b"\r\n\r\n";

/// Shared by the service, the socket and the task of one connection.
#[derive(Default)]
pub(super) struct Handover {
    // Taken for a look and never across an await.
    state: Mutex<State>,
}

#[derive(Default)]
enum State {
    /// hyper serves requests.
    #[default]
    Idle,
    /// The head of a streamed answer is on its way; the last bytes that were written since.
    Armed { chunks: Box<dyn Chunks>, tail: [u8; 4] },
    /// The head is written.
    Ready {
        chunks: Box<dyn Chunks>,
        tcp: GuardedTcp,
    },
}

impl Handover {
    /// The answer that hyper is given next is streamed, and the last one of its connection.
    pub(super) fn arm(&self, chunks: Box<dyn Chunks>) {
        *self.state.lock() = State::Armed { chunks, tail: [0; 4] };
    }

    /// hyper has written these bytes.
    pub(super) fn wrote<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>, mut written: usize) {
        let mut state = self.state.lock();
        let State::Armed { tail, .. } = &mut *state else {
            return;
        };
        for piece in pieces {
            let piece = &piece[..piece.len().min(written)];
            written -= piece.len();
            let last = &piece[piece.len().saturating_sub(tail.len())..];
            tail.rotate_left(last.len());
            let kept = tail.len() - last.len();
            tail[kept..].copy_from_slice(last);
        }
    }

    /// Whether a flush of now has brought the head of a streamed answer on its way.
    pub(super) fn wants_socket(&self) -> bool {
        matches!(&*self.state.lock(), State::Armed { tail, .. } if tail == END_OF_HEAD)
    }

    /// Gives the socket, as [`Handover::wants_socket`] asked.
    pub(super) fn give(&self, tcp: GuardedTcp) {
        let mut state = self.state.lock();
        if let State::Armed { chunks, .. } = mem::take(&mut *state) {
            *state = State::Ready { chunks, tcp };
        }
    }

    /// Takes what was handed over, once it was.
    pub(super) fn take(&self) -> Option<(GuardedTcp, Box<dyn Chunks>)> {
        let mut state = self.state.lock();
        match mem::take(&mut *state) {
            State::Ready { chunks, tcp } => Some((tcp, chunks)),
            other => {
                *state = other;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
