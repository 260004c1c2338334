use model::app::AppKey;
use model::inbox::change::Counts;
use model::time::UnixMillis;
use rusqlite::{Connection, params};
use store::error::Result;

use super::row;
use crate::SqliteStore;
use crate::error::JobError;

/// How many messages a user is shown.
pub(super) async fn count(
    store: &SqliteStore,
    app: AppKey,
    uid: &str,
    client: &str,
    now: UnixMillis,
) -> Result<Counts> {
    let reader = Reader {
        app,
        uid: uid.into(),
        client: client.into(),
    };
    let read = store.readers.run(move |conn| {
        let mut outline = Outline::new(now);
        each_row(conn, &reader, |row| outline.add(row))?;
        Ok(outline.counts)
    });
    read.await
}

/// A user of an app on a client.
pub(super) struct Reader {
    pub(super) app: AppKey,
    pub(super) uid: Box<str>,
    pub(super) client: Box<str>,
}

/// What counting and following need of a message of a [`Reader`], in whatever state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) rowid: i64,
    /// As the table keeps it; 0 is imported.
    pub(super) state: i64,
    pub(super) created_at: UnixMillis,
    pub(super) expires_at: UnixMillis,
    /// The commit number that the row had before its read mark: that of its import. 0: not read.
    pub(super) read: i64,
    /// The commit number of the last change.
    pub(super) changed: i64,
}

impl Row {
    /// Whether the time is one at which an imported message is shown.
    pub(super) fn is_current_at(&self, at: UnixMillis) -> bool {
        self.created_at <= at && at < self.expires_at
    }

    pub(super) fn is_imported(&self) -> bool {
        self.state == 0
    }
}

/// Goes through the rows of a reader. They are found over the index on the user, which tells the clients too,
/// and read up to `changed`, which stands before all texts but two.
pub(super) fn each_row(
    conn: &Connection,
    reader: &Reader,
    mut visit: impl FnMut(Row),
) -> std::result::Result<(), JobError> {
    let mut select = conn.prepare_cached(
        "SELECT rowid, state, created_at, expires_at, clients, read, changed FROM inbox
         WHERE app = ?1 AND uid = ?2 AND instr(clients, ?3) > 0",
    )?;
    let mut rows = select.query(params![reader.app.0, &*reader.uid, &*reader.client])?;
    while let Some(row) = rows.next()? {
        let mut clients = row::text(row, 4)?.split(',');
        if clients.any(|client| *client == *reader.client) {
            visit(Row {
                rowid: row.get(0)?,
                state: row.get(1)?,
                created_at: UnixMillis(row.get(2)?),
                expires_at: UnixMillis(row.get(3)?),
                read: row.get(5)?,
                changed: row.get(6)?,
            });
        }
    }
    Ok(())
}

/// What the rows of a reader say of a point in time.
pub(super) struct Outline {
    at: UnixMillis,
    pub(super) counts: Counts,
    /// When a message appears or expires next.
    pub(super) next: Option<UnixMillis>,
}

impl Outline {
    pub(super) fn new(at: UnixMillis) -> Self {
        Self {
            at,
            counts: Counts::default(),
            next: None,
        }
    }

    pub(super) fn add(&mut self, row: Row) {
        if !row.is_imported() || row.expires_at <= row.created_at {
            return;
        }
        if row.is_current_at(self.at) {
            self.counts.total += 1;
            self.counts.unread += u64::from(row.read == 0);
        }
        let boundaries = [row.created_at, row.expires_at].into_iter();
        let next = boundaries.filter(|boundary| *boundary > self.at).min();
        self.next = self.next.into_iter().chain(next).min();
    }
}
