use engine::error::Error;
use memchr::memchr;
use model::schedule::TimingError;
use serde_json::value::RawValue;

use crate::error::ChannelError;

/// A text field: 5908 for anything else.
pub fn text(value: Option<&RawValue>, name: &'static str) -> Result<Option<String>, ChannelError> {
    let wrong = |reason| Error::parameter(name, reason).into();
    value.map(|value| string(value).map_err(wrong)).transpose()
}

/// A text field of a repetition: 5905 for anything else.
pub fn repetition_text(
    value: Option<&RawValue>,
    field: &'static str,
) -> Result<Option<String>, ChannelError> {
    let wrong = |reason| Error::from(TimingError::Repetition { field, reason }).into();
    value.map(|value| string(value).map_err(wrong)).transpose()
}

/// A number of a repetition: 5905 for what is no whole number.
pub fn repetition_number(value: Option<&RawValue>, field: &'static str) -> Result<Option<i64>, ChannelError> {
    let wrong = |reason| Error::from(TimingError::Repetition { field, reason }).into();
    value
        .map(|value| whole(value, "a whole number").map_err(wrong))
        .transpose()
}

/// `publishAt`: 5030 for what is no whole number.
pub fn publish_at(value: Option<&RawValue>) -> Result<Option<i64>, ChannelError> {
    let wrong = |reason| Error::from(TimingError::PublishAt(reason)).into();
    value
        .map(|value| whole(value, EPOCH_MILLIS).map_err(wrong))
        .transpose()
}

/// `repeatExpiresAt`: 5003 for what is no whole number.
pub fn repeat_expires_at(value: Option<&RawValue>) -> Result<Option<i64>, ChannelError> {
    let wrong = |reason| Error::from(TimingError::RepeatExpiresAt(reason)).into();
    value
        .map(|value| whole(value, EPOCH_MILLIS).map_err(wrong))
        .transpose()
}

const EPOCH_MILLIS: &str = "epoch milliseconds, a whole number of at least 0";

/// What a value is, for error texts.
pub fn kind(value: &RawValue) -> &'static str {
    kind_of(value.get())
}

/// What kind of value JSON text without white space in front begins with.
pub fn kind_of(text: &str) -> &'static str {
    match text.as_bytes().first() {
        None => "nothing",
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a truth value",
        Some(b'n') => "null",
        _ => "a number",
    }
}

fn string(value: &RawValue) -> Result<String, String> {
    match kind(value) {
        "a string" => unescaped(value)
            .ok_or_else(|| "expected a string, found one with half a surrogate pair".to_owned()),
        kind => Err(format!("expected a string, found {kind}")),
    }
}

/// The text of a value that is a string; `None` where it has half a surrogate pair.
pub fn unescaped(value: &RawValue) -> Option<String> {
    let text = value.get();
    match memchr(b'\\', text.as_bytes()) {
        None => Some(text[1..text.len() - 1].to_owned()),
        Some(_) => serde_json::from_str(text).ok(),
    }
}

/// A number without a fraction, also written `5.0` or `1e3`. What is larger than 64 bits hold becomes the
/// largest: whatever the field, that is out of range.
fn whole(value: &RawValue, expected: &str) -> Result<i64, String> {
    let text = value.get();
    if let Ok(number) = text.parse::<i64>() {
        return Ok(number);
    }
    match (kind(value), text.parse::<f64>()) {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, as promised")]
        ("a number", Ok(number)) if number.fract() == 0.0 => Ok(number as i64),
        ("a number", _) => {
            let found: String = text.chars().take(40).collect();
            Err(format!("expected {expected}, found {found}"))
        }
        (kind, _) => Err(format!("expected {expected}, found {kind}")),
    }
}
