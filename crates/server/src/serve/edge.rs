//! One request: from hyper through everything that must happen outside the router, and back.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::lazy;
use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Version};
use hyper::body::{Body as _, Frame, Incoming};
use tokio::task::futures::TaskLocalFuture;
use tokio_util::task::TaskTracker;
use tower::Service as _;
use tracing::field::Empty;
use tracing::instrument::Instrumented;
use tracing::{Instrument, Span};

use super::body::{Reading, RequestBody};
use super::client::{ClientInfo, Hop};
use super::cors;
use super::handover::Handover;
use super::hooks::RequestContext;
use super::options::ServeOptions;
use super::request_id::{self, RequestId};
use super::route::RecordRoute;
use super::streaming::Streamed;

/// The router and all that surrounds it; one for all connections.
pub(super) struct Edge {
    /// Finished once: a clone of it is a count, not a copy of every route.
    router: Router,
    options: ServeOptions,
    reading: Reading,
}

impl Edge {
    pub(super) fn new(router: Router, options: ServeOptions, tracker: TaskTracker) -> Self {
        Self {
            router: router.layer(RecordRoute).with_state(()),
            reading: Reading {
                idle_timeout: options.body_idle_timeout,
                drain_timeout: options.body_drain_timeout,
                tracker,
            },
            options,
        }
    }

    /// Everything up to the router, which has only been handed the request: an answer to come.
    fn begin(&self, hop: Hop, request: Request<Incoming>) -> Begun<impl Future<Output = Routed> + use<>> {
        let started = Instant::now();
        let (mut parts, body) = request.into_parts();
        let request_id = RequestId::of(&parts.headers, &*self.options.ids);
        let client = ClientInfo::of(hop, &parts, &self.options.trusted_proxies);
        let span = tracing::debug_span!(
            "request",
            http.method = %parts.method,
            http.route = Empty,
            http.status = Empty,
            duration_ms = Empty,
            request.id = %request_id,
        );
        let https_refused = self.options.require_https
            && !client.is_https()
            && !self
                .options
                .plain_http_paths
                .iter()
                .any(|path| path == parts.uri.path());

        parts.extensions.insert(client.clone());
        parts.extensions.insert(request_id.clone());
        let prepared = self.options.hooks.prepare(&mut parts);
        let cors = cors::Decision::of(&parts, &*self.options.hooks);
        let context = RequestContext {
            uri: parts.uri.clone(),
            method: parts.method.clone(),
            request_id,
            client,
        };
        let way = if let Some(preflight) = cors.preflight() {
            Way::Preflight(preflight)
        } else if https_refused {
            Way::Refused(self.options.hooks.plain_http_refused(&context))
        } else if let Err(refused) = prepared {
            Way::Refused(refused)
        } else {
            let routed = context.request_id.clone().scope(self.route(parts, body));
            Way::Routed(routed.instrument(span.clone()))
        };
        Begun {
            started,
            span,
            cors,
            context,
            way,
        }
    }

    fn route(&self, parts: Parts, body: Incoming) -> impl Future<Output = Routed> + use<> {
        let body = if body.is_end_stream() {
            Body::empty()
        } else {
            Body::new(RequestBody::new(&parts, body, self.reading.clone()))
        };
        let mut router = self.router.clone();
        let request = Request::from_parts(parts, body);
        // The call itself is inside, since a handler may panic before its first await.
        let routed = lazy(move |_| router.call(request)).flatten();
        AssertUnwindSafe(routed).catch_unwind()
    }

    async fn answer<R: Future<Output = Routed>>(&self, begun: Begun<R>) -> Response {
        let Begun {
            started,
            span,
            cors,
            context,
            way,
        } = begun;
        let mut response = match way {
            Way::Preflight(response) => response,
            Way::Refused(response) => self.options.hooks.finish(response, &context),
            Way::Routed(routed) => {
                let response = match routed.await {
                    Ok(Ok(response)) => response,
                    Ok(Err(never)) => match never {},
                    Err(panic) => {
                        let _entered = span.enter();
                        tracing::error!(
                            request.id = %context.request_id,
                            panic = text_of(&*panic),
                            "a request handler panicked"
                        );
                        self.options.hooks.panicked(&context)
                    }
                };
                self.options.hooks.finish(response, &context)
            }
        };
        cors.mark(response.headers_mut());
        response
            .headers_mut()
            .insert(request_id::HEADER, context.request_id.to_header());
        log(&span, &response, started);
        response
    }
}

/// What the router answered, or the panic of a handler.
type Routed = Result<Result<Response, Infallible>, Box<dyn Any + Send>>;

/// A request that is being answered. As small as can be: there is one for each that waits for a disk.
struct Begun<R> {
    started: Instant,
    span: Span,
    cors: cors::Decision,
    context: RequestContext,
    way: Way<R>,
}

/// How a request is answered.
enum Way<R> {
    Preflight(Response),
    Refused(Response),
    Routed(Instrumented<TaskLocalFuture<RequestId, R>>),
}

/// The access log. Streams are logged when their head is sent.
fn log(span: &Span, response: &Response, started: Instant) {
    if span.is_disabled() {
        return;
    }
    span.record("http.status", response.status().as_u16());
    span.record("duration_ms", started.elapsed().as_secs_f64() * 1000.0);
    span.in_scope(|| tracing::debug!("request answered"));
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}

/// Leaves hyper the head alone, and makes it the last one of its connection.
fn hand_over(response: &mut Response, streamed: Streamed, handover: &Handover) {
    let Some(chunks) = streamed.take() else { return };
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    // A body of unknown length, or the head would not announce chunks.
    *response.body_mut() = Body::new(Elsewhere);
    handover.arm(chunks);
}

/// The body of an answer that somebody else writes.
struct Elsewhere;

impl hyper::body::Body for Elsewhere {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// What hyper calls for the requests of one connection.
#[derive(Clone)]
pub(super) struct EdgeOfHop {
    pub(super) edge: Arc<Edge>,
    pub(super) hop: Hop,
    /// Where a streamed answer may leave hyper: plain HTTP/1.
    pub(super) handover: Option<Arc<Handover>>,
}

impl hyper::service::Service<Request<Incoming>> for EdgeOfHop {
    type Response = Response;
    type Error = Infallible;
    /// Boxed, so that a connection holds a request's state only while there is a request.
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let edge = Arc::clone(&self.edge);
        let handover = self.handover.clone();
        // HTTP/1.0 has no chunks, and the answer to a HEAD no body.
        let may_stream = request.version() == Version::HTTP_11 && request.method() == Method::GET;
        let begun = edge.begin(self.hop, request);
        Box::pin(async move {
            let mut response = edge.answer(begun).await;
            let streamed = response.extensions_mut().remove::<Streamed>();
            if let (Some(streamed), Some(handover), true) = (streamed, handover, may_stream) {
                hand_over(&mut response, streamed, &handover);
            }
            Ok(response)
        })
    }
}
