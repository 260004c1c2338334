use model::app::AppKey;
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::JobError;
use crate::log::{channels, row};
use crate::schedules::sweep;
use crate::writer::transaction::Tx;

/// Channels that were deleted, or whose app was, and still have rows.
pub(crate) fn deleted_channels(connection: &Connection) -> Result<Vec<i64>, JobError> {
    let mut statement = connection.prepare_cached("SELECT channel FROM channels WHERE deleted = 1")?;
    let channels = statement.query_map([], |row| row.get(0))?;
    Ok(channels.collect::<Result<_, _>>()?)
}

/// Apps that were deleted and still have rows.
pub(crate) fn deleted_apps(connection: &Connection) -> Result<Vec<AppKey>, JobError> {
    let mut statement = connection.prepare_cached("SELECT app FROM apps WHERE deleted = 1")?;
    let apps = statement.query_map([], |row| row.get(0).map(AppKey))?;
    Ok(apps.collect::<Result<_, _>>()?)
}

/// Removes about `budget` rows of a deleted app, its channels as channels are deleted; how many. 0: the app
/// is gone.
pub(crate) fn purge_app(tx: &mut Tx<'_>, app: AppKey, budget: usize) -> Result<usize, JobError> {
    let limit = i64::try_from(budget).unwrap_or(i64::MAX);
    let mut removed = 0;
    for table in [
        "keys",
        "inbox",
        "idempotency",
        "subscriptions",
        "deleted_subscriptions",
    ] {
        let delete =
            format!("DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE app = ?1 LIMIT ?2)");
        removed += tx.connection.prepare_cached(&delete)?.execute([app.0, limit])?;
    }
    removed += sweep::purge_app(tx.connection, app, budget)?;
    let heads = tx.context.heads.clone();
    for channel in channels::list(tx.connection, &heads, app, None, budget)? {
        channels::delete(tx, app, &channel.name)?;
        removed += 1;
    }
    if removed == 0 {
        tx.connection
            .prepare_cached("DELETE FROM apps WHERE app = ?1")?
            .execute([app.0])?;
    }
    Ok(removed)
}

/// Removes about `budget` rows of a deleted channel; how many. 0: the channel is gone. `None`: its last row
/// stands after `watermark` and may be the last of the log, which tells the next start where rows go on.
pub(crate) fn purge(
    tx: &Tx<'_>,
    channel: i64,
    watermark: i64,
    budget: usize,
) -> Result<Option<usize>, JobError> {
    let failed = sweep::fail_of_channel(tx, channel, budget)?;
    if failed > 0 {
        return Ok(Some(failed));
    }
    let connection = tx.connection;
    let last: Option<i64> = connection
        .prepare_cached("SELECT row FROM channels WHERE channel = ?1 AND deleted = 1")?
        .query_row([channel], |row| row.get(0))
        .optional()?;
    let Some(last) = last else { return Ok(Some(0)) };
    if last > watermark {
        return Ok(None);
    }
    let chain = remove_chain(connection, channel, last, budget)?;
    if chain.removed > 0 {
        connection
            .prepare_cached("UPDATE channels SET row = ?2 WHERE channel = ?1")?
            .execute([channel, chain.next])?;
        return Ok(Some(chain.removed));
    }
    let anchors = connection
        .prepare_cached(
            "DELETE FROM anchors WHERE channel = ?1 AND seq IN
                 (SELECT seq FROM anchors WHERE channel = ?1 ORDER BY seq LIMIT ?2)",
        )?
        .execute(params![channel, budget as i64])?;
    if anchors == 0 {
        connection
            .prepare_cached("DELETE FROM channels WHERE channel = ?1")?
            .execute([channel])?;
    }
    Ok(Some(anchors))
}

struct Removed {
    removed: usize,
    /// The row where the chain goes on.
    next: i64,
}

fn remove_chain(
    connection: &Connection,
    channel: i64,
    last: i64,
    budget: usize,
) -> Result<Removed, JobError> {
    let mut chain = Removed {
        removed: 0,
        next: last,
    };
    let mut delete = connection.prepare_cached("DELETE FROM log WHERE row = ?1")?;
    while chain.removed < budget
        && let Some(link) = row::link(connection, channel, chain.next)?
    {
        delete.execute([link.row])?;
        chain.next = link.previous;
        chain.removed += 1;
    }
    Ok(chain)
}

/// Forgets up to `budget` idempotency keys that came before `before`; how many.
pub(crate) fn forget_idempotency_keys(
    connection: &Connection,
    before: UnixMillis,
    budget: usize,
) -> Result<usize, JobError> {
    let removed = connection
        .prepare_cached(
            "DELETE FROM idempotency WHERE at <= ?1 AND row IN
                 (SELECT row FROM idempotency ORDER BY row LIMIT ?2)",
        )?
        .execute(params![before.0, budget as i64])?;
    Ok(removed)
}
