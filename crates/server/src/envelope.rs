use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State as AxumState};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::State;
use crate::error::InboxFailure;
use crate::serve::client::ClientInfo;
use crate::serve::request_id::RequestId;

/// What every inbox answer says of its request (api.md 4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// The path without query and without classic prefix.
    pub endpoint: String,
    /// `X-Forwarded-For` if it is from a trusted proxy, else empty.
    pub forwarded_for: String,
    /// The request's id.
    pub request_id: String,
}

#[derive(Serialize)]
struct MetaBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imported: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicates: Option<u64>,
    endpoint: &'a str,
    forwarded_for: &'a str,
    request_id: &'a str,
    timestamp: String,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    meta: MetaBody<'a>,
    errors: [ErrorItem<'a>; 1],
}

#[derive(Serialize)]
struct ErrorItem<'a> {
    status: u16,
    title: &'a str,
    detail: &'a str,
}

/// The `data` of an inbox answer; [`wrap`] puts the `meta` around it.
pub struct Data<T>(pub T);

/// The `data` of an inbox answer that is JSON already.
#[derive(Clone)]
pub struct RawData(pub Bytes);

impl IntoResponse for RawData {
    /// On its way to [`Meta::render`].
    fn into_response(self) -> Response {
        let mut response = StatusCode::OK.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(data) => RawData(data.into()).into_response(),
            Err(error) => InboxFailure::from(engine::error::Error::Internal(Box::new(error))).into_response(),
        }
    }
}

/// Middleware of the inbox routes: puts `meta` around what handlers answer.
pub async fn wrap(AxumState(state): AxumState<State>, meta: Meta, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    meta.render(response, state.engine.clock().timestamp())
}

/// `{"meta":…,"data":…}` around what is JSON already.
fn with_data(meta: &MetaBody<'_>, data: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(data.len() + 320);
    body.extend_from_slice(br#"{"meta":"#);
    serde_json::to_writer(&mut body, meta)?;
    body.extend_from_slice(br#","data":"#);
    body.extend_from_slice(data);
    body.push(b'}');
    Ok(body)
}

impl FromRequestParts<State> for Meta {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl Meta {
    /// What a request tells of itself once the edge has prepared it.
    pub fn of(parts: &Parts) -> Self {
        let client = parts.extensions.get::<ClientInfo>();
        let request_id = parts.extensions.get::<RequestId>();
        Self {
            endpoint: parts.uri.path().to_owned(),
            forwarded_for: client.map_or_else(String::new, |client| client.forwarded_for().to_owned()),
            request_id: request_id.map_or_else(String::new, |id| id.as_str().to_owned()),
        }
    }

    /// Writes the body of an answer that carries data or a failure; any other passes as it is.
    pub fn render(&self, mut response: Response, now: jiff::Timestamp) -> Response {
        let body = if let Some(RawData(data)) = response.extensions_mut().remove() {
            with_data(&self.body(None, now), &data)
        } else if let Some(failure) = response.extensions_mut().remove::<InboxFailure>() {
            let title = failure.status.canonical_reason().unwrap_or("Error");
            let item = ErrorItem {
                status: failure.status.as_u16(),
                title,
                detail: &failure.detail,
            };
            serde_json::to_vec(&ErrorBody {
                meta: self.body(Some(&failure), now),
                errors: [item],
            })
        } else {
            return response;
        };
        match body {
            Ok(body) => {
                let json = HeaderValue::from_static("application/json; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, json);
                // The empty body that the length was of is replaced.
                response.headers_mut().remove(http::header::CONTENT_LENGTH);
                *response.body_mut() = Body::from(body);
                response
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "an answer could not be written"
                );
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    fn body<'a>(&'a self, failure: Option<&'a InboxFailure>, now: jiff::Timestamp) -> MetaBody<'a> {
        let duplicates = failure.and_then(|failure| failure.duplicates.as_ref());
        MetaBody {
            duplicate_key: duplicates.map(|duplicates| duplicates.duplicate_key.as_str()),
            imported: duplicates.map(|duplicates| duplicates.imported),
            duplicates: duplicates.map(|duplicates| duplicates.duplicates),
            endpoint: &self.endpoint,
            forwarded_for: &self.forwarded_for,
            request_id: &self.request_id,
            timestamp: format!("{now:.9}"),
        }
    }
}
