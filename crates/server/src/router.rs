use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use engine::error::Error;
use http::{Method, StatusCode, Uri};

use crate::error::{ChannelError, Family, InboxFailure};
use crate::rt::Rt;
use crate::{State, inbox, messaging, operating, realtime, rt};

/// All routes, finished: the edge rewrites classic paths and aliases before them ([`crate::addressing`]).
pub fn router(state: State) -> Router {
    let rt = Rt::new(state.clone());
    Router::new()
        // Anybody.
        .route("/healthz", get(operating::healthz))
        .route("/readyz", get(operating::readyz))
        .route("/api/info", get(operating::info))
        // Whoever moves time by hand.
        .route(
            "/admin/v1/clock/advance",
            post(operating::advance_clock::advance_clock),
        )
        // Publishers and subscribers.
        .merge(messaging::routes())
        .merge(realtime::routes())
        // Users and the campaign system.
        .merge(inbox::routes())
        .fallback(move |request| unmatched(Arc::clone(&rt), request))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state)
}

/// Paths that the contract names and this version does not have.
const NOT_BUILT: [(&str, &str); 3] = [
    ("/metrics", "the metrics endpoint"),
    ("/openapi.json", "the OpenAPI document"),
    ("/console", "the console"),
];

/// Backendless RT has no path of its own: its first segment is an app.
async fn unmatched(rt: Arc<Rt>, request: Request) -> Response {
    match rt::request::app_of(request.uri()) {
        Some(_) => rt.answer(request).await,
        None => not_found(request.uri()),
    }
}

fn not_found(uri: &Uri) -> Response {
    let not_built = NOT_BUILT.iter().find(|(path, _)| *path == uri.path());
    let error = match not_built {
        Some((_, what)) => Error::NotBuilt { what },
        None => Error::NotFound { what: "route" },
    };
    Family::of(uri.path()).refuse(error)
}

async fn method_not_allowed(uri: Uri, method: Method) -> Response {
    let text = format!("{method} is not a method of this path");
    let status = StatusCode::METHOD_NOT_ALLOWED;
    match Family::of(uri.path()) {
        Family::Inbox => InboxFailure::new(status, text).into_response(),
        Family::Channel => ChannelError::new(status, 5918, text).into_response(),
    }
}
