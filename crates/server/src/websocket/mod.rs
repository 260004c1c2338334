//! WebSockets (RFC 6455) as the server's side of them needs them: the handshake over HTTP/1.1 and HTTP/2,
//! whole text messages in, frames that share their bytes out.
//!
//! Framing is done here rather than by a library for two reasons. An idle connection holds no buffers:
//! bytes are read into the stack of whoever polls, and what is written is gone once the peer took it. And
//! a frame can be put together from parts ([`output::Output::text`]), so that an envelope that is encoded once
//! for all readers goes behind the id of each.
//!
//! # Layout
//!
//! - [`handshake`]: from a request to its answer and the socket behind it.
//! - [`frame`]: the bytes of frames, without I/O.
//! - [`assembler`]: from bytes to whole messages, without I/O.
//! - [`output`]: frames that wait to be written.
//! - [`transport`]: [`transport::Transport`], frames over a socket.
//! - [`driver`]: [`driver::Driver`], the task of one connection: reads, lets a [`driver::Session`] fill,
//!   writes all that waits at once, closes what is dead or stuck.
//! - [`close`]: close codes.
//!
//! # Use
//!
//! A route calls [`handshake::accept`] and spawns what it gives with a [`driver::Session`] of its own:
//!
//! ```ignore
//! let (response, upgrade) = handshake::accept(request)?;
//! tokio::spawn(driver::run(upgrade, options, heartbeats.join(), session));
//! Ok(response)
//! ```
//!
//! The session is told every message (`receive`) and asked for output only when the peer has taken all
//! there was before (`fill`), which is where it polls its `hub::Connection`: so a reader that falls behind
//! costs no memory here.

/// From bytes to whole messages.
pub mod assembler;
/// Close codes.
pub mod close;
/// The task of one connection.
pub mod driver;
/// The bytes of frames.
pub mod frame;
/// From a request to a WebSocket.
pub mod handshake;
/// Frames that wait to be written.
pub mod output;
/// Frames over a socket.
pub mod transport;
