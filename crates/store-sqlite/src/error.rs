use rusqlite::ErrorCode;
use store::error::Error;

/// Why a job inside the store failed.
#[derive(Debug)]
pub(crate) enum JobError {
    /// SQLite says so.
    Sqlite(rusqlite::Error),
    /// We say so.
    Store(Error),
}

impl From<rusqlite::Error> for JobError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<JobError> for Error {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Store(error) => error,
            JobError::Sqlite(error) => backend(error),
        }
    }
}

/// An error of SQLite as the port tells it; a full disk or a busy file is a matter of waiting.
pub(crate) fn backend(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Unavailable {
            reason: "the disk is full".into(),
        },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Unavailable {
            reason: "another process holds the database".into(),
        },
        _ => Error::Backend {
            source: Box::new(error),
        },
    }
}

/// A row that says something that cannot be.
pub(crate) fn corrupt(table: &'static str, row: impl ToString, reason: impl ToString) -> Error {
    Error::Corrupt {
        table,
        row: row.to_string(),
        reason: reason.to_string(),
    }
}
