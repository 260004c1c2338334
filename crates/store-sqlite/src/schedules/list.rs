use model::app::AppKey;
use rusqlite::{Connection, params};
use store::schedules::{SchedulePage, ScheduleQuery};
use uuid::Uuid;

use crate::error::JobError;
use crate::heads::SharedHeads;
use crate::schedules::row::{SELECT, as_it_stands, decode};

/// A page of the app's schedules in the order of their ids.
pub(super) fn list(
    connection: &Connection,
    heads: &SharedHeads,
    app: AppKey,
    query: &ScheduleQuery,
) -> Result<SchedulePage, JobError> {
    let after = query.after.unwrap_or(Uuid::nil());
    let after = after.as_bytes().as_slice();
    let mut page = SchedulePage {
        schedules: Vec::new(),
        more: false,
    };
    let (principal, name) = (
        query.principal.as_deref(),
        query.channel.as_ref().map(|name| name.as_str()),
    );
    let order = "AND s.id > ?2 ORDER BY s.id";
    let sql = match (principal, name) {
        (None, None) => format!("{SELECT} WHERE s.app = ?1 {order}"),
        (Some(_), None) => format!("{SELECT} WHERE s.app = ?1 AND s.principal = ?3 {order}"),
        (None, Some(_)) => format!("{SELECT} WHERE s.app = ?1 AND s.name = ?4 {order}"),
        (Some(_), Some(_)) => {
            format!("{SELECT} WHERE s.app = ?1 AND s.name = ?4 AND s.principal = ?3 {order}")
        }
    };
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = match (principal, name) {
        (None, None) => statement.query(params![app.0, after])?,
        (Some(principal), None) => statement.query(params![app.0, after, principal])?,
        (principal, Some(name)) => statement.query(params![app.0, after, principal, name])?,
    };
    let mut bytes = 0;
    while let Some(columns) = rows.next()? {
        let stored = decode(columns)?;
        bytes += stored.schedule.content.size();
        let is_full = page.schedules.len() == query.limit || bytes > query.max_bytes;
        if is_full && !page.schedules.is_empty() {
            page.more = true;
            break;
        }
        page.schedules.push(as_it_stands(connection, heads, stored)?);
    }
    Ok(page)
}
