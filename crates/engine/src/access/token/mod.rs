use model::settings::JwtSettings;
use model::settings::check::SettingsError;

/// Verified tokens, kept for a while.
mod cache;
/// Reading a verified token's claims.
mod claims;
/// JWK sets in memory, and when they are fetched.
mod jwks;
/// Fetching and reading a JWK set.
mod key_set;
/// Making user tokens.
pub mod mint;
/// Public keys: reading and judging them.
mod public_key;
/// The keys and algorithms that an app's settings give.
mod sources;
/// Verifying user tokens.
mod verifier;

pub(super) use self::jwks::Fetcher;
pub(super) use self::verifier::Verifier;

/// The longest user token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// How far the clocks of whoever makes tokens and of this node may be apart (api.md 2).
pub const LEEWAY: std::time::Duration = std::time::Duration::from_secs(30);

/// Why a user token is refused. For the log: no text holds any part of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The app's settings have no source of keys, or one that cannot be used.
    #[error("the app has no usable source of token keys")]
    NoKeySource,
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("the token is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// Not a JWS in compact form with a JSON header and JSON claims, or of an unknown algorithm.
    #[error("the token is no signed JWT with an algorithm that is known")]
    Malformed,
    /// The header demands extensions (`crit`, RFC 7515 4.1.11); none are supported.
    #[error("the token demands header extensions")]
    Critical,
    /// The algorithm is not one of those allowed.
    #[error("the token's algorithm is not allowed")]
    Algorithm,
    /// No key is known under which the token could have been signed.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the token's signature does not fit")]
    Signature,
    /// No `exp`, or one that is no number.
    #[error("the token has no exp that is a number")]
    NoExpiry,
    /// `exp` lies more than the leeway back.
    #[error("the token has expired")]
    Expired,
    /// `nbf` lies more than the leeway ahead, or is no number.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iss` is not the configured one.
    #[error("the token's iss is not the configured one")]
    Issuer,
    /// `aud` does not name the configured audience.
    #[error("the token's aud does not name the configured one")]
    Audience,
    /// No claim with a user id that is a text or a number.
    #[error("the token has no user id that is a non-empty text of at most 255 bytes or a number")]
    NoUser,
    /// The selector claim is no text.
    #[error("the token's selector is no text")]
    Selector,
    /// The selector claim is a text, but no selector.
    #[error("the token's selector cannot be read")]
    SelectorSyntax {
        /// The character at which it goes wrong, counted from 1.
        position: usize,
    },
    /// The token was verified under settings that are no longer in force.
    #[error("the token settings have changed")]
    SettingsChanged,
}

/// Checks whether token settings can be used.
///
/// # Errors
/// The first setting that cannot be.
pub(super) fn check(settings: &JwtSettings) -> Result<(), SettingsError> {
    sources::KeySources::new(settings).map(|_| ())
}
