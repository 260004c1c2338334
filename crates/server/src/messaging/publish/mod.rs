use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::extract::{Request, State as AxumState};
use axum::response::{IntoResponse as _, Response};
use engine::access::caller::Caller as EngineCaller;
use engine::error::Error;
use engine::messaging::publish::{IdempotencyKey, Publish, Published};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use model::message::MessageId;
use model::permission::Access;
use serde::{Serialize, Serializer};

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::path::Name;
use crate::query;

/// Reading a bounded body.
pub mod body;
/// The fields of the body.
pub mod fields;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The answer has exactly these keys (api.md 3.1).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    error_message: Option<&'static str>,
    #[serde(serialize_with = "as_text")]
    message_id: MessageId,
    status: &'static str,
}

/// The answer to `?dryRun=true` (api.md 3.3).
#[derive(Serialize)]
struct DryRun {
    occurrences: Vec<i64>,
}

/// `POST /api/messaging/{channel}` (api.md 3.1).
pub async fn publish(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    Name(channel): Name,
    request: Request,
) -> Result<Response, ChannelError> {
    // The engine asks too; this spares reading what strangers send.
    caller.may(Access::Publish, &channel).map_err(Error::from)?;
    let asked = read(request, &caller, &channel).await?;
    if asked.is_dry_run {
        let times = state.engine.dry_run(&caller, &channel, asked.publish)?;
        let occurrences = times.into_iter().map(|at| at.0).collect();
        return Ok(Json(DryRun { occurrences }).into_response());
    }
    let published = state.engine.publish(&caller, &channel, asked.publish).await?;
    Ok(answer(&published))
}

/// What a request asks for.
struct Asked {
    publish: Publish,
    is_dry_run: bool,
}

/// Reads a request. Nothing of it is left while its message goes to disk.
async fn read(request: Request, caller: &EngineCaller, channel: &str) -> Result<Asked, ChannelError> {
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let limits = &caller.app.settings.limits;
    let body = body::read(body, limits.publish_bytes).await?;
    let mut publish = fields::parse(&body, limits)?;
    let is_dry_run = is_dry_run(&parts.uri)?;
    if !is_dry_run {
        publish.idempotency = idempotency_key(&parts.headers, channel, &body)?;
    }
    Ok(Asked { publish, is_dry_run })
}

fn as_text<S: Serializer>(id: &MessageId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl Answer {
    pub(crate) fn of(published: &Published) -> Self {
        let status = if published.failed.is_some() {
            "failed"
        } else {
            "scheduled"
        };
        Self {
            error_message: published.failed,
            message_id: published.id,
            status,
        }
    }
}

fn answer(published: &Published) -> Response {
    let mut response = Json(Answer::of(published)).into_response();
    if published.replayed {
        response
            .headers_mut()
            .insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

/// Parameters of the type, such as `charset=utf-8`, are fine.
///
/// # Errors
/// 415/5911 for any other type.
pub fn require_json(headers: &HeaderMap) -> Result<(), ChannelError> {
    let given = headers
        .get(CONTENT_TYPE)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let essence = given.split(|byte| *byte == b';').next().unwrap_or_default();
    if essence.trim_ascii().eq_ignore_ascii_case(b"application/json") {
        return Ok(());
    }
    let found: String = String::from_utf8_lossy(essence).chars().take(60).collect();
    let text = format!("Content-Type: expected application/json, found {found:?}");
    Err(ChannelError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, 5911, text))
}

fn is_dry_run(uri: &Uri) -> Result<bool, Error> {
    let Some(query) = uri.query() else {
        return Ok(false);
    };
    match query::value(query, "dryRun").as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(found) => {
            let found: String = found.chars().take(40).collect();
            Err(Error::parameter(
                "dryRun",
                format!("expected true or false, found {found:?}"),
            ))
        }
    }
}

fn idempotency_key(headers: &HeaderMap, channel: &str, body: &[u8]) -> Result<Option<IdempotencyKey>, Error> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let printable = key.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte));
    let (1..=128, true, Ok(text)) = (key.len(), printable, key.to_str()) else {
        let reason = format!(
            "expected 1 to 128 printable ASCII characters, found {} bytes",
            key.len()
        );
        return Err(Error::parameter("Idempotency-Key", reason));
    };
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, body).as_ref());
    Ok(Some(IdempotencyKey {
        key: text.to_owned(),
        request: format!("POST /api/messaging/{channel}"),
        body: sha256,
    }))
}
