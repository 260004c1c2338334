//! A document as JSON has it, before any field is judged.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::shown_number;

/// What a document says of the fields that the contract knows.
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub(super) values: [Option<Value<'a>>; NAMES.len()],
    /// A field that stands there twice.
    pub(super) twice: Option<&'static str>,
    /// How many others there are.
    pub(super) unknown: u64,
}

/// The fields of a document, in the contract's order. `state` and `read` are ours to say, so a document's
/// are unknown fields.
pub(super) const NAMES: [&str; 13] = [
    "id", "uid", "vid", "created", "expires", "title", "lead", "body", "url", "img", "clients", "type",
    "prio",
];

/// A JSON value as far as a message needs it; strings stay in the text where they have no escapes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// Any other number, as an error shows it.
    Number(String),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object,
}

impl Fields<'_> {
    /// Whether a value is a number other than an integer of 64 bits, which no field may be.
    pub(super) fn has_number(&self) -> bool {
        let is_number = |value: &Option<Value<'_>>| matches!(value, Some(Value::Number(_)));
        self.values.iter().any(is_number)
    }
}

/// How the numbers of a document are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// In one pass; what is no integer of 64 bits loses how it was written.
    Parsed,
    /// In two passes; digits, fraction and exponent stay, whatever the size.
    AsWritten,
}

/// The fields of a text that is one JSON object.
pub(super) fn fields(text: &str, numbers: Numbers) -> Result<Fields<'_>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let fields = json.deserialize_map(FieldsVisitor(numbers))?;
    json.end()?;
    Ok(fields)
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
