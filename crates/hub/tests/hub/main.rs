//! The hub over a store in memory.
#![cfg(not(loom))]

/// A connection held against the oracle.
mod client;
/// What delivery costs: wakes, filter evaluations, memory.
mod cost;
/// Single rules of live delivery.
mod delivery;
/// Random histories against a simple oracle.
mod model;
/// What a reader may get next.
mod oracle;
/// Messages that whoever publishes writes.
mod outlets;
/// Many threads at once.
mod stress;
/// The store in memory, and what the tests share.
mod support;
