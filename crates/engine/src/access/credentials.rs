use std::fmt;

use super::error::AccessError;

/// What a request gave to say who calls. `Debug` hides the values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    key: Option<String>,
    /// Another key was given beside it.
    differ: bool,
    token: Option<String>,
}

impl Credentials {
    /// Takes all keys that a request gave (header, query, path) and the first of its user tokens. Empty,
    /// `undefined` and `null` count as absent (api.md 2).
    pub fn new<K, T>(keys: impl IntoIterator<Item = K>, tokens: impl IntoIterator<Item = T>) -> Self
    where
        K: AsRef<str> + Into<String>,
        T: AsRef<str> + Into<String>,
    {
        let mut keys = keys.into_iter().filter(|key| is_given(key.as_ref()));
        let mut tokens = tokens.into_iter().filter(|token| is_given(token.as_ref()));
        let key = keys.next().map(Into::into);
        Self {
            differ: keys.any(|other| key.as_deref() != Some(other.as_ref())),
            key,
            token: tokens.next().map(Into::into),
        }
    }

    /// The same keys with another user token; an absent one leaves the keys alone.
    pub fn with_token(&self, token: Option<String>) -> Self {
        Self {
            key: self.key.clone(),
            differ: self.differ,
            token: token.filter(|token| is_given(token)),
        }
    }

    /// The API key, if one was given.
    ///
    /// # Errors
    /// [`AccessError::BadKey`] if two different ones were given.
    pub fn key(&self) -> Result<Option<&str>, AccessError> {
        if self.differ {
            return Err(AccessError::BadKey);
        }
        Ok(self.key.as_deref())
    }

    /// The user token, if one was given.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

fn is_given(value: &str) -> bool {
    !matches!(value, "" | "undefined" | "null")
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("key", &self.key.as_ref().map(|_| "(hidden)"))
            .field("differ", &self.differ)
            .field("token", &self.token.as_ref().map(|_| "(hidden)"))
            .finish()
    }
}
