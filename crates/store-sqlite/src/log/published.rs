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
    let found = connection
        .prepare_cached(
            "SELECT channels.name, log.seq, log.published_at
             FROM log JOIN channels ON channels.channel = log.channel
             WHERE log.id = ?1 AND log.occurrence IS ?2 AND channels.app = ?3 AND channels.deleted = 0",
        )?
        .query_row(
            params![id.base.as_bytes().as_slice(), id.occurrence, app.0],
            |row| {
                Ok(Published {
                    channel: ChannelName::from_stored(&row.get::<_, String>(0)?),
                    seq: row.get::<_, i64>(1)? as u64,
                    published_at: UnixMillis(row.get(2)?),
                })
            },
        )
        .optional()?;
    Ok(found)
}
