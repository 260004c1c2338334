//! Channels over HTTP (api.md 3): one operation a file.

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, patch, post};

use crate::State;
use crate::messaging::events::heartbeats::Heartbeats;

/// Cancelling what waits (api.md 3.3).
mod cancel;
/// The list of channels (api.md 3.7).
mod channels;
/// Deleting a channel (api.md 3.7).
mod delete_channel;
/// Editing what waits (api.md 3.3).
mod edit;
/// Messages as readers get them (api.md 3.6).
pub(crate) mod envelope;
/// Live streams as server-sent events (api.md 3.6).
pub(crate) mod events;
/// Pages of history (api.md 3.7).
mod history;
/// The occurrences of a repetition (api.md 3.3).
mod occurrences;
/// Names in paths.
mod path;
/// Polling subscriptions (api.md 3.6).
mod polling;
/// Publishing (api.md 3.1).
pub(crate) mod publish;
/// What reading routes take from the query.
pub(crate) mod reading;
/// The list of schedules (api.md 3.3).
mod scheduled;
/// What became of a message (api.md 3.2).
mod status;

/// The routes of channels. A message id stands where a channel's name does.
pub fn routes() -> Router<State> {
    let heartbeats = Arc::new(Heartbeats::default());
    let events = move |state, caller, channel, request| {
        events::events(Arc::clone(&heartbeats), state, caller, channel, request)
    };
    Router::new()
        // Publishers.
        .route("/api/messaging/{channel}", post(publish::publish))
        .route("/api/messaging/{channel}", get(status::status))
        .route("/api/messaging/{channel}", delete(cancel::cancel))
        .route("/api/messaging/{channel}", patch(edit::edit))
        .route(
            "/api/messaging/{channel}/occurrences",
            get(occurrences::occurrences),
        )
        .route(
            "/api/messaging/scheduled",
            get(scheduled::scheduled).post(publish::publish),
        )
        // Subscribers.
        .route("/api/messaging/{channel}/events", get(events))
        .route("/api/messaging/{channel}/history", get(history::history))
        .route("/api/messaging/{channel}/subscribe", post(polling::subscribe))
        .route(
            "/api/messaging/{channel}/{subscription}",
            get(polling::poll).delete(polling::unsubscribe),
        )
        // Administrators.
        .route(
            "/api/messaging/channels",
            get(channels::channels).post(publish::publish),
        )
        .route(
            "/api/messaging/channels/{channel}",
            delete(delete_channel::delete_channel),
        )
}
