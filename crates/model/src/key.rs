use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::UnixMillis;

/// The name of an API key, which is also its principal: 1 to 64 of `A-Z a-z 0-9 . _ -` (api.md 2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(Arc<str>);

/// A text that is no key name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key name is 1 to 64 of A-Z a-z 0-9 . _ -, found {0:?}")]
pub struct KeyNameError(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<Self, KeyNameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(KeyNameError(text.chars().take(80).collect()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a key may do (api.md 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Publish now.
    Publish,
    /// Publish later or repeatedly, cancel, edit.
    Schedule,
    /// Subscribe, poll, read history and status.
    Subscribe,
    /// Import and retract inbox messages.
    Import,
    /// Run the sync.
    Sync,
    /// Run the cleanup.
    Cleanup,
    /// Show and delete inbox messages, delete all of a user.
    Inbox,
    /// Everything.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 8] = [
        Self::Publish,
        Self::Schedule,
        Self::Subscribe,
        Self::Import,
        Self::Sync,
        Self::Cleanup,
        Self::Inbox,
        Self::Admin,
    ];

    /// The scope's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Schedule => "schedule",
            Self::Subscribe => "subscribe",
            Self::Import => "import",
            Self::Sync => "sync",
            Self::Cleanup => "cleanup",
            Self::Inbox => "inbox",
            Self::Admin => "admin",
        }
    }
}

/// A text that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of publish, schedule, subscribe, import, sync, cleanup, inbox, admin, found {0:?}")]
pub struct ScopeError(String);

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let known = Self::ALL.into_iter().find(|scope| scope.as_str() == text);
        known.ok_or_else(|| ScopeError(text.chars().take(40).collect()))
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether the set allows what `scope` stands for: it is in it, or `admin` is.
    pub fn allow(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8 | 1 << Scope::Admin as u8) != 0
    }

    /// The scopes in the set.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.0 & (1 << *scope as u8) != 0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | 1 << scope as u8))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = ScopeError;

    /// Reads names joined by commas, as [`Scopes`] is written.
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        text.split(',')
            .filter(|name| !name.is_empty())
            .map(str::parse)
            .collect()
    }
}

/// A named set of scopes for a usual job (api.md 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The campaign system: import.
    Campaign,
    /// An outside scheduler: sync, cleanup.
    Scheduler,
    /// A client program: publish, subscribe.
    App,
    /// A server: publish, schedule, subscribe, inbox.
    Client,
    /// Everything.
    Admin,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 5] = [
        Self::Campaign,
        Self::Scheduler,
        Self::App,
        Self::Client,
        Self::Admin,
    ];

    /// The preset's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Scheduler => "scheduler",
            Self::App => "app",
            Self::Client => "client",
            Self::Admin => "admin",
        }
    }

    /// What it stands for.
    pub fn scopes(self) -> Scopes {
        let scopes: &[Scope] = match self {
            Self::Campaign => &[Scope::Import],
            Self::Scheduler => &[Scope::Sync, Scope::Cleanup],
            Self::App => &[Scope::Publish, Scope::Subscribe],
            Self::Client => &[Scope::Publish, Scope::Schedule, Scope::Subscribe, Scope::Inbox],
            Self::Admin => &[Scope::Admin],
        };
        scopes.iter().copied().collect()
    }
}

impl FromStr for Preset {
    type Err = PresetError;

    fn from_str(text: &str) -> Result<Self, PresetError> {
        let known = Self::ALL.into_iter().find(|preset| preset.as_str() == text);
        known.ok_or_else(|| PresetError(text.chars().take(40).collect()))
    }
}

/// A text that is no preset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of campaign, scheduler, app, client, admin, found {0:?}")]
pub struct PresetError(String);

/// The SHA-256 digest of a key's secret, all that is stored of it (api.md 2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub [u8; 32]);

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(…)")
    }
}

/// An API key as it is stored. Its secret is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// What `key list` shows and `key revoke` takes: 16 hexadecimal digits.
    pub id: Box<str>,
    /// Its name, the principal.
    pub name: KeyName,
    /// The digest of its secret.
    pub digest: KeyDigest,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created: UnixMillis,
    /// From when on it is no longer valid.
    pub expires: Option<UnixMillis>,
    /// When it was revoked.
    pub revoked: Option<UnixMillis>,
}

impl ApiKey {
    /// Whether the key is good at `now`: neither revoked nor expired.
    pub fn is_valid_at(&self, now: UnixMillis) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

/// Checks a secret taken over from elsewhere: 8 to 128 printable ASCII characters (api.md 2).
pub fn check_secret(secret: &str) -> Result<(), SecretError> {
    let printable = secret.bytes().all(|byte| byte.is_ascii_graphic());
    if !printable || secret.len() < 8 || secret.len() > 128 {
        return Err(SecretError(secret.len()));
    }
    Ok(())
}

/// A secret that no key may have. It says the length only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key has 8 to 128 printable ASCII characters without spaces, found {0} bytes")]
pub struct SecretError(usize);

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
