use model::app::AppKey;
use store::error::Result;
use store::inbox::{ListQuery, Snapshot};

use super::changes::head;
use super::count::{Outline, Reader, each_row};
use super::list;
use crate::SqliteStore;

/// The list with where its changes go on, all of one moment.
pub(super) async fn snapshot(store: &SqliteStore, app: AppKey, query: ListQuery<'_>) -> Result<Snapshot> {
    let now = query.now;
    let reader = Reader {
        app,
        uid: query.uid.into(),
        client: query.client.into(),
    };
    let wanted = list::Wanted::new(app, query);
    let read = store.readers.run(move |conn| {
        let transaction = conn.unchecked_transaction()?;
        let cursor = head(&transaction, now)?;
        let messages = list::read(&transaction, &wanted)?;
        let mut outline = Outline::new(now);
        each_row(&transaction, &reader, |row| outline.add(row))?;
        Ok(Snapshot {
            messages,
            counts: outline.counts,
            cursor,
            next: outline.next,
        })
    });
    read.await
}
