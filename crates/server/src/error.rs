use std::error::Error as _;

use axum::Json;
use axum::response::{IntoResponse, Response};
use engine::access::error::AccessError;
use engine::error::Error;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use model::schedule::TimingError;
use serde::Serialize;

use crate::query::segment;
use crate::serve::request_id::RequestId;

/// Which shape errors have: it goes by the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `{"message","code"}` (api.md 3.1).
    Channel,
    /// `{"meta","errors"}` (api.md 4).
    Inbox,
}

impl Family {
    /// The family of a path without classic prefix.
    pub fn of(path: &str) -> Self {
        match segment(path, 1) {
            Some("messages" | "users") => Self::Inbox,
            _ => Self::Channel,
        }
    }

    /// An error in this shape.
    pub fn refuse(self, error: Error) -> Response {
        match self {
            Self::Channel => ChannelError::from(error).into_response(),
            Self::Inbox => InboxFailure::from(error).into_response(),
        }
    }

    /// Whether the path answers for an app: all that does not stands in api.md 5, or is `/api/info`,
    /// which always answers 200 (api.md 2).
    pub fn needs_app(self, path: &str) -> bool {
        let first = segment(path, 1).unwrap_or("");
        let of_node = ["healthz", "readyz", "metrics", "openapi.json", "console", "admin"];
        path != "/api/info" && !of_node.contains(&first)
    }
}

/// An error of the channel family (api.md 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelError {
    status: StatusCode,
    code: u16,
    message: String,
    retry_after: Option<u32>,
}

#[derive(Serialize)]
struct ChannelBody<'a> {
    message: &'a str,
    code: u16,
}

impl ChannelError {
    /// An error with its status and code of the table in api.md 3.1.
    pub fn new(status: StatusCode, code: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// The status that answers it over HTTP.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code of the table in api.md 3.1.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// What happened, for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<Error> for ChannelError {
    fn from(error: Error) -> Self {
        log(&error);
        let (status, code) = match &error {
            Error::Access(refused) => match refused {
                AccessError::Forbidden | AccessError::MissingScope(_) => {
                    (StatusCode::FORBIDDEN, refused.code())
                }
                _ => (StatusCode::UNAUTHORIZED, refused.code()),
            },
            Error::ChannelName(_) => (StatusCode::BAD_REQUEST, 5903),
            Error::Headers(_) => (StatusCode::BAD_REQUEST, 5904),
            Error::Selector(_) => (StatusCode::BAD_REQUEST, 5906),
            Error::Timing(TimingError::RepeatExpiresAt(_)) => (StatusCode::BAD_REQUEST, 5003),
            Error::Timing(TimingError::PublishAt(_)) => (StatusCode::BAD_REQUEST, 5030),
            Error::Timing(TimingError::Repetition { .. }) => (StatusCode::BAD_REQUEST, 5905),
            Error::Parameter { .. } | Error::InboxId(_) | Error::Client(_) => (StatusCode::BAD_REQUEST, 5908),
            Error::NotBuilt { .. } => (StatusCode::NOT_IMPLEMENTED, 5916),
            Error::NotWaiting => (StatusCode::CONFLICT, 5040),
            Error::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, 5912),
            Error::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, 5913),
            Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, 5910),
            Error::NotFound { .. } | Error::NothingMarked => (StatusCode::NOT_FOUND, 5909),
            Error::NoSubscription => (StatusCode::NOT_FOUND, 5907),
            Error::Unavailable { .. } | Error::SyncDisabled => (StatusCode::SERVICE_UNAVAILABLE, 5914),
            Error::OutcomeUnknown(_) => (StatusCode::SERVICE_UNAVAILABLE, 5915),
            Error::SyncFailed { .. } | Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, 5919),
        };
        Self {
            status,
            code,
            message: error.to_string(),
            retry_after: retry_after(&error),
        }
    }
}

impl ChannelError {
    /// The same error with another text.
    pub fn saying(self, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..self
        }
    }

    /// An error of ours, which is looked up in the log by the request's id (api.md 3.1, 500/5919).
    pub fn internal(request_id: &str) -> Self {
        let text = format!("an error inside the server, request id {request_id}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 5919, text)
    }
}

