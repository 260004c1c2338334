//! Backendless RT over real sockets (api.md 3.6): what the official SDK does not do, and what it does
//! looked at packet by packet. The SDK itself is in `crates/cli/tests/sdk`.

#![expect(clippy::unwrap_used, reason = "in a test everything unexpected is a failure")]

/// Credentials, rules and their changes.
mod access;
/// Packets that are not what they should be.
mod frames;
/// Commands and who is connected.
mod presence;
/// Requests that are no handshake, and limits.
mod requests;
/// Clients that come back.
mod resume;
/// Clients that are slow or gone.
mod slow;
/// Subscribing and messages, over both transports.
mod subscribing;
mod support;
/// From polling to a WebSocket.
mod upgrade;
