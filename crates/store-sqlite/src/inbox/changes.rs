use model::app::AppKey;
use model::inbox::change::{ChangeCursor, Removal};
use model::inbox::{InboxId, InboxMessage};
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};
use store::error::Result;
use store::inbox::{Change, Changes, ChangesQuery, MAX_SKEW};

use super::count::{Outline, Reader, Row, each_row};
use super::row;
use crate::SqliteStore;
use crate::error::{JobError, corrupt};

/// What a user is shown that a cursor does not know.
pub(super) async fn changes(
    store: &SqliteStore,
    app: AppKey,
    query: ChangesQuery<'_>,
) -> Result<Option<Changes>> {
    let reader = Reader {
        app,
        uid: query.uid.into(),
        client: query.client.into(),
    };
    let (after, now, limit) = (query.after, query.now, query.limit.max(1));
    let read = store.readers.run(move |conn| {
        let transaction = conn.unchecked_transaction()?;
        read(&transaction, &reader, after, now, limit)
    });
    read.await
}

/// Where changes stand.
pub(super) fn head(conn: &Connection, at: UnixMillis) -> std::result::Result<ChangeCursor, JobError> {
    let mut select = conn.prepare_cached(
        "SELECT (SELECT value FROM meta WHERE name = 'epoch_salt'),
                (SELECT value FROM meta WHERE name = 'inbox_changed')",
    )?;
    let cursor = select.query_row([], |row| {
        Ok(ChangeCursor {
            epoch: row.get::<_, i64>(0)?.cast_unsigned(),
            change: row.get::<_, i64>(1)?.cast_unsigned(),
            at,
        })
    });
    Ok(cursor?)
}

fn read(
    conn: &Connection,
    reader: &Reader,
    after: ChangeCursor,
    now: UnixMillis,
    limit: usize,
) -> std::result::Result<Option<Changes>, JobError> {
    if after.at > now + MAX_SKEW {
        return Ok(None);
    }
    let head = head(conn, now.max(after.at))?;
    if after.epoch != head.epoch || after.change > head.change || !knows_removed(conn, reader.app, after)? {
        return Ok(None);
    }
    let mut outline = Outline::new(head.at);
    let mut rows = Vec::new();
    each_row(conn, reader, |row| {
        outline.add(row);
        if is_news(&row, after) || crossing(&row, after.at, head.at).is_some() {
            rows.push(row);
        }
    })?;
    let Some(cursor) = cut(&mut rows, after, head, limit) else {
        return Ok(None);
    };
    let mut changes = Vec::with_capacity(rows.len());
    for row in &rows {
        changes.extend(change(conn, row, after, cursor.at)?);
    }
    Ok(Some(Changes {
        changes,
        cursor,
        more: cursor != head,
        counts: outline.counts,
        next: outline.next,
    }))
}

/// Whether the cursor knows that what cleanups have removed is gone.
fn knows_removed(conn: &Connection, app: AppKey, after: ChangeCursor) -> std::result::Result<bool, JobError> {
    let mut select = conn.prepare_cached("SELECT changed, expired_at FROM inbox_removed WHERE app = ?1")?;
    let removed = select.query_row([app.0], |row| {
        Ok((row.get::<_, i64>(0)?.cast_unsigned(), UnixMillis(row.get(1)?)))
    });
    let removed = removed.optional()?;
    Ok(removed.is_none_or(|(changed, expired_at)| changed <= after.change && expired_at <= after.at))
}

fn is_news(row: &Row, after: ChangeCursor) -> bool {
    row.changed.cast_unsigned() > after.change
}

/// When a message appears or expires first behind `from` and up to `to`, if it does.
fn crossing(row: &Row, from: UnixMillis, to: UnixMillis) -> Option<UnixMillis> {
    let boundaries = [row.created_at, row.expires_at].into_iter();
    let crossed = boundaries.filter(|boundary| from < *boundary && *boundary <= to);
    crossed.min().filter(|_| row.is_imported())
}

/// Keeps of the rows what one answer takes, in order, and tells the cursor behind it: all of them if they
/// fit; else what changed first, of whole commits and as of the time of the old cursor; and after that
/// what time alone has changed. `None` where too much of that falls on one instant.
fn cut(rows: &mut Vec<Row>, after: ChangeCursor, head: ChangeCursor, limit: usize) -> Option<ChangeCursor> {
    if rows.len() <= limit {
        rows.sort_unstable_by_key(|row| (row.changed, row.rowid));
        return Some(head);
    }
    let news = rows.iter().filter(|row| is_news(row, after)).count();
    if news > 0 {
        // A message that was imported and then read stands at its import: a page that ends between the
        // two must hold it, since whoever knows the number of its import is only told of the mark.
        let number = |row: &Row| match row.is_imported() && row.read.cast_unsigned() > after.change {
            true => row.read,
            false => row.changed,
        };
        rows.retain(|row| is_news(row, after));
        rows.sort_unstable_by_key(|row| (number(row), row.rowid));
        let last = number(&rows[news.min(limit) - 1]);
        rows.truncate(rows.partition_point(|row| number(row) <= last));
        let change = match rows.len() == news {
            true => head.change,
            false => last.cast_unsigned(),
        };
        return Some(ChangeCursor {
            change,
            at: after.at,
            ..head
        });
    }
    let instant = |row: &Row| crossing(row, after.at, head.at).unwrap_or(head.at);
    rows.sort_unstable_by_key(|row| (instant(row), row.rowid));
    let at = instant(&rows[limit - 1]);
    rows.truncate(rows.partition_point(|row| instant(row) <= at));
    // A commit changes so many rows at most; an instant has no such bound.
    (rows.len() <= limit.max(INSTANT_ROWS)).then_some(ChangeCursor { at, ..head })
}

/// Messages that may appear or expire at one instant and be told one by one.
const INSTANT_ROWS: usize = 1_000;

/// What became of a message between the cursor and `at`, if the user sees it.
fn change(
    conn: &Connection,
    row: &Row,
    after: ChangeCursor,
    at: UnixMillis,
) -> std::result::Result<Option<Change>, JobError> {
    // What was never to be seen up to the cursor need not be taken away.
    let was_current = row.is_current_at(after.at);
    if row.is_imported() && row.is_current_at(at) {
        let was_known = was_current && row.read != 0 && row.read.cast_unsigned() <= after.change;
        return Ok(Some(match was_known {
            true => Change::Read(id(conn, row)?),
            false => Change::Shown(Box::new(message(conn, row)?)),
        }));
    }
    let reason = match row.state {
        0 => Removal::Expired,
        3 => Removal::Retracted,
        _ => Removal::Deleted,
    };
    if !was_current {
        return Ok(None);
    }
    Ok(Some(Change::Removed {
        id: id(conn, row)?,
        reason,
    }))
}

fn id(conn: &Connection, row: &Row) -> std::result::Result<InboxId, JobError> {
    let mut select = conn.prepare_cached("SELECT id FROM inbox WHERE rowid = ?1")?;
    let id = select.query_row([row.rowid], |row| {
        Ok(InboxId::from_stored(row.get_ref(0)?.as_str()?))
    });
    Ok(id?)
}

fn message(conn: &Connection, row: &Row) -> std::result::Result<InboxMessage, JobError> {
    let mut select = conn.prepare_cached(row::SELECT_BY_ROWID)?;
    let mut rows = select.query(params![row.rowid])?;
    match rows.next()? {
        Some(row) => row::message(row),
        None => Err(corrupt("inbox", row.rowid, "a row went within a transaction").into()),
    }
}
