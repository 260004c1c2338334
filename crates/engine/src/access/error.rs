use model::key::Scope;

use super::token::TokenError;

/// Why a caller is not let in (api.md 2). No text holds a token or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The user token is no good; the source says why, for the log.
    #[error("the user token is invalid or expired")]
    BadToken(#[source] TokenError),
    /// The user token's own selector is none.
    #[error("the selector in the user token cannot be read: it goes wrong at position {position}")]
    BadTokenSelector {
        /// The character at which it goes wrong, counted from 1.
        position: usize,
    },
    /// The API key is unknown, revoked or expired, or two different ones were given.
    #[error("the API key is unknown, revoked or expired, or two different keys were given")]
    BadKey,
    /// No credential was given where one is needed.
    #[error("a user token or an API key is needed")]
    NoCredential,
    /// The caller is known but not allowed to do this.
    #[error("the caller is not allowed to do this")]
    Forbidden,
    /// The key is known but lacks the scope.
    #[error("the key is not allowed to do this: it lacks the scope `{}`", .0.as_str())]
    MissingScope(Scope),
    /// The app was deleted while the caller was connected.
    #[error("the app is no longer there")]
    AppGone,
}

impl AccessError {
    /// The code of a user token that is no good.
    pub const BAD_TOKEN: u16 = 3064;
    /// The code of an API key that is no good, and of a credential that is missing.
    pub const BAD_KEY: u16 = 2002;
    /// The code of a caller who is not allowed.
    pub const FORBIDDEN: u16 = 5007;

    /// The error code of the channel family (api.md 3.1).
    pub fn code(&self) -> u16 {
        match self {
            Self::BadToken(_) | Self::BadTokenSelector { .. } => Self::BAD_TOKEN,
            // Whatever credential was good for the app that is gone is good for nothing now.
            Self::BadKey | Self::NoCredential | Self::AppGone => Self::BAD_KEY,
            Self::Forbidden | Self::MissingScope(_) => Self::FORBIDDEN,
        }
    }
}
