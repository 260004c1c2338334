use std::fmt;
use std::str::FromStr;

use crate::json::JsonText;
use crate::time::UnixMillis;

/// What a live inbox tells of changes.
pub mod change;

/// Words that are routes under `/messages` and therefore no ids (api.md 4).
pub const RESERVED_IDS: [&str; 8] = [
    ".", "..", "sync", "cleanup", "import", "retract", "stream", "count",
];

/// The id of an inbox message: 1 to 128 of `A-Z a-z 0-9 . _ : -`, unique in its app (api.md 4).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InboxId(Box<str>);

/// Why a text is no inbox message id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InboxIdError {
    /// Wrong length or characters.
    #[error("expected 1 to 128 of A-Z a-z 0-9 . _ : -, found {0:?}")]
    Malformed(String),
    /// One of [`RESERVED_IDS`].
    #[error("{0:?} is reserved")]
    Reserved(String),
}

impl InboxId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id read back from where it was stored, trusted to be valid.
    pub fn from_stored(id: &str) -> Self {
        Self(id.into())
    }
}

impl FromStr for InboxId {
    type Err = InboxIdError;

    fn from_str(text: &str) -> Result<Self, InboxIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
        if text.is_empty() || text.len() > 128 || !text.bytes().all(allowed) {
            return Err(InboxIdError::Malformed(text.chars().take(140).collect()));
        }
        if RESERVED_IDS.contains(&text) {
            return Err(InboxIdError::Reserved(text.into()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for InboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The client types that an app knows, by default `web ios android atv stv` (api.md 4, configurable).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTypes(Vec<Box<str>>);

/// Why a list of client types is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientTypesError {
    /// No client at all.
    #[error("expected at least one of {known}, found none")]
    Empty {
        /// What the app knows.
        known: String,
    },
    /// A client type that the app does not know.
    #[error("expected one of {known}, found {found:?}")]
    Unknown {
        /// What the app knows.
        known: String,
        /// What came.
        found: String,
    },
}

/// The client types of one message.
///
/// Names, not bits, so that a changed configuration does not change what a stored
/// message means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients(Box<str>);

impl Default for ClientTypes {
    fn default() -> Self {
        Self(["web", "ios", "android", "atv", "stv"].map(Box::from).to_vec())
    }
}

impl ClientTypes {
    /// A list of 1 to 32 names, each 1 to 32 of `a-z 0-9 _ -`, none twice.
    pub fn new(names: &[String]) -> Result<Self, String> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        if names.is_empty() || names.len() > 32 {
            return Err(format!("expected 1 to 32 client types, found {}", names.len()));
        }
        for (at, name) in names.iter().enumerate() {
            if name.is_empty() || name.len() > 32 || !name.bytes().all(allowed) {
                return Err(format!("a client type is 1 to 32 of a-z 0-9 _ -, found {name:?}"));
            }
            if names[..at].contains(name) {
                return Err(format!("the client type {name:?} stands twice"));
            }
        }
        Ok(Self(names.iter().map(|name| name.as_str().into()).collect()))
    }

    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }

    /// Checks one client type, such as that of a list request.
    pub fn check<'a>(&self, name: &'a str) -> Result<&'a str, ClientTypesError> {
        if self.iter().any(|known| known == name) {
            return Ok(name);
        }
        Err(ClientTypesError::Unknown {
            known: self.to_string(),
            found: name.chars().take(40).collect(),
        })
    }

    /// Checks the `clients` of a message: not empty, all known; a repeated one counts once.
    pub fn clients<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Clients, ClientTypesError> {
        let mut joined = String::new();
        for name in names {
            self.check(name)?;
            if joined.split(',').any(|known| known == name) {
                continue;
            }
            if !joined.is_empty() {
                joined.push(',');
            }
            joined.push_str(name);
        }
        if joined.is_empty() {
            return Err(ClientTypesError::Empty {
                known: self.to_string(),
            });
        }
        Ok(Clients(joined.into()))
    }
}

impl fmt::Display for ClientTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl Clients {
    /// Whether the message is for this client type.
    pub fn contains(&self, client: &str) -> bool {
        self.iter().any(|known| known == client)
    }

    /// The names, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(',')
    }

    /// The names joined by commas, as stores keep them.
    pub fn as_stored(&self) -> &str {
        &self.0
    }

    /// Names read back from where they were stored, joined by commas.
    pub fn from_stored(joined: &str) -> Self {
        Self(joined.into())
    }
}

/// Where an inbox message stands in its life (api.md 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxState {
    /// To be seen by its user.
    Imported,
    /// Deleted by the user or a key; the campaign system is not told yet.
    Deleted,
    /// Deleted, and the campaign system knows.
    Synced,
    /// Taken back by the campaign system.
    Retracted,
}

impl InboxState {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Deleted => "deleted",
            Self::Synced => "synced",
            Self::Retracted => "retracted",
        }
    }
}

/// An inbox message (api.md 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxMessage {
    /// Its id.
    pub id: InboxId,
    /// The user it is for: 1 to 255 bytes.
    pub uid: Box<str>,
    /// From when on it is shown.
    pub created_at: UnixMillis,
    /// From when on it is no longer shown.
    pub expires_at: UnixMillis,
    /// The client types it is for.
    pub clients: Clients,
    /// Higher comes first.
    pub prio: i64,
    /// Where it stands.
    pub state: InboxState,
    /// Whether the user has read it.
    pub read: bool,
    /// The message as it was imported: a JSON object on one line, fields in the contract's order, those that
    /// were absent left out, dates with the offset that they came with. `state` and `read` are not in it.
    pub document: JsonText,
}

impl InboxMessage {
    /// Whether its user sees it at `now`: imported, already created, not yet expired.
    pub fn is_shown_at(&self, now: UnixMillis) -> bool {
        self.state == InboxState::Imported && self.created_at <= now && now < self.expires_at
    }
}

#[cfg(test)]
mod tests;
