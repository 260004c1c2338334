use axum::body::Body;
use bytes::Bytes;
use engine::error::Error;
use http::StatusCode;
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::error::ChannelError;

/// Reads a body of at most `limit` bytes into memory. One whose `Content-Length` tells that it is larger
/// is not read at all.
///
/// # Errors
/// 413/5910 over the limit, 400/5901 if it does not come whole.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, ChannelError> {
    let too_large = || {
        ChannelError::from(Error::TooLarge {
            what: "bytes of the request body",
            limit,
        })
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_over_limit(&*error) => Err(too_large()),
        Err(error) => {
            tracing::debug!(
                error = &*error as &dyn std::error::Error,
                "a request body did not come whole"
            );
            let text = "the body is not a JSON object in UTF-8: it did not come whole";
            Err(ChannelError::new(StatusCode::BAD_REQUEST, 5901, text))
        }
    }
}

fn is_over_limit(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error.is::<LengthLimitError>()
}
