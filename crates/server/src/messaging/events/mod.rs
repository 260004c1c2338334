use std::sync::Arc;

use axum::extract::{Request, State as AxumState};
use axum::response::Response;
use engine::error::Error;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use model::position::Since;

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::path::Name;
use crate::messaging::reading;
use crate::query;
use crate::serve::streaming;
use heartbeats::Heartbeats;

/// Events as bytes.
mod frame;
/// One ticker for all streams.
pub mod heartbeats;
/// The body of an answer that goes on.
mod stream;

/// Tells nginx to pass events on at once.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// `GET /api/messaging/{channel}/events` (api.md 3.6, SSE). `HEAD` is answered by the same head; its body
/// is dropped and the stream with it.
pub async fn events(
    heartbeats: Arc<Heartbeats>,
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    Name(channel): Name,
    request: Request,
) -> Result<Response, ChannelError> {
    let since = since(request.headers(), request.uri())?;
    let wanted = reading::wanted(request.uri());
    let stream = state.engine.subscribe(&caller, &channel, since, &wanted).await?;
    let mut response = streaming::answer(stream::Events::new(stream, &heartbeats));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// A browser that reconnects repeats the URL with its old `since`: what it says of the last event is
/// newer.
fn since(headers: &HeaderMap, uri: &Uri) -> Result<Option<Since>, Error> {
    const LAST_EVENT_ID: &str = "Last-Event-ID";
    let last = match headers.get(LAST_EVENT_ID).map(HeaderValue::to_str) {
        Some(Err(_)) => return Err(Error::parameter(LAST_EVENT_ID, "expected a position in ASCII")),
        Some(Ok(last)) => reading::since(LAST_EVENT_ID, Some(last))?,
        None => None,
    };
    match last {
        Some(last) => Ok(Some(last)),
        None => {
            let given = query::value(uri.query().unwrap_or_default(), "since");
            reading::since("since", given.as_deref())
        }
    }
}
