//! The hub over a store in memory.
#![cfg(not(loom))]

/// What delivery costs: wakes, filter evaluations, memory.
mod cost;
/// Single rules of live delivery.
mod delivery;
/// Random histories against a simple oracle.
mod model;
/// The store in memory, and what the tests share.
mod support;
