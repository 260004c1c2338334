use axum::extract::State as AxumState;
use http::Uri;

use super::list::DEFAULT_CLIENT;
use super::stream::event::CountsBody;
use crate::State;
use crate::caller::Caller;
use crate::envelope::Data;
use crate::error::InboxFailure;
use crate::query;

/// `GET /messages/count?client=`: how many messages the calling user is shown (api.md 4).
pub(super) async fn count(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    uri: Uri,
) -> Result<Data<CountsBody>, InboxFailure> {
    let client = query::value(uri.query().unwrap_or_default(), "client");
    let client = client.as_deref().unwrap_or(DEFAULT_CLIENT);
    let counts = state.engine.count_inbox(&caller, client).await?;
    Ok(Data(CountsBody {
        unread: counts.unread,
        total: counts.total,
    }))
}
