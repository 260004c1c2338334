use std::borrow::Cow;

use axum::extract::State as AxumState;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use http::StatusCode;
use serde::Serialize;

use crate::State;
use crate::addressing::Addressed;
use crate::error::ChannelError;
use crate::serve::client::ClientInfo;

/// Moving the manual clock.
pub mod advance_clock;

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

/// `GET /healthz`: the process is up.
pub async fn healthz() -> Response {
    Json(Status { status: "up" }).into_response()
}

/// `GET /readyz`: the store can be read and written, else 503.
pub async fn readyz(AxumState(state): AxumState<State>) -> Response {
    match state.engine.check().await {
        Ok(()) => Json(Status { status: "ready" }).into_response(),
        Err(error) => {
            let text = match ChannelError::from(error).into_response().status() {
                StatusCode::SERVICE_UNAVAILABLE => "not ready: the store takes nothing now",
                _ => "not ready: the store fails",
            };
            ChannelError::new(StatusCode::SERVICE_UNAVAILABLE, 5914, text).into_response()
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    app_id: Cow<'static, str>,
    api_key: String,
    #[serde(rename = "rtURL")]
    rt_url: String,
}

/// `GET …/info`: what the official SDK asks first (api.md 3.6). Always 200: it never asks again.
pub async fn info(
    AxumState(state): AxumState<State>,
    Extension(addressed): Extension<Addressed>,
    Extension(client): Extension<ClientInfo>,
) -> Response {
    let rt_url = match &state.settings.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("{}://{}", client.scheme(), client.host()),
    };
    Json(Info {
        app_id: addressed.id,
        api_key: addressed.path_key.unwrap_or_default(),
        rt_url,
    })
    .into_response()
}
