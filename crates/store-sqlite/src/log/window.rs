use model::settings::Window;
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::JobError;
use crate::heads::ChannelHead;
use crate::log::row::{self, Link};

/// What a channel's window holds at a point in time: messages after `min_seq` that are not older than
/// `cutoff`. Both grow along the chain, so that all dead messages stand before all live ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    min_seq: u64,
    cutoff: UnixMillis,
}

impl Bounds {
    pub(super) fn new(window: Window, head: &ChannelHead, now: UnixMillis) -> Self {
        Self {
            min_seq: head.seq.saturating_sub(window.count),
            cutoff: now - window.age,
        }
    }

    /// Whether the window holds a message of this place and time.
    pub(super) fn holds(&self, seq: u64, published_at: UnixMillis) -> bool {
        seq > self.min_seq && published_at >= self.cutoff
    }

    /// The last seq that the count alone leaves behind.
    pub(super) fn min_seq(&self) -> u64 {
        self.min_seq
    }

    fn later_of(self, cutoff: UnixMillis) -> Self {
        Self {
            cutoff: self.cutoff.max(cutoff),
            ..self
        }
    }
}

/// The last seq that the window no longer holds.
pub(super) fn floor(connection: &Connection, head: &ChannelHead, bounds: Bounds) -> Result<u64, JobError> {
    if head.published_at.is_none_or(|last| last < bounds.cutoff) {
        return Ok(head.seq);
    }
    let first_anchor = connection
        .prepare_cached(
            "SELECT row FROM anchors WHERE channel = ?1 AND seq > ?2 AND published_at >= ?3 AND row <= ?4
             ORDER BY seq LIMIT 1",
        )?
        .query_row(
            params![head.channel, bounds.min_seq as i64, bounds.cutoff.0, head.row],
            |row| row.get(0),
        )
        .optional()?;
    // From there back at most 64 messages, until one is dead.
    let mut row = first_anchor.unwrap_or(head.row);
    let mut floor = head.seq;
    while let Some(link) = live_link(connection, head.channel, row, bounds)? {
        floor = link.seq - 1;
        row = link.previous;
    }
    Ok(floor)
}

/// The last seq before the first message of the window that is not older than `since`.
pub(super) fn before_time(
    connection: &Connection,
    head: &ChannelHead,
    bounds: Bounds,
    since: UnixMillis,
) -> Result<u64, JobError> {
    floor(connection, head, bounds.later_of(since))
}

/// The row, if it is there and the window holds it.
pub(super) fn live_link(
    connection: &Connection,
    channel: i64,
    row: i64,
    bounds: Bounds,
) -> Result<Option<Link>, JobError> {
    let link = row::link(connection, channel, row)?;
    Ok(link.filter(|link| bounds.holds(link.seq, link.published_at)))
}
