use axum::extract::State as AxumState;
use axum::response::{IntoResponse as _, Response};
use engine::messaging::history::HistoryPage;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Uri};
use model::position::Since;

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::envelope::{self, formatted, string};
use crate::messaging::path::Name;
use crate::messaging::reading;
use crate::query;

/// Messages of a page where `limit` does not say.
const DEFAULT_LIMIT: usize = 100;

/// `GET /api/messaging/{channel}/history` (api.md 3.7).
pub async fn history(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    Name(channel): Name,
    uri: Uri,
) -> Result<Response, ChannelError> {
    let given = query::value(uri.query().unwrap_or_default(), "since");
    let since = reading::since("since", given.as_deref())?.unwrap_or(Since::All);
    let limit = reading::limit(&uri, DEFAULT_LIMIT)?;
    let wanted = reading::wanted(&uri);
    let page = state
        .engine
        .history(&caller, &channel, since, limit, &wanted)
        .await?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], body(&page)).into_response())
}

fn body(page: &HistoryPage) -> Vec<u8> {
    let size: usize = page
        .messages
        .iter()
        .map(|message| 300 + message.content.size())
        .sum();
    let mut out = Vec::with_capacity(128 + size);
    out.extend_from_slice(b"{\"messages\":[");
    for (at, message) in page.messages.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        envelope::write(&mut out, page.channel.as_str(), message);
    }
    formatted(&mut out, format_args!("],\"nextSince\":\"{}\"", page.next));
    if let Some((from, to)) = &page.gap {
        out.extend_from_slice(b",\"gap\":{\"from\":");
        string(&mut out, &from.to_string());
        formatted(&mut out, format_args!(",\"to\":\"{to}\"}}"));
    }
    out.push(b'}');
    out
}
