use futures_util::future::Either;
use http::{HeaderMap, HeaderName, HeaderValue};
use model::ids::IdSource;
use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    /// Of the request whose answer the running task works at.
    static CURRENT: RequestId;
}

/// The header that carries the id, in requests and in every answer.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id taken from a client, in bytes (api.md 4).
const MAX_BYTES: usize = 128;

/// The id of a request: the client's own, or a fresh UUID. A request extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id in `X-Request-Id` if it is 1–128 printable ASCII characters, else a fresh one.
    pub(crate) fn of(headers: &HeaderMap, ids: &dyn IdSource) -> Self {
        match headers.get(HEADER) {
            Some(value) if is_acceptable(value.as_bytes()) => Self(value.clone()),
            _ => Self::fresh(ids),
        }
    }

    fn fresh(ids: &dyn IdSource) -> Self {
        let mut text = uuid::Uuid::encode_buffer();
        let text: &str = ids.random_uuid().hyphenated().encode_lower(&mut text);
        match HeaderValue::from_str(text) {
            Ok(value) => Self(value),
            Err(_) => unreachable!("a UUID is hexadecimal digits and hyphens"),
        }
    }

    /// The id as text, at most 128 bytes of printable ASCII.
    pub fn as_str(&self) -> &str {
        // Only printable ASCII gets in.
        self.0.to_str().unwrap_or_default()
    }

    /// The work with this id as [`RequestId::current`], so that what goes wrong in it can be logged with it.
    ///
    /// It is there at every level of the log, where the span of a request is made for `debug` alone: to write
    /// a span's fields down for each request cost a tenth of the publishes a second.
    pub fn scope<F: Future>(self, work: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, work)
    }

    /// Work that goes on in a task of its own, with the id that the running task has.
    pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
        match Self::current() {
            Some(id) => Either::Left(id.scope(work)),
            None => Either::Right(work),
        }
    }

    /// The id of the request that the running task works at; none outside of any.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    pub(super) fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_acceptable(value: &[u8]) -> bool {
    (1..=MAX_BYTES).contains(&value.len()) && value.iter().all(|byte| (b' '..=b'~').contains(byte))
}
