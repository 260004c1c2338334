//! The WebSocket of subscribers and publishers (api.md 3.6): ops as JSON text, many subscriptions a
//! connection.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State as AxumState};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::ORIGIN;

use crate::State;
use crate::addressing;
use crate::caller::{self, Caller};
use crate::error::ChannelError;
use crate::messaging::events::heartbeats::Heartbeats;
use crate::realtime::session::Realtime;
use crate::serve::request_id::RequestId;
use crate::websocket::driver::{Driver, Limits};
use crate::websocket::handshake::{self, Socket};
use crate::websocket::transport::Transport;

/// What the server says.
mod answer;
/// The live inboxes of a connection.
mod inboxes;
/// What runs for a client's requests.
mod operations;
/// What a client asks for.
mod request;
/// One connection.
mod session;

/// Bytes that a message may have beside a publish body of the largest size: `op`, `id`, `channel`.
const AROUND: usize = 4 * 1024;

/// The limits of WebSockets on this node. Those of an app are in its settings: a message may be 4 KiB
/// larger than its largest publish body (1009), and a connection may have as many subscriptions as
/// `limits.connection_subscriptions` says (5913).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Between two looks at every connection. The other times are rounded up to multiples of it.
    /// Default 5 s.
    pub beat: Duration,
    /// Between two `position` of a subscription (api.md 3.6). Default 15 s.
    pub position: Duration,
    /// Between two pings (api.md 3.6); a client that sent nothing since the one before is closed.
    /// Default 25 s.
    pub ping: Duration,
    /// A client that takes no bytes for this long is closed (api.md 3.8). Default 30 s.
    pub stall: Duration,
    /// Publishes of one connection that run at once; further messages are read when one is done.
    /// Default 32.
    pub publishes: usize,
    /// Bytes of the messages of these publishes, about. Default 1 MiB.
    pub publish_bytes: usize,
    /// Live inboxes of one connection (5913). Default 16.
    pub inboxes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            beat: Duration::from_secs(5),
            position: Duration::from_secs(15),
            ping: Duration::from_secs(25),
            stall: Duration::from_secs(30),
            publishes: 32,
            publish_bytes: 1024 * 1024,
            inboxes: 16,
        }
    }
}

/// What all connections share.
struct Shared {
    state: State,
    options: Options,
    limits: Arc<Limits>,
    heartbeats: Arc<Heartbeats>,
    /// The server is shutting down.
    is_ending: AtomicBool,
}

/// The route; over HTTP/2 a WebSocket begins with `CONNECT` (RFC 8441).
pub fn routes() -> Router<State> {
    let shared = Arc::new(OnceLock::new());
    let of = |shared: &Arc<OnceLock<Arc<Shared>>>| Arc::clone(shared);
    let (first, second) = (of(&shared), of(&shared));
    Router::new().route(
        "/api/realtime",
        get(move |state, caller, request| open(first, state, caller, request))
            .connect(move |state, caller, request| open(second, state, caller, request)),
    )
}

/// `GET /api/realtime` (api.md 3.6, WebSocket). Refused over HTTP: a credential that is no good, a page
/// of an origin that the app does not allow, and what is no handshake.
async fn open(
    shared: Arc<OnceLock<Arc<Shared>>>,
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    request: Request,
) -> Response {
    let shared = Arc::clone(shared.get_or_init(|| Shared::start(state)));
    let (parts, body) = request.into_parts();
    if let Some(origin) = parts.headers.get(ORIGIN)
        && !addressing::origin_allowed(&shared.state, &parts, origin)
        && !addressing::is_same_origin(&parts, origin)
    {
        let text = "Origin: pages of this origin may not connect to the app (setting cors.origins)";
        return ChannelError::new(StatusCode::FORBIDDEN, 5007, text).into_response();
    }
    let credentials = caller::credentials(&parts);
    let request_id = parts.extensions.get::<RequestId>().cloned();
    let (response, upgrade) = match handshake::accept(Request::from_parts(parts, body)) {
        Ok(accepted) => accepted,
        Err(refused) => return refused.into_response(),
    };
    let max_message = caller.app.settings.limits.publish_bytes.saturating_add(AROUND);
    let session = Box::new(Realtime::new(&shared, caller, credentials, request_id));
    // The socket keeps the server from ending before it is closed, so that the task need not.
    tokio::spawn(RequestId::carried(async move {
        if let Some(socket) = upgrade.socket().await {
            drive(&shared, Transport::new(socket, max_message), session).await;
        }
    }));
    response
}

fn drive(
    shared: &Arc<Shared>,
    transport: Transport<Socket>,
    session: Box<Realtime>,
) -> Driver<Socket, Box<Realtime>> {
    let beat = shared.heartbeats.join();
    Driver::new(transport, session, Arc::clone(&shared.limits), beat)
}

impl Shared {
    /// With the task that tells all connections that the server is shutting down.
    fn start(state: State) -> Arc<Self> {
        let options = state.settings.realtime.clone();
        let shared = Arc::new(Self {
            heartbeats: Arc::new(Heartbeats::every(options.beat)),
            limits: Arc::new(Limits {
                beat: options.beat,
                ping: options.ping,
                stall: options.stall,
            }),
            is_ending: AtomicBool::new(false),
            options,
            state,
        });
        let ends = shared.state.engine.streams_end().clone();
        let all = Arc::downgrade(&shared);
        tokio::spawn(async move {
            ends.cancelled().await;
            if let Some(shared) = all.upgrade() {
                shared.is_ending.store(true, Ordering::Release);
                shared.heartbeats.beat_all();
            }
        });
        shared
    }
}
