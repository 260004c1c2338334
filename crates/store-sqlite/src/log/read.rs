use std::sync::Arc;

use model::settings::Window;
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension as _, params};
use store::messages::{Page, Range};

use crate::error::{JobError, corrupt};
use crate::heads::ChannelHead;
use crate::log::row;
use crate::log::window::{self, Bounds};

/// Reads a piece of a channel: backwards along the chain from the next anchor, rows alone; then forwards
/// the messages until the bytes are full.
pub(super) fn read(
    connection: &Connection,
    head: &ChannelHead,
    window: Window,
    range: Range,
    now: UnixMillis,
) -> Result<Page, JobError> {
    // One snapshot for all queries of the page: what is removed meanwhile stays readable here.
    let snapshot = connection.unchecked_transaction()?;
    let bounds = Bounds::new(window, head, now);
    let mut floor = bounds.min_seq();
    let mut after = range.after.max(floor);
    let mut page = Page {
        head: head.head(),
        floor,
        messages: Vec::new(),
    };
    loop {
        if after >= head.seq {
            break;
        }
        let last = head
            .seq
            .min(after.saturating_add(range.max_messages.max(1) as u64));
        match rows_between(&snapshot, head, bounds, after, last)? {
            Ok(rows) => {
                page.messages = messages(&snapshot, &rows, range.max_bytes)?;
                break;
            }
            Err(Dead) => {
                floor = window::floor(&snapshot, head, bounds)?;
                if floor <= after {
                    let reason = format!(
                        "a row before it in the chain of channel {} is missing",
                        head.channel
                    );
                    return Err(corrupt("log", head.row, reason).into());
                }
                after = floor;
            }
        }
    }
    page.floor = floor;
    Ok(page)
}

/// A message of the range is not in the window any more.
struct Dead;

/// The rows of the messages in (after, last], ascending.
fn rows_between(
    connection: &Connection,
    head: &ChannelHead,
    bounds: Bounds,
    after: u64,
    last: u64,
) -> Result<Result<Vec<i64>, Dead>, JobError> {
    let anchor = connection
        .prepare_cached(
            "SELECT row FROM anchors WHERE channel = ?1 AND seq >= ?2 AND row <= ?3 ORDER BY seq LIMIT 1",
        )?
        .query_row(params![head.channel, last as i64, head.row], |row| row.get(0))
        .optional()?;
    let mut row = anchor.unwrap_or(head.row);
    let mut rows = Vec::with_capacity((last - after) as usize);
    loop {
        let Some(link) = window::live_link(connection, head.channel, row, bounds)? else {
            return Ok(Err(Dead));
        };
        if link.seq <= last {
            rows.push(link.row);
        }
        if link.seq == after + 1 {
            rows.reverse();
            return Ok(Ok(rows));
        }
        row = link.previous;
    }
}

fn messages(
    connection: &Connection,
    rows: &[i64],
    max_bytes: usize,
) -> Result<Vec<Arc<model::message::Message>>, JobError> {
    let mut messages = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    for row in rows {
        let Some(message) = row::message(connection, *row)? else {
            break;
        };
        bytes += message.content.size();
        if bytes > max_bytes && !messages.is_empty() {
            break;
        }
        messages.push(Arc::new(message));
    }
    Ok(messages)
}
