use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State as AxumState};
use axum::response::{IntoResponse as _, Response};
use engine::error::Error;
use engine::messaging::Wanted;
use engine::messaging::polling::{Poll, Polled};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode, Uri};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::envelope::{self, formatted, string};
use crate::messaging::path::{Name, SecondName};
use crate::messaging::publish::body;
use crate::messaging::publish::fields::{self, value};
use crate::messaging::reading;
use crate::query;

/// Bytes of a subscribe body at most: a selector, a subtopic and a name.
const BODY_BYTES: usize = 16 * 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subscribed {
    subscription_id: String,
}

/// `POST /api/messaging/{channel}/subscribe` (api.md 3.6).
pub async fn subscribe(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    Name(channel): Name,
    request: Request,
) -> Result<Response, ChannelError> {
    let body = body::read(request.into_body(), BODY_BYTES).await?;
    let wanted = wanted(&body)?;
    let id = state.engine.create_polling(&caller, &channel, &wanted).await?;
    let subscription_id = id.hyphenated().to_string();
    Ok(Json(Subscribed { subscription_id }).into_response())
}

/// `GET /api/messaging/{channel}/{subscription-id}` (api.md 3.6).
pub async fn poll(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    Name(channel): Name,
    SecondName(subscription): SecondName,
    method: Method,
    uri: Uri,
) -> Result<Response, ChannelError> {
    if method == Method::HEAD {
        // A poll is no safe method: what it takes must not be dropped.
        let text = "HEAD is not a method of this path";
        let error = ChannelError::new(StatusCode::METHOD_NOT_ALLOWED, 5918, text);
        return Ok(([(ALLOW, "GET,DELETE")], error).into_response());
    }
    let query = uri.query().unwrap_or_default();
    refuse_filters(query)?;
    let given = query::value(query, "since");
    let poll = Poll {
        since: reading::since("since", given.as_deref())?,
        wait: wait(&uri)?,
    };
    let polled = state
        .engine
        .poll(&caller, &channel, &subscription, poll)
        .await
        .map_err(failed)?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, answer(&polled)).into_response())
}

/// `DELETE /api/messaging/{channel}/{subscription-id}` (api.md 3.6).
pub async fn unsubscribe(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    Name(channel): Name,
    SecondName(subscription): SecondName,
) -> Result<Response, ChannelError> {
    state.engine.end_polling(&caller, &channel, &subscription).await?;
    Ok((StatusCode::OK, Json(true)).into_response())
}

fn failed(error: Error) -> ChannelError {
    let is_unknown = matches!(error, Error::OutcomeUnknown(_));
    let error = ChannelError::from(error);
    match is_unknown {
        true => error.saying(
            "the store failed at commit, whether the messages count as taken is unknown; poll again with `since`, the \
             position of the last answer that came",
        ),
        false => error,
    }
}

/// The fields of a subscribe body. All of it may be absent, and unknown fields are ignored.
fn wanted(body: &[u8]) -> Result<Wanted, ChannelError> {
    let fields: HashMap<String, &RawValue> = match body.trim_ascii() {
        b"" => HashMap::new(),
        _ => fields::object(body)?,
    };
    let field = |name: &'static str| {
        let given = fields.get(name).copied();
        value::text(given.filter(|value| value.get() != "null"), name)
    };
    // Checked like every field, and needed for nothing: the subscription's id tells readers apart.
    field("subscriberId")?;
    Ok(Wanted {
        selector: field("selector")?,
        subtopic: field("subtopic")?,
    })
}

/// What is to come is part of the subscription: a poll that asks for something else must not be misled.
fn refuse_filters(query: &str) -> Result<(), Error> {
    for name in ["selector", "subtopic"] {
        if query::value(query, name).is_some_and(|value| !value.is_empty()) {
            let text = "expected in the body of the subscribe request, found in the query of a poll";
            return Err(Error::parameter(name, text));
        }
    }
    Ok(())
}

/// How long the answer is held, in whole seconds. Its range is the engine's to check.
fn wait(uri: &Uri) -> Result<Duration, Error> {
    let given = query::value(uri.query().unwrap_or_default(), "wait").filter(|text| !text.is_empty());
    let Some(text) = given else {
        return Ok(Duration::ZERO);
    };
    let seconds = text.parse().map_err(|_| {
        let found: String = text.chars().take(40).collect();
        Error::parameter(
            "wait",
            format!("expected a whole number of seconds, found {found:?}"),
        )
    })?;
    Ok(Duration::from_secs(seconds))
}

fn answer(polled: &Polled) -> Vec<u8> {
    let size: usize = polled
        .messages
        .iter()
        .map(|entry| 200 + entry.message.content.size())
        .sum();
    let mut out = Vec::with_capacity(128 + size);
    out.extend_from_slice(b"{\"messages\":[");
    for (at, entry) in polled.messages.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        envelope::write_polled(&mut out, &entry.message);
    }
    formatted(&mut out, format_args!("],\"position\":\"{}\"", polled.position));
    if let Some((from, to)) = &polled.gap {
        out.extend_from_slice(b",\"gap\":{\"from\":");
        string(&mut out, &from.to_string());
        formatted(&mut out, format_args!(",\"to\":\"{to}\"}}"));
    }
    out.push(b'}');
    out
}
