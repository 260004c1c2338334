use std::sync::Arc;

use axum::body::Body;
use axum::extract::State as AxumState;
use engine::Engine;
use engine::access::caller::Caller as EngineCaller;
use engine::error::Error;
use engine::inbox::import::ImportPermit;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use model::key::Scope;
use serde::Serialize;
use tracing::Instrument as _;

use super::ndjson::Refused;
use super::receive::{self, Encoding, ParseError, Reader};
use crate::State;
use crate::caller::Caller;
use crate::envelope::Data;
use crate::error::{Duplicates, InboxFailure};
use crate::serve::request_id::RequestId;

/// `data` of an import without duplicates.
#[derive(Serialize)]
pub struct Imported {
    imported: u64,
}

/// `POST /messages/import`: the campaign system's messages, all or nothing on bad input (api.md 4, Import).
/// A body without a message imports none.
pub async fn import(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Data<Imported>, InboxFailure> {
    caller.needs(Scope::Import).map_err(Error::from)?;
    check_content_type(&headers, &["application/json", "application/x-ndjson"])?;
    let encoding = Encoding::of(&headers).map_err(bad_request)?;
    let permit = state.engine.begin_import(&caller).await?;
    let (sender, reader) = receive::channel(caller.app.settings.limits.import_bytes);
    // A task of its own: once the body is here, the store is not left half-way because the client goes.
    let storing = store(Arc::clone(&state.engine), caller, permit, reader, encoding);
    let storing = state.engine.spawn(RequestId::carried(storing).in_current_span());
    let forwarded = sender.forward(body).await;
    forwarded.map_err(|error| bad_request(format!("the body did not come whole: {}", causes(&error))))?;
    let imported = storing
        .await
        .map_err(|error| Error::Internal(Box::new(error)))??;
    Ok(Data(imported))
}

/// Parses and stores. Holds the permit to the end.
async fn store(
    engine: Arc<Engine>,
    caller: EngineCaller,
    permit: ImportPermit,
    reader: Reader,
    encoding: Encoding,
) -> Result<Imported, InboxFailure> {
    let app = Arc::clone(&caller.app);
    let parsing = move || {
        receive::parse(
            reader,
            encoding,
            &app.settings.inbox.clients,
            &app.settings.limits,
        )
    };
    let parsed = tokio::task::spawn_blocking(parsing).await;
    let parsed = parsed.map_err(|error| Error::Internal(Box::new(error)))??;
    if parsed.unknown_fields > 0 {
        tracing::debug!(
            count = parsed.unknown_fields,
            "unknown fields of an import were left out"
        );
    }
    let done = engine.import(&caller, &permit, parsed.messages).await?;
    let Some(first) = done.first_duplicate else {
        return Ok(Imported {
            imported: done.imported,
        });
    };
    let (imported, duplicates) = (done.imported, done.duplicates);
    let duplicate_key = first.as_str().to_owned();
    let detail = format!(
        "{duplicates} of {} messages have an id that was there before, the first is {duplicate_key:?}; \
         the {imported} new ones were imported",
        imported + duplicates,
    );
    let mut failure = InboxFailure::new(StatusCode::CONFLICT, detail);
    failure.duplicates = Some(Duplicates {
        duplicate_key,
        imported,
        duplicates,
    });
    Err(failure)
}

/// Parameters such as `boundary=NL` are allowed and mean nothing.
pub(super) fn check_content_type(headers: &HeaderMap, known: &[&str]) -> Result<(), InboxFailure> {
    let value = headers
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let name = value
        .as_deref()
        .unwrap_or("")
        .split(';')
        .next()
        .unwrap_or("")
        .trim();
    if known.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let expected = known.join(" or ");
    let found = if name.is_empty() {
        "none".to_owned()
    } else {
        format!("{name:?}")
    };
    Err(bad_request(format!(
        "Content-Type: expected {expected}, found {found}"
    )))
}

impl From<ParseError> for InboxFailure {
    fn from(error: ParseError) -> Self {
        let status = match &error {
            ParseError::Refused(Refused::TooManyMessages { .. } | Refused::TooManyBytes { .. }) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            ParseError::Refused(Refused::Line { .. }) | ParseError::Unreadable(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

pub(super) fn bad_request(detail: String) -> InboxFailure {
    InboxFailure::new(StatusCode::BAD_REQUEST, detail)
}

/// The innermost cause says what happened to the connection.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
