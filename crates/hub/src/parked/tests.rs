use std::sync::Arc;

use super::{Parked, Waiting};
use crate::fixture::FIRST;
use crate::signal::{Seen, Signal, Slot};

fn waiting(signal: &Arc<Signal>, index: u32) -> Waiting {
    Waiting {
        signal: Arc::clone(signal),
        slot: Slot { index, generation: 1 },
    }
}

/// The cursors that a drain marks, sorted.
fn drained(parked: &mut Parked, signal: &Arc<Signal>) -> Vec<u32> {
    let seen = Seen {
        epoch: Some(FIRST),
        seq: 4,
    };
    parked.drain(seen).tell();
    let mut dirty: Vec<_> = signal.take().0.map(|dirty| dirty.slot.index).collect();
    dirty.sort_unstable();
    dirty
}

#[test]
fn places_of_those_who_left_are_used_again() {
    let signal = Arc::new(Signal::new());
    let mut parked = Parked::default();
    let tickets: Vec<_> = (0..4).map(|index| parked.park(waiting(&signal, index))).collect();
    parked.leave(tickets[1]);
    parked.leave(tickets[3]);
    parked.park(waiting(&signal, 7));
    parked.park(waiting(&signal, 8));
    parked.park(waiting(&signal, 9));
    assert_eq!(parked.places.len(), 5);
    assert_eq!(drained(&mut parked, &signal), [0, 2, 7, 8, 9]);
    assert!(parked.is_empty());
}

#[test]
fn a_ticket_from_before_a_drain_is_void() {
    let signal = Arc::new(Signal::new());
    let mut parked = Parked::default();
    let old = parked.park(waiting(&signal, 0));
    assert_eq!(drained(&mut parked, &signal), [0]);
    let new = parked.park(waiting(&signal, 1));
    assert!(parked.holds(new) && !parked.holds(old));
    parked.leave(old);
    assert_eq!(drained(&mut parked, &signal), [1]);
}

#[test]
fn the_last_one_to_leave_frees_the_memory() {
    let signal = Arc::new(Signal::new());
    let mut parked = Parked::default();
    let ticket = parked.park(waiting(&signal, 0));
    parked.leave(ticket);
    assert_eq!((parked.places.capacity(), Arc::strong_count(&signal)), (0, 1));
}
