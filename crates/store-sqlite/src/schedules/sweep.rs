use model::app::AppKey;
use rusqlite::{Connection, params};

use crate::error::JobError;
use crate::schedules::{CHANNEL_DELETED, count, end, state};
use crate::writer::transaction::Tx;

/// Fails up to `budget` schedules of a deleted channel that still wait; how many. They have failed already
/// for whoever asks; this frees their place and their due time.
pub(crate) fn fail_of_channel(tx: &Tx<'_>, channel: i64, budget: usize) -> Result<usize, JobError> {
    let mut statement = tx.connection.prepare_cached(
        "SELECT schedule, app FROM schedules WHERE channel = ?1 AND next_at IS NOT NULL LIMIT ?2",
    )?;
    let waiting = statement
        .query_map(params![channel, budget as i64], |row| {
            Ok((row.get(0)?, row.get(1).map(AppKey)?))
        })?
        .collect::<Result<Vec<(i64, AppKey)>, _>>()?;
    for (schedule, app) in &waiting {
        end(tx, *app, *schedule, state::FAILED, Some(CHANNEL_DELETED))?;
        count(tx.connection, *app, -1)?;
    }
    Ok(waiting.len())
}

/// Removes about `budget` rows of schedules that ended long enough ago; how many.
pub(crate) fn remove_ended(tx: &Tx<'_>, budget: usize) -> Result<usize, JobError> {
    let mut statement = tx
        .connection
        .prepare_cached("SELECT schedule FROM schedules WHERE remove_at <= ?1 ORDER BY remove_at LIMIT ?2")?;
    let ended = statement
        .query_map(params![tx.now.0, budget as i64], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    remove(tx.connection, &ended, budget)
}

/// Removes about `budget` rows of the schedules of a deleted app; how many. 0: none is left.
pub(crate) fn purge_app(connection: &Connection, app: AppKey, budget: usize) -> Result<usize, JobError> {
    let mut statement =
        connection.prepare_cached("SELECT schedule FROM schedules WHERE app = ?1 LIMIT ?2")?;
    let schedules = statement
        .query_map(params![app.0, budget as i64], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    if schedules.is_empty() {
        connection
            .prepare_cached("DELETE FROM schedule_counts WHERE app = ?1")?
            .execute([app.0])?;
    }
    remove(connection, &schedules, budget)
}

/// Removes schedules, the occurrences of each before itself, until about `budget` rows are gone.
fn remove(connection: &Connection, schedules: &[i64], budget: usize) -> Result<usize, JobError> {
    let mut removed = 0;
    for schedule in schedules {
        let left = budget.saturating_sub(removed).max(1);
        let occurrences = connection
            .prepare_cached(
                "DELETE FROM occurrences WHERE schedule = ?1 AND n IN
                     (SELECT n FROM occurrences WHERE schedule = ?1 ORDER BY n LIMIT ?2)",
            )?
            .execute(params![schedule, left as i64])?;
        removed += occurrences;
        if occurrences < left {
            for table in ["schedule_contents", "schedules"] {
                connection
                    .prepare_cached(&format!("DELETE FROM {table} WHERE schedule = ?1"))?
                    .execute([schedule])?;
            }
            removed += 1;
        }
        if removed >= budget {
            break;
        }
    }
    Ok(removed)
}
