use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;
use model::message::MessageId;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::State;
use crate::error::ChannelError;
use crate::query;

/// The third segment of the path, decoded: a channel's name or a message id, not checked further.
pub struct Name(pub String);

/// The fourth segment of the path, decoded.
pub struct SecondName(pub String);

impl FromRequestParts<State> for Name {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Response> {
        segment(parts.uri.path(), 3)
            .map(Self)
            .map_err(ChannelError::into_response)
    }
}

impl FromRequestParts<State> for SecondName {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Response> {
        segment(parts.uri.path(), 4)
            .map(Self)
            .map_err(ChannelError::into_response)
    }
}

impl Name {
    /// The message id that the name is, or was meant to be; `None`: the path is no route.
    ///
    /// # Errors
    /// 404/5909 for what is no message id at all.
    pub fn message_id(&self) -> Result<Option<MessageId>, ChannelError> {
        if !self.0.starts_with("message:") {
            let text = "there is no such route: expected a message id such as message:0199… in the path";
            return Err(ChannelError::new(StatusCode::NOT_FOUND, 5909, text));
        }
        Ok(self.0.parse().ok())
    }

    /// The message id that the name is; one that was never given where it only looks like one.
    ///
    /// # Errors
    /// 404/5909 for what is no message id at all.
    pub fn message_id_or_none(&self) -> Result<MessageId, ChannelError> {
        Ok(self.message_id()?.unwrap_or(MessageId::one_shot(Uuid::nil())))
    }
}

/// The path is split before it is decoded: an encoded slash is part of a name (and makes it a bad one).
fn segment(path: &str, place: usize) -> Result<String, ChannelError> {
    let raw = query::segment(path, place).unwrap_or_default();
    let decoded = percent_decode_str(raw).decode_utf8().map_err(|_| {
        let text = "the channel name in the path, percent-decoded, is not UTF-8";
        ChannelError::new(StatusCode::BAD_REQUEST, 5903, text)
    })?;
    Ok(decoded.into_owned())
}
