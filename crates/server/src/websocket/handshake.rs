use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use hyper::ext::Protocol;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use crate::error::ChannelError;

/// What the key is hashed with (RFC 6455, 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// The socket behind a handshake.
pub type Socket = TokioIo<Upgraded>;

/// A handshake that was accepted; the socket is there once the answer is sent.
#[derive(Debug)]
pub struct Upgrade(OnUpgrade);

impl Upgrade {
    /// Waits for the socket; `None` when the client went away before it was there.
    pub async fn socket(self) -> Option<Socket> {
        match self.0.await {
            Ok(upgraded) => Some(TokioIo::new(upgraded)),
            Err(error) => {
                tracing::debug!(%error, "a WebSocket was gone before its handshake was done");
                None
            }
        }
    }
}

/// Whether a request asks for a WebSocket at all, rightly or wrongly.
pub fn is_asked_for(request: &Request) -> bool {
    let protocol = request.extensions().get::<Protocol>();
    names(request.headers(), UPGRADE, "websocket") || protocol.is_some()
}

/// Accepts a handshake: `GET` with `Upgrade: websocket` over HTTP/1.1 (RFC 6455, 4.2), `CONNECT` with
/// `:protocol` over HTTP/2 (RFC 8441). Give the answer back as it is, and run the connection in a task of
/// its own.
///
/// # Errors
/// The answer for what is no handshake: 426 when no WebSocket or another version of it is asked for
/// (code 5908), 400 without a key.
pub fn accept(mut request: Request) -> Result<(Response, Upgrade), Refused> {
    let mut response = Response::new(Body::empty());
    let headers = request.headers();
    if request.version() == Version::HTTP_2 {
        let protocol = request.extensions().get::<Protocol>();
        if request.method() != Method::CONNECT || protocol.map(Protocol::as_str) != Some("websocket") {
            return Err(Refused::NotAskedFor);
        }
    } else {
        let asks = names(headers, UPGRADE, "websocket") && names(headers, CONNECTION, "upgrade");
        if request.method() != Method::GET || request.version() != Version::HTTP_11 || !asks {
            return Err(Refused::NotAskedFor);
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).ok_or(Refused::NoKey)?;
        let accept = HeaderValue::try_from(accept_key(key.as_bytes())).map_err(|_| Refused::NoKey)?;
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let answer = response.headers_mut();
        answer.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        answer.insert(UPGRADE, WEBSOCKET);
        answer.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if headers.get(SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        return Err(Refused::Version);
    }
    let upgrade = request.extensions_mut().remove().ok_or(Refused::NotAskedFor)?;
    Ok((response, Upgrade(upgrade)))
}

/// Why a request is no handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It asks for no WebSocket.
    NotAskedFor,
    /// It asks for another version than 13.
    Version,
    /// It has no `Sec-WebSocket-Key`.
    NoKey,
}

impl Refused {
    /// The answer.
    pub fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NotAskedFor => (
                StatusCode::UPGRADE_REQUIRED,
                "Upgrade: expected a WebSocket handshake (RFC 6455), found a request without one",
            ),
            Self::Version => (StatusCode::UPGRADE_REQUIRED, "Sec-WebSocket-Version: expected 13"),
            Self::NoKey => (
                StatusCode::BAD_REQUEST,
                "Sec-WebSocket-Key: expected a key, found none",
            ),
        };
        let mut response = ChannelError::new(status, 5908, text).into_response();
        if status == StatusCode::UPGRADE_REQUIRED {
            let headers = response.headers_mut();
            headers.insert(UPGRADE, WEBSOCKET);
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(SEC_WEBSOCKET_VERSION, VERSION);
        }
        response
    }
}

/// Whether one of the elements of a list header is this word.
fn names(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let lines = headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .any(|element| element.trim().eq_ignore_ascii_case(word))
}

fn accept_key(key: &[u8]) -> String {
    let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    digest.update(key);
    digest.update(GUID);
    BASE64_STANDARD.encode(digest.finish())
}

#[cfg(test)]
mod tests;
