use std::ffi::OsString;

use serde_json::Value;

use super::Problem;
use super::document;
use super::layer::{Layer, Source};
use super::schema::{ANY, Schema, nearest};

/// Variables that are not settings of the server: those of the client commands, the file to read, and
/// the log filter.
const NOT_SETTINGS: [&str; 9] = [
    "POSTBELL_URL",
    "POSTBELL_KEY",
    "POSTBELL_KEY_FILE",
    "POSTBELL_TOKEN",
    "POSTBELL_TOKEN_FILE",
    "POSTBELL_APP",
    "POSTBELL_CA_FILE",
    "POSTBELL_LOG",
    "POSTBELL_CONFIG",
];

/// Short names and the settings that they stand for.
pub const SHORT_NAMES: [(&str, &str); 11] = [
    ("POSTBELL_STORE", "store.url"),
    ("POSTBELL_SYNC_URL", "apps.default.sync.url"),
    ("POSTBELL_SYNC_TIMER", "apps.default.sync.timer"),
    ("POSTBELL_SYNC_WEBHOOK_SECRET", "apps.default.sync.webhook_secret"),
    (
        "POSTBELL_SYNC_WEBHOOK_SECRET_FILE",
        "apps.default.sync.webhook_secret_file",
    ),
    ("POSTBELL_CLEANUP_TIMER", "apps.default.cleanup.timer"),
    ("POSTBELL_JWT_SECRET", "apps.default.jwt.secret"),
    ("POSTBELL_JWT_SECRET_FILE", "apps.default.jwt.secret_file"),
    ("POSTBELL_JWT_PUBLIC_KEY", "apps.default.jwt.public_key"),
    ("POSTBELL_JWT_PUBLIC_KEY_FILE", "apps.default.jwt.public_key_file"),
    ("POSTBELL_JWKS_URL", "apps.default.jwt.jwks_url"),
];

/// Reads the variables that begin with `POSTBELL_` as a layer: short names, and for any other setting
/// its path in capitals with `__` for the dot. An empty variable counts as absent.
pub fn read(schema: &Schema, variables: &[(OsString, OsString)], problems: &mut Vec<Problem>) -> Layer {
    let mut layer = Layer::default();
    let mut ours: Vec<_> = variables
        .iter()
        .filter(|(name, value)| name.to_string_lossy().starts_with("POSTBELL_") && !value.is_empty())
        .collect();
    ours.sort();
    for (name, value) in ours {
        let name = name.to_string_lossy().into_owned();
        if NOT_SETTINGS.contains(&name.as_str()) {
            continue;
        }
        let source = Source::Environment(name.clone());
        let mut fail = |text| {
            problems.push(Problem {
                text,
                source: Some(source.clone()),
            });
        };
        let Some(text) = value.to_str() else {
            fail(format!("{name}: expected UTF-8 text"));
            continue;
        };
        let path = path_of(&name);
        let Some(example) = schema.find(&path).filter(|example| is_setting(example)) else {
            let nearest = nearest(&name, names(schema)).unwrap_or_default();
            fail(format!("unknown setting {name}, did you mean {nearest}?"));
            continue;
        };
        if layer.get(&path).is_some() {
            fail(format!("{path} is given by two variables: leave one out"));
            continue;
        }
        match value_like(example, text) {
            Ok(value) => layer.set(&path, value, source),
            Err(error) => fail(format!("{path}: {error}")),
        }
    }
    layer
}

/// The variable that sets the setting at `path`.
pub fn name_of(path: &str) -> String {
    let short = SHORT_NAMES.iter().find(|(_, known)| *known == path);
    match short {
        Some((name, _)) => (*name).to_owned(),
        None => format!("POSTBELL_{}", path.replace('.', "__").to_uppercase()),
    }
}

fn path_of(name: &str) -> String {
    let short = SHORT_NAMES.iter().find(|(known, _)| *known == name);
    match short {
        Some((_, path)) => (*path).to_owned(),
        None => {
            let rest = name.strip_prefix("POSTBELL_").unwrap_or(name);
            rest.replace("__", ".").to_lowercase()
        }
    }
}

/// A table of fixed keys is set key by key; one of free keys can be set whole.
fn is_setting(example: &Value) -> bool {
    example.as_object().is_none_or(|table| table.contains_key(ANY))
}

fn names(schema: &Schema) -> impl Iterator<Item = String> {
    let short = SHORT_NAMES.iter().map(|(name, _)| (*name).to_owned());
    let general = schema.paths().into_iter().map(|path| {
        let path = path.replacen(ANY, "default", 1);
        name_of(path.trim_end_matches(".*"))
    });
    short.chain(general)
}

/// Reads text as a value of the example's type; what cannot be is left as text for the type check.
fn value_like(example: &Value, text: &str) -> Result<Value, String> {
    let as_text = || Value::String(text.to_owned());
    Ok(match example {
        Value::Bool(_) => text.parse().map_or_else(|_| as_text(), Value::Bool),
        Value::Number(_) => text.parse::<i64>().map_or_else(|_| as_text(), Value::from),
        Value::Array(_) if is_toml_list(text.trim()) => document::read_value(text.trim())?,
        Value::Array(_) => text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .collect(),
        Value::Object(_) => document::read_value(text.trim())?,
        Value::String(_) | Value::Null => as_text(),
    })
}

/// `[::1]:80` is the first of several items, not a list.
fn is_toml_list(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']')
}
