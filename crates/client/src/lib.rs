//! Rust client of Postbell's HTTP contract: typed calls for channels and the inbox, and a reader of live
//! events that reconnects by itself. It knows the contract alone and must never know the engine, the
//! server or a store.
//!
//! # Layout
//! - [`Client`]: connection, credentials, addressing of the app.
//! - [`messaging`]: channels; one file per operation.
//! - [`inbox`]: personal messages; one file per operation.
//! - [`sse`]: the event-stream parser, usable on its own.

mod connection;
mod error;
mod path;
mod reconnect;

/// Personal messages (api.md 4).
pub mod inbox;
/// Channels (api.md 3).
pub mod messaging;
/// Incremental parser of `text/event-stream`.
pub mod sse;
/// A server that plays canned answers, for tests.
#[cfg(any(test, feature = "stub"))]
pub mod stub;

pub use connection::{Client, Options};
pub use error::{Error, Refusal};
pub use reconnect::Backoff;
