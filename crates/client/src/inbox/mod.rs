/// `POST /messages/import`.
pub mod import;

/// `GET /messages`.
pub mod list;

/// `GET /messages/count`.
pub mod count;

/// `GET /messages/stream`, over as many connections as it takes.
pub mod watch;

/// `POST /messages/{id}/read`.
pub mod mark_read;

/// `GET /messages/{id}`.
pub mod show;

/// `DELETE /messages/{id}`.
pub mod delete;

/// `DELETE /users/{uid}/messages`.
pub mod delete_all;

/// `POST /messages/retract`.
pub mod retract;

/// `POST /messages/sync`.
pub mod sync;

/// `POST /messages/cleanup`.
pub mod cleanup;

/// A personal message.
pub mod message;

pub use message::Message;

/// The inbox family's frame of a good answer; `meta` tells the caller nothing it does not know.
#[derive(serde::Deserialize)]
struct Answer<T> {
    data: T,
}

#[cfg(test)]
mod tests;
