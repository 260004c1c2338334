//! One document of an import: JSON text to a message that is valid in every field (api.md 4, Import).

use std::borrow::Cow;
use std::fmt;

use model::inbox::{ClientTypes, InboxId, InboxMessage, InboxState};
use model::time::UnixMillis;
use serde_json::error::Category;

use super::message;
use json::{Fields, NAMES, Numbers, Value, fields};

/// Fields as JSON has them.
mod json;

/// Bytes of a `uid` at most.
const UID_BYTES: usize = 255;
/// Bytes of a `type` at most.
const TYPE_BYTES: usize = 128;
/// Characters of what was found that an error shows.
const SHOWN: usize = 40;

/// A document that holds.
#[derive(Debug, PartialEq)]
pub(super) struct Document {
    pub(super) message: InboxMessage,
    /// Fields that the contract does not know, left out of the message.
    pub(super) unknown_fields: u64,
}

/// Why a document is no message. The line is the caller's to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DocumentError {
    /// No JSON. Columns are bytes, from 1.
    Syntax { column: usize, reason: String },
    /// JSON, but no object.
    NotAnObject { found: String },
    /// A field that is missing or not as it must be.
    Field { name: &'static str, reason: String },
}

/// Reads one document.
pub(super) fn read(text: &str, known: &ClientTypes) -> Result<Document, DocumentError> {
    if !text.trim_start().starts_with('{') {
        return Err(not_an_object(text));
    }
    let mut fields = match fields(text, Numbers::Parsed) {
        Ok(fields) if !fields.has_number() => fields,
        // What is refused anyway is read again, so that the error shows what stands there: `1e2`, not 100.
        parsed => match fields(text, Numbers::AsWritten) {
            Ok(fields) => fields,
            Err(_) => parsed.map_err(|error| syntax(&error))?,
        },
    };
    if let Some(name) = fields.twice {
        return Err(field(name, "given twice"));
    }
    let id: InboxId = parsed("id", &fields.required_text("id")?, str::parse)?;
    let uid = bounded("uid", fields.required_text("uid")?, UID_BYTES)?;
    let vid = fields.text("vid")?;
    let created = fields.required_text("created")?;
    let created_at = parsed("created", &created, UnixMillis::parse)?;
    let expires = fields.required_text("expires")?;
    let expires_at = parsed("expires", &expires, UnixMillis::parse)?;
    let (title, lead) = (fields.text("title")?, fields.text("lead")?);
    let body = fields.required_text("body")?;
    let (url, img) = (fields.text("url")?, fields.text("img")?);
    let clients = fields.clients(known)?;
    let kind = bounded("type", fields.required_text("type")?, TYPE_BYTES)?;
    let prio = fields.prio()?;
    let shown = message::Document {
        id: &id,
        uid: &uid,
        vid,
        created: &created,
        expires: &expires,
        title,
        lead,
        body,
        url,
        img,
        clients: &clients,
        kind,
        prio,
    };
    let message = InboxMessage {
        document: shown.text(text.len()),
        id,
        uid: uid.into(),
        created_at,
        expires_at,
        clients,
        prio,
        state: InboxState::Imported,
        read: false,
    };
    Ok(Document {
        message,
        unknown_fields: fields.unknown,
    })
}

impl<'a> Fields<'a> {
    /// The field's value; `null` is as good as none.
    fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let at = NAMES.iter().position(|known| *known == name)?;
        self.values[at].take().filter(|value| *value != Value::Null)
    }

    fn required(&mut self, name: &'static str) -> Result<Value<'a>, DocumentError> {
        self.take(name).ok_or_else(|| field(name, "missing"))
    }

    fn text(&mut self, name: &'static str) -> Result<Option<Cow<'a, str>>, DocumentError> {
        self.take(name).map(|value| value.text(name)).transpose()
    }

    fn required_text(&mut self, name: &'static str) -> Result<Cow<'a, str>, DocumentError> {
        self.required(name)?.text(name)
    }

    fn prio(&mut self) -> Result<i64, DocumentError> {
        match self.required("prio")? {
            Value::Integer(prio) => Ok(prio),
            other => Err(field(
                "prio",
                format!("expected a whole number of 64 bits, found {other}"),
            )),
        }
    }

    fn clients(&mut self, known: &ClientTypes) -> Result<model::inbox::Clients, DocumentError> {
        const NAME: &str = "clients";
        let names = match self.required(NAME)? {
            Value::List(names) => names,
            other => {
                return Err(field(
                    NAME,
                    format!("expected a list of client types, found {other}"),
                ));
            }
        };
        let names: Vec<Cow<'_, str>> = names
            .into_iter()
            .map(|name| name.text(NAME))
            .collect::<Result<_, _>>()?;
        let clients = known.clients(names.iter().map(|name| &**name));
        clients.map_err(|error| field(NAME, error.to_string()))
    }
}

impl<'a> Value<'a> {
    fn text(self, name: &'static str) -> Result<Cow<'a, str>, DocumentError> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(field(name, format!("expected a string, found {other}"))),
        }
    }
}

/// As an error says what was found.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(value) => f.write_str(value),
            Self::Text(text) => write!(f, "{:?}", shown(text)),
            Self::List(_) => f.write_str("a list"),
            Self::Object => f.write_str("an object"),
        }
    }
}

impl fmt::Display for DocumentError {
    /// What follows on `line N`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { column, reason } => write!(f, ", column {column}: {reason}"),
            Self::NotAnObject { found } => {
                write!(
                    f,
                    ": expected one JSON object a line, not in a list, found {found:?}"
                )
            }
            Self::Field { name, reason } => write!(f, ": {name}: {reason}"),
        }
    }
}

fn field(name: &'static str, reason: impl Into<String>) -> DocumentError {
    DocumentError::Field {
        name,
        reason: reason.into(),
    }
}

fn not_an_object(text: &str) -> DocumentError {
    DocumentError::NotAnObject { found: shown(text) }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// A number that is cut must not look like a whole one.
fn shown_number(text: &str) -> String {
    match text.get(..SHOWN) {
        Some(start) if text.len() > SHOWN => format!("{start}…"),
        _ => text.to_owned(),
    }
}

fn parsed<T, E: fmt::Display>(
    name: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, DocumentError> {
    parse(text).map_err(|error| field(name, error.to_string()))
}

fn bounded<'a>(name: &'static str, text: Cow<'a, str>, most: usize) -> Result<Cow<'a, str>, DocumentError> {
    match text.len() {
        0 => Err(field(name, format!("expected 1 to {most} bytes, found none"))),
        found if found > most => Err(field(name, format!("expected 1 to {most} bytes, found {found}"))),
        _ => Ok(text),
    }
}

/// serde_json says the position in its text, always on its line 1; the position here is the caller's.
fn syntax(error: &serde_json::Error) -> DocumentError {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let reason = text.strip_suffix(&position).unwrap_or(&text);
    let reason = match error.classify() {
        Category::Eof => format!("{reason}; a document stands on one line"),
        _ => reason.to_owned(),
    };
    DocumentError::Syntax {
        column: error.column(),
        reason,
    }
}

#[cfg(test)]
mod tests;
