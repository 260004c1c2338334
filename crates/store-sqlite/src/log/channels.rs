use model::app::AppKey;
use model::channel::ChannelName;
use rusqlite::{Connection, params};
use store::commits::Commit;
use store::messages::Channel;

use crate::error::JobError;
use crate::heads::SharedHeads;
use crate::polling;
use crate::writer::transaction::Tx;

/// The app's channels by name.
pub(super) fn list(
    connection: &Connection,
    heads: &SharedHeads,
    app: AppKey,
    after: Option<&ChannelName>,
    limit: usize,
) -> Result<Vec<Channel>, JobError> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM channels WHERE app = ?1 AND name > ?2 AND deleted = 0 ORDER BY name LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let names = statement.query_map(
        params![app.0, after.map_or("", ChannelName::as_str), limit],
        |row| row.get::<_, String>(0),
    )?;
    let mut channels = Vec::new();
    for name in names {
        let name = ChannelName::from_stored(&name?);
        if let Some(known) = heads.find(connection, app, &name)? {
            channels.push(Channel {
                name,
                head: known.head(),
            });
        }
    }
    Ok(channels)
}

/// Ends an incarnation: its row is marked with where its chain begins, the rest is purged later.
pub(super) fn delete(tx: &mut Tx<'_>, app: AppKey, name: &ChannelName) -> Result<bool, JobError> {
    let Some(head) = tx.head(app, name)? else {
        return Ok(false);
    };
    tx.connection
        .prepare_cached("UPDATE channels SET deleted = 1, seq = ?2, row = ?3 WHERE channel = ?1")?
        .execute(params![head.channel, head.seq as i64, head.row])?;
    if let Some(count) = tx.pending.channel_counts.get_mut(&app) {
        *count = count.saturating_sub(1);
    }
    polling::delete_of_channel(tx.connection, app, name)?;
    tx.pending.heads.insert((app, name.clone()), None);
    tx.pending.purges.push(head.channel);
    tx.pending.commits.push(Commit::ChannelDeleted {
        app,
        channel: name.clone(),
        epoch: head.epoch,
    });
    Ok(true)
}
