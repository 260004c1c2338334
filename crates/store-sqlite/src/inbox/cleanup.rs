use model::app::AppKey;
use model::time::UnixMillis;
use rusqlite::{Connection, params};
use store::error::Result;

use super::{JOB_BYTES, SLICE_ROWS};
use crate::SqliteStore;
use crate::error::JobError;

/// Rows that one read looks at: a few milliseconds, so that lists wait for none for long.
const PAGE_ROWS: i64 = 1_000;

/// Whether a row goes: `?2` the app, `?3` the time, `?4` whether deleted ones stay until they are synced.
macro_rules! is_removable {
    () => {
        "app = ?2 AND (state IN (2, 3) OR expires_at <= ?3 AND (state = 0 OR NOT ?4))"
    };
}

/// What is removed.
#[derive(Debug, Clone, Copy)]
struct Rule {
    app: AppKey,
    now: UnixMillis,
    keep_deleted: bool,
}

/// Removes synced, retracted and expired messages.
///
/// Goes through the messages of the app by id, which needs no index of its own and costs the same
/// whatever other apps have: readers look for what may go, the writer asks each row again and removes it.
pub(super) async fn cleanup(
    store: &SqliteStore,
    app: AppKey,
    now: UnixMillis,
    keep_deleted: bool,
) -> Result<u64> {
    let rule = Rule {
        app,
        now,
        keep_deleted,
    };
    let mut removed = 0;
    // Ids are never empty.
    let mut after = String::new();
    loop {
        let page = store.readers.run(move |conn| look(conn, rule, &after)).await?;
        for slice in page.removable.chunks(SLICE_ROWS) {
            let slice = slice.to_vec();
            let bytes = JOB_BYTES + size_of_val(&*slice);
            removed += store
                .writer
                .run(bytes, move |conn| remove(conn, rule, &slice))
                .await?;
        }
        match page.last {
            Some(last) => after = last,
            None => return Ok(removed),
        }
    }
}

/// A piece of an app's messages.
struct Page {
    /// Rows that may go.
    removable: Vec<i64>,
    /// The id behind which the next piece begins; `None` if this is the last one.
    last: Option<String>,
}

fn look(conn: &Connection, rule: Rule, after: &str) -> std::result::Result<Page, JobError> {
    let mut select = conn.prepare_cached(concat!(
        "SELECT rowid, ",
        is_removable!(),
        ", id FROM inbox INDEXED BY inbox_id WHERE app = ?2 AND id > ?1 ORDER BY id LIMIT ?5"
    ))?;
    let mut rows = select.query(params![
        after,
        rule.app.0,
        rule.now.0,
        rule.keep_deleted,
        PAGE_ROWS
    ])?;
    let mut page = Page {
        removable: Vec::new(),
        last: None,
    };
    let mut looked = 0;
    while let Some(row) = rows.next()? {
        if row.get(1)? {
            page.removable.push(row.get(0)?);
        }
        looked += 1;
        if looked == PAGE_ROWS {
            page.last = Some(row.get(2)?);
        }
    }
    Ok(page)
}

/// Removes rows that may still go, and notes up to where readers have to know of them.
fn remove(conn: &Connection, rule: Rule, rowids: &[i64]) -> std::result::Result<u64, JobError> {
    let mut delete = conn.prepare_cached(concat!(
        "DELETE FROM inbox WHERE rowid = ?1 AND ",
        is_removable!(),
        " RETURNING state, changed, expires_at"
    ))?;
    let (mut removed, mut changed, mut expired_at) = (0, 0, 0);
    for rowid in rowids {
        let mut rows = delete.query(params![rowid, rule.app.0, rule.now.0, rule.keep_deleted])?;
        while let Some(row) = rows.next()? {
            removed += 1;
            match row.get(0)? {
                0 => expired_at = row.get::<_, i64>(2)?.max(expired_at),
                _ => changed = row.get::<_, i64>(1)?.max(changed),
            }
        }
    }
    if removed > 0 {
        let sql = "INSERT INTO inbox_removed (app, changed, expired_at) VALUES (?1, ?2, ?3)
                   ON CONFLICT (app) DO UPDATE SET changed = max(changed, excluded.changed),
                                                   expired_at = max(expired_at, excluded.expired_at)";
        conn.prepare_cached(sql)?
            .execute(params![rule.app.0, changed, expired_at])?;
    }
    Ok(removed)
}
