use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use super::Rt;
use super::frame::Payload;
use super::request::Refused;
use super::session::{Filled, Session, Transport};
use crate::websocket::close::CloseCode;

/// How long a request is held while a WebSocket probes: the client polls on until it has heard from that.
const WHILE_PROBING: Duration = Duration::from_millis(100);
/// `6`: nothing.
const NOOP: &[u8] = b"6";
/// `1`: the session is closed.
const CLOSE: &[u8] = b"1";

impl Rt {
    /// A polling request for output: held until there is some. It also confirms that what the last one
    /// was answered has arrived.
    pub(super) async fn poll(self: &Arc<Self>, session: &Arc<Session>) -> Result<Response, Refused> {
        let (turn, is_probing) = {
            let mut state = session.state.lock();
            if state.transport == Transport::WebSocket {
                return Err(Refused::BadRequest("the session is on a WebSocket"));
            }
            state.confirm.confirm();
            state.subscriptions.confirm();
            (state.take_turn(), state.transport != Transport::Polling)
        };
        let output = self.output(session, turn);
        let payload = if is_probing {
            tokio::time::timeout(WHILE_PROBING, output).await.ok()
        } else {
            Some(output.await)
        };
        Ok(answer(payload.unwrap_or_else(|| NOOP.to_vec())))
    }

    /// Waits for output, for the end of the session, or for somebody else to take the turn.
    async fn output(self: &Arc<Self>, session: &Arc<Session>, turn: u64) -> Vec<u8> {
        let was_probing = session.state.lock().transport != Transport::Polling;
        poll_fn(|context| {
            if session.closed().is_some() {
                return Poll::Ready(CLOSE.to_vec());
            }
            let mut payload = Payload::default();
            match session.fill(turn, context, &mut payload, &self.options) {
                Filled::Open => {}
                Filled::NotYours => return Poll::Ready(NOOP.to_vec()),
                Filled::Close(closed) => {
                    self.close(session, closed.code, closed.reason);
                    return Poll::Ready(CLOSE.to_vec());
                }
            }
            let mut state = session.state.lock();
            if !payload.0.is_empty() {
                let state = &mut *state;
                state.confirm.mark();
                state.subscriptions.mark(&mut state.connection);
                return Poll::Ready(payload.0);
            }
            let goes_over = !was_probing && state.transport != Transport::Polling;
            drop(state);
            // It may have been closed before the waker was left.
            match (session.closed(), goes_over) {
                (Some(_), _) => Poll::Ready(CLOSE.to_vec()),
                (None, true) => Poll::Ready(NOOP.to_vec()),
                (None, false) => Poll::Pending,
            }
        })
        .await
    }

    /// Packets of a client.
    pub(super) async fn post(
        self: &Arc<Self>,
        session: &Arc<Session>,
        body: &[u8],
    ) -> Result<Response, Refused> {
        if session.state.lock().transport == Transport::WebSocket {
            return Err(Refused::BadRequest("the session is on a WebSocket"));
        }
        let payload = match std::str::from_utf8(body) {
            Ok(payload) => payload,
            Err(_) => return Err(self.violated(session, "the body is not UTF-8")),
        };
        match self.receive_all(session, payload).await {
            Ok(()) => Ok(answer(b"ok".to_vec())),
            Err(malformed) => Err(self.violated(session, malformed.0)),
        }
    }

    fn violated(self: &Arc<Self>, session: &Arc<Session>, reason: &'static str) -> Refused {
        self.close(session, CloseCode::PROTOCOL, reason);
        Refused::BadRequest(reason)
    }
}

/// An answer in text, which nobody may keep.
pub fn answer(text: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=UTF-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
