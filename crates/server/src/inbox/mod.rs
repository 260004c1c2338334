//! The inbox over HTTP (api.md 4): one operation a file.
//!
//! `meta` is put around what the handlers here answer by [`crate::envelope`], outside the router.

use std::sync::Arc;

use axum::Router;
use axum::routing::{self, get, post};

use crate::State;
use crate::messaging::events::heartbeats::Heartbeats;

/// Removing what nobody needs any more.
pub mod cleanup;
/// How many messages the caller has.
mod count;
/// Deleting one message.
pub mod delete;
/// Deleting all messages of a user.
pub mod delete_all;
/// From one document to one message.
mod document;
/// Storing what the campaign system sends.
pub mod import;
/// The caller's own messages.
pub mod list;
/// Read marks.
mod mark_read;
/// A message as answers show it.
mod message;
/// From bytes to messages.
mod ndjson;
/// What paths name.
mod path;
/// From the connection to the parser.
mod receive;
/// Taking messages back.
pub mod retract;
/// One message, for keys.
pub mod show;
/// The caller's own messages, live.
pub mod stream;
/// Telling the campaign system what was deleted.
pub mod sync;

/// The routes of the inbox. The words that are routes are no ids, which the path extractor finds out.
pub fn routes() -> Router<State> {
    let by_id = || get(show::show).delete(delete::delete);
    let heartbeats = Arc::new(Heartbeats::default());
    let stream =
        move |state, caller, request| stream::stream(Arc::clone(&heartbeats), state, caller, request);
    Router::new()
        // Users.
        .route("/messages", get(list::list))
        .route("/messages/stream", routing::delete(delete::delete).get(stream))
        .route(
            "/messages/count",
            routing::delete(delete::delete).get(count::count),
        )
        .route("/messages/{id}", by_id())
        .route("/messages/{id}/read", post(mark_read::mark_read))
        // The campaign system.
        .route("/messages/import", by_id().post(import::import))
        .route("/messages/retract", by_id().post(retract::retract))
        // Schedulers.
        .route(
            "/messages/sync",
            routing::delete(delete::delete).get(sync::sync).post(sync::sync),
        )
        .route(
            "/messages/cleanup",
            routing::delete(delete::delete)
                .get(cleanup::cleanup)
                .post(cleanup::cleanup),
        )
        // Servers.
        .route("/users/{uid}/messages", routing::delete(delete_all::delete_all))
}
