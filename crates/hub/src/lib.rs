//! Live delivery: the hub knows the channels that have readers, and brings their messages to them.
//!
//! For each such channel it keeps the recent tail of the log in a ring, and nothing a reader: a reader is
//! a cursor. Replay, live delivery and catching up are one loop over (cursor, head], first through pages
//! of the store's history, then through the ring. A reader that is up to date is parked in the group of
//! those with the same filter. A message that the group wants is brought to them by a fan-out: it is
//! offered to the connection's outlet, or else puts the reader on its connection's list of dirty cursors
//! and wakes the connection at most once until it runs. So a message for idle readers costs little beside
//! the write to each, a burst costs O(1) a message once the readers are awake, each wire form is encoded
//! once, and a client that does not read costs no memory: it falls behind into the history.
//!
//! The crate must never see access rules, HTTP or SQL.
//!
//! # Layout
//!
//! - [`Hub`] is where the engine puts messages, hints and ends in, and where readers register.
//! - [`Connection`] is what a transport polls: the batches of all its subscriptions.
//! - [`History`] is what the engine implements over the store.
//! - [`Fanout`] brings a message to readers that are up to date, through an [`Outlet`] where there is one.
//! - `channel` decides, under one lock, what a reader does next; `group`, `parked`, `ring` and `signal` are
//!   its parts. These are the synchronising core: free of tokio and I/O, over the locks of `sync`.
//!
//! # Order
//!
//! Who publishes raises the head, then marks cursors dirty; who reads takes the dirty list, then reads
//! heads. Readers register before they find out where to start. The interleavings are held by loom:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p postbell-hub --lib loom --profile loom --target-dir target/loom
//! ```

// Under loom only the synchronising core is compiled, and not every part of it is used.
#![cfg_attr(loom, expect(dead_code, reason = "the parts around the core are left out"))]

/// The bytes of all rings.
#[cfg(not(loom))]
mod budget;
/// What a reader does next.
mod channel;
/// Subscriptions of one client.
#[cfg(not(loom))]
mod connection;
/// A reader's place.
mod cursor;
/// Why streams end.
mod end;
/// Messages with their wire forms.
mod entry;
/// A message on its way to readers.
mod fanout;
/// Pages from the cache or the store.
#[cfg(not(loom))]
mod fetch;
/// Which messages a reader wants.
mod filter;
/// Readers by filter.
mod group;
/// The store, as the hub sees it.
#[cfg(not(loom))]
mod history;
/// The way in.
#[cfg(not(loom))]
mod hub;
/// Names of channels across apps.
mod key;
/// Sockets that messages are written to by who publishes.
mod outlet;
/// The cache of pages.
#[cfg(not(loom))]
mod pages;
/// Readers that are up to date.
mod parked;
/// Readers before they start.
#[cfg(not(loom))]
mod registration;
/// The tail of a log.
mod ring;
/// Waking connections.
mod signal;
/// Locks, ordinary or loom's.
mod sync;

#[cfg(not(loom))]
pub use connection::{BatchLimits, Connection, ConnectionHandle, Delivery};
pub use end::EndReason;
pub use entry::{Entry, Form};
pub use fanout::Fanout;
#[cfg(not(loom))]
pub use fanout::run_all;
pub use filter::Filter;
#[cfg(not(loom))]
pub use history::{History, HistoryError, HistoryPage, HistoryQuery};
#[cfg(not(loom))]
pub use hub::{Hub, HubOptions};
pub use key::ChannelKey;
pub use outlet::{Offered, Outlet};
#[cfg(not(loom))]
pub use registration::{Registration, Start};
pub use signal::SubscriptionId;

/// Test data.
#[cfg(test)]
mod fixture;
/// Interleavings.
#[cfg(all(test, loom))]
mod loom;
