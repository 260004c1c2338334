use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// First path segments that no app may be called (api.md 1).
pub const RESERVED: [&str; 11] = [
    "api",
    "messaging",
    "messages",
    "users",
    "admin",
    "console",
    "info",
    "healthz",
    "readyz",
    "metrics",
    "openapi.json",
];

/// The name of the app of requests that name none.
pub const DEFAULT: &str = "default";

/// The name of an app: `[A-Za-z0-9-]{1,63}`, compared ignoring case, kept in lower case (api.md 1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppId(Arc<str>);

impl AppId {
    /// The app of requests that name none; it always exists.
    pub fn default_app() -> Self {
        Self(DEFAULT.into())
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no app id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppIdError {
    /// Wrong length or characters.
    #[error("an app id is 1 to 63 of A-Z a-z 0-9 and -, found {0:?}")]
    Malformed(String),
    /// One of the reserved first path segments.
    #[error("the app id {0:?} is reserved")]
    Reserved(String),
}

impl FromStr for AppId {
    type Err = AppIdError;

    fn from_str(text: &str) -> Result<Self, AppIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if text.is_empty() || text.len() > 63 || !text.bytes().all(allowed) {
            return Err(AppIdError::Malformed(text.chars().take(80).collect()));
        }
        let lower = text.to_ascii_lowercase();
        if RESERVED.contains(&lower.as_str()) {
            return Err(AppIdError::Reserved(lower));
        }
        Ok(Self(lower.into()))
    }
}

/// By the name in lower case, as [`AppId::as_str`] gives it.
impl Borrow<str> for AppId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The surrogate of one app in the store. An app deleted and made again has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppKey(pub i64);
