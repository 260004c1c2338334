use axum::extract::State as AxumState;
use http::{StatusCode, Uri};
use model::inbox::InboxMessage;

use super::message;
use crate::State;
use crate::caller::Caller;
use crate::envelope::RawData;
use crate::error::InboxFailure;
use crate::query;

/// The client type of a request that names none.
pub(crate) const DEFAULT_CLIENT: &str = "web";
/// Messages of a list that says no limit.
const DEFAULT_LIMIT: usize = 5;
/// Bytes around a document in a list, at most.
const AROUND: usize = 40;

/// `GET /messages?client=&limit=&after=`: what the calling user is shown (api.md 4).
pub async fn list(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    uri: Uri,
) -> Result<RawData, InboxFailure> {
    let (mut client, mut limit, mut after) = (None, None, None);
    for (name, value) in query::pairs(uri.query().unwrap_or_default()) {
        let parameter = match &*name {
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
    Ok(data(&messages))
}

/// `data` of a list.
fn data(messages: &[InboxMessage]) -> RawData {
    let size: usize = messages
        .iter()
        .map(|message| message.document.as_str().len())
        .sum();
    let mut data = Vec::with_capacity(size + AROUND * (messages.len() + 1));
    data.extend_from_slice(br#"{"messages":["#);
    for (at, message) in messages.iter().enumerate() {
        if at > 0 {
            data.push(b',');
        }
        message::write(&mut data, message);
    }
    data.extend_from_slice(b"]}");
    RawData(data.into())
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
