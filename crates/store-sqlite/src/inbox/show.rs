use model::app::AppKey;
use model::inbox::{InboxId, InboxMessage};
use rusqlite::params;
use store::error::Result;

use super::row;
use crate::SqliteStore;

/// One message in any state.
pub(super) async fn show(store: &SqliteStore, app: AppKey, id: &InboxId) -> Result<Option<InboxMessage>> {
    let id = id.clone();
    store
        .readers
        .run(move |conn| {
            let mut select = conn.prepare_cached(row::SELECT_BY_ID)?;
            let mut rows = select.query(params![app.0, id.as_str()])?;
            rows.next()?.map(row::message).transpose()
        })
        .await
}
