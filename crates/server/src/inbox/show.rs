use axum::extract::State as AxumState;

use super::message;
use super::path::MessageId;
use crate::State;
use crate::caller::Caller;
use crate::envelope::RawData;
use crate::error::InboxFailure;

/// `GET /messages/{id}`: any message in any state (api.md 4).
pub async fn show(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    MessageId(id): MessageId,
) -> Result<RawData, InboxFailure> {
    let message = state.engine.show_inbox_message(&caller, &id).await?;
    let mut data = br#"{"message":"#.to_vec();
    message::write(&mut data, &message);
    data.push(b'}');
    Ok(RawData(data.into()))
}
