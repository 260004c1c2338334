use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hub::EndReason;
use parking_lot::Mutex;

use super::{Command, UserStatus};

/// The name that a connection gives one of its listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(pub u64);

/// What a listener is told.
#[derive(Debug, Clone)]
pub enum Notice {
    /// Somebody sent a command.
    Command(Arc<Command>),
    /// Who is connected has changed, or is told for the first time.
    Users(Arc<UserStatus>),
    /// The last word of the listener.
    End(EndReason),
}

/// The notices that wait for one client connection, in order and bounded: nothing of this is stored, so a
/// client that does not read them cannot catch up.
#[derive(Debug)]
pub struct Mailbox {
    // Held for a push or a take, never across an await.
    state: Mutex<State>,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    notices: VecDeque<(ListenerId, Notice)>,
    bytes: usize,
    has_overflowed: bool,
    waker: Option<Waker>,
}

/// More notices came than the mailbox may hold: what the client sees is no longer true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflowed;

impl Mailbox {
    /// An empty mailbox for about this many bytes of notices.
    pub fn new(max_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            max_bytes,
        })
    }

    /// Puts a notice in and wakes the connection. Too much is remembered as such, and its notices are gone.
    pub(crate) fn push(&self, listener: ListenerId, notice: Notice) {
        let waker = {
            let mut state = self.state.lock();
            if state.has_overflowed {
                return;
            }
            let size = notice.size();
            // A listing is as long as the channel has users; alone it always finds room.
            if state.bytes > 0 && state.bytes + size > self.max_bytes {
                state.has_overflowed = true;
                state.notices = VecDeque::new();
            } else {
                state.bytes += size;
                state.notices.push_back((listener, notice));
            }
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// All that waits; pending while nothing does.
    ///
    /// # Errors
    /// [`Overflowed`], from then on always.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<Result<Vec<(ListenerId, Notice)>, Overflowed>> {
        let mut state = self.state.lock();
        if state.has_overflowed {
            return Poll::Ready(Err(Overflowed));
        }
        if state.notices.is_empty() {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        state.bytes = 0;
        Poll::Ready(Ok(state.notices.drain(..).collect()))
    }
}

impl Notice {
    /// About how many bytes it takes, shared parts counted in full.
    fn size(&self) -> usize {
        const AROUND: usize = 64;
        AROUND
            + match self {
                Self::Command(command) => command.size(),
                Self::Users(status) => status.members.len() * AROUND * 2,
                Self::End(reason) => reason.message.len(),
            }
    }
}
