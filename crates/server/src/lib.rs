//! placeholder
/// The listening edge: sockets, TLS, limits, and what surrounds every request.
pub mod serve;
