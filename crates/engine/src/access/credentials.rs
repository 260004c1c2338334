use std::fmt;

use super::error::AccessError;

/// What a request gave to say who calls. `Debug` hides the values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    keys: Vec<String>,
    token: Option<String>,
}

impl Credentials {
    /// Takes all keys that a request gave (header, query, path) and its user token. Empty, `undefined`
    /// and `null` count as absent (api.md 2).
    pub fn new<K: Into<String>, T: Into<String>>(
        keys: impl IntoIterator<Item = K>,
        token: Option<T>,
    ) -> Self {
        Self {
            keys: keys
                .into_iter()
                .map(Into::into)
                .filter(|key| is_given(key))
                .collect(),
            token: token.map(Into::into).filter(|token| is_given(token)),
        }
    }

    /// The same keys with another user token; an absent one leaves the keys alone.
    pub fn with_token(&self, token: Option<String>) -> Self {
        Self {
            keys: self.keys.clone(),
            token: token.filter(|token| is_given(token)),
        }
    }

    /// The API key, if one was given.
    ///
    /// # Errors
    /// [`AccessError::BadKey`] if two different ones were given.
    pub fn key(&self) -> Result<Option<&str>, AccessError> {
        let first = self.keys.first();
        if self.keys.iter().any(|key| Some(key) != first) {
            return Err(AccessError::BadKey);
        }
        Ok(first.map(String::as_str))
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
            .field("keys", &self.keys.len())
            .field("token", &self.token.as_ref().map(|_| "(hidden)"))
            .finish()
    }
}
