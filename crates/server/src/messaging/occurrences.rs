use axum::Json;
use axum::extract::State as AxumState;
use axum::response::{IntoResponse as _, Response};
use engine::error::Error;
use http::Uri;
use serde::Serialize;
use store::schedules;

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::path::Name;
use crate::messaging::reading;
use crate::query;

/// Occurrences of a page where `limit` does not say.
const DEFAULT_LIMIT: usize = 100;

#[derive(Serialize)]
struct Answer {
    occurrences: Vec<Occurrence>,
    next: Option<u64>,
}

#[derive(Serialize)]
struct Occurrence {
    n: u64,
    due: i64,
    fired: Option<i64>,
    seq: Option<u64>,
}

/// `GET /api/messaging/{message-id}/occurrences` (api.md 3.3).
pub async fn occurrences(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    name: Name,
    uri: Uri,
) -> Result<Response, ChannelError> {
    let id = name.message_id_or_none()?;
    let given = query::value(uri.query().unwrap_or_default(), "after").filter(|text| !text.is_empty());
    let after = given.map_or(Ok(0), |text| text.parse()).map_err(|_| {
        let text = "expected the number of an occurrence, as `next` tells it";
        Error::parameter("after", text)
    })?;
    let limit = reading::limit(&uri, DEFAULT_LIMIT)?;
    let (found, more) = state.engine.occurrences(&caller, id, after, limit).await?;
    let next = found.last().map(|last| last.due.n).filter(|_| more);
    let occurrences = found.iter().map(occurrence).collect();
    Ok(Json(Answer { occurrences, next }).into_response())
}

fn occurrence(occurrence: &schedules::Occurrence) -> Occurrence {
    Occurrence {
        n: occurrence.due.n,
        due: occurrence.due.at.0,
        fired: occurrence.published.map(|published| published.published_at.0),
        seq: occurrence.published.map(|published| published.seq),
    }
}
