use serde_json::{Map, Value};

use super::Problem;
use super::layer::Layer;
use super::{apps, settings};

/// The key of a table whose keys are free (app names, header names).
pub const ANY: &str = "*";

/// Settings whose value may stand in a file, named by the same key with `_file`.
const FROM_FILE: [&str; 3] = ["secret", "webhook_secret", "public_key"];

/// Which settings there are: a tree in which every one has a value of its type.
///
/// It is made from a value of the typed configuration in which nothing is absent, so it cannot forget
/// a field.
#[derive(Debug, Clone)]
pub struct Schema(Map<String, Value>);

impl Schema {
    /// The whole configuration.
    pub fn of_configuration() -> Self {
        let mut tree = settings::complete();
        let mut names = Map::new();
        names.insert(ANY.to_owned(), Value::Object(apps::complete()));
        tree.insert("apps".to_owned(), Value::Object(names));
        Self(tree)
    }

    /// The settings of one app.
    pub fn of_app() -> Self {
        Self(apps::complete())
    }

    /// The paths of all settings, `*` for a free name.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        collect_paths(&self.0, "", Paths::Settings, &mut paths);
        paths
    }

    /// The example value of the setting at `path`; of a `…_file` key, a text.
    pub fn find(&self, path: &str) -> Option<&Value> {
        let mut at = &self.0;
        let mut segments = path.split('.').peekable();
        while let Some(segment) = segments.next() {
            let below = known(at, segment)?;
            if segments.peek().is_none() {
                return Some(below);
            }
            at = below.as_object()?;
        }
        None
    }

    /// Removes what is no setting from a layer and names the nearest setting to each, or all that can
    /// stand there if none is near.
    pub fn refuse_unknown(&self, layer: &mut Layer, problems: &mut Vec<Problem>) {
        let mut unknown = Vec::new();
        collect_unknown(&self.0, &layer.values, "", &mut unknown);
        for path in unknown {
            let mut text = format!("unknown setting {path:?}");
            let key = path.rsplit('.').next().unwrap_or(&path).chars().count();
            match self.nearest(&path) {
                Some(nearest) if edits(&path, &nearest) <= (key / 2).max(2) => {
                    text.push_str(&format!(", did you mean {nearest:?}?"));
                }
                _ => text.push_str(&format!(
                    ", expected one of {}",
                    self.keys_beside(&path).join(", ")
                )),
            }
            problems.push(Problem {
                text,
                source: layer.source(&path).cloned(),
            });
            layer.remove(&path);
        }
    }

    /// Replaces every `…_file` key by the content of the file that it names, without a final newline.
    pub fn read_value_files(&self, layer: &mut Layer, problems: &mut Vec<Problem>) {
        let mut files = Vec::new();
        collect_value_files(&layer.values, "", &mut files);
        for (path, file) in files {
            let source = layer.source(&path).cloned();
            let mut fail = |text| {
                problems.push(Problem {
                    text,
                    source: source.clone(),
                });
            };
            layer.remove(&path);
            let Some(value_path) = path.strip_suffix("_file") else {
                continue;
            };
            if layer.get(value_path).is_some() {
                fail(format!("{value_path} and {path} are both given: leave one out"));
                continue;
            }
            match std::fs::read_to_string(&file) {
                Ok(text) => {
                    let value = Value::String(text.trim_end_matches(['\r', '\n']).to_owned());
                    if let Some(source) = source {
                        layer.set(value_path, value, source);
                    }
                }
                Err(error) => fail(format!("{path}: cannot read {file}: {error}")),
            }
        }
    }

    /// The keys of the table in which an unknown path stands.
    fn keys_beside(&self, path: &str) -> Vec<&str> {
        let tables = path.rsplit_once('.').map_or("", |(tables, _)| tables);
        let table = tables
            .split('.')
            .filter(|table| !table.is_empty())
            .try_fold(&self.0, |at, table| {
                let (name, is_list) = table
                    .split_once('[')
                    .map_or((table, false), |(name, _)| (name, true));
                let below = known(at, name)?;
                let below = if is_list { below.get(0)? } else { below };
                below.as_object()
            });
        table.map_or_else(Vec::new, |table| table.keys().map(String::as_str).collect())
    }

    /// The known path nearest to a slip; not the tables in which it stands.
    fn nearest(&self, path: &str) -> Option<String> {
        let segments: Vec<&str> = path.split('.').collect();
        let mut candidates = Vec::new();
        collect_paths(&self.0, "", Paths::All, &mut candidates);
        let candidates = candidates.into_iter().map(|candidate| {
            // The free names and the indexes that the path has are right as they are.
            let named = candidate.split('.').enumerate().map(|(at, segment)| {
                let given = segments.get(at).copied().unwrap_or("NAME");
                let list = segment
                    .strip_suffix("[]")
                    .filter(|list| given.split('[').next() == Some(list));
                if segment == ANY || list.is_some() {
                    given
                } else {
                    segment
                }
            });
            named.collect::<Vec<_>>().join(".")
        });
        let is_above = |candidate: &String| {
            path.strip_prefix(candidate.as_str())
                .is_some_and(|rest| rest.starts_with(['.', '[']))
        };
        nearest(path, candidates.filter(|candidate| !is_above(candidate)))
    }
}

