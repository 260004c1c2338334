use axum::extract::State as AxumState;
use http::{StatusCode, Uri};
use model::inbox::InboxMessage;
use serde::{Serialize, Serializer};

use super::message::MessageBody;
use crate::State;
use crate::caller::Caller;
use crate::envelope::Data;
use crate::error::InboxFailure;
use crate::query;

/// The client type of a request that names none.
pub(crate) const DEFAULT_CLIENT: &str = "web";
/// Messages of a list that says no limit.
const DEFAULT_LIMIT: usize = 5;

/// `data` of a list.
#[derive(Serialize)]
pub struct List {
    #[serde(serialize_with = "bodies")]
    messages: Vec<InboxMessage>,
}

/// `GET /messages?client=&limit=&after=`: what the calling user is shown (api.md 4).
pub async fn list(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    uri: Uri,
) -> Result<Data<List>, InboxFailure> {
    let (mut client, mut limit, mut after) = (None, None, None);
    for (name, value) in query::pairs(uri.query().unwrap_or_default()) {
        let parameter = match name.as_str() {
            "client" => &mut client,
            "limit" => &mut limit,
            "after" => &mut after,
            _ => continue,
        };
        parameter.get_or_insert(value);
    }
    // Who may not list at all is told so first.
    caller.user().map_err(engine::error::Error::from)?;
    let limit = match limit {
        None => DEFAULT_LIMIT,
        Some(text) => parse_limit(&text)?,
    };
    let client = client.as_deref().unwrap_or(DEFAULT_CLIENT);
    let messages = state
        .engine
        .list_inbox(&caller, client, limit, after.as_deref())
        .await?;
    Ok(Data(List { messages }))
}

/// A limit; its range is the engine's to check.
pub(super) fn parse_limit(text: &str) -> Result<usize, InboxFailure> {
    text.parse().map_err(|_| {
        let found: String = text.chars().take(40).collect();
        InboxFailure::new(
            StatusCode::BAD_REQUEST,
            format!("limit: expected a whole number from 1, found {found:?}"),
        )
    })
}

fn bodies<S: Serializer>(messages: &[InboxMessage], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(messages.iter().map(MessageBody))
}
