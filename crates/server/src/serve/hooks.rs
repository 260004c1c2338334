use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, Uri};

use super::client::ClientInfo;
use super::request_id::RequestId;

/// What the edge knows of a request when it has to answer in a route's place.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// As [`Hooks::prepare`] left it. It may carry credentials in its query: never log it.
    pub uri: Uri,
    /// Its method.
    pub method: Method,
    /// Goes into error bodies; the header is set by the edge.
    pub request_id: RequestId,
    /// Who asked.
    pub client: ClientInfo,
}

/// What the edge asks its user, because the answer depends on routes or apps.
///
/// All of these run on the request's task: they must not block, and a panic in one of them ends the
/// connection.
pub trait Hooks: Send + Sync + 'static {
    /// Runs before routing: may rewrite the URI (the classic path of api.md 1) and add extensions.
    ///
    /// `parts` already carries [`ClientInfo`] and [`RequestId`] as extensions.
    ///
    /// # Errors
    ///
    /// The answer to give instead of routing. CORS preflights and plain HTTP that is refused are
    /// answered before it.
    #[expect(
        clippy::result_large_err,
        reason = "the error is an HTTP response that is sent at once"
    )]
    fn prepare(&self, parts: &mut Parts) -> Result<(), Response> {
        let _ = parts;
        Ok(())
    }

    /// Whether a page of `origin` may read the answer (api.md 5: decided per app).
    ///
    /// Asked after [`Hooks::prepare`], once a request that has an `Origin` header.
    fn origin_allowed(&self, parts: &Parts, origin: &HeaderValue) -> bool;

    /// The 403 for plain HTTP where HTTPS is required, in the shape of the route's family.
    fn plain_http_refused(&self, request: &RequestContext) -> Response;

    /// The 500 for a handler that panicked, in the shape of the route's family.
    fn panicked(&self, request: &RequestContext) -> Response;

    /// Sees every answer but those to preflights, and may put into it what it says of its request.
    fn finish(&self, response: Response, request: &RequestContext) -> Response {
        let _ = request;
        response
    }
}
