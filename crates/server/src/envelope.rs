use axum::body::Body;
use axum::extract::{Request, State as AxumState};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::State;
use crate::error::{ChannelError, Family, InboxFailure, LacksRequestId};
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
struct DataBody<'a> {
    meta: MetaBody<'a>,
    data: &'a RawValue,
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

#[derive(Clone)]
struct RawData(std::sync::Arc<RawValue>);

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        match serde_json::value::to_raw_value(&self.0) {
            Ok(data) => {
                let mut response = StatusCode::OK.into_response();
                response.extensions_mut().insert(RawData(data.into()));
                response
            }
            Err(error) => InboxFailure::from(engine::error::Error::Internal(Box::new(error))).into_response(),
        }
    }
}

/// Middleware of all routes: puts `meta` around what inbox handlers answer, and the request's id into an
/// error of ours of the channel family.
pub async fn wrap(AxumState(state): AxumState<State>, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().cloned();
    let request_id = request_id.as_ref().map_or("", RequestId::as_str);
    let path = request.uri().path();
    if Family::of(path) == Family::Channel {
        let mut response = next.run(request).await;
        return match response.extensions_mut().remove::<LacksRequestId>() {
            Some(_) => ChannelError::internal(request_id).into_response(),
            None => response,
        };
    }
    let forwarded_for = request.extensions().get::<ClientInfo>();
    let meta = Meta {
        endpoint: path.to_owned(),
        forwarded_for: forwarded_for.map_or_else(String::new, |client| client.forwarded_for().to_owned()),
        request_id: request_id.to_owned(),
    };
    let response = next.run(request).await;
    meta.render(response, state.engine.clock().timestamp())
}

impl Meta {
    /// Writes the body of an answer that carries data or a failure; any other passes as it is.
    pub fn render(&self, mut response: Response, now: jiff::Timestamp) -> Response {
        let body = if let Some(RawData(data)) = response.extensions_mut().remove() {
            serde_json::to_vec(&DataBody {
                meta: self.body(None, now),
                data: &data,
            })
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
