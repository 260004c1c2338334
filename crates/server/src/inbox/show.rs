use axum::extract::State as AxumState;
use model::inbox::InboxMessage;
use serde::{Serialize, Serializer};

use super::message::MessageBody;
use super::path::MessageId;
use crate::State;
use crate::caller::Caller;
use crate::envelope::Data;
use crate::error::InboxFailure;

/// `data` of one message.
#[derive(Serialize)]
pub struct Shown {
    #[serde(serialize_with = "body")]
    message: InboxMessage,
}

/// `GET /messages/{id}`: any message in any state (api.md 4).
pub async fn show(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    MessageId(id): MessageId,
) -> Result<Data<Shown>, InboxFailure> {
    let message = state.engine.show_inbox_message(&caller, &id).await?;
    Ok(Data(Shown { message }))
}

fn body<S: Serializer>(message: &InboxMessage, serializer: S) -> Result<S::Ok, S::Error> {
    MessageBody(message).serialize(serializer)
}
