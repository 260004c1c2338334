//! The inbox over HTTP (api.md 4): one operation a file.

use axum::Router;

use crate::State;

/// The routes of the inbox.
pub fn routes() -> Router<State> {
    Router::new()
}
