use axum::extract::State as AxumState;
use serde::Serialize;

use super::path::UserId;
use crate::State;
use crate::caller::Caller;
use crate::envelope::Data;
use crate::error::InboxFailure;

/// `data` of the deletion.
#[derive(Serialize)]
pub struct Deleted {
    deleted: u64,
}

/// `DELETE /users/{uid}/messages`: all imported messages of the user → deleted (api.md 4).
pub async fn delete_all(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    UserId(uid): UserId,
) -> Result<Data<Deleted>, InboxFailure> {
    let deleted = state.engine.delete_all_of_user(&caller, &uid).await?;
    Ok(Data(Deleted { deleted }))
}
