/// `POST /api/messaging/{channel}`.
pub mod publish;

/// `GET /api/messaging/{message-id}`.
pub mod status;

/// `DELETE /api/messaging/{message-id}`.
pub mod cancel;

/// `PATCH /api/messaging/{message-id}`.
pub mod edit;

/// `GET /api/messaging/scheduled`.
pub mod scheduled;

/// `GET /api/messaging/{message-id}/occurrences`.
pub mod occurrences;

/// `GET /api/messaging/{channel}/history`.
pub mod history;

/// `GET /api/messaging/{channel}/events`: one connection.
pub mod events;

/// Live messages over as many connections as it takes.
pub mod subscription;

/// `GET /api/messaging/channels`, `DELETE /api/messaging/channels/{channel}`.
pub mod channels;

/// A message as SSE, history and WebSocket deliver it.
pub mod envelope;

pub use envelope::{Envelope, Gap};

#[cfg(test)]
mod tests;
