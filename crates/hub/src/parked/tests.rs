use std::num::NonZeroU32;
use std::sync::Arc;

use super::{Lent, Parked, Ticket, Waiting};
use crate::fixture::FIRST;
use crate::group::Groups;
use crate::signal::{Seen, Signal, Slot, SubscriptionId};

struct Fixture {
    parked: Parked,
    signal: Arc<Signal>,
    numbers: u32,
}

impl Fixture {
    fn new() -> Self {
        Self {
            parked: Parked::default(),
            signal: Arc::new(Signal::new()),
            numbers: 0,
        }
    }

    fn park(&mut self, index: u32) -> Ticket {
        self.numbers += 1;
        let waiting = Waiting {
            signal: Arc::clone(&self.signal),
            slot: Slot { index, generation: 1 },
            subscription: SubscriptionId(u64::from(index)),
            is_ahead: false,
        };
        self.parked
            .park(NonZeroU32::new(self.numbers).expect("counted"), waiting)
    }

    fn lend(&mut self) -> Vec<Lent> {
        let mut lent = Vec::new();
        let group = Groups::default().join(None);
        self.parked.lend(group, &mut lent);
        lent
    }

    /// The cursors that a drain marks, sorted.
    fn drained(&mut self) -> Vec<u32> {
        let seen = Seen {
            epoch: Some(FIRST),
            seq: 4,
        };
        self.parked.drain(seen).tell();
        let mut dirty: Vec<_> = self.signal.take().0.map(|dirty| dirty.slot.index).collect();
        dirty.sort_unstable();
        dirty
    }
}

#[test]
fn places_of_those_who_left_are_used_again() {
    let mut fixture = Fixture::new();
    let tickets: Vec<_> = (0..4).map(|index| fixture.park(index)).collect();
    fixture.parked.leave(tickets[1]);
    fixture.parked.leave(tickets[3]);
    fixture.park(7);
    fixture.park(8);
    fixture.park(9);
    assert_eq!(fixture.parked.places.len(), 5);
    assert_eq!(fixture.drained(), [0, 2, 7, 8, 9]);
    assert!(fixture.parked.is_empty());
}

#[test]
fn a_ticket_from_before_a_drain_is_void() {
    let mut fixture = Fixture::new();
    let old = fixture.park(0);
    assert_eq!(fixture.drained(), [0]);
    let new = fixture.park(1);
    assert!(fixture.parked.holds(new) && !fixture.parked.holds(old));
    fixture.parked.leave(old);
    assert_eq!(fixture.drained(), [1]);
}

#[test]
fn the_last_one_to_leave_frees_the_memory() {
    let mut fixture = Fixture::new();
    let ticket = fixture.park(0);
    fixture.parked.leave(ticket);
    let readers = Arc::strong_count(&fixture.signal);
    assert_eq!((fixture.parked.places.capacity(), readers), (0, 1));
}

#[test]
fn a_lent_reader_waits_on_in_its_place_once_it_is_back() {
    let mut fixture = Fixture::new();
    let ticket = fixture.park(0);
    let mut lent = fixture.lend();
    assert!(fixture.parked.is_empty() && !fixture.parked.holds(ticket));
    // Somebody else parks, and all are drained, while it is away.
    fixture.park(1);
    assert_eq!(fixture.drained(), [1]);
    let Lent { waiting, .. } = lent.pop().unwrap();
    assert!(fixture.parked.take_back(ticket, waiting).is_ok());
    assert!(fixture.parked.holds(ticket));
    assert_eq!(fixture.drained(), [0]);
}

#[test]
fn a_lent_reader_that_left_is_not_taken_back() {
    let mut fixture = Fixture::new();
    let ticket = fixture.park(0);
    let mut lent = fixture.lend();
    fixture.parked.leave(ticket);
    // Its place is another's by now.
    let next = fixture.park(1);
    let Lent { waiting, .. } = lent.pop().unwrap();
    assert!(fixture.parked.take_back(ticket, waiting).is_err());
    assert!(fixture.parked.holds(next));
    assert_eq!(fixture.drained(), [1]);
}
