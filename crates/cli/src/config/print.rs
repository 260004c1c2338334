use model::settings::shown::{self, HIDDEN};
use serde_json::{Map, Value, json};

use super::apps::{AppConfig, tree};
use super::layer::Layer;
use super::schema::{is_secret, is_sync_url};
use super::{Loaded, Problems};

/// Every effective value as TOML, its source behind it as a comment, secrets hidden.
///
/// # Errors
///
/// Settings of an app that cannot be.
pub fn as_toml(loaded: &Loaded) -> Result<String, Problems> {
    let mut text = String::new();
    print_table(&mut text, "", &tree(&loaded.config), Some(&loaded.given));
    for app in &loaded.apps {
        let (values, given, note) = shown(app)?;
        text.push_str(&format!("\n# {note}\n"));
        let start = text.len();
        print_table(&mut text, &format!("apps.{}", app.id), &values, Some(&given));
        // The note stands right above the app's first table.
        if text[start..].starts_with('\n') {
            text.remove(start);
        }
    }
    Ok(text)
}

/// Every effective value with its source as one JSON object, secrets hidden.
///
/// # Errors
///
/// Settings of an app that cannot be.
pub fn as_json(loaded: &Loaded) -> Result<Value, Problems> {
    let mut values = Map::new();
    collect(&mut values, "", &tree(&loaded.config), &loaded.given);
    for app in &loaded.apps {
        let (tree, given, _) = shown(app)?;
        collect(&mut values, &format!("apps.{}", app.id), &tree, &given);
    }
    Ok(Value::Object(values))
}

/// What is shown of an app: all its settings if the file has them, else the given fields.
fn shown(app: &AppConfig) -> Result<(Map<String, Value>, Layer, String), Problems> {
    let mut given = Layer::default();
    for (path, source) in &app.given.sources {
        given
            .sources
            .insert(format!("apps.{}.{path}", app.id), source.clone());
    }
    let values = Map::from_iter([(app.id.to_string(), Value::Object(app.given.values.clone()))]);
    given.values.insert("apps".to_owned(), Value::Object(values));
    if app.settings.is_some() {
        let note = format!("The settings of the app {} are these at every start.", app.id);
        Ok((tree(&app.apply(None)?), given, note))
    } else {
        let note = format!(
            "Laid over the settings that the store has for the app {}.",
            app.id
        );
        Ok((app.overlay.clone(), given, note))
    }
}

fn print_table(text: &mut String, path: &str, table: &Map<String, Value>, given: Option<&Layer>) {
    let (tables, values): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| value.is_object());
    if !values.is_empty() && !path.is_empty() {
        text.push_str(&format!("\n[{path}]\n"));
    }
    for (key, value) in values {
        let path = join(path, key);
        let line = format!("{} = {}", toml_key(key), toml_value(&hidden(&path, value)));
        text.push_str(&line);
        if let Some(given) = given {
            text.push_str(&format!("  # {}", source_name(given, &path)));
        }
        text.push('\n');
    }
    for (key, value) in tables {
        if let Value::Object(table) = value {
            print_table(text, &join(path, &toml_key(key)), table, given);
        }
    }
}

fn collect(values: &mut Map<String, Value>, path: &str, table: &Map<String, Value>, given: &Layer) {
    for (key, value) in table {
        let path = join(path, key);
        match value {
            Value::Object(table) => collect(values, &path, table, given),
            value => {
                let source = source_name(given, &path);
                let value = hidden(&path, value);
                values.insert(path, json!({"value": value, "source": source}));
            }
        }
    }
}

/// A value that nobody gave has its default, also where its table was given.
fn source_name(given: &Layer, path: &str) -> String {
    given
        .get(path)
        .and_then(|_| given.source(path))
        .map_or_else(|| "default".to_owned(), ToString::to_string)
}

fn hidden(path: &str, value: &Value) -> Value {
    if is_secret(path) {
        return Value::String(HIDDEN.to_owned());
    }
    match value {
        Value::String(url) if is_sync_url(path) => Value::String(shown::url(url)),
        value => value.clone(),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn toml_key(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !key.is_empty() && key.bytes().all(bare) {
        key.to_owned()
    } else {
        toml::Value::String(key.to_owned()).to_string()
    }
}

/// A value on one line of TOML.
fn toml_value(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(toml_value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let pairs: Vec<_> = table
                .iter()
                .map(|(key, value)| format!("{} = {}", toml_key(key), toml_value(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        // JSON's escapes are those of a basic string of TOML (but for DEL), and a text of several lines
        // stays on one.
        scalar => scalar.to_string().replace('\u{7f}', "\\u007F"),
    }
}

/// The settings of one app as TOML, secrets hidden, without sources.
pub fn app_as_toml(settings: &model::settings::AppSettings) -> String {
    let mut text = String::new();
    print_table(&mut text, "", &tree(&settings.without_secrets()), None);
    text.trim_start_matches('\n').to_owned()
}
