use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use model::message::Message;
use model::position::{Epoch, Position};

use self::state::{Ended, State};
use crate::cursor::{Cursor, Quota};
use crate::end::EndReason;
use crate::entry::Entry;
use crate::fanout::Fanout;
use crate::filter::Filter;
use crate::group::Groups;
use crate::key::ChannelKey;
use crate::outlet::Offered;
use crate::parked::{Lent, Unparked, Waiting};
use crate::ring::Ring;
use crate::signal::{Seen, Signal, Slot, SubscriptionId};
use crate::sync::Mutex;

/// What the lock covers.
mod state;

/// A channel with readers: what is known of its head, the tail of its log, and who waits for more.
///
/// One lock covers the head and the parked readers. So a publish that raises the head finds every reader
/// that saw the old one parked, and a reader that comes later sees the new one.
pub(crate) struct Channel {
    pub(crate) key: ChannelKey,
    state: Mutex<State>,
}

/// What a reader does next.
pub(crate) enum Next {
    /// It moved; there may be more.
    Moved,
    /// It is up to date and parked.
    Parked,
    /// What follows is not in the ring. `fresh`: a page from the cache will not do.
    History { fresh: bool },
    /// It lost what lies between two positions.
    Gap { from: Position, to: Position },
    /// It has had everything up to the end.
    End(EndReason),
    /// This channel ended, but another incarnation than the reader's: join the channel anew.
    Rejoin,
}

/// What the history said about a channel at the time of a read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth {
    pub(crate) epoch: Option<Epoch>,
    pub(crate) floor: u64,
    pub(crate) head: u64,
    /// The channel's version before the read.
    pub(crate) version: u64,
}

impl Channel {
    pub(crate) fn new(key: ChannelKey, ring_bytes: Arc<AtomicUsize>) -> Self {
        let state = State {
            epoch: None,
            head: 0,
            version: 0,
            confirmed: None,
            ring: Ring::new(ring_bytes),
            budgeted: false,
            groups: Groups::default(),
            readers: 0,
            ended: None,
        };
        Self {
            key,
            state: Mutex::new(state),
        }
    }

    /// Adds a reader.
    pub(crate) fn join(&self, filter: Option<&Arc<dyn Filter>>) -> Cursor {
        let mut state = self.state.lock();
        state.readers += 1;
        Cursor::new(state.groups.join(filter))
    }

    /// Removes a reader; true when it was the last one.
    pub(crate) fn leave(&self, cursor: &Cursor) -> bool {
        let mut state = self.state.lock();
        if let Some(ticket) = cursor.ticket {
            state.groups.parked(cursor.group).leave(ticket);
        }
        state.groups.leave(cursor.group);
        state.readers -= 1;
        state.readers == 0
    }

    pub(crate) fn has_readers(&self) -> bool {
        self.state.lock().readers > 0
    }

    /// Takes in what a reader that starts was told. A known incarnation is left alone: whatever was
    /// published since that reader joined has come or will come here by itself. False when the reader
    /// was told of another incarnation than the one known here.
    pub(crate) fn begin(&self, epoch: Option<Epoch>, head: u64) -> bool {
        self.change(|state, unparked| {
            if state.epoch.is_none() && epoch.is_some() && state.ended.is_none() {
                state.renew(epoch, head, unparked);
            }
            epoch.is_none() || epoch == state.epoch
        })
    }

    /// A committed message, in commit order: whom it is to be brought to, and whether the budget of the
    /// rings must come to know this one.
    pub(crate) fn publish(
        self: &Arc<Self>,
        epoch: Epoch,
        message: Arc<Message>,
        ring_messages: usize,
    ) -> (Option<Fanout>, bool) {
        self.change(|state, unparked| {
            if state.ended.is_some() {
                return (None, false);
            }
            let (seq, old_head) = (message.seq, state.head);
            state.version += 1;
            let renewed = state.epoch != Some(epoch);
            if renewed {
                state.renew(Some(epoch), seq, unparked);
            }
            let raises = !renewed && seq > old_head;
            // One that a hint had announced: it goes into the ring only where it leaves no hole.
            if !renewed && !raises && state.ring.last().is_some_and(|last| last + 1 != seq) {
                return (None, false);
            }
            let entry = Arc::new(Entry::new(self.key.name.clone(), epoch, message));
            state.ring.push(Arc::clone(&entry), ring_messages);
            let mut fanout = None;
            if raises {
                let seen = state.seen();
                state.head = seq;
                if seq == old_head + 1 {
                    let first = state.ring.first().unwrap_or(seq);
                    let readers = state.groups.lend_matching(first, &entry.message);
                    fanout = (!readers.is_empty()).then(|| Fanout {
                        channel: Arc::clone(self),
                        entry,
                        seen,
                        readers,
                    });
                } else {
                    state.groups.unpark_all(seen, unparked);
                }
            }
            (fanout, !std::mem::replace(&mut state.budgeted, true))
        })
    }

    /// Whether nothing came after this message.
    pub(crate) fn is_latest(&self, entry: &Entry) -> bool {
        self.state.lock().is_latest(entry)
    }

