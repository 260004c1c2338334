use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Problem;
use super::apps::tree;
use super::layer::Layer;
use super::schema::may_hold_secret;

/// Reads a type from a layer's values. Every value that does not fit is a problem with its path
/// (behind `prefix`), what was expected, what was found, and its source; the rest is read without it.
pub fn from_layer<T: Serialize + DeserializeOwned + Default>(
    layer: &Layer,
    prefix: &str,
    problems: &mut Vec<Problem>,
) -> T {
    take_fitting(&mut layer.clone(), prefix, problems)
}

/// As [`from_layer`]; what does not fit is no longer in the layer then.
pub fn take_fitting<T: Serialize + DeserializeOwned + Default>(
    layer: &mut Layer,
    prefix: &str,
    problems: &mut Vec<Problem>,
) -> T {
    let mut told = Vec::new();
    loop {
        let values = Value::Object(layer.values.clone());
        let error = match serde_path_to_error::deserialize::<_, T>(values) {
            Ok(value) => return value,
            Err(error) => error,
        };
        let path = error.path().to_string();
        // A field that was told and left out is missing now: its table goes too.
        let message = error.inner().to_string();
        let missing = message
            .strip_prefix("missing field `")
            .and_then(|field| field.strip_suffix('`'));
        if missing.is_some_and(|field| told.contains(&format!("{path}.{field}"))) {
            if !layer.remove(&path) {
                return T::default();
            }
            continue;
        }
        let shown = format!("{prefix}{path}");
        let mut text = describe(&message, may_hold_secret(&shown));
        let defaults = Layer {
            values: tree(&T::default()),
            ..Layer::default()
        };
        if let Some(Value::String(default)) = defaults.get(&path)
            && !default.is_empty()
        {
            text = text.replace("expected text,", &format!("expected text such as {default:?},"));
        }
        problems.push(Problem {
            text: format!("{shown}: {text}"),
            source: layer.source(&path).cloned(),
        });
        if !layer.remove(&path) {
            return T::default();
        }
        told.push(path);
    }
}

/// Says what was expected and found in the words of a configuration rather than those of Rust.
fn describe(message: &str, secret: bool) -> String {
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    let split = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "));
    let Some((found, expected)) = split else {
        return message.to_owned();
    };
    let expected = match expected {
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number, 0 or more",
        "i64" | "i32" => "a whole number",
        "a string" | "a borrowed string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    let found = match found.split_once(' ') {
        _ if secret => "another type",
        Some(("string", text)) => text,
        Some((_, value)) => value.trim_matches('`'),
        _ if found == "sequence" => "a list",
        _ if found == "map" => "a table",
        _ => found,
    };
    format!("expected {expected}, found {found}")
}