/// Whether the value at this path is a secret that is never shown.
pub fn is_secret(path: &str) -> bool {
    let secret = |path: &str| {
        path == "jwt.secret" || path == "sync.webhook_secret" || path.starts_with("sync.headers.")
    };
    secret(path) || of_app(path).is_some_and(secret)
}

/// Whether the value at this path is the URL of the sync, of which credentials are not shown.
pub fn is_sync_url(path: &str) -> bool {
    path == "sync.url" || of_app(path) == Some("sync.url")
}

/// Whether the value at this path is a secret, or holds some: what stands there in the wrong type may be
/// a secret in the wrong place.
pub fn may_hold_secret(path: &str) -> bool {
    let table = |path: &str| ["jwt", "sync", "sync.headers"].contains(&path);
    is_secret(path) || is_sync_url(path) || table(path) || of_app(path).is_some_and(table)
}

/// The path within an app's settings.
fn of_app(path: &str) -> Option<&str> {
    let (_, rest) = path.strip_prefix("apps.")?.split_once('.')?;
    Some(rest)
}

/// The candidate with the fewest single-character edits from `text`.
pub fn nearest(text: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    candidates.min_by_key(|candidate| edits(text, candidate))
}

/// How many insertions, deletions and replacements lead from one text to the other (Levenshtein).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

fn known<'a>(schema: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    let file_of = || {
        let value = key.strip_suffix("_file")?;
        FROM_FILE.contains(&value).then(|| schema.get(value))?
    };
    schema.get(key).or_else(file_of).or_else(|| schema.get(ANY))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// Which paths are collected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Paths {
    /// Those of settings; a list of tables is one setting.
    Settings,
    /// Whatever can stand in a file: tables too, and the fields of lists of tables as `list[].field`.
    All,
}

fn collect_paths(schema: &Map<String, Value>, path: &str, which: Paths, paths: &mut Vec<String>) {
    for (key, value) in schema {
        let path = join(path, key);
        match value {
            Value::Object(table) => {
                collect_paths(table, &path, which, paths);
                if which == Paths::All {
                    paths.push(path);
                }
            }
            Value::Array(items) => {
                if let (Paths::All, Some(Value::Object(table))) = (which, items.first()) {
                    collect_paths(table, &format!("{path}[]"), which, paths);
                }
                paths.push(path);
            }
            _ => paths.push(path),
        }
    }
}

fn collect_unknown(
    schema: &Map<String, Value>,
    values: &Map<String, Value>,
    path: &str,
    unknown: &mut Vec<String>,
) {
    for (key, value) in values {
        let path = join(path, key);
        match (known(schema, key), value) {
            (None, _) => unknown.push(path),
            (Some(Value::Object(schema)), Value::Object(values)) => {
                collect_unknown(schema, values, &path, unknown);
            }
            (Some(Value::Array(schema)), Value::Array(values)) => {
                let Some(Value::Object(schema)) = schema.first() else {
                    continue;
                };
                for (at, value) in values.iter().enumerate() {
                    if let Value::Object(values) = value {
                        collect_unknown(schema, values, &format!("{path}[{at}]"), unknown);
                    }
                }
            }
            _ => {}
        }
    }
}

fn collect_value_files(values: &Map<String, Value>, path: &str, files: &mut Vec<(String, String)>) {
    for (key, value) in values {
        let path = join(path, key);
        match value {
            Value::Object(table) => collect_value_files(table, &path, files),
            Value::String(file) => {
                let of = key.strip_suffix("_file");
                if of.is_some_and(|of| FROM_FILE.contains(&of)) {
                    files.push((path, file.clone()));
                }
            }
            _ => {}
        }
    }
}
