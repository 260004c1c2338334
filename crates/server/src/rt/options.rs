use std::time::Duration;

/// Every limit and time of Backendless RT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Between two pings of a session. Default 25 s.
    pub ping_interval: Duration,
    /// How long beyond [`Options::ping_interval`] a client waits for a ping before it gives the server
    /// up. Default 20 s.
    pub ping_timeout: Duration,
    /// How long a client may take to answer a ping, or a polling client to ask again; then its session
    /// is closed. Default 30 s (api.md 3.8).
    pub pong_timeout: Duration,
    /// From the handshake to the namespace. Default 20 s.
    pub connect_timeout: Duration,
    /// For a WebSocket that probes, until it takes over. Default 10 s.
    pub upgrade_timeout: Duration,
    /// Bytes of a polling request and of a WebSocket message; over it 413, or close code 1009.
    /// Default 320 KiB, more than a published message may have.
    pub max_payload: usize,
    /// Sessions of this node; one more is answered 503. Default 20,000.
    pub max_sessions: usize,
    /// Bytes of answers, and as many of notices, that wait for a client that does not read them; then
    /// its session is closed. Default 1 MiB.
    pub max_waiting: usize,
    /// Bytes that a WebSocket is sent beyond what its client has confirmed by a pong. Default 256 KiB.
    pub window: usize,
    /// After this long a WebSocket's client is asked to confirm what it was sent. Default 2 s.
    pub confirm_after: Duration,
    /// How long the subscriptions of a session that is gone are kept for its client. Default 2 min
    /// (api.md 3.6).
    pub resume: Duration,
    /// Subscriptions that are kept so at most; beyond, clients start anew. Default 100,000.
    pub max_kept: usize,
    /// A WebSocket whose peer takes no bytes for this long is closed. Default 30 s (api.md 3.8).
    pub stall: Duration,
    /// How often sessions are looked at. Default 1 s.
    pub tick: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            pong_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            max_payload: 320 * 1024,
            max_sessions: 20_000,
            max_waiting: 1024 * 1024,
            window: 256 * 1024,
            confirm_after: Duration::from_secs(2),
            resume: Duration::from_secs(120),
            max_kept: 100_000,
            stall: Duration::from_secs(30),
            tick: Duration::from_secs(1),
        }
    }
}
