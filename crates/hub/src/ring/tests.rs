use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Ring;
use crate::entry::Entry;
use crate::fixture::{FIRST, key, message, message_of};

fn entry(seq: u64) -> Arc<Entry> {
    Arc::new(Entry::new(key("news").name, FIRST, message(seq)))
}

#[test]
fn it_holds_the_newest_messages() {
    let mut ring = Ring::new(Arc::default());
    for seq in 5..=9 {
        ring.push(entry(seq), 3);
    }
    assert_eq!((ring.first(), ring.last()), (Some(7), Some(9)));
    let held: Vec<_> = (0..12).filter(|&seq| ring.get(seq).is_some()).collect();
    assert_eq!(held, [7, 8, 9]);
}

#[test]
fn a_hole_starts_it_anew() {
    let mut ring = Ring::new(Arc::default());
    ring.push(entry(1), 3);
    ring.push(entry(3), 3);
    assert_eq!((ring.first(), ring.last()), (Some(3), Some(3)));
}

#[test]
fn its_bytes_are_counted_and_given_back() {
    let total: Arc<AtomicUsize> = Arc::default();
    let mut ring = Ring::new(Arc::clone(&total));
    for seq in 1..=3 {
        let message = message_of(seq, 1_000);
        ring.push(Arc::new(Entry::new(key("news").name, FIRST, message)), 8);
    }
    let full = total.load(Ordering::Relaxed);
    assert!(
        (6_000..9_000).contains(&full),
        "three messages of 1,000 bytes twice, found {full}"
    );
    ring.evict_half();
    assert_eq!(total.load(Ordering::Relaxed), full / 3);
    drop(ring);
    assert_eq!(total.load(Ordering::Relaxed), 0);
}
