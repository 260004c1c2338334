use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::response::Response;
use engine::access::credentials::Credentials;
use engine::error::Error;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::State;
use crate::addressing::Addressed;
use crate::error::Family;
use crate::query;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const USER_TOKEN: HeaderName = HeaderName::from_static("user-token");

/// Who calls, from the credentials of the request (api.md 2). Refused in the shape of the route's family.
pub struct Caller(pub engine::access::caller::Caller);

impl FromRequestParts<State> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let family = Family::of(parts.uri.path());
        authenticate(parts, state)
            .await
            .map(Self)
            .map_err(|error| family.refuse(error))
    }
}

async fn authenticate(parts: &Parts, state: &State) -> Result<engine::access::caller::Caller, Error> {
    let addressed = parts.extensions.get::<Addressed>();
    let app = addressed
        .and_then(|addressed| addressed.app.as_ref())
        .ok_or(Error::NotFound { what: "app" })?;
    Ok(state
        .engine
        .access()
        .authenticate(app, &credentials(parts))
        .await?)
}

/// All keys that the request gives, and its first user token: `user-token`, `Authorization: Bearer`,
/// `?token=`.
pub fn credentials(parts: &Parts) -> Credentials {
    let addressed = parts.extensions.get::<Addressed>();
    let path_key = addressed.and_then(|addressed| addressed.path_key.as_deref());
    let query = parts.uri.query().unwrap_or_default();
    let keys = parts.headers.get_all(API_KEY).iter().map(text);
    let keys = keys
        .chain(query::pairs(query).filter_map(|(name, value)| (name == "key").then_some(value)))
        .chain(path_key.map(Cow::from));
    let tokens = [
        parts.headers.get(USER_TOKEN).map(text),
        bearer(&parts.headers).map(Cow::from),
        query::value(query, "token"),
    ];
    Credentials::new(keys, tokens.into_iter().flatten())
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.trim().into(),
        Err(_) => String::from_utf8_lossy(value.as_bytes()).trim().to_owned().into(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
