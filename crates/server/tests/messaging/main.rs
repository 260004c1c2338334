//! Channels over real sockets (api.md 1, 2, 3, 5).

#![expect(clippy::unwrap_used, reason = "in a test everything unexpected is a failure")]

/// Channel rules, scopes and credentials (api.md 2).
mod access;
/// Naming an app, and what apps keep from each other (api.md 1).
mod apps;
/// The list of channels, deleting one, history (api.md 3.7).
mod channels;
/// Time moved by hand (api.md 5).
mod clock;
/// Why streams end (api.md 2, 3.6).
mod ends;
/// Live streams and how they go on (api.md 3.6).
mod events;
/// Errors of the store and of ours (api.md 3.1).
mod failures;
/// Selectors and subtopics (api.md 3.4, 3.5).
mod filters;
/// Idempotency keys (api.md 3.1).
mod idempotency;
/// Subscriptions that are polled (api.md 3.6).
mod polling;
/// Any JSON goes through as it is (api.md 3.1).
mod properties;
/// Publishing and its answers (api.md 3.1).
mod publish;
/// The WebSocket (api.md 3.6).
mod realtime;
/// Publishes that are refused (api.md 3.1).
mod refusals;
/// Publishing later and repeatedly (api.md 3.1, 3.2, 3.3, 3.8).
mod schedules;
/// What logs and error texts must not tell (api.md 2).
mod secrets;
/// Paths and methods that are no operation (api.md 3.1).
mod shapes;
mod stalled;
/// What became of a message; cancel and edit (api.md 3.2, 3.3).
mod status;
mod support;
