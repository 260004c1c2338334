use model::channel::ChannelNameError;
use model::headers::HeadersError;
use model::inbox::{ClientTypesError, InboxIdError};
use model::schedule::TimingError;
use model::selector::SelectorError;

use crate::access::error::AccessError;

/// Why an operation was refused or failed. The server maps each to a status and a code, per family.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do this.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Bad channel name: 5903.
    #[error(transparent)]
    ChannelName(#[from] ChannelNameError),
    /// Bad headers: 5904.
    #[error(transparent)]
    Headers(#[from] HeadersError),
    /// Bad timing: 5003, 5030 or 5905.
    #[error(transparent)]
    Timing(#[from] TimingError),
    /// Bad selector: 5906.
    #[error("selector: {0}")]
    Selector(#[from] SelectorError),
    /// Another bad parameter: 5908, or 400 in the inbox.
    #[error("{name}: {reason}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What was expected and what was found.
        reason: String,
    },
    /// Bad id of an inbox message: 400.
    #[error("message id: {0}")]
    InboxId(#[from] InboxIdError),
    /// Bad client type: 400.
    #[error("client: {0}")]
    Client(#[from] ClientTypesError),
    /// What the contract names and this version does not have: 501/5916.
    #[error("{what} is not built yet")]
    NotBuilt {
        /// What was asked for.
        what: &'static str,
    },
    /// The idempotency key came before with another body: 422/5912.
    #[error("the Idempotency-Key was used for another request body within the last 24 hours")]
    KeyReused,
    /// A cap of the app: 429/5913.
    #[error("the app has as many {what} as it may: {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The cap.
        limit: u64,
    },
    /// Too much in one request: 413.
    #[error("{what}: at most {limit}, found more")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// There is no such thing: 404.
    #[error("there is no such {what}")]
    NotFound {
        /// What was asked for.
        what: &'static str,
    },
    /// Nothing that could be cancelled or edited: 409/5040.
    #[error(
        "there is nothing to cancel or edit: the message is already published, already cancelled, or absent"
    )]
    NotWaiting,
    /// There is no such polling subscription, or it is somebody else's: 404/5907.
    #[error("there is no such subscription in this channel, or it is not the caller's own")]
    NoSubscription,
    /// The sync has no URL: 503.
    #[error("sync is disabled: no sync URL is configured")]
    SyncDisabled,
    /// The campaign system did not take a batch: 500. Earlier batches stay synced.
    #[error("the campaign system did not take the deleted messages: {reason}; {synced} were synced before")]
    SyncFailed {
        /// How many were synced before.
        synced: u64,
        /// What it answered, or why it could not be asked.
        reason: String,
    },
    /// Sent, but no message could be marked: 404.
    #[error("no message could be marked as synced")]
    NothingMarked,
    /// Nothing was done; waiting helps: 503/5914.
    #[error("not now: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// The commit failed: 503/5915.
    #[error("the store failed at commit, the outcome is unknown; try again with the same Idempotency-Key")]
    OutcomeUnknown(#[source] store::error::Error),
    /// An error of ours: 500/5919.
    #[error("an error inside the server")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<store::error::Error> for Error {
    fn from(error: store::error::Error) -> Self {
        match error {
            store::error::Error::Unavailable { reason } => Self::Unavailable { reason },
            error @ store::error::Error::OutcomeUnknown { .. } => Self::OutcomeUnknown(error),
            error => Self::Internal(Box::new(error)),
        }
    }
}

impl Error {
    /// A bad parameter.
    pub fn parameter(name: &'static str, reason: impl ToString) -> Self {
        Self::Parameter {
            name,
            reason: reason.to_string(),
        }
    }
}
