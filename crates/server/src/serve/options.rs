use std::sync::Arc;
use std::time::Duration;

use model::ids::IdSource;

use super::hooks::Hooks;
use super::proxies::TrustedProxies;

/// Every limit and setting of the edge. [`ServeOptions::new`] gives the defaults named below.
pub struct ServeOptions {
    /// Open connections over all listeners, upgraded ones (WebSocket) included. Default 20,000.
    ///
    /// One more gets a short 503 over plain HTTP and is closed unanswered over TLS.
    pub max_connections: usize,
    /// From the accepted connection (over TLS: from the end of the handshake) to the bytes that tell
    /// HTTP/1 from HTTP/2. A client that says nothing is closed. Default 10 s.
    pub first_byte_timeout: Duration,
    /// From the accepted connection to the end of the TLS handshake. Default 10 s.
    pub tls_handshake_timeout: Duration,
    /// HTTP/1: for a whole request head. It counts from the end of the previous answer, so it is
    /// also how long an idle keep-alive connection is kept. Default 75 s, longer than the idle time
    /// of common load balancers (60 s), which must be the ones to close.
    pub header_read_timeout: Duration,
    /// The longest pause within a request body while a handler waits for it; then the handler gets
    /// an error. Default 30 s.
    pub body_idle_timeout: Duration,
    /// How long what a handler left of a request body is still read, so that the sender gets to read
    /// the answer; then the connection is closed. Default 2 s.
    pub body_drain_timeout: Duration,
    /// A connection that takes no bytes for this long is closed (api.md 3.8). Default 30 s.
    pub write_stall_timeout: Duration,
    /// HTTP/1 and HTTP/2: bytes of a request's headers; more is answered 431. Default 32 KiB.
    pub max_header_bytes: u32,
    /// HTTP/1: bytes of the read and of the write buffer of a connection, at least 8 KiB.
    /// Default 64 KiB; an idle connection holds 8 KiB.
    pub http1_max_buffer_bytes: usize,
    /// HTTP/2: requests at once on a connection. Default 200.
    pub http2_max_streams: u32,
    /// HTTP/2: bytes that a stream may send before a handler reads them. Default 256 KiB; a
    /// connection may send four times that.
    pub http2_stream_window_bytes: u32,
    /// HTTP/2: bytes of answers kept for a stream that its reader has not asked for. Default 64 KiB.
    pub http2_send_buffer_bytes: usize,
    /// HTTP/2: a ping after this long. Default 20 s.
    pub http2_ping_interval: Duration,
    /// HTTP/2: the connection is closed if a ping is not answered within this. Default 20 s.
    pub http2_ping_timeout: Duration,
    /// TCP keep-alive: the first probe of a silent connection after this long. Default 60 s, further
    /// ones every 15 s.
    pub tcp_keepalive: Duration,
    /// How often the certificate and key files are looked at. Default 5 s.
    pub tls_reload_interval: Duration,
    /// From the request to stop until what is still open is closed hard. Default 8 s, within the
    /// 10 s of api.md 5.
    pub stop_timeout: Duration,
    /// Whose `X-Forwarded-…` headers are believed. Default: nobody's.
    pub trusted_proxies: TrustedProxies,
    /// Plain HTTP (by effective scheme) is refused through [`Hooks::plain_http_refused`]. Default on.
    pub require_https: bool,
    /// Paths that are answered over plain HTTP all the same. Default `/healthz` and `/readyz`.
    pub plain_http_paths: Vec<String>,
    /// Where fresh request ids come from.
    pub ids: Arc<dyn IdSource>,
    /// What the edge asks its user.
    pub hooks: Arc<dyn Hooks>,
}

impl ServeOptions {
    /// The defaults of every limit.
    pub fn new(ids: Arc<dyn IdSource>, hooks: Arc<dyn Hooks>) -> Self {
        Self {
            max_connections: 20_000,
            first_byte_timeout: Duration::from_secs(10),
            tls_handshake_timeout: Duration::from_secs(10),
            header_read_timeout: Duration::from_secs(75),
            body_idle_timeout: Duration::from_secs(30),
            body_drain_timeout: Duration::from_secs(2),
            write_stall_timeout: Duration::from_secs(30),
            max_header_bytes: 32 * 1024,
            http1_max_buffer_bytes: 64 * 1024,
            http2_max_streams: 200,
            http2_stream_window_bytes: 256 * 1024,
            http2_send_buffer_bytes: 64 * 1024,
            http2_ping_interval: Duration::from_secs(20),
            http2_ping_timeout: Duration::from_secs(20),
            tcp_keepalive: Duration::from_secs(60),
            tls_reload_interval: Duration::from_secs(5),
            stop_timeout: Duration::from_secs(8),
            trusted_proxies: TrustedProxies::default(),
            require_https: true,
            plain_http_paths: vec!["/healthz".to_owned(), "/readyz".to_owned()],
            ids,
            hooks,
        }
    }
}
