use model::app::AppKey;
use model::channel::ChannelName;
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::find;
use crate::error::JobError;
use crate::writer::transaction::Tx;

/// Ends a subscription.
pub(super) fn delete(tx: &mut Tx<'_>, app: AppKey, id: Uuid, now: UnixMillis) -> Result<bool, JobError> {
    let found = find(tx.connection, app, id)?;
    let Some(found) = found.filter(|found| found.subscription.expires > now) else {
        return Ok(false);
    };
    tx.connection
        .prepare_cached("DELETE FROM subscriptions WHERE row = ?1")?
        .execute([found.row])?;
    if let Some(count) = tx.pending.subscription_counts.get_mut(&app) {
        *count = count.saturating_sub(1);
    }
    Ok(true)
}

/// Ends all subscriptions of a channel that is deleted; their rows are removed later.
pub(crate) fn delete_of_channel(
    connection: &Connection,
    app: AppKey,
    channel: &ChannelName,
) -> Result<(), JobError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO deleted_subscriptions (app, channel, up_to)
             SELECT app, channel, row FROM subscriptions
             WHERE app = ?1 AND channel = ?2 ORDER BY row DESC LIMIT 1",
        )?
        .execute(params![app.0, channel.as_str()])?;
    Ok(())
}

/// Removes up to `budget` rows of subscriptions that have expired or whose channel was deleted; how many.
pub(crate) fn remove_gone(tx: &mut Tx<'_>, budget: usize) -> Result<usize, JobError> {
    let mut removed = remove_expired(tx.connection, tx.now, budget)?;
    while removed < budget
        && let Some(of_channel) = remove_of_deleted_channel(tx.connection, budget - removed)?
    {
        removed += of_channel;
    }
    if removed > 0 {
        tx.pending.subscription_counts.clear();
    }
    Ok(removed)
}

fn remove_expired(connection: &Connection, now: UnixMillis, budget: usize) -> Result<usize, JobError> {
    let removed = connection
        .prepare_cached(
            "DELETE FROM subscriptions WHERE row IN
                 (SELECT row FROM subscriptions WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
        )?
        .execute(params![now.0, budget as i64])?;
    Ok(removed)
}

/// Removes rows of the first deleted channel that has some, and forgets the channel with the last of them;
/// how many, the forgotten channel counted. `None`: there is no such channel.
fn remove_of_deleted_channel(connection: &Connection, budget: usize) -> Result<Option<usize>, JobError> {
    let first = connection
        .prepare_cached("SELECT app, channel, up_to FROM deleted_subscriptions LIMIT 1")?
        .query_row([], |columns| {
            Ok((
                columns.get::<_, i64>(0)?,
                columns.get::<_, String>(1)?,
                columns.get::<_, i64>(2)?,
            ))
        })
        .optional()?;
    let Some((app, channel, up_to)) = first else {
        return Ok(None);
    };
    let removed = connection
        .prepare_cached(
            "DELETE FROM subscriptions WHERE row IN
                 (SELECT row FROM subscriptions WHERE app = ?1 AND channel = ?2 AND row <= ?3
                  ORDER BY row LIMIT ?4)",
        )?
        .execute(params![app, channel, up_to, budget as i64])?;
    if removed == budget {
        return Ok(Some(removed));
    }
    connection
        .prepare_cached("DELETE FROM deleted_subscriptions WHERE app = ?1 AND channel = ?2")?
        .execute(params![app, channel])?;
    Ok(Some(removed + 1))
}
