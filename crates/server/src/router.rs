use axum::Router;
use axum::extract::State as AxumState;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use engine::error::Error;
use http::{StatusCode, Uri};

use crate::envelope::Meta;
use crate::error::{ChannelError, Family, InboxFailure};
use crate::{State, envelope, inbox, messaging, operating, realtime};

/// All routes, finished: the edge rewrites classic paths and aliases before them ([`crate::addressing`]).
pub fn router(state: State) -> Router {
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
        .merge(inbox::routes().layer(from_fn_with_state(state.clone(), envelope::wrap)))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state)
}

/// Paths that the contract names and this version does not have.
const NOT_BUILT: [(&str, &str); 3] = [
    ("/metrics", "the metrics endpoint"),
    ("/openapi.json", "the OpenAPI document"),
    ("/console", "the console"),
];

async fn not_found(AxumState(state): AxumState<State>, meta: Meta, uri: Uri) -> Response {
    let not_built = NOT_BUILT.iter().find(|(path, _)| *path == uri.path());
    let is_socket_io = uri
        .query()
        .is_some_and(|query| query.split('&').any(|pair| pair.starts_with("EIO=")));
    let error = match not_built {
        Some((_, what)) => Error::NotBuilt { what },
        None if is_socket_io => Error::NotBuilt {
            what: "Backendless RT",
        },
        None => Error::NotFound { what: "route" },
    };
    match Family::of(uri.path()) {
        Family::Inbox => meta.render(
            InboxFailure::from(error).into_response(),
            state.engine.clock().timestamp(),
        ),
        Family::Channel => ChannelError::from(error).into_response(),
    }
}

async fn method_not_allowed(
    AxumState(state): AxumState<State>,
    meta: Meta,
    uri: Uri,
    method: http::Method,
) -> Response {
    let text = format!("{method} is not a method of this path");
    let status = StatusCode::METHOD_NOT_ALLOWED;
    match Family::of(uri.path()) {
        Family::Inbox => {
            let failure = InboxFailure::new(status, text);
            meta.render(failure.into_response(), state.engine.clock().timestamp())
        }
        Family::Channel => ChannelError::new(status, 5918, text).into_response(),
    }
}
