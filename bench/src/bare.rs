use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use engine::system::SystemIds;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use server::serve::hooks::{Hooks, RequestContext};
use server::serve::options::ServeOptions;
use server::serve::{Listener, run};
use tokio_util::sync::CancellationToken;

use crate::least::Least;

/// What a publish says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Publish<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
    publisher_id: Option<String>,
    #[serde(borrow)]
    headers: Option<std::collections::BTreeMap<&'a str, &'a RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    error_message: Option<&'static str>,
    message_id: String,
    status: &'static str,
}

struct NoHooks;

impl Hooks for NoHooks {
    fn origin_allowed(&self, _: &Parts, _: &HeaderValue) -> bool {
        false
    }
    fn plain_http_refused(&self, _: &RequestContext) -> Response {
        StatusCode::FORBIDDEN.into_response()
    }
    fn panicked(&self, _: &RequestContext) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

/// The same edge with handlers that parse and answer at once, or as soon as the body is on disk.
pub async fn serve(is_durable: bool) -> anyhow::Result<()> {
    let listing = include_str!("listing.json");
    let publish = match is_durable {
        true => post(publish_durably).with_state(Least::start()?),
        false => post(publish),
    };
    let router = Router::new().route("/api/messaging/{channel}", publish).route(
        "/messages",
        get(move || async move { ([("content-type", "application/json")], listing) }),
    );
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    crate::report::print(&format!("listening on http://{}\n", socket.local_addr()?))?;
    let mut options = ServeOptions::new(Arc::new(SystemIds), Arc::new(NoHooks));
    options.require_https = false;
    run(
        vec![Listener { socket, tls: None }],
        router,
        options,
        CancellationToken::new(),
    )
    .await?;
    Ok(())
}

async fn publish_durably(State(least): State<Least>, body: Bytes) -> Response {
    match least.store(body.clone()).await {
        Ok(()) => publish(body).await,
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

async fn publish(body: Bytes) -> Response {
    match serde_json::from_slice::<Publish<'_>>(&body) {
        Ok(publish) => {
            let used = publish.message.get().len()
                + publish.publisher_id.map_or(0, |id| id.len())
                + publish.headers.map_or(0, |headers| headers.len());
            let message_id = format!("message:{used:032X}");
            Json(Answer {
                error_message: None,
                message_id,
                status: "scheduled",
            })
            .into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}
