use std::collections::HashMap;
use std::sync::Arc;

use model::selector::Selector;
use model::settings::JwtSettings;
use model::time::UnixMillis;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{LEEWAY, TokenError};

/// The longest user id, in bytes, as in the inbox (api.md 4).
const MAX_USER_BYTES: usize = 255;

/// Claims that hold the user id where none is configured, the first present counts (api.md 2).
const USER_CLAIMS: [&str; 4] = ["uid", "user_id", "userId", "sub"];

/// What a token's claims must be, and which of them are read.
#[derive(Debug)]
pub(super) struct ClaimRules {
    issuer: Option<String>,
    audience: Option<String>,
    user_claim: Option<String>,
    roles_claim: String,
    selector_claim: String,
}

/// A user as a token tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::access) struct TokenUser {
    /// The user id; a number as it was written.
    pub(in crate::access) id: Box<str>,
    /// The roles.
    pub(in crate::access) roles: Vec<Box<str>>,
    /// The selector that is added to all that the user reads.
    pub(in crate::access) selector: Option<Arc<Selector>>,
    /// From when on the token is good, the leeway included.
    pub(super) begins: Option<UnixMillis>,
    /// From when on it is no longer good, the leeway included.
    pub(in crate::access) expires: UnixMillis,
}

impl TokenUser {
    pub(super) fn check_time(&self, now: UnixMillis) -> Result<(), TokenError> {
        if now >= self.expires {
            return Err(TokenError::Expired);
        }
        if self.begins.is_some_and(|begins| now < begins) {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}

/// Values stay as they were written, so that a number as user id keeps all its digits. An explicit null
/// counts as absent.
struct Claims(HashMap<String, Box<RawValue>>);

impl Claims {
    fn get(&self, name: &str) -> Option<&str> {
        let text = self.0.get(name)?.get();
        (text != "null").then_some(text)
    }

    fn read<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Option<Result<T, serde_json::Error>> {
        self.get(name).map(serde_json::from_str)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    /// What is no text in the list names nothing.
    More(Vec<serde_json::Value>),
}

impl OneOrMore {
    fn into_texts(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::More(values) => values
                .into_iter()
                .filter_map(|value| match value {
                    serde_json::Value::String(text) => Some(text),
                    _ => None,
                })
                .collect(),
        }
    }
}

impl ClaimRules {
    pub(super) fn new(settings: &JwtSettings) -> Self {
        let settings = settings.clone().with_default_claims();
        Self {
            issuer: settings.issuer,
            audience: settings.audience,
            user_claim: settings.user_claim,
            roles_claim: settings.roles_claim,
            selector_claim: settings.selector_claim,
        }
    }

    /// Reads the claims of a token whose signature is good. The time is not looked at:
    /// [`TokenUser::check_time`].
    pub(super) fn read(&self, json: &[u8]) -> Result<TokenUser, TokenError> {
        let claims = Claims(serde_json::from_slice(json).map_err(|_| TokenError::Malformed)?);
        let expires = match claims.read("exp") {
            Some(Ok(seconds)) => millis(seconds).ok_or(TokenError::NoExpiry)?,
            Some(Err(_)) | None => return Err(TokenError::NoExpiry),
        };
        let begins = match claims.read("nbf") {
            Some(Ok(seconds)) => Some(millis(seconds).ok_or(TokenError::NotYetValid)?),
            Some(Err(_)) => return Err(TokenError::NotYetValid),
            None => None,
        };
        if let Some(issuer) = &self.issuer {
            let found: Option<String> = claims.read("iss").and_then(Result::ok);
            if found.as_ref() != Some(issuer) {
                return Err(TokenError::Issuer);
            }
        }
        if let Some(audience) = &self.audience {
            let found: Option<OneOrMore> = claims.read("aud").and_then(Result::ok);
            if !found.is_some_and(|found| found.into_texts().contains(audience)) {
                return Err(TokenError::Audience);
            }
        }
        Ok(TokenUser {
            id: self.user(&claims)?,
            roles: self.roles(&claims),
            selector: self.selector(&claims)?,
            begins: begins.map(|begins| begins - LEEWAY),
            expires: expires + LEEWAY,
        })
    }

    fn user(&self, claims: &Claims) -> Result<Box<str>, TokenError> {
        let written = match &self.user_claim {
            Some(name) => claims.get(name),
            None => USER_CLAIMS.iter().find_map(|name| claims.get(name)),
        };
        let written = written.ok_or(TokenError::NoUser)?;
        let id: Box<str> = match written.as_bytes().first() {
            Some(b'"') => serde_json::from_str(written).map_err(|_| TokenError::NoUser)?,
            Some(b'-' | b'0'..=b'9') => written.into(),
            _ => return Err(TokenError::NoUser),
        };
        if id.is_empty() || id.len() > MAX_USER_BYTES {
            return Err(TokenError::NoUser);
        }
        Ok(id)
    }

    /// Roles only add rights, so what cannot be read is left out; the token stays good.
    fn roles(&self, claims: &Claims) -> Vec<Box<str>> {
        let found: Option<OneOrMore> = claims.read(&self.roles_claim).and_then(Result::ok);
        let roles = found.map(OneOrMore::into_texts).unwrap_or_default();
        roles.into_iter().map(String::into_boxed_str).collect()
    }

    /// A selector takes away, so one that cannot be read makes the token bad.
    fn selector(&self, claims: &Claims) -> Result<Option<Arc<Selector>>, TokenError> {
        match claims.read::<String>(&self.selector_claim) {
            None => Ok(None),
            Some(Ok(text)) => {
                let selector =
                    Selector::parse_optional(&text).map_err(|error| TokenError::SelectorSyntax {
                        position: error.position(),
                    })?;
                Ok(selector.map(Arc::new))
            }
            Some(Err(_)) => Err(TokenError::Selector),
        }
    }
}

/// A NumericDate (RFC 7519 2): seconds, a fraction is allowed.
fn millis(seconds: f64) -> Option<UnixMillis> {
    // Beyond this, 300,000 years, adding the leeway could not be told from rounding.
    const LIMIT: f64 = 1e13;
    // The cast is exact enough: whole milliseconds below 2^53.
    (seconds.abs() < LIMIT).then(|| UnixMillis((seconds * 1_000.0).floor() as i64))
}
