use std::mem;
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::signal::{Dirty, Seen, Signal, Slot};

/// The readers of a group that are up to date, as a slab: parking, leaving and draining cost O(1) a
/// reader, and a reader takes 16 bytes.
#[derive(Default)]
pub(crate) struct Parked {
    places: Vec<Place>,
    /// The first free place, one more than its index; 0 is none.
    free: u32,
    count: u32,
    /// Counts the drains, so that a ticket from before a drain is known to be void.
    drains: u64,
}

enum Place {
    Taken(Waiting),
    Free(u32),
}

/// A parked reader: whom to tell.
pub(crate) struct Waiting {
    pub(crate) signal: Arc<Signal>,
    pub(crate) slot: Slot,
}

/// A reader's place among the parked; void after the next drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    index: u32,
    cycle: NonZeroU64,
}

/// Readers taken out of their group, to be told once no lock is held.
pub(crate) struct Unparked {
    places: Vec<Place>,
    seen: Seen,
}

impl Parked {
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn park(&mut self, waiting: Waiting) -> Ticket {
        self.count += 1;
        let cycle = self.cycle();
        if let Some(index) = self.free.checked_sub(1) {
            let place = mem::replace(&mut self.places[index as usize], Place::Taken(waiting));
            self.free = match place {
                Place::Free(next) => next,
                Place::Taken(_) => 0,
            };
            return Ticket { index, cycle };
        }
        let index = self.places.len() as u32;
        self.places.push(Place::Taken(waiting));
        Ticket { index, cycle }
    }

    /// Whether the reader with this ticket is still parked.
    pub(crate) fn holds(&self, ticket: Ticket) -> bool {
        ticket.cycle == self.cycle()
    }

    /// Takes one reader out; nothing happens when it was drained already.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        if !self.holds(ticket) {
            return;
        }
        self.count -= 1;
        if self.count == 0 {
            self.drain_places();
            return;
        }
        self.places[ticket.index as usize] = Place::Free(self.free);
        self.free = ticket.index + 1;
    }

    /// Takes all out; they have seen their channel up to `seen`.
    pub(crate) fn drain(&mut self, seen: Seen) -> Unparked {
        Unparked {
            places: self.drain_places(),
            seen,
        }
    }

    fn cycle(&self) -> NonZeroU64 {
        NonZeroU64::MIN.saturating_add(self.drains)
    }

    fn drain_places(&mut self) -> Vec<Place> {
        self.drains += 1;
        self.free = 0;
        self.count = 0;
        mem::take(&mut self.places)
    }
}

impl Unparked {
    /// Tells the readers. Call it without holding a lock: wakers run in here.
    pub(crate) fn tell(self) {
        for place in self.places {
            if let Place::Taken(waiting) = place {
                waiting.signal.mark(Dirty {
                    slot: waiting.slot,
                    seen: self.seen,
                });
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
