//! Postbell over HTTP: routes, what requests and answers look like, streams.
//!
//! A handler extracts, makes one engine call and maps the answer; only this crate knows the wire's JSON.
//! It must never see a database driver or NATS.
//!
//! # Layout
//!
//! - [`serve`]: the listening edge, from the socket to the router.
//! - [`router`]: all routes, by who calls them.
//! - [`addressing`]: which app a request is for, and the classic path.
//! - [`caller`]: who calls.
//! - [`error`]: the one place where engine errors become statuses and codes, per family.
//! - [`envelope`]: the `meta` and `data` of inbox answers.
//! - [`websocket`]: the transport of connections with ops both ways.
//! - [`messaging`], [`inbox`]: one operation a file.
//! - [`realtime`]: the WebSocket.

use std::sync::Arc;

use engine::Engine;

pub mod serve;

/// Which app a request is for.
pub mod addressing;
/// Who calls.
pub mod caller;
/// Inbox answers.
pub mod envelope;
/// Engine errors as answers.
pub mod error;
/// The inbox (api.md 4).
pub mod inbox;
/// Channels (api.md 3).
pub mod messaging;
/// Health, and what clients ask first (api.md 3.6, 5).
pub mod operating;
/// Query parameters.
pub mod query;
/// The WebSocket of subscribers and publishers (api.md 3.6).
pub mod realtime;
/// All routes.
pub mod router;
pub mod rt;
pub mod websocket;

/// What a server is set up with, beside the edge's own options.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Hosts `{app-id}.{base_domain}` name an app (api.md 1).
    pub base_domain: Option<String>,
    /// The URL under which clients reach the server, without a trailing slash; else taken from requests.
    pub public_url: Option<String>,
    /// Any browser origin may call (`--dev`).
    pub any_origin: bool,
    /// The limits of WebSockets.
    pub realtime: realtime::Options,
    /// The limits of Backendless RT.
    pub rt: rt::options::Options,
}

/// What every handler has.
#[derive(Clone)]
pub struct State {
    /// What does the work.
    pub engine: Arc<Engine>,
    /// How the server is set up.
    pub settings: Arc<Settings>,
}
