use std::fmt;
use std::marker::PhantomData;

use axum::body::{self, Body};
use axum::extract::State as AxumState;
use engine::error::Error;
use http::{HeaderMap, StatusCode};
use model::inbox::InboxId;
use model::key::Scope;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::import::{bad_request, causes, check_content_type};
use crate::State;
use crate::caller::Caller;
use crate::envelope::Data;
use crate::error::InboxFailure;

/// Bytes of a request for each id that it may name: the longest id, what JSON needs, and some space.
const ID_BYTES: usize = 256;

/// `data` of a retract.
#[derive(Serialize)]
pub struct Retracted {
    retracted: u64,
    not_retracted: Vec<String>,
}

#[derive(Deserialize)]
struct Request {
    messages: Vec<Object<Item>>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
}

/// A struct that must come as a JSON object; serde would take a list of its fields too.
struct Object<T>(T);

/// `POST /messages/retract`: imported → retracted (api.md 4).
pub async fn retract(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Data<Retracted>, InboxFailure> {
    caller.needs(Scope::Import).map_err(Error::from)?;
    check_content_type(&headers, &["application/json"])?;
    let limit = caller.app.settings.limits.retract_ids.saturating_mul(ID_BYTES);
    let ids = ids(&read(body, limit).await?)?;
    let done = state.engine.retract(&caller, ids).await?;
    let not_retracted = done
        .not_retracted
        .iter()
        .map(|id| id.as_str().to_owned())
        .collect();
    Ok(Data(Retracted {
        retracted: done.retracted,
        not_retracted,
    }))
}

async fn read(body: Body, limit: usize) -> Result<bytes::Bytes, InboxFailure> {
    body::to_bytes(body, limit).await.map_err(|error| {
        let is_too_long = std::error::Error::source(&error)
            .is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>());
        match is_too_long {
            true => InboxFailure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("at most {limit} bytes in one retract, found more; send it in several requests"),
            ),
            false => bad_request(format!("the body did not come whole: {}", causes(&error))),
        }
    })
}

fn ids(body: &[u8]) -> Result<Vec<InboxId>, InboxFailure> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let request: Result<Object<Request>, _> = serde_path_to_error::deserialize(&mut json);
    let Object(request) = request.map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner();
        // A path of "." is the whole body.
        match path.as_str() {
            "." | "?" => bad_request(format!("{reason}")),
            _ => bad_request(format!("{path}: {reason}")),
        }
    })?;
    json.end().map_err(|error| bad_request(error.to_string()))?;
    if request.messages.is_empty() {
        return Err(bad_request(
            "messages: expected at least one, found none".to_owned(),
        ));
    }
    let ids = request.messages.iter().enumerate().map(|(at, item)| {
        item.0
            .id
            .parse()
            .map_err(|error| bad_request(format!("messages[{at}].id: {error}")))
    });
    ids.collect()
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}
