//! CORS (api.md 5). A layer of its own rather than a library's: whether an origin is allowed depends
//! on the app, and preflights are answered before routing, on every path.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::hooks::Hooks;

const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS");
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "user-token, content-type, x-api-key, authorization, idempotency-key, last-event-id",
);
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("X-Request-Id, Idempotent-Replayed, Retry-After");
/// Seconds for which a browser may keep the answer to a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// What was decided about the origin of a request, to be written on its answer.
pub(super) struct Decision {
    /// The origin, if there is one and it is allowed.
    allowed: Option<HeaderValue>,
    preflight: bool,
}

impl Decision {
    pub(super) fn of(parts: &Parts, hooks: &dyn Hooks) -> Self {
        let Some(origin) = parts.headers.get(ORIGIN) else {
            return Self {
                allowed: None,
                preflight: false,
            };
        };
        Self {
            allowed: hooks.origin_allowed(parts, origin).then(|| origin.clone()),
            preflight: parts.method == Method::OPTIONS
                && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD),
        }
    }

    /// The answer, if the request is a preflight: 204, or 403 for an origin that is not allowed.
    pub(super) fn preflight(&self) -> Option<Response> {
        if !self.preflight {
            return None;
        }
        let mut response = Response::new(Body::empty());
        if self.allowed.is_some() {
            *response.status_mut() = StatusCode::NO_CONTENT;
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        } else {
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
        Some(response)
    }

    /// Lets the page read the answer, if its origin is allowed.
    pub(super) fn mark(self, headers: &mut HeaderMap) {
        // Also without an origin: a cache must not give that answer to a page.
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            if !self.preflight {
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
            }
        }
    }
}
