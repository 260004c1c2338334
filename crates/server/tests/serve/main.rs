//! The listening edge over real sockets on the loopback.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose set-up fails has failed; clippy knows only the test functions themselves"
)]

mod limits;
mod protocols;
mod requests;
mod stop;
mod streams;
mod support;
mod tls;
