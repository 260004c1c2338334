/// Why a store operation failed. What is simply not there is no error but `None`, `false` or 0.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not take the operation now (queue full, closing, not reachable): nothing was done.
    #[error("the store takes nothing now: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// Another server runs on the store.
    #[error("{0}")]
    InUse(String),
    /// The commit failed: whether the operation took place is not known.
    #[error("the commit failed; whether the operation took place is not known")]
    OutcomeUnknown {
        /// The backend's error.
        #[source]
        source: Source,
    },
    /// A row says something that cannot be.
    #[error("corrupt data in {table} row {row}: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What identifies the row.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The schema is not one that this binary knows.
    #[error("{0}")]
    Schema(String),
    /// Anything else that the backend reports; nothing was done.
    #[error("the database reports an error")]
    Backend {
        /// The backend's error.
        #[source]
        source: Source,
    },
}

/// An error of a backend, opaque across the port.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// What store operations return.
pub type Result<T> = std::result::Result<T, Error>;
