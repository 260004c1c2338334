use std::fmt;

use engine::error::Error;
use http::StatusCode;
use model::headers::HeadersError;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::value::{kind, unescaped};
use crate::error::ChannelError;

/// Names and values in the order they came; a name may come again.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

/// Reads `headers`: scalar values become strings as they are written, a null value drops its header, and
/// of a repeated name the last value counts.
///
/// # Errors
/// 5904 for what is no object, for a value that is no scalar, and for more than `limit` headers.
pub fn read(value: Option<&RawValue>, limit: usize) -> Result<Vec<(String, String)>, ChannelError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    if kind(value) != "an object" {
        let found = kind(value);
        return Err(bad(format!(
            "headers: expected an object of scalar values, found {found}"
        )));
    }
    let pairs: Pairs<'_> = serde_json::from_str(value.get())
        .map_err(|_| bad("headers: a name with half a surrogate pair".to_owned()))?;
    let mut headers: Vec<(String, String)> = Vec::with_capacity(pairs.0.len().min(limit));
    for (name, value) in pairs.0 {
        let place = headers.iter().position(|(known, _)| *known == name);
        match (place, scalar(&name, value)?) {
            (Some(place), Some(value)) => headers[place].1 = value,
            (Some(place), None) => {
                headers.remove(place);
            }
            (None, Some(value)) => headers.push((name, value)),
            (None, None) => {}
        }
        // Told here already: the search above stays short, whatever comes.
        if headers.len() > limit {
            return Err(Error::from(HeadersError::Count {
                limit,
                found: headers.len(),
            })
            .into());
        }
    }
    Ok(headers)
}

fn scalar(name: &str, value: &RawValue) -> Result<Option<String>, ChannelError> {
    let name = || -> String { name.chars().take(60).collect() };
    match kind(value) {
        "null" => Ok(None),
        "a string" => unescaped(value).map(Some).ok_or_else(|| {
            bad(format!(
                "headers: the value of {:?} has half a surrogate pair",
                name()
            ))
        }),
        found @ ("an object" | "an array") => Err(bad(format!(
            "headers: expected a string, a number, true, false or null as the value of {:?}, found {found}",
            name()
        ))),
        _ => Ok(Some(value.get().to_owned())),
    }
}

fn bad(text: String) -> ChannelError {
    ChannelError::new(StatusCode::BAD_REQUEST, 5904, text)
}
