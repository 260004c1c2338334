//! A whole Postbell for tests: a real server on port 0 over SQLite in a temporary folder, a clock that
//! tests move, apps with keys and tokens, and a reader of server-sent events.
//!
//! For tests alone: whatever goes wrong panics with what was expected. It must never be a dependency of
//! the program.
//!
//! # Layout
//!
//! - [`server`]: [`server::Server`] with its builder; starting, restarting, stopping.
//! - [`app`]: apps with their keys, tokens and settings.
//! - [`clock`]: the clock that stands still until it is moved.
//! - [`faults`]: a store that fails when it is told to.
//! - [`frames`]: WebSocket frames that no server may take.
//! - [`log`]: what is logged, collected.
//! - [`sse`]: event streams, parsed as the WHATWG specification says.
//! - [`rt`]: clients of Backendless RT of another make, packet by packet.

#![expect(clippy::unwrap_used, reason = "in a test everything unexpected is a failure")]

use std::time::Duration;

/// Apps with their keys, tokens and settings.
pub mod app;
/// The clock that tests move.
pub mod clock;
/// A store that fails when it is told to.
pub mod faults;
/// Bad WebSocket frames.
pub mod frames;
/// What is logged.
pub mod log;
/// Clients of Backendless RT.
pub mod rt;
/// A server on port 0.
pub mod server;
/// Readers of server-sent events.
pub mod sse;

/// No test waits longer than this for anything that must happen.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The outcome of what must happen soon; `what` is told if it does not.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("{what} did not happen within {PATIENCE:?}"),
    }
}
