use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State as AxumState;
use engine::error::Error;
use http::StatusCode;
use model::schedule::MAX_AHEAD_MS;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;

/// The longest body: two numbers.
const MAX_BODY: usize = 1_024;

/// Where the clock stands.
#[derive(Serialize)]
pub struct Answer {
    now: i64,
}

/// `POST /admin/v1/clock/advance` (api.md 5).
pub async fn advance_clock(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    body: Body,
) -> Result<Json<Answer>, ChannelError> {
    let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| {
        let text = format!("expected a body of at most {MAX_BODY} bytes");
        ChannelError::new(StatusCode::PAYLOAD_TOO_LARGE, 5910, text)
    })?;
    let fields: Map<String, Value> = serde_json::from_slice(&body).map_err(|error| {
        let text = format!("the body is no JSON object: {error}");
        ChannelError::new(StatusCode::BAD_REQUEST, 5901, text)
    })?;
    let by = duration(&fields, "ms", 0)?.ok_or_else(|| wrong("ms", 0, "none"))?;
    let step = duration(&fields, "step", 1)?;
    let now = state.engine.advance_clock(&caller, by, step).await?;
    Ok(Json(Answer { now: now.0 }))
}

/// A field in whole milliseconds; null is absent.
fn duration(fields: &Map<String, Value>, name: &'static str, least: u64) -> Result<Option<Duration>, Error> {
    let most = MAX_AHEAD_MS.unsigned_abs();
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().filter(|ms| (least..=most).contains(ms)) {
            Some(ms) => Ok(Some(Duration::from_millis(ms))),
            None => {
                let found: String = value.to_string().chars().take(40).collect();
                Err(wrong(name, least, &found))
            }
        },
    }
}

fn wrong(name: &'static str, least: u64, found: &str) -> Error {
    let reason = format!("expected whole milliseconds from {least} to {MAX_AHEAD_MS}, found {found}");
    Error::parameter(name, reason)
}
