use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;

/// The `{id}` of `/messages/{id}`, decoded. Taken from the path itself, so that a reserved word, which has
/// a route of its own, is a bad id too.
///
/// Bytes that are no UTF-8 become U+FFFD, which no id may have.
pub struct MessageId(pub String);

/// The `{uid}` of `/users/{uid}/messages`, decoded. No UTF-8: U+FFFD, as in a list of that user.
pub struct UserId(pub String);

impl<S: Sync> FromRequestParts<S> for MessageId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(second_segment(parts)))
    }
}

impl<S: Sync> FromRequestParts<S> for UserId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(second_segment(parts)))
    }
}

fn second_segment(parts: &Parts) -> String {
    let segment = parts.uri.path().split('/').nth(2).unwrap_or("");
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
