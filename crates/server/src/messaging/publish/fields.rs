use std::fmt;

use engine::messaging::edit::Edit;
use engine::messaging::publish::Publish;
use http::StatusCode;
use memchr::memchr2_iter;
use model::json::JsonText;
use model::limits::Limits;
use model::schedule::TimingFields;
use model::schedule::edit::TimingEdit;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::error::ChannelError;

/// The headers of the body.
mod headers;
/// The values of fields.
pub(crate) mod value;

/// How deep a body may be nested: what common JSON parsers of readers bear.
const MAX_DEPTH: usize = 128;

/// The fields of api.md 3.1 that mean something.
#[derive(Clone, Copy, serde::Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Field {
    Message,
    PublisherId,
    Headers,
    Subtopic,
    PublishAt,
    RepeatEvery,
    RepeatExpiresAt,
    RepeatCron,
    Timezone,
    RepeatTimes,
    PublishPolicy,
    PushSinglecast,
    PushBroadcast,
    TemplateValues,
    Query,
    #[serde(other)]
    Unknown,
}

/// The values of the fields as they stand in the body. Of a repeated field the last counts.
#[derive(Default)]
struct Fields<'a>([Option<&'a RawValue>; Field::Unknown as usize]);

impl<'a> Fields<'a> {
    /// The value of a field; null is absent.
    fn get(&self, field: Field) -> Option<&'a RawValue> {
        self.0[field as usize].filter(|value| value.get() != "null")
    }

    /// What an edit says of a field (api.md 3.3): `None` if it is not there, `Some(None)` if it is null.
    fn edited<T>(
        &self,
        field: Field,
        read: impl FnOnce(Option<&'a RawValue>) -> Result<Option<T>, ChannelError>,
    ) -> Result<Option<Option<T>>, ChannelError> {
        match self.0[field as usize] {
            None => Ok(None),
            Some(_) => read(self.get(field)).map(Some),
        }
    }

    fn text(&self, field: Field) -> Option<JsonText> {
        self.get(field).map(|value| JsonText::from_checked(value.get()))
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some(field) = map.next_key::<Field>()? {
            match fields.0.get_mut(field as usize) {
                Some(place) => *place = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(fields)
    }
}

/// Reads a publish body.
///
/// # Errors
/// 5901 for what is no JSON object in UTF-8, 5902 without `message`, and the code of the field that has a
/// wrong type (api.md 3.1).
pub fn parse(body: &[u8], limits: &Limits) -> Result<Publish, ChannelError> {
    let fields: Fields<'_> = object(body)?;
    let Some(payload) = fields.text(Field::Message) else {
        return Err(no_message(&fields));
    };
    Ok(Publish {
        payload,
        publisher_id: value::text(fields.get(Field::PublisherId), "publisherId")?,
        headers: headers::read(fields.get(Field::Headers), limits.headers)?,
        subtopic: value::text(fields.get(Field::Subtopic), "subtopic")?,
        publish_policy: value::text(fields.get(Field::PublishPolicy), "publishPolicy")?,
        timing: timing(&fields)?,
        push_singlecast: fields.text(Field::PushSinglecast),
        push_broadcast: fields.text(Field::PushBroadcast),
        template_values: fields.text(Field::TemplateValues),
        query: fields.text(Field::Query),
        idempotency: None,
    })
}

/// Reads the body of an edit (api.md 3.3).
///
/// # Errors
/// Those of [`parse`]; a `message` of null too.
pub fn parse_edit(body: &[u8], limits: &Limits) -> Result<Edit, ChannelError> {
    let fields: Fields<'_> = object(body)?;
    let echoed = |field| fields.edited(field, |_| Ok(fields.text(field)));
    let payload = match echoed(Field::Message)? {
        Some(None) => return Err(no_message(&fields)),
        payload => payload.flatten(),
    };
    let text = |field, name| fields.edited(field, |given| value::text(given, name));
    let number = |field, name| fields.edited(field, |given| value::repetition_number(given, name));
    let repetition = |field, name| fields.edited(field, |given| value::repetition_text(given, name));
    Ok(Edit {
        payload,
        publisher_id: text(Field::PublisherId, "publisherId")?,
        headers: fields
            .edited(Field::Headers, |given| {
                headers::read(given, limits.headers).map(Some)
            })?
            .flatten(),
        subtopic: text(Field::Subtopic, "subtopic")?,
        publish_policy: text(Field::PublishPolicy, "publishPolicy")?,
        timing: TimingEdit {
            publish_at: fields.edited(Field::PublishAt, value::publish_at)?,
            repeat_every: number(Field::RepeatEvery, "repeatEvery")?,
            repeat_expires_at: fields.edited(Field::RepeatExpiresAt, value::repeat_expires_at)?,
            repeat_cron: repetition(Field::RepeatCron, "repeatCron")?,
            timezone: repetition(Field::Timezone, "timezone")?,
            repeat_times: number(Field::RepeatTimes, "repeatTimes")?,
        },
        push_singlecast: echoed(Field::PushSinglecast)?,
        push_broadcast: echoed(Field::PushBroadcast)?,
        template_values: echoed(Field::TemplateValues)?,
        query: echoed(Field::Query)?,
    })
}

/// The fields of a body.
///
/// # Errors
/// 5901 for what is no JSON object in UTF-8.
pub fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ChannelError> {
    let text = std::str::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
    let fields = serde_json::from_str(text).map_err(|error| not_an_object(text, &error))?;
    check_depth(text)?;
    Ok(fields)
}

fn no_message(fields: &Fields<'_>) -> ChannelError {
    let found = fields.0[Field::Message as usize].map_or("none", |_| "null");
    let text = format!("message: expected any JSON value but null, found {found}");
    ChannelError::new(StatusCode::BAD_REQUEST, 5902, text)
}

fn timing(fields: &Fields<'_>) -> Result<TimingFields, ChannelError> {
    Ok(TimingFields {
        publish_at: value::publish_at(fields.get(Field::PublishAt))?,
        repeat_every: value::repetition_number(fields.get(Field::RepeatEvery), "repeatEvery")?,
        repeat_expires_at: value::repeat_expires_at(fields.get(Field::RepeatExpiresAt))?,
        repeat_cron: value::repetition_text(fields.get(Field::RepeatCron), "repeatCron")?,
        timezone: value::repetition_text(fields.get(Field::Timezone), "timezone")?,
        repeat_times: value::repetition_number(fields.get(Field::RepeatTimes), "repeatTimes")?,
    })
}

fn malformed(reason: impl fmt::Display) -> ChannelError {
    let text = format!("the body is not a JSON object in UTF-8: {reason}");
    ChannelError::new(StatusCode::BAD_REQUEST, 5901, text)
}

fn not_utf8(body: &[u8], at: usize) -> ChannelError {
    malformed(format_args!("a byte that is no UTF-8 at {}", place(body, at)))
}

/// Line and column of a byte, in bytes from 1.
fn place(body: &[u8], at: usize) -> String {
    let line = 1 + body[..at].iter().filter(|byte| **byte == b'\n').count();
    let column = 1 + body[..at].iter().rev().take_while(|byte| **byte != b'\n').count();
    format!("line {line} column {column}")
}

/// The parser's own text, but where that would quote the body.
fn not_an_object(text: &str, error: &serde_json::Error) -> ChannelError {
    let value = text.trim_ascii_start();
    if value.is_empty() || error.classify() == Category::Data {
        let found = value::kind_of(value);
        let place = place(text.as_bytes(), text.len() - value.len());
        return malformed(format_args!("expected an object, found {found} at {place}"));
    }
    malformed(error)
}

/// Values are taken over unread, so their depth is counted here.
fn check_depth(text: &str) -> Result<(), ChannelError> {
    if memchr2_iter(b'[', b'{', text.as_bytes())
        .take(MAX_DEPTH + 1)
        .count()
        <= MAX_DEPTH
    {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(malformed(format_args!(
                "it is nested more than {MAX_DEPTH} levels deep"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
