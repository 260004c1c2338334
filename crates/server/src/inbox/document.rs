//! One document of an import: JSON text to a message that is valid in every field (api.md 4, Import).

use std::borrow::Cow;
use std::fmt;

use model::inbox::{ClientTypes, InboxId, InboxMessage, InboxState};
use model::time::UnixMillis;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::message;

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

/// What a document says of the fields that the contract knows.
#[derive(Default)]
struct Fields<'a> {
    values: [Option<Value<'a>>; NAMES.len()],
    twice: Option<&'static str>,
    unknown: u64,
}

/// The fields of a document, in the contract's order. `state` and `read` are ours to say, so a document's
/// are unknown fields.
const NAMES: [&str; 13] = [
    "id", "uid", "vid", "created", "expires", "title", "lead", "body", "url", "img", "clients", "type",
    "prio",
];

/// A JSON value as far as a message needs it; strings stay in the text where they have no escapes.
#[derive(Debug, Clone, PartialEq)]
enum Value<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// Any other number, as an error shows it.
    Number(String),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object,
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

/// How the numbers of a document are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// In one pass; what is no integer of 64 bits loses how it was written.
    Parsed,
    /// In two passes; digits, fraction and exponent stay, whatever the size.
    AsWritten,
}

/// The fields of a text that is one JSON object.
fn fields(text: &str, numbers: Numbers) -> Result<Fields<'_>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let fields = json.deserialize_map(FieldsVisitor(numbers))?;
    json.end()?;
    Ok(fields)
}

impl<'a> Fields<'a> {
    /// Whether a value is a number other than an integer of 64 bits, which no field may be.
    fn has_number(&self) -> bool {
        let is_number = |value: &Option<Value<'_>>| matches!(value, Some(Value::Number(_)));
        self.values.iter().any(is_number)
    }

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

struct FieldsVisitor(Numbers);

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some(known) = map.next_key_seed(KeySeed)? {
            let Some(at) = known else {
                map.next_value::<IgnoredAny>()?;
                fields.unknown += 1;
                continue;
            };
            let value = match self.0 {
                Numbers::Parsed => map.next_value_seed(ValueSeed)?,
                Numbers::AsWritten => as_written(map.next_value::<&RawValue>()?.get())?,
            };
            if fields.values[at].replace(value).is_some() {
                fields.twice.get_or_insert(NAMES[at]);
            }
        }
        Ok(fields)
    }
}

/// A value with the number that it may be as it is written.
fn as_written<'de, E: serde::de::Error>(json: &'de str) -> Result<Value<'de>, E> {
    if json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Ok(json
            .parse()
            .map_or_else(|_| Value::Number(shown_number(json)), Value::Integer));
    }
    serde_json::Deserializer::from_str(json)
        .deserialize_any(ValueSeed)
        .map_err(E::custom)
}

/// A field's name to its place in [`NAMES`].
struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(NAMES.iter().position(|known| *known == name))
    }
}

struct ValueSeed;

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(i64::try_from(value).map_or_else(|_| Value::Number(value.to_string()), Value::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number("a number".to_owned()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(ValueSeed)? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Object)
    }
}

#[cfg(test)]
mod tests;
