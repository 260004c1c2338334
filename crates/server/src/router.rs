use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State as AxumState};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use engine::error::Error;
use http::{StatusCode, Uri};

use crate::envelope::Meta;
use crate::error::{ChannelError, Family, InboxFailure};
use crate::rt::Rt;
use crate::{State, envelope, inbox, messaging, operating, realtime, rt};

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
        .merge(inbox::routes().layer(from_fn_with_state(state.clone(), envelope::wrap)))
        .fallback(move |state, meta, request| unmatched(Arc::clone(&rt), state, meta, request))
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
async fn unmatched(rt: Arc<Rt>, state: AxumState<State>, meta: Meta, request: Request) -> Response {
    match rt::request::app_of(request.uri()) {
        Some(_) => rt.answer(request).await,
        None => not_found(state, meta, request.into_parts().0.uri).await,
    }
}

async fn not_found(AxumState(state): AxumState<State>, meta: Meta, uri: Uri) -> Response {
    let not_built = NOT_BUILT.iter().find(|(path, _)| *path == uri.path());
    let error = match not_built {
        Some((_, what)) => Error::NotBuilt { what },
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
