use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use model::time::Clock;
use serde::Serialize;

use crate::error::{Duplicates, InboxFailure};
use crate::serve::hooks::RequestContext;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// What every inbox answer says of its request (api.md 4).
#[derive(Serialize)]
struct Meta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imported: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicates: Option<u64>,
    /// The path without query and without classic prefix.
    endpoint: &'a str,
    /// `X-Forwarded-For` if it is from a trusted proxy, else empty.
    forwarded_for: &'a str,
    request_id: &'a str,
    timestamp: String,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    meta: Meta<'a>,
    errors: [ErrorItem<'a>; 1],
}

#[derive(Serialize)]
struct ErrorItem<'a> {
    status: u16,
    title: &'a str,
    detail: &'a str,
}

/// The `data` of an inbox answer; [`with_meta`] puts the `meta` around it.
pub struct Data<T>(pub T);

/// The `data` of an inbox answer that is JSON already.
#[derive(Clone)]
pub struct RawData(pub Bytes);

impl IntoResponse for RawData {
    /// On its way to [`with_meta`].
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

/// Puts `meta` around an answer that carries data or a failure; any other passes as it is.
pub fn with_meta(mut response: Response, request: &RequestContext, clock: &dyn Clock) -> Response {
    let body = if let Some(RawData(data)) = response.extensions_mut().remove() {
        with_data(&Meta::of(request, None, clock), &data)
    } else if let Some(failure) = response.extensions_mut().remove::<InboxFailure>() {
        let title = failure.status.canonical_reason().unwrap_or("Error");
        let item = ErrorItem {
            status: failure.status.as_u16(),
            title,
            detail: &failure.detail,
        };
        serde_json::to_vec(&ErrorBody {
            meta: Meta::of(request, failure.duplicates.as_ref(), clock),
            errors: [item],
        })
    } else {
        return response;
    };
    match body {
        Ok(body) => {
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, JSON);
            headers.insert(CONTENT_LENGTH, body.len().into());
            if request.method != Method::HEAD {
                *response.body_mut() = Body::from(body);
            }
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

/// `{"meta":…,"data":…}` around what is JSON already.
fn with_data(meta: &Meta<'_>, data: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(data.len() + 320);
    body.extend_from_slice(br#"{"meta":"#);
    serde_json::to_writer(&mut body, meta)?;
    body.extend_from_slice(br#","data":"#);
    body.extend_from_slice(data);
    body.push(b'}');
    Ok(body)
}

impl<'a> Meta<'a> {
    fn of(request: &'a RequestContext, duplicates: Option<&'a Duplicates>, clock: &dyn Clock) -> Self {
        Self {
            duplicate_key: duplicates.map(|duplicates| duplicates.duplicate_key.as_str()),
            imported: duplicates.map(|duplicates| duplicates.imported),
            duplicates: duplicates.map(|duplicates| duplicates.duplicates),
            endpoint: request.uri.path(),
            forwarded_for: request.client.forwarded_for(),
            request_id: request.request_id.as_str(),
            timestamp: format!("{:.9}", clock.timestamp()),
        }
    }
}
