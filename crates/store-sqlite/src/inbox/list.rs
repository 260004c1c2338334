use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use model::app::AppKey;
use model::inbox::InboxMessage;
use rusqlite::{Connection, OptionalExtension, params};
use store::error::Result;
use store::inbox::ListQuery;

use super::row;
use crate::SqliteStore;
use crate::error::JobError;

/// What sorts the list: higher `prio`, then newer `created`, then `id`.
type Place<'a> = (Reverse<i64>, Reverse<i64>, &'a str);

/// What is needed of a query on the reader's thread.
pub(super) struct Wanted {
    app: AppKey,
    uid: Box<str>,
    client: Box<str>,
    now: i64,
    limit: usize,
    after: Option<Box<str>>,
}

impl Wanted {
    pub(super) fn new(app: AppKey, query: ListQuery<'_>) -> Self {
        Self {
            app,
            uid: query.uid.into(),
            client: query.client.into(),
            now: query.now.0,
            limit: query.limit,
            after: query.after.map(|id| id.as_str().into()),
        }
    }
}

/// The messages that a user is shown.
pub(super) async fn list(
    store: &SqliteStore,
    app: AppKey,
    query: ListQuery<'_>,
) -> Result<Vec<InboxMessage>> {
    let wanted = Wanted::new(app, query);
    store.readers.run_together(move |conn| read(conn, &wanted)).await
}

/// One statement over the user's rows; only what may come into the list becomes a message.
pub(super) fn read(conn: &Connection, wanted: &Wanted) -> std::result::Result<Vec<InboxMessage>, JobError> {
    let after = match &wanted.after {
        None => None,
        Some(id) => match stored_place(conn, wanted, id)? {
            Some((prio, created)) => Some((Reverse(prio), Reverse(created), &**id)),
            None => return Ok(Vec::new()),
        },
    };
    let mut select = conn.prepare_cached(row::SELECT_SHOWN)?;
    let mut rows = select.query(params![wanted.app.0, &*wanted.uid, wanted.now, &*wanted.client])?;
    let mut best = Best::new(wanted.limit);
    while let Some(row) = rows.next()? {
        let prio = row.get(row::PRIO)?;
        if best.is_decided_above(prio) {
            break;
        }
        // The stored form of `Clients`, looked into without a copy.
        let mut clients = row::text(row, row::CLIENTS)?.split(',');
        if !clients.any(|client| *client == *wanted.client) {
            continue;
        }
        let place = (
            Reverse(prio),
            Reverse(row.get(row::CREATED_AT)?),
            row::text(row, row::ID)?,
        );
        if after.is_none_or(|after| place > after) && best.has_room_for(place) {
            best.push(row::message(row)?);
        }
    }
    Ok(best.into_sorted())
}

/// `prio` and `created` of a message of the user, listed or not; `None` if the row is gone.
fn stored_place(
    conn: &Connection,
    wanted: &Wanted,
    id: &str,
) -> std::result::Result<Option<(i64, i64)>, JobError> {
    let sql = "SELECT prio, created_at FROM inbox WHERE app = ?1 AND id = ?2 AND uid = ?3";
    let mut select = conn.prepare_cached(sql)?;
    let place = select.query_row(params![wanted.app.0, id, &*wanted.uid], |row| {
        Ok((row.get(0)?, row.get(1)?))
    });
    Ok(place.optional()?)
}

/// The best `limit` messages of any number; the worst of them on top.
struct Best {
    limit: usize,
    kept: BinaryHeap<Placed>,
}

/// A message that is compared by its place in the list.
struct Placed(InboxMessage);

impl Best {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            kept: BinaryHeap::new(),
        }
    }

    fn has_room_for(&self, candidate: Place<'_>) -> bool {
        self.kept.len() < self.limit || self.kept.peek().is_some_and(|worst| candidate < worst.place())
    }

    /// Whether nothing of this `prio` or a lower one has a place any more.
    fn is_decided_above(&self, prio: i64) -> bool {
        self.kept.len() >= self.limit && self.kept.peek().is_none_or(|worst| prio < worst.0.prio)
    }

    fn push(&mut self, message: InboxMessage) {
        if self.kept.len() >= self.limit {
            self.kept.pop();
        }
        self.kept.push(Placed(message));
    }

    fn into_sorted(self) -> Vec<InboxMessage> {
        let sorted = self.kept.into_sorted_vec();
        sorted.into_iter().map(|Placed(message)| message).collect()
    }
}

impl Placed {
    fn place(&self) -> Place<'_> {
        let created = self.0.created_at.0;
        (Reverse(self.0.prio), Reverse(created), self.0.id.as_str())
    }
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Placed {}

#[cfg(test)]
mod tests;
