use std::mem;
use std::sync::{Arc, Weak};
use std::task::Waker;

use model::position::Epoch;

use crate::end::EndReason;
use crate::entry::Entry;
use crate::outlet::{Offered, Outlet};
use crate::sync::Mutex;

/// The name that a connection gives one of its subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(pub u64);

/// Up to where a parked reader has seen its channel, at the moment when it was unparked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) epoch: Option<Epoch>,
    pub(crate) seq: u64,
}

/// Which cursor of its connection a parked reader is. The generation tells a cursor from an earlier one
/// in the same slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A cursor that has something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dirty {
    pub(crate) slot: Slot,
    pub(crate) seen: Seen,
}

/// What somebody else decided about a connection.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    pub(crate) close: Option<EndReason>,
    pub(crate) ends: Vec<(SubscriptionId, EndReason)>,
}

/// The meeting point of a connection's task and those who have news for it: a list of dirty cursors and
/// one waker. A wake takes the waker out, so that a connection is woken at most once until it runs.
///
/// The order that makes a wake-up impossible to lose: who has news publishes it first (a channel's head,
/// under its lock), then calls [`Signal::mark`]; the connection first calls [`Signal::take`], then reads
/// heads, and [`Signal::sleep`] refuses when something was marked in between.
pub(crate) struct Signal {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The first one apart: mostly there is no other, and a list would be allocated for each message.
    first: Option<Dirty>,
    others: Vec<Dirty>,
    waker: Option<Waker>,
    outlet: Option<Weak<dyn Outlet>>,
    /// Boxed because almost no connection ever gets any.
    orders: Option<Box<Orders>>,
}

impl Signal {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State::default()),
        }
    }

    /// Where messages are written that find their reader up to date.
    pub(crate) fn set_outlet(&self, outlet: Weak<dyn Outlet>) {
        self.state.lock().outlet = Some(outlet);
    }

    pub(crate) fn has_outlet(&self) -> bool {
        self.state.lock().outlet.is_some()
    }

    /// Offers a message to the outlet, unless an order waits, which comes first.
    pub(crate) fn offer(&self, subscription: SubscriptionId, entry: &Arc<Entry>) -> Offered {
        let outlet = {
            let state = self.state.lock();
            let outlet = state.outlet.as_ref().filter(|_| state.orders.is_none());
            outlet.and_then(Weak::upgrade)
        };
        match outlet {
            Some(outlet) => outlet.offer(subscription, entry),
            None => Offered::Refused,
        }
    }

    /// Puts a cursor on the list and wakes the connection if it sleeps.
    pub(crate) fn mark(&self, dirty: Dirty) {
        let waker = {
            let mut state = self.state.lock();
            match state.first {
                None => state.first = Some(dirty),
                Some(_) => state.others.push(dirty),
            }
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Leaves an order and wakes the connection if it sleeps.
    pub(crate) fn order(&self, give: impl FnOnce(&mut Orders)) {
        let waker = {
            let mut state = self.state.lock();
            give(state.orders.get_or_insert_default());
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes all that waits, and the waker: who runs need not be woken.
    pub(crate) fn take(&self) -> (impl Iterator<Item = Dirty> + use<>, Option<Box<Orders>>) {
        let mut state = self.state.lock();
        state.waker = None;
        let others = mem::take(&mut state.others);
        (state.first.take().into_iter().chain(others), state.orders.take())
    }

    /// Leaves the waker, unless something waits already: then the answer is false and the caller must
    /// look again.
    pub(crate) fn sleep(&self, waker: &Waker) -> bool {
        let mut state = self.state.lock();
        if state.first.is_some() || state.orders.is_some() {
            return false;
        }
        state.waker = Some(waker.clone());
        true
    }
}
