use std::sync::Arc;

use axum::extract::State as AxumState;
use engine::error::Error;
use serde::Serialize;
use tracing::Instrument as _;

use crate::State;
use crate::caller::Caller;
use crate::envelope::Data;
use crate::error::InboxFailure;

/// `data` of a sync.
#[derive(Serialize)]
pub struct Synced {
    synced: u64,
}

/// `POST` or `GET /messages/sync`: tells the campaign system what was deleted (api.md 4, Sync).
pub async fn sync(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
) -> Result<Data<Synced>, InboxFailure> {
    let engine = Arc::clone(&state.engine);
    // A task of its own: what was sent is marked, also when the client goes meanwhile.
    let syncing = async move { engine.sync(&caller).await };
    let synced = state.engine.spawn(syncing.in_current_span()).await;
    let synced = synced.map_err(|error| Error::Internal(Box::new(error)))??;
    Ok(Data(Synced { synced }))
}
