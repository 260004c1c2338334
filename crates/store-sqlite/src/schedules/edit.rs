use model::app::AppKey;
use model::schedule::TimingFields;
use rusqlite::{Connection, params};
use store::schedules::{Edit, Edited};
use uuid::Uuid;

use crate::error::JobError;
use crate::schedules::cancel::find_waiting;
use crate::schedules::schedule::write_content;
use crate::schedules::{count, end, state};
use crate::writer::transaction::Tx;

/// Edits inside the open transaction.
pub(super) fn edit(tx: &mut Tx<'_>, app: AppKey, id: Uuid, edit: &Edit) -> Result<Edited, JobError> {
    let Some(waiting) = find_waiting(tx, app, id)? else {
        return Ok(Edited::NotWaiting);
    };
    if waiting.revision != edit.revision {
        return Ok(Edited::Changed);
    }
    if let Some(content) = &edit.content {
        write_content(tx.connection, waiting.row, content)?;
    }
    if let Some((timing, next)) = &edit.timing {
        write_timing(tx.connection, waiting.row, timing)?;
        match next {
            Some(next) => {
                tx.connection
                    .prepare_cached("UPDATE schedules SET next_n = ?2, next_at = ?3 WHERE schedule = ?1")?
                    .execute(params![waiting.row, next.n as i64, next.at.0])?;
            }
            None => {
                end(tx, app, waiting.row, state::PUBLISHED, None)?;
                count(tx.connection, app, -1)?;
            }
        }
    }
    tx.connection
        .prepare_cached("UPDATE schedules SET revision = revision + 1 WHERE schedule = ?1")?
        .execute([waiting.row])?;
    Ok(Edited::Done)
}

fn write_timing(connection: &Connection, row: i64, timing: &TimingFields) -> Result<(), JobError> {
    connection
        .prepare_cached(
            "UPDATE schedules SET publish_at = ?2, repeat_every = ?3, repeat_expires_at = ?4,
                                  repeat_cron = ?5, timezone = ?6, repeat_times = ?7
             WHERE schedule = ?1",
        )?
        .execute(params![
            row,
            timing.publish_at,
            timing.repeat_every,
            timing.repeat_expires_at,
            timing.repeat_cron,
            timing.timezone,
            timing.repeat_times,
        ])?;
    Ok(())
}
