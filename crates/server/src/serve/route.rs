//! Puts the matched route into the span of the request. The template is known only inside the router,
//! and the raw path must not be logged: the classic one carries the API key.

use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::MatchedPath;
use http::Request;
use tower::{Layer, Service};
use tracing::Span;

#[derive(Clone, Copy)]
pub(super) struct RecordRoute;

#[derive(Clone)]
pub(super) struct Recording<S>(S);

impl<S> Layer<S> for RecordRoute {
    type Service = Recording<S>;

    fn layer(&self, inner: S) -> Recording<S> {
        Recording(inner)
    }
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Recording<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        if let Some(route) = request.extensions().get::<MatchedPath>() {
            Span::current().record("http.route", route.as_str());
        }
        self.0.call(request)
    }
}
