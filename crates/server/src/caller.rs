use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use engine::access::credentials::Credentials;
use engine::error::Error;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::State;
use crate::addressing::Addressed;
use crate::error::{ChannelError, Family, InboxFailure};
use crate::query;

/// Who calls, from the credentials of the request (api.md 2). Refused in the shape of the route's family.
pub struct Caller(pub engine::access::caller::Caller);

impl FromRequestParts<State> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let family = Family::of(parts.uri.path());
        authenticate(parts, state)
            .await
            .map(Self)
            .map_err(|error| match family {
                Family::Inbox => InboxFailure::from(error).into_response(),
                Family::Channel => ChannelError::from(error).into_response(),
            })
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
    let path_key = parts
        .extensions
        .get::<Addressed>()
        .and_then(|addressed| addressed.path_key.clone());
    let query = parts.uri.query().unwrap_or_default();
    let keys = parts.headers.get_all("x-api-key").iter().map(text);
    let keys = keys
        .chain(query::pairs(query).filter_map(|(name, value)| (name == "key").then_some(value)))
        .chain(path_key);
    let tokens = [
        header(&parts.headers, "user-token"),
        bearer(&parts.headers),
        query::value(query, "token"),
    ];
    let is_given = |token: &String| !matches!(token.as_str(), "" | "undefined" | "null");
    Credentials::new(keys, tokens.into_iter().flatten().find(is_given))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(text)
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).trim().to_owned()
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}
