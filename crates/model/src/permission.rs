use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::channel::ChannelPattern;
use crate::key::{KeyName, Scope, Scopes};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Nobody in particular: no credential was given.
    Anonymous,
    /// An API key.
    Key {
        /// Its name.
        name: KeyName,
        /// What it may do.
        scopes: Scopes,
    },
    /// A user with a valid token.
    User {
        /// The user id.
        id: Box<str>,
        /// The roles that the token names.
        roles: Vec<Box<str>>,
    },
}

impl Principal {
    /// Whether the principal is a key with the scope `admin`.
    pub fn is_admin(&self) -> bool {
        matches!(self, Self::Key { scopes, .. } if scopes.allow(Scope::Admin))
    }

    /// `anonymous`, `key:{name}` or `user:{id}`: the name under which a principal owns things.
    pub fn owner_name(&self) -> Box<str> {
        let (kind, name) = self.parts();
        [kind, name].concat().into()
    }

    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Anonymous => ("anonymous", ""),
            Self::Key { name, .. } => ("key:", name.as_str()),
            Self::User { id, .. } => ("user:", id),
        }
    }
}

impl fmt::Display for Principal {
    /// As [`Principal::owner_name`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = self.parts();
        f.write_str(kind)?;
        f.write_str(name)
    }
}

/// Whom a channel rule lets in (api.md 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Everybody, also without a credential.
    Anyone,
    /// Any valid user token.
    Authenticated,
    /// The key of this name.
    Key(Box<str>),
    /// A user with this role.
    Role(Box<str>),
    /// The user with this id.
    User(Box<str>),
}

impl Who {
    /// Whether this lets the principal in.
    pub fn includes(&self, principal: &Principal) -> bool {
        match (self, principal) {
            (Self::Anyone, _) | (Self::Authenticated, Principal::User { .. }) => true,
            (Self::Key(wanted), Principal::Key { name, .. }) => **wanted == *name.as_str(),
            (Self::Role(wanted), Principal::User { roles, .. }) => roles.contains(wanted),
            (Self::User(wanted), Principal::User { id, .. }) => wanted == id,
            _ => false,
        }
    }
}

/// A text that names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected anyone, authenticated, key:NAME, role:NAME or user:ID, found {0:?}")]
pub struct WhoError(String);

impl FromStr for Who {
    type Err = WhoError;

    fn from_str(text: &str) -> Result<Self, WhoError> {
        let fail = || WhoError(text.chars().take(80).collect());
        match text.split_once(':') {
            None if text == "anyone" => Ok(Self::Anyone),
            None if text == "authenticated" => Ok(Self::Authenticated),
            Some((_, "")) | None => Err(fail()),
            Some(("key", name)) => Ok(Self::Key(name.into())),
            Some(("role", name)) => Ok(Self::Role(name.into())),
            Some(("user", id)) => Ok(Self::User(id.into())),
            Some(_) => Err(fail()),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::Authenticated => f.write_str("authenticated"),
            Self::Key(name) => write!(f, "key:{name}"),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A rule over channels: the first whose pattern matches decides alone (api.md 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelRule {
    /// The channels it is about.
    pub pattern: ChannelPattern,
    /// Who may publish; absent means nobody.
    #[serde(default)]
    pub publish: Vec<Who>,
    /// Who may subscribe; absent means nobody.
    #[serde(default)]
    pub subscribe: Vec<Who>,
}

/// What somebody wants to do in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Publish; also RT commands.
    Publish,
    /// Subscribe; also status, history, polling and presence.
    Subscribe,
}

/// Whether the principal may do this in the channel (api.md 2): `admin` always; else the first rule
/// that matches; else a key with the scope, or any user.
pub fn is_allowed(rules: &[ChannelRule], principal: &Principal, access: Access, channel: &str) -> bool {
    if principal.is_admin() {
        return true;
    }
    if let Some(rule) = rules.iter().find(|rule| rule.pattern.matches(channel)) {
        let who = match access {
            Access::Publish => &rule.publish,
            Access::Subscribe => &rule.subscribe,
        };
        return who.iter().any(|who| who.includes(principal));
    }
    match principal {
        Principal::Anonymous => false,
        Principal::User { .. } => true,
        Principal::Key { scopes, .. } => scopes.allow(match access {
            Access::Publish => Scope::Publish,
            Access::Subscribe => Scope::Subscribe,
        }),
    }
}

#[cfg(test)]
mod tests;
