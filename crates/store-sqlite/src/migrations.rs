use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use store::error::{Error, Result};

use crate::error::backend;

/// Every schema change, in order. A published one is never edited: its checksum is kept in the file.
const MIGRATIONS: &[(&str, &str)] = &[
    ("initial", include_str!("../migrations/0001_initial.sql")),
    ("inbox", include_str!("../migrations/0002_inbox.sql")),
    ("schedules", include_str!("../migrations/0003_schedules.sql")),
    (
        "inbox_changes",
        include_str!("../migrations/0004_inbox_changes.sql"),
    ),
    ("polling", include_str!("../migrations/0005_polling.sql")),
    (
        "inbox_documents",
        include_str!("../migrations/0006_inbox_documents.sql"),
    ),
    ("log_order", include_str!("../migrations/0007_log_order.sql")),
    (
        "inbox_clients",
        include_str!("../migrations/0008_inbox_clients.sql"),
    ),
];

/// Brings the schema up to date, forward only, in one transaction.
///
/// # Errors
/// [`Error::Schema`] where the file's schema is newer than this binary or was changed by hand.
pub(crate) fn apply(connection: &mut Connection, now: UnixMillis) -> Result<()> {
    if is_current(connection)? {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(backend)?;
    transaction
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS migrations (
                 version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied INTEGER NOT NULL
             ) STRICT;",
        )
        .map_err(backend)?;
    let applied = checked_version(&transaction)?;
    for (at, (name, sql)) in MIGRATIONS.iter().enumerate().skip(applied) {
        transaction.execute_batch(sql).map_err(backend)?;
        transaction
            .execute(
                "INSERT INTO migrations (version, name, checksum, applied) VALUES (?1, ?2, ?3, ?4)",
                rusqlite::params![at as i64 + 1, name, checksum(sql), now.0],
            )
            .map_err(backend)?;
    }
    transaction.commit().map_err(backend)
}

/// Whether the file has exactly the schema of this binary.
pub(crate) fn is_current(connection: &Connection) -> Result<bool> {
    let has_table = connection
        .query_row(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'",
            [],
            |_| Ok(()),
        )
        .optional()
        .map_err(backend)?;
    if has_table.is_none() {
        return Ok(false);
    }
    Ok(checked_version(connection)? == MIGRATIONS.len())
}

/// How many migrations the file has, each checked against ours.
fn checked_version(connection: &Connection) -> Result<usize> {
    let mut statement = connection
        .prepare("SELECT version, name, checksum FROM migrations ORDER BY version")
        .map_err(backend)?;
    let rows = statement
        .query_map([], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .map_err(backend)?;
    let mut count = 0;
    for row in rows {
        let (version, name, found) = row.map_err(backend)?;
        let Some((ours, sql)) = MIGRATIONS.get(count) else {
            return Err(Error::Schema(format!(
                "the database has schema version {version} ({name}), this postbell knows up to {}; use a newer postbell",
                MIGRATIONS.len()
            )));
        };
        if version != count as i64 + 1 || name != *ours || found != checksum(sql) {
            return Err(Error::Schema(format!(
                "schema version {version} ({name}) of the database is not the one that this postbell knows ({ours}): \
                 the checksums differ"
            )));
        }
        count += 1;
    }
    Ok(count)
}

fn checksum(sql: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, sql.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
