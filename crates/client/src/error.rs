use std::time::Duration;

use serde::Deserialize;

use crate::sse;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument or option that no request can carry; nothing was sent.
    #[error("{name}: expected {expected}, found {found}")]
    Argument {
        /// What was given wrong.
        name: &'static str,
        /// What would have been right.
        expected: &'static str,
        /// What was given; never a secret.
        found: String,
    },
    /// A file named in the options could not be used.
    #[error("cannot read {path}")]
    File {
        /// The file's path.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The HTTP client could not be set up, for instance because of an unusable certificate.
    #[error("cannot set up the HTTP client")]
    Setup(#[source] reqwest::Error),
    /// No complete answer came: connection refused, cut or timed out. Whether the call took effect is unknown.
    #[error("no complete answer from {url}")]
    Transport {
        /// The server's base URL.
        url: String,
        /// Why; without the URL.
        #[source]
        source: reqwest::Error,
    },
    /// The server answered with an error.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The answer was no valid JSON of the expected shape.
    #[error("the answer to {call} is not what the contract says; is this a Postbell server?")]
    Decode {
        /// The call.
        call: &'static str,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A live stream broke the rules of `text/event-stream` or its bounds.
    #[error("the event stream cannot be read")]
    Stream(#[from] sse::Error),
    /// A live stream sent nothing, not even a heartbeat, for this long.
    #[error("the event stream was silent for {} s", .0.as_secs())]
    Silent(Duration),
}

impl Error {
    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::Silent(_) => true,
            Self::Refused(refusal) => matches!(refusal.status, 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// The refusal, if the server answered with one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

/// An error answer of either family: channels `{"message","code"}` (api.md 3.1) or inbox
/// `{"meta","errors"}` (api.md 4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (HTTP {status}{})", .code.map(|code| format!(", code {code}")).unwrap_or_default())]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Code of the channel family, e.g. 5007; `None` in the inbox family.
    pub code: Option<u32>,
    /// What the server said: `message`, or the `detail` of the first error.
    pub message: String,
    /// `meta.duplicate_key` of a 409 to an import: the first duplicate id.
    pub duplicate_key: Option<String>,
    /// `meta.imported` of a 409 to an import: messages that came in all the same.
    pub imported: Option<u64>,
    /// `meta.duplicates` of a 409 to an import.
    pub duplicates: Option<u64>,
    /// `Retry-After` in seconds form.
    pub retry_after: Option<Duration>,
    /// `X-Request-Id`, for the operator's log.
    pub request_id: Option<String>,
}

#[derive(Deserialize)]
struct ChannelShape {
    message: String,
    code: u32,
}

#[derive(Deserialize)]
struct InboxShape {
    #[serde(default)]
    meta: InboxMeta,
    errors: Vec<InboxError>,
}

#[derive(Default, Deserialize)]
struct InboxMeta {
    duplicate_key: Option<String>,
    imported: Option<u64>,
    duplicates: Option<u64>,
}

#[derive(Deserialize)]
struct InboxError {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

impl Refusal {
    /// Reads an error body of either family; anything else (a proxy's page) becomes a short excerpt.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let mut refusal = Self {
            status,
            code: None,
            message: String::new(),
            duplicate_key: None,
            imported: None,
            duplicates: None,
            retry_after: None,
            request_id: None,
        };
        if let Ok(shape) = serde_json::from_slice::<ChannelShape>(body) {
            refusal.message = shape.message;
            refusal.code = Some(shape.code);
        } else if let Ok(shape) = serde_json::from_slice::<InboxShape>(body) {
            if let Some(first) = shape.errors.into_iter().next() {
                refusal.message = if first.detail.is_empty() {
                    first.title
                } else {
                    first.detail
                };
            }
            refusal.duplicate_key = shape.meta.duplicate_key;
            refusal.imported = shape.meta.imported;
            refusal.duplicates = shape.meta.duplicates;
        } else {
            refusal.message = excerpt(body);
        }
        if refusal.message.is_empty() {
            "the server gave no reason".clone_into(&mut refusal.message);
        }
        refusal
    }
}

/// The first words of a foreign error body, on one line.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words
        .chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests;
