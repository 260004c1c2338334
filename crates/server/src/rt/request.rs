use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use engine::access::credentials::Credentials;
use engine::access::snapshot::AppState;
use engine::error::Error;
use http::header::ORIGIN;
use http::{Method, StatusCode, Uri};
use model::app::RESERVED;

use super::session::{Session, Transport};
use super::websocket::Socket;
use super::{Rt, frame, polling};
use crate::addressing::{self, Addressed};
use crate::error::ChannelError;
use crate::query;
use crate::serve::request_id::RequestId;
use crate::websocket::handshake;

/// Random bytes of a session's id.
const SID: usize = 15;
/// What a client may call itself, in bytes.
const MAX_CLIENT: usize = 128;

/// The path segment that names the app, if a request is one of Backendless RT: its path is a single
/// segment and its query has `EIO`.
pub fn app_of(uri: &Uri) -> Option<&str> {
    let path = uri.path().strip_prefix('/')?;
    let segment = path.strip_suffix('/').unwrap_or(path);
    let is_one = !segment.is_empty() && !segment.contains('/') && !RESERVED.contains(&segment);
    let asks = || uri.query()?.split('&').find(|pair| pair.starts_with("EIO="));
    (is_one && asks().is_some()).then_some(segment)
}

/// Why a request is refused, in engine.io's shape: its codes, with a text of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// `transport` is neither `polling` nor `websocket`.
    UnknownTransport,
    /// There is no such session: it was closed, or was another node's.
    UnknownSession,
    /// A handshake with another method than GET.
    Method,
    /// A request that cannot be, with what was wrong.
    BadRequest(&'static str),
    /// `EIO` is not 4.
    Version,
}

impl Refused {
    fn into_response(self) -> Response {
        let (code, text) = match self {
            Self::UnknownTransport => (0, "transport: expected polling or websocket"),
            Self::UnknownSession => (1, "sid: there is no such session"),
            Self::Method => (2, "a handshake is made with GET"),
            Self::BadRequest(text) => (3, text),
            Self::Version => (5, "EIO: expected 4"),
        };
        ChannelError::new(StatusCode::BAD_REQUEST, code, text).into_response()
    }
}

/// What the query of a request says.
#[derive(Default)]
struct Query {
    version: String,
    transport: String,
    sid: Option<String>,
    client: Option<String>,
    key: Option<String>,
    token: Option<String>,
}

impl Query {
    fn of(uri: &Uri) -> Self {
        let mut found = Self::default();
        for (name, value) in query::pairs(uri.query().unwrap_or_default()) {
            let value = value.into_owned();
            match &*name {
                "EIO" => found.version = value,
                "transport" => found.transport = value,
                "sid" => found.sid = Some(value),
                "clientId" => found.client = Some(value),
                "apiKey" => found.key = Some(value),
                "userToken" => found.token = Some(value),
                _ => {}
            }
        }
        found
    }

    /// What the client calls itself, if it is fit to be kept.
    fn client(&self) -> Option<Arc<str>> {
        let client = self.client.as_deref()?;
        let is_given = !matches!(client, "" | "undefined" | "null") && client.len() <= MAX_CLIENT;
        is_given.then(|| client.into())
    }
}

impl Rt {
    /// Answers a request of Backendless RT.
    pub async fn answer(self: Arc<Self>, request: Request) -> Response {
        match self.route(request).await {
            Ok(response) => response,
            Err(refused) => refused.into_response(),
        }
    }

    async fn route(self: Arc<Self>, request: Request) -> Result<Response, Refused> {
        let query = Query::of(request.uri());
        if query.version != "4" {
            return Err(Refused::Version);
        }
        let addressed = request.extensions().get::<Addressed>();
        let app = addressed.and_then(|addressed| Some((addressed.app.clone()?, addressed.id.to_string())));
        let Some((app, address)) = app else {
            return Ok(ChannelError::from(Error::NotFound { what: "app" }).into_response());
        };
        let session = match &query.sid {
            Some(sid) => Some(self.find(sid, app.key).ok_or(Refused::UnknownSession)?),
            None => None,
        };
        match (&*query.transport, session) {
            ("websocket", session) => self.upgrade(request, session, (app, address, query)).await,
            ("polling", Some(session)) => match *request.method() {
                Method::GET => self.poll(&session).await,
                Method::POST => self.body(&session, request).await,
                _ => Err(Refused::BadRequest("polling takes GET and POST")),
            },
            ("polling", None) if request.method() == Method::GET => {
                match self.open(app, address, query, Transport::Polling).await {
                    Ok(session) => Ok(polling::answer(self.greeting(&session, &["websocket"]))),
                    Err(error) => Ok(ChannelError::from(error).into_response()),
                }
            }
            ("polling", None) => Err(Refused::Method),
            _ => Err(Refused::UnknownTransport),
        }
    }

