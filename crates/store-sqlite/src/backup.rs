use std::fs::{self, File};
use std::path::{Path, PathBuf};

use model::ids::IdSource;
use rusqlite::{Connection, OpenFlags};
use store::error::{Error, Result};

use crate::error::backend;
use crate::migrations;
use crate::open::{file_error, lock_folder, make_folder, make_private};

/// Copies a store to one file, consistent as of one moment, also while a server writes to it. The file
/// appears under its name once it is whole and flushed; what was there before is replaced. Returns its
/// size in bytes.
///
/// # Errors
/// The store cannot be read or the file cannot be written; no half file is left.
pub fn backup(database: &Path, to: &Path) -> Result<u64> {
    let same = |path: &Path| fs::canonicalize(path).ok();
    if same(to).is_some_and(|to| Some(to) == same(database)) {
        let reason = "expected another file than the store itself";
        return Err(file_error(to, "write", std::io::Error::other(reason)));
    }
    let partial = beside(to, ".partial");
    let copied = copy(database, &partial).and_then(|()| {
        let size = flush(&partial)?;
        fs::rename(&partial, to).map_err(|error| file_error(to, "write", error))?;
        flush_folder(to)?;
        Ok(size)
    });
    if copied.is_err() {
        let _ = fs::remove_file(&partial);
    }
    copied
}

/// Puts a backup in the place of a store that no server runs on. Channels get new epochs, so that readers
/// with positions from after the backup are told of the gap (api.md 3.6).
///
/// # Errors
/// A server holds the folder, or `from` is no backup of this schema or an older one.
pub fn restore(from: &Path, database: &Path, ids: &dyn IdSource) -> Result<()> {
    make_folder(database)?;
    let _lock = lock_folder(database)?;
    let partial = beside(database, ".restore");
    let restored = copy(from, &partial).and_then(|()| {
        renew_epochs(&partial, ids)?;
        flush(&partial)?;
        for stale in ["-wal", "-shm"] {
            let path = beside(database, stale);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(file_error(&path, "remove", error));
                }
                _ => {}
            }
        }
        fs::rename(&partial, database).map_err(|error| file_error(database, "write", error))?;
        flush_folder(database)
    });
    if restored.is_err() {
        let _ = fs::remove_file(&partial);
    }
    restored
}

/// One step over all pages holds one snapshot, so that writers never make it start again.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(backend)?;
    let is_store = source
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE name IN ('migrations', 'log', 'apps')",
            [],
            |row| row.get::<_, i64>(0),
        )
        .map_err(|error| not_a_store(from, &error.to_string()))?;
    if is_store != 3 {
        return Err(not_a_store(from, "it lacks the tables of one"));
    }
    let _ = fs::remove_file(to);
    make_private(to)?;
    let mut target = Connection::open(to).map_err(backend)?;
    let copying = rusqlite::backup::Backup::new(&source, &mut target).map_err(backend)?;
    copying
        .run_to_completion(i32::MAX, std::time::Duration::from_millis(50), None)
        .map_err(backend)?;
    drop(copying);
    target
        .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .map_err(backend)?;
    target.close().map_err(|(_, error)| backend(error))
}

/// Checks the schema too: a server would refuse one that is newer, when the old store is gone already.
fn renew_epochs(database: &Path, ids: &dyn IdSource) -> Result<()> {
    let salt = (ids.random_u64() >> 1) as i64;
    let connection = Connection::open(database).map_err(backend)?;
    migrations::is_current(&connection)?;
    // Mixed into what a restore before has put there: never the same epochs twice.
    connection
        .execute_batch(&format!(
            "UPDATE meta SET value = (value | {salt}) - (value & {salt}) WHERE name = 'epoch_salt';
             UPDATE meta SET value = value + 1 WHERE name = 'access_version';"
        ))
        .map_err(backend)?;
    connection.close().map_err(|(_, error)| backend(error))
}

fn not_a_store(path: &Path, reason: &str) -> Error {
    Error::Schema(format!(
        "{} is no store or backup of postbell: {reason}",
        path.display()
    ))
}

fn flush(path: &Path) -> Result<u64> {
    let flushed = File::open(path).and_then(|file| {
        file.sync_all()?;
        Ok(file.metadata()?.len())
    });
    flushed.map_err(|error| file_error(path, "flush", error))
}

/// A rename is durable once its folder is.
fn flush_folder(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| file_error(folder, "flush", error))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}
