use std::cmp::Ordering;

use model::app::AppKey;
use model::channel::ChannelName;
use model::message::MessageId;
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension as _, params};
use store::messages::Published;

use crate::error::JobError;

/// Looks up a message id in the log, whether its channel's window still holds it or not.
pub(super) fn find(
    connection: &Connection,
    app: AppKey,
    id: MessageId,
) -> Result<Option<Published>, JobError> {
    // One snapshot for all steps of the search.
    let snapshot = connection.unchecked_transaction()?;
    let row = match placed(&snapshot, id)? {
        None if id.occurrence.is_none() => search(&snapshot, id.base)?,
        row => row,
    };
    let Some(row) = row else { return Ok(None) };
    let found = snapshot
        .prepare_cached(
            "SELECT channels.name, log.seq, log.published_at
             FROM log JOIN channels ON channels.channel = log.channel
             WHERE log.row = ?1 AND channels.app = ?2 AND channels.deleted = 0",
        )?
        .query_row(params![row, app.0], |row| {
            Ok(Published {
                channel: ChannelName::from_stored(&row.get::<_, String>(0)?),
                seq: row.get::<_, i64>(1)? as u64,
                published_at: UnixMillis(row.get(2)?),
            })
        })
        .optional()?;
    Ok(found)
}

/// The row of a message whose id is not in the order of the log.
fn placed(connection: &Connection, id: MessageId) -> Result<Option<i64>, JobError> {
    let row = connection
        .prepare_cached("SELECT row FROM log WHERE id = ?1 AND occurrence IS ?2 AND place IS NOT NULL")?
        .query_row(params![id.base.as_bytes().as_slice(), id.occurrence], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(row)
}

/// The row of a message whose id is: a binary search, since there is no index on ids.
fn search(connection: &Connection, id: uuid::Uuid) -> Result<Option<i64>, JobError> {
    let (mut first, mut last): (i64, i64) = connection
        .prepare_cached(
            "SELECT ifnull((SELECT min(row) FROM log), 1), ifnull((SELECT max(row) FROM log), 0)",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut next_from = connection.prepare_cached(
        "SELECT row, ifnull(place, id), place IS NOT NULL FROM log WHERE row >= ?1 ORDER BY row LIMIT 1",
    )?;
    // A message that is placed stands behind the one with the id of its place.
    let wanted = (id.into_bytes(), false);
    while first <= last {
        let middle = first + (last - first) / 2;
        let (row, found) =
            next_from.query_row([middle], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        match wanted.cmp(&found) {
            Ordering::Equal => return Ok(Some(row)),
            Ordering::Less => last = middle - 1,
            Ordering::Greater => first = row + 1,
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
