use axum::extract::State as AxumState;
use serde::Serialize;

use crate::State;
use crate::caller::Caller;
use crate::envelope::Data;
use crate::error::InboxFailure;

/// `data` of a cleanup.
#[derive(Serialize)]
pub struct Removed {
    removed: u64,
}

/// `POST` or `GET /messages/cleanup`: removes what nobody needs any more (api.md 4). If the client goes
/// meanwhile, what is left waits for the next one.
pub async fn cleanup(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
) -> Result<Data<Removed>, InboxFailure> {
    let removed = state.engine.cleanup(&caller).await?;
    Ok(Data(Removed { removed }))
}
