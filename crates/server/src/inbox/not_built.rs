use engine::error::Error;

use crate::caller::Caller;
use crate::error::InboxFailure;

/// `GET /messages/stream`.
pub(super) async fn stream(_: Caller) -> InboxFailure {
    Error::NotBuilt {
        what: "the stream of inbox messages",
    }
    .into()
}

/// `POST /messages/{id}/read`.
pub(super) async fn read(_: Caller) -> InboxFailure {
    Error::NotBuilt {
        what: "the read mark of inbox messages",
    }
    .into()
}

/// `GET /messages/count`.
pub(super) async fn count(_: Caller) -> InboxFailure {
    Error::NotBuilt {
        what: "the count of inbox messages",
    }
    .into()
}
