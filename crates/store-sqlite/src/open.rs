use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::ids::IdSource;
use model::time::Clock;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use store::commits::CommitSink;
use store::error::{Error, Result};

use crate::error::backend;
use crate::heads::SharedHeads;
use crate::readers::Readers;
use crate::windows::Windows;
use crate::writer::Writer;
use crate::{Durability, Role, SqliteOptions, SqliteStore, migrations};

/// Older libraries corrupt a WAL file that one connection writes while another checkpoints.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a connection waits for another process's short transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The lock that one server holds on its data folder, released when dropped or when the process ends.
pub(crate) struct FolderLock {
    _file: File,
}

pub(crate) fn open(
    options: &SqliteOptions,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    sink: Arc<dyn CommitSink>,
) -> Result<SqliteStore> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        let reason = format!(
            "SQLite {} is too old; 3.51.3 or newer is needed",
            rusqlite::version()
        );
        return Err(Error::Schema(reason));
    }
    make_folder(&options.path)?;
    let lock = match options.role {
        Role::Server => Some(lock_folder(&options.path)?),
        Role::Admin => None,
    };
    make_private(&options.path)?;
    let mut connection = writer_connection(options)?;
    prepare_schema(&mut connection, options, clock.as_ref())?;
    let heads = SharedHeads::load(&connection, options.role).map_err(Error::from)?;
    let windows = Arc::new(Windows::default());
    let readers = Readers::start(options.readers, || reader_connection(options))?;
    let writer = Writer::start(
        connection,
        options.clone(),
        crate::writer::Context {
            heads: heads.clone(),
            windows: Arc::clone(&windows),
            clock,
            ids,
            sink,
        },
    )?;
    Ok(SqliteStore {
        writer,
        readers,
        heads,
        windows,
        role: options.role,
        lock: parking_lot::Mutex::new(lock),
    })
}

/// Makes the folder of a store that its owner alone can look into, where there is none yet: the store holds
/// the secrets of apps.
pub(crate) fn make_folder(database: &Path) -> Result<()> {
    let Some(folder) = database.parent() else {
        return Ok(());
    };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| file_error(folder, "make the folder", error))
}

/// Makes an empty file that its owner alone can read, where there is none yet. What SQLite puts beside it is
/// as private.
pub(crate) fn make_private(path: &Path) -> Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(file_error(path, "make", error)),
        _ => Ok(()),
    }
}

/// A command beside a server must not change the schema under it.
fn prepare_schema(connection: &mut Connection, options: &SqliteOptions, clock: &dyn Clock) -> Result<()> {
    if options.role == Role::Server {
        return migrations::apply(connection, clock.now());
    }
    if migrations::is_current(connection)? {
        return Ok(());
    }
    let _while_migrating = lock_folder(&options.path).map_err(|_| {
        Error::Schema(
            "the data folder is served by another version of postbell; use that version's command".into(),
        )
    })?;
    migrations::apply(connection, clock.now())
}

/// The connection that writes.
pub(crate) fn writer_connection(options: &SqliteOptions) -> Result<Connection> {
    let connection = Connection::open(&options.path).map_err(backend)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(backend)?;
    keep_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(128);
    let synchronous = match options.durability {
        Durability::Full => "FULL",
        Durability::Off => "OFF",
    };
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = 8192;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = {synchronous};
             PRAGMA cache_size = -32768;
             PRAGMA temp_store = MEMORY;
             PRAGMA wal_autocheckpoint = 4000; -- a server's writer replaces it, see `checkpoint`
             PRAGMA foreign_keys = OFF;"
        ))
        .map_err(backend)?;
    Ok(connection)
}

/// A connection that reads.
fn reader_connection(options: &SqliteOptions) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&options.path, flags).map_err(backend)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(backend)?;
    keep_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection
        .execute_batch(
            "PRAGMA query_only = ON;
             PRAGMA cache_size = -8192;
             PRAGMA mmap_size = 1073741824;
             PRAGMA temp_store = MEMORY;",
        )
        .map_err(backend)?;
    Ok(connection)
}

/// Plans statements without a look at what is bound. Where a table has a partial index, most are prepared anew
/// for every value otherwise.
fn keep_plans(connection: &Connection) -> Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(backend)?;
    Ok(())
}

/// Takes the lock file beside the database, or tells who has it.
pub(crate) fn lock_folder(database: &Path) -> Result<FolderLock> {
    // Beside the file itself, whatever links lead to it.
    let path = lock_path(&fs::canonicalize(database).unwrap_or_else(|_| database.to_owned()));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| file_error(&path, "open", error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let folder = match database.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder.display(),
                _ => Path::new(".").display(),
            };
            let process = holder
                .trim()
                .parse::<u32>()
                .map_or(String::new(), |pid| format!(" (process {pid})"));
            let text = format!("another postbell server{process} holds the data folder {folder}");
            return Err(Error::InUse(text));
        }
        Err(TryLockError::Error(error)) => return Err(file_error(&path, "lock", error)),
    }
    let write_pid = |file: &mut File| -> std::io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write_pid(&mut file).map_err(|error| file_error(&path, "write", error))?;
    Ok(FolderLock { _file: file })
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_os_string();
    name.push(".lock");
    database.with_file_name(name)
}

/// An error of the file system that names the path.
pub(crate) fn file_error(path: &Path, action: &str, error: std::io::Error) -> Error {
    let text = format!("cannot {action} {}: {error}", path.display());
    Error::Backend {
        source: Box::new(std::io::Error::new(error.kind(), text)),
    }
}