/// Marks an answer that the edge gives the request's id ([`crate::serve::hooks::Hooks::finish`]).
#[derive(Clone)]
pub struct LacksRequestId;

impl IntoResponse for ChannelError {
    fn into_response(self) -> Response {
        let body = Json(ChannelBody {
            message: &self.message,
            code: self.code,
        });
        let mut response = with_retry_after((self.status, body).into_response(), self.retry_after);
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            response.extensions_mut().insert(LacksRequestId);
        }
        response
    }
}

/// An error of the inbox family; [`crate::envelope`] puts the `meta` around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxFailure {
    /// The status.
    pub status: StatusCode,
    /// What happened, for people.
    pub detail: String,
    /// What a 409 says of duplicates.
    pub duplicates: Option<Duplicates>,
    retry_after: Option<u32>,
}

/// What an import with duplicate ids tells in `meta` (api.md 4, Import).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// The first duplicate id.
    pub duplicate_key: String,
    /// How many messages were new and are stored.
    pub imported: u64,
    /// How many were duplicates.
    pub duplicates: u64,
}

impl InboxFailure {
    /// A failure with its status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            duplicates: None,
            retry_after: None,
        }
    }
}

impl From<Error> for InboxFailure {
    fn from(error: Error) -> Self {
        log(&error);
        let status = match &error {
            // Valid but not allowed is 401 here: the documents of this family know 403 for plain HTTP alone.
            Error::Access(_) => StatusCode::UNAUTHORIZED,
            Error::NotFound { .. } | Error::NoSubscription | Error::NothingMarked => StatusCode::NOT_FOUND,
            Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::NotBuilt { .. } => StatusCode::NOT_IMPLEMENTED,
            Error::NotWaiting => StatusCode::CONFLICT,
            Error::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Unavailable { .. } | Error::OutcomeUnknown(_) | Error::SyncDisabled => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Error::SyncFailed { .. } | Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Error::ChannelName(_)
            | Error::Headers(_)
            | Error::Selector(_)
            | Error::Timing(_)
            | Error::Parameter { .. }
            | Error::InboxId(_)
            | Error::Client(_) => StatusCode::BAD_REQUEST,
        };
        let detail = match &error {
            // The engine's text speaks of idempotency keys; here every operation may be repeated.
            Error::OutcomeUnknown(_) => {
                "the store failed at commit, the outcome is unknown; send the same request again".to_owned()
            }
            error => error.to_string(),
        };
        Self {
            retry_after: retry_after(&error),
            ..Self::new(status, detail)
        }
    }
}

impl IntoResponse for InboxFailure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response = with_retry_after(response, self.retry_after);
        response.extensions_mut().insert(self);
        response
    }
}

/// Seconds after which the same request may do better, where waiting helps.
fn retry_after(error: &Error) -> Option<u32> {
    match error {
        Error::Unavailable { .. } | Error::OutcomeUnknown(_) => Some(1),
        _ => None,
    }
}

fn with_retry_after(mut response: Response, seconds: Option<u32>) -> Response {
    if let Some(seconds) = seconds {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Errors of ours are logged once, here, with their causes and the request's id.
fn log(error: &Error) {
    let request_id = || RequestId::current().map(tracing::field::display);
    match error {
        Error::Internal(source) => tracing::error!(
            request.id = request_id(),
            error = source.as_ref() as &dyn std::error::Error,
            "a request failed"
        ),
        Error::OutcomeUnknown(source) => {
            let error = source as &dyn std::error::Error;
            tracing::error!(request.id = request_id(), error, "a commit failed")
        }
        Error::Unavailable { reason } => {
            tracing::warn!(request.id = request_id(), reason, "a request was refused")
        }
        Error::SyncFailed { .. } => tracing::warn!(
            request.id = request_id(),
            error = error as &dyn std::error::Error,
            "a sync failed"
        ),
        Error::Access(refused) => {
            tracing::debug!(refused = %refused, cause = refused.source().map(tracing::field::display), "access refused")
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
