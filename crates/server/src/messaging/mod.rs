//! Channels over HTTP (api.md 3): one operation a file.

use axum::Router;

use crate::State;

/// The routes of channels.
pub fn routes() -> Router<State> {
    Router::new()
}
