use model::time::Span;
use serde::{Deserialize, Serialize};

/// The WebSocket `/api/realtime` (api.md 3.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RealtimeSettings {
    /// Between two pings; a client that sent nothing since the one before is closed.
    pub ping_interval: Span,
    /// Between two `position` of a subscription.
    pub position_interval: Span,
    /// Publishes of one connection that run at once; further messages are read when one is done.
    pub publishes: usize,
    /// Bytes of the messages of these publishes, about.
    pub publish_bytes: usize,
    /// Live inboxes of one connection; one more is answered 5913.
    pub inboxes: usize,
}

/// Backendless RT, what the official SDK speaks (api.md 3.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RtSettings {
    /// Between two pings of a session.
    pub ping_interval: Span,
    /// How long beyond `ping_interval` a client waits for a ping before it gives the server up.
    pub ping_timeout: Span,
    /// How long a client may take to answer a ping, or a polling client to ask again.
    pub pong_timeout: Span,
    /// From the handshake to the namespace.
    pub connect_timeout: Span,
    /// For a WebSocket that probes, until it takes over.
    pub upgrade_timeout: Span,
    /// Bytes of a polling request and of a WebSocket message.
    pub max_payload: usize,
    /// Bytes of answers, and as many of notices, that wait for a client that does not read them.
    pub max_waiting: usize,
    /// Bytes that a WebSocket is sent beyond what its client has confirmed.
    pub window: usize,
    /// After this long a WebSocket's client is asked to confirm what it was sent.
    pub confirm_after: Span,
    /// How long the subscriptions of a session that is gone are kept for its client.
    pub resume: Span,
    /// Subscriptions that are kept so at most.
    pub max_kept: usize,
}

impl Default for RealtimeSettings {
    fn default() -> Self {
        Self {
            ping_interval: Span::seconds(25),
            position_interval: Span::seconds(15),
            publishes: 32,
            publish_bytes: 1024 * 1024,
            inboxes: 16,
        }
    }
}

impl Default for RtSettings {
    fn default() -> Self {
        Self {
            ping_interval: Span::seconds(25),
            ping_timeout: Span::seconds(20),
            pong_timeout: Span::seconds(30),
            connect_timeout: Span::seconds(20),
            upgrade_timeout: Span::seconds(10),
            max_payload: 320 * 1024,
            max_waiting: 1024 * 1024,
            window: 256 * 1024,
            confirm_after: Span::seconds(2),
            resume: Span::seconds(120),
            max_kept: 100_000,
        }
    }
}
