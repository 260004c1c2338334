use model::app::AppKey;
use model::channel::ChannelName;
use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use crate::error::JobError;
use crate::schedules::{count, end, state};
use crate::writer::transaction::Tx;

/// A schedule that waits and whose channel is there.
pub(super) struct Waiting {
    pub(super) row: i64,
    pub(super) occurrences: u64,
    pub(super) revision: u64,
}

/// Cancels inside the open transaction: what fires it later finds it cancelled.
pub(super) fn cancel(tx: &mut Tx<'_>, app: AppKey, id: Uuid) -> Result<Option<u64>, JobError> {
    let Some(waiting) = find_waiting(tx, app, id)? else {
        return Ok(None);
    };
    end(tx, app, waiting.row, state::CANCELLED, None)?;
    count(tx.connection, app, -1)?;
    Ok(Some(waiting.occurrences))
}

/// The schedule, if it waits.
pub(super) fn find_waiting(tx: &Tx<'_>, app: AppKey, id: Uuid) -> Result<Option<Waiting>, JobError> {
    let found = tx
        .connection
        .prepare_cached(
            "SELECT schedule, channel, name, occurrences, revision FROM schedules
             WHERE app = ?1 AND id = ?2 AND next_at IS NOT NULL",
        )?
        .query_row(params![app.0, id.as_bytes().as_slice()], |row| {
            Ok((
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
                Waiting {
                    row: row.get(0)?,
                    occurrences: row.get::<_, i64>(3)? as u64,
                    revision: row.get::<_, i64>(4)? as u64,
                },
            ))
        })
        .optional()?;
    let Some((channel, name, waiting)) = found else {
        return Ok(None);
    };
    let head = tx.head(app, &ChannelName::from_stored(&name))?;
    Ok(head
        .is_some_and(|head| head.channel == channel)
        .then_some(waiting))
}
