use std::cmp::Reverse;

use model::app::AppKey;
use model::inbox::InboxMessage;
use rusqlite::{Connection, OptionalExtension, params};
use store::error::Result;
use store::inbox::ListQuery;

use super::row;
use crate::SqliteStore;
use crate::error::JobError;

/// What sorts the list: higher `prio`, then newer `created`, then `id`.
type Place = (Reverse<i64>, Reverse<i64>, Box<str>);

/// What is needed of a query on the reader's thread.
struct Wanted {
    app: AppKey,
    uid: Box<str>,
    client: Box<str>,
    now: i64,
    limit: usize,
    after: Option<Box<str>>,
}

/// The messages that a user is shown.
pub(super) async fn list(
    store: &SqliteStore,
    app: AppKey,
    query: ListQuery<'_>,
) -> Result<Vec<InboxMessage>> {
    let wanted = Wanted {
        app,
        uid: query.uid.into(),
        client: query.client.into(),
        now: query.now.0,
        limit: query.limit,
        after: query.after.map(|id| id.as_str().into()),
    };
    store
        .readers
        .run(move |conn| {
            let snapshot = Snapshot::begin(conn)?;
            read(snapshot.0, &wanted)
        })
        .await
}

/// Chooses by the small columns first, then reads the chosen rows whole.
fn read(conn: &Connection, wanted: &Wanted) -> std::result::Result<Vec<InboxMessage>, JobError> {
    let after = match &wanted.after {
        None => None,
        Some(id) => match place(conn, wanted, id)? {
            Some(place) => Some(place),
            None => return Ok(Vec::new()),
        },
    };
    let mut chosen = candidates(conn, wanted, after.as_ref())?;
    if chosen.len() > wanted.limit {
        if wanted.limit > 0 {
            chosen.select_nth_unstable(wanted.limit - 1);
        }
        chosen.truncate(wanted.limit);
    }
    chosen.sort_unstable();
    let mut select = conn.prepare_cached(row::SELECT_BY_ROWID)?;
    let mut messages = Vec::with_capacity(chosen.len());
    for (_, rowid) in chosen {
        let mut rows = select.query([rowid])?;
        if let Some(found) = rows.next()? {
            messages.push(row::message(found)?);
        }
    }
    Ok(messages)
}

fn candidates(
    conn: &Connection,
    wanted: &Wanted,
    after: Option<&Place>,
) -> std::result::Result<Vec<(Place, i64)>, JobError> {
    let mut select = conn.prepare_cached(
        "SELECT rowid, prio, created_at, id, clients FROM inbox
         WHERE app = ?1 AND uid = ?2 AND state = 0 AND created_at <= ?3 AND expires_at > ?3",
    )?;
    let mut rows = select.query(params![wanted.app.0, &*wanted.uid, wanted.now])?;
    let mut candidates = Vec::new();
    while let Some(row) = rows.next()? {
        // The stored form of `Clients`, looked into without a copy.
        let clients = row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?;
        if !clients.split(',').any(|client| *client == *wanted.client) {
            continue;
        }
        let place: Place = (Reverse(row.get(1)?), Reverse(row.get(2)?), row.get(3)?);
        if after.is_none_or(|after| place > *after) {
            candidates.push((place, row.get(0)?));
        }
    }
    Ok(candidates)
}

/// Where a message of the user stands in the list, listed or not; `None` if the row is gone.
fn place(conn: &Connection, wanted: &Wanted, id: &str) -> std::result::Result<Option<Place>, JobError> {
    let mut select = conn
        .prepare_cached("SELECT prio, created_at, id FROM inbox WHERE app = ?1 AND id = ?2 AND uid = ?3")?;
    let place = select.query_row(params![wanted.app.0, id, &*wanted.uid], |row| {
        Ok((Reverse(row.get(0)?), Reverse(row.get(1)?), row.get(2)?))
    });
    Ok(place.optional()?)
}

/// Lets several statements see one state of the database, and take the reader's lock once.
struct Snapshot<'a>(&'a Connection);

impl<'a> Snapshot<'a> {
    fn begin(conn: &'a Connection) -> std::result::Result<Self, JobError> {
        conn.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(conn))
    }
}

impl Drop for Snapshot<'_> {
    /// Nothing was written, so nothing can fail that matters; in `drop`, so that a panic ends it too.
    fn drop(&mut self) {
        if let Ok(mut commit) = self.0.prepare_cached("COMMIT") {
            let _ = commit.execute([]);
        }
    }
}