    /// Opens a session. It is opened for a bad key or token too: a client whose handshake is refused tries
    /// again for ever, so each of its subscriptions is refused instead (api.md 3.6).
    async fn open(
        self: &Arc<Self>,
        app: Arc<AppState>,
        address: String,
        query: Query,
        transport: Transport,
    ) -> Result<Arc<Session>, Error> {
        let client = query.client();
        let key = Credentials::new(query.key, None::<String>);
        let access = self.engine.access();
        let caller = access.authenticate(&app, &key.with_token(query.token)).await;
        let connection = self.engine.connect();
        let session = Session::new(
            (self.fresh_id(), app, address),
            (client, key),
            caller,
            (connection, transport),
            &self.options,
        );
        self.add(session).ok_or_else(|| Error::Unavailable {
            reason: "the server takes no more live connections now".into(),
        })
    }

    fn fresh_id(&self) -> Arc<str> {
        let mut random = [0; SID];
        self.engine.ids().fill(&mut random);
        let mut text = String::with_capacity(2 * SID);
        for byte in random {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        text.into()
    }

    /// The answer to a handshake.
    fn greeting(&self, session: &Session, upgrades: &[&str]) -> Vec<u8> {
        let options = &self.options;
        let ping = (
            options.ping_interval.as_millis(),
            options.ping_timeout.as_millis(),
        );
        frame::open(&session.sid, upgrades, ping, options.max_payload)
    }

    async fn body(self: &Arc<Self>, session: &Arc<Session>, request: Request) -> Result<Response, Refused> {
        let limit = self.options.max_payload;
        match axum::body::to_bytes(request.into_body(), limit).await {
            Ok(body) => self.post(session, &body).await,
            Err(error) => {
                tracing::debug!(%error, "the body of a polling request could not be read");
                let what = "bytes of a polling request";
                Ok(ChannelError::from(Error::TooLarge { what, limit }).into_response())
            }
        }
    }

    async fn upgrade(
        self: Arc<Self>,
        request: Request,
        session: Option<Arc<Session>>,
        (app, address, query): (Arc<AppState>, String, Query),
    ) -> Result<Response, Refused> {
        // Browsers ask no leave for WebSockets (api.md 5, CORS).
        let (parts, body) = request.into_parts();
        if let Some(origin) = parts.headers.get(ORIGIN)
            && !addressing::origin_allowed(&self.state, &parts, origin)
            && !addressing::is_same_origin(&parts, origin)
        {
            let text = "Origin: pages of this origin may not connect to the app (setting cors.origins)";
            return Ok(ChannelError::new(StatusCode::FORBIDDEN, 5007, text).into_response());
        }
        let (response, upgrade) = match handshake::accept(Request::from_parts(parts, body)) {
            Ok(accepted) => accepted,
            Err(refused) => return Ok(refused.into_response()),
        };
        let socket = match session {
            Some(session) if session.state.lock().transport == Transport::WebSocket => {
                return Err(Refused::BadRequest("the session is on a WebSocket"));
            }
            Some(session) => Socket::probing(Arc::clone(&self), session),
            None => match self.open(app, address, query, Transport::WebSocket).await {
                Ok(session) => {
                    session.reply(self.greeting(&session, &[]));
                    Socket::opened(Arc::clone(&self), session)
                }
                Err(error) => return Ok(ChannelError::from(error).into_response()),
            },
        };
        tokio::spawn(RequestId::carried(socket.run(upgrade)));
        Ok(response)
    }
}