    /// Takes the readers back whom a message was offered to. Those that have it wait on, if nothing came
    /// after it; the others are woken.
    pub(crate) fn take_back(&self, readers: Vec<(Lent, Offered)>, entry: &Entry, before: Seen) {
        let after = Seen {
            epoch: Some(entry.epoch),
            seq: entry.message.seq,
        };
        let mut told = Vec::new();
        {
            let mut state = self.state.lock();
            let is_latest = state.is_latest(entry);
            for (lent, offered) in readers {
                let Lent { ticket, waiting, .. } = lent;
                let parked = state.groups.parked(lent.group);
                let back = match is_latest && offered == Offered::Written {
                    true => parked.take_back(ticket, waiting),
                    false => {
                        parked.leave(ticket);
                        Err(waiting)
                    }
                };
                // Told once the lock is free; so is who left meanwhile, whom it does not concern.
                let Err(waiting) = back else { continue };
                let seen = match offered {
                    Offered::Written | Offered::Begun => after,
                    Offered::Refused => before,
                };
                told.push((waiting, seen));
            }
        }
        for (waiting, seen) in told {
            waiting.tell(seen);
        }
    }

    /// A hint that the store holds messages up to `head`.
    pub(crate) fn advance(&self, epoch: Epoch, head: u64) {
        self.change(|state, unparked| {
            if state.ended.is_some() {
                return;
            }
            // Also when the head is known: an answer on its way may be older than this hint.
            state.version += 1;
            if state.epoch != Some(epoch) {
                state.renew(Some(epoch), head, unparked);
            } else if head > state.head {
                state.raise(head, unparked);
            }
        });
    }

    /// Takes in what the history said, unless the channel changed since it was asked. Tells whether
    /// both now speak of the same incarnation.
    pub(crate) fn learn(&self, truth: Truth) -> bool {
        self.change(|state, unparked| {
            let is_other = state.epoch != truth.epoch;
            if state.version != truth.version || (is_other && state.ended.is_some()) {
                return !is_other;
            }
            if is_other {
                state.renew(truth.epoch, truth.head, unparked);
            } else if truth.head > state.head {
                state.raise(truth.head, unparked);
            } else {
                // The hint was wrong; without this, readers would ask for its messages for ever.
                state.head = truth.head.max(state.ring.last().unwrap_or(0));
            }
            state.confirmed = truth.epoch.map(|_| truth.floor);
            true
        })
    }

    pub(crate) fn version(&self) -> u64 {
        self.state.lock().version
    }

    /// Whether an end of this incarnation concerns readers here; also while none is known.
    pub(crate) fn may_hold(&self, epoch: Epoch) -> bool {
        self.state.lock().epoch.is_none_or(|current| current == epoch)
    }

    /// Ends the readers of one incarnation, or with `None` all readers, once each has had what came
    /// before. The hub has forgotten this channel by then: other readers join it anew.
    pub(crate) fn end(&self, epoch: Option<Epoch>, reason: EndReason) {
        self.change(|state, unparked| {
            if state.ended.is_none() {
                state.ended = Some(Ended { reason, epoch });
                state.groups.unpark_all(state.seen(), unparked);
            }
        });
    }

    /// Why the channel ended for readers of this incarnation.
    pub(crate) fn end_reason(&self, epoch: Option<Epoch>) -> Option<EndReason> {
        let state = self.state.lock();
        let ended = state.ended.as_ref()?;
        ended.concerns(epoch).then(|| ended.reason.clone())
    }

    /// Drops the older half of the ring; false when nothing is left, and then the budget forgets it.
    pub(crate) fn evict_half(&self) -> bool {
        let mut state = self.state.lock();
        state.ring.evict_half();
        state.budgeted = !state.ring.is_empty();
        state.budgeted
    }

    /// Brings the reader forward: hands what it gets from the ring to `give`, or parks it when it is up
    /// to date, or says what else it needs.
    pub(crate) fn read(
        &self,
        cursor: &mut Cursor,
        whom: (&Arc<Signal>, Slot, SubscriptionId),
        quota: &mut Quota,
        give: impl FnMut(&Arc<Entry>),
    ) -> Next {
        let mut state = self.state.lock();
        if let Some(next) = state.settle(cursor) {
            return next;
        }
        if cursor.seq < state.head {
            return state.read_ring(cursor, quota, give);
        }
        if let Some(ended) = &state.ended {
            return Next::End(ended.reason.clone());
        }
        let waiting = Waiting {
            signal: Arc::clone(whom.0),
            slot: whom.1,
            subscription: whom.2,
            is_ahead: cursor.seq > state.head,
        };
        cursor.ticket = Some(state.groups.park(cursor.group, waiting));
        Next::Parked
    }

    /// Where the reader is: a parked one has seen all that there is. `None` while it is lent, or was told
    /// and has not looked.
    pub(crate) fn position(&self, cursor: &mut Cursor) -> Option<Position> {
        if let Some(ticket) = cursor.ticket {
            let mut state = self.state.lock();
            if !state.groups.parked(cursor.group).holds(ticket) {
                return None;
            }
            cursor.seq = cursor.seq.max(state.head);
        }
        Some(cursor.position())
    }

    /// Changes the state under the lock, then tells the readers whom it concerns without the lock.
    fn change<T>(&self, change: impl FnOnce(&mut State, &mut Vec<Unparked>) -> T) -> T {
        let mut unparked = Vec::new();
        let answer = change(&mut self.state.lock(), &mut unparked);
        unparked.into_iter().for_each(Unparked::tell);
        answer
    }
}
