use std::sync::Arc;

use super::{Page, Pages};
use crate::entry::Entry;
use crate::fixture::{FIRST, key, message};

/// The messages after `start` up to `end`.
fn page(start: u64, end: u64) -> Arc<Page> {
    let entry = |seq| Arc::new(Entry::new(key("news").name, FIRST, message(seq)));
    Arc::new(Page {
        entries: (start + 1..=end).map(entry).collect(),
        start,
        end,
    })
}

#[test]
fn a_page_serves_readers_anywhere_within_it() {
    let pages = Pages::new(1 << 20);
    pages.insert(&key("news"), FIRST, &page(10, 20));
    let served: Vec<_> = (0..30)
        .filter(|&after| pages.get(&key("news"), FIRST, after).is_some())
        .collect();
    assert_eq!(served, Vec::from_iter(10..20));
    assert!(pages.get(&key("sport"), FIRST, 12).is_none());
}

#[test]
fn the_oldest_pages_go_first_and_the_budget_is_kept() {
    let one = page(0, 10).bytes();
    let pages = Pages::new(3 * one);
    for nth in 0..5 {
        pages.insert(&key("news"), FIRST, &page(10 * nth, 10 * nth + 10));
    }
    let held: Vec<_> = (0..5)
        .filter(|nth| pages.get(&key("news"), FIRST, 10 * nth).is_some())
        .collect();
    assert_eq!(held, [2, 3, 4]);
    assert_eq!(pages.bytes(), 3 * one);
    pages.insert(&key("news"), FIRST, &page(40, 50));
    assert_eq!(pages.bytes(), 3 * one, "a page brought twice counts once");
}

#[test]
fn a_page_over_the_whole_budget_is_not_kept() {
    let pages = Pages::new(100);
    pages.insert(&key("news"), FIRST, &page(0, 10));
    assert_eq!(pages.bytes(), 0);
    assert!(pages.inner.lock().logs.is_empty());
}
