//! The inbox over real sockets (api.md 4).

#![expect(
    clippy::unwrap_used,
    reason = "a test whose set-up fails has failed; clippy knows only the test functions themselves"
)]

mod access;
mod answers;
mod cleanup;
mod failures;
mod import;
mod import_bodies;
mod interrupted;
mod list;
mod live;
mod live_properties;
mod retract;
mod support;
mod sync;
