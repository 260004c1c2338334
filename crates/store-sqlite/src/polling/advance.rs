use model::app::AppKey;
use rusqlite::{Connection, params};
use store::polling::{Advance, Advanced};

use super::{columns_of, find};
use crate::error::JobError;

/// Moves a cursor that stands where it must.
pub(super) fn advance(connection: &Connection, app: AppKey, advance: Advance) -> Result<Advanced, JobError> {
    let Some(found) = find(connection, app, advance.id)? else {
        return Ok(Advanced::Gone);
    };
    if found.subscription.position != advance.from {
        return Ok(Advanced::Moved);
    }
    let (epoch, seq) = columns_of(advance.to);
    connection
        .prepare_cached("UPDATE subscriptions SET epoch = ?2, seq = ?3, expires = ?4 WHERE row = ?1")?
        .execute(params![found.row, epoch, seq, advance.expires.0])?;
    Ok(Advanced::Done)
}
