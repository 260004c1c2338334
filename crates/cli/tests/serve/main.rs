//! `postbell serve` as a user runs it: a process, real sockets, real commands beside it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beside;
mod clock;
mod dev;
mod http;
mod life;
mod live;
mod main_job;
mod schedules;
mod server;
mod tls;
