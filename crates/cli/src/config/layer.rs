use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde_json::{Map, Value};

/// Where a value of the configuration came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A line of a file.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A tree of values and the source of each, by dotted path (`server.max_connections`,
/// `channels[0].pattern`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layer {
    /// The values.
    pub values: Map<String, Value>,
    /// Their sources. A path without one has that of the nearest path above it.
    pub sources: BTreeMap<String, Source>,
}

impl Layer {
    /// Sets one value. What stands in the way and is no table is replaced.
    pub fn set(&mut self, path: &str, value: Value, source: Source) {
        let mut at = &mut self.values;
        let mut segments = path.split('.').peekable();
        while let Some(segment) = segments.next() {
            if segments.peek().is_none() {
                at.insert(segment.to_owned(), value);
                break;
            }
            let below = at.entry(segment.to_owned()).or_insert(Value::Null);
            if !below.is_object() {
                *below = Value::Object(Map::new());
            }
            match below {
                Value::Object(table) => at = table,
                _ => return,
            }
        }
        self.sources.insert(path.to_owned(), source);
    }

    /// The value at a path without array indexes.
    pub fn get(&self, path: &str) -> Option<&Value> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let start = self.values.get(first)?;
        rest.split('.')
            .filter(|segment| !segment.is_empty())
            .try_fold(start, |value, segment| value.get(segment))
    }

    /// Where the value at `path` came from: its own source or that of the nearest path above.
    pub fn source(&self, path: &str) -> Option<&Source> {
        let mut path = path;
        loop {
            if let Some(source) = self.sources.get(path) {
                return Some(source);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Removes the value at `path`; of an array's element, the array. `false` if nothing was there.
    pub fn remove(&mut self, path: &str) -> bool {
        let array = path.strip_suffix(']').and_then(|path| path.rsplit_once('['));
        let path = array.map_or(path, |(array, _)| array);
        let mut at = &mut self.values;
        let mut segments = path.split('.').peekable();
        while let Some(segment) = segments.next() {
            if segments.peek().is_none() {
                return at.remove(segment).is_some();
            }
            let below = match segment.trim_end_matches(']').split_once('[') {
                Some((array, index)) => index
                    .parse()
                    .ok()
                    .and_then(|index: usize| at.get_mut(array)?.get_mut(index)),
                None => at.get_mut(segment),
            };
            match below {
                Some(Value::Object(table)) => at = table,
                _ => return false,
            }
        }
        false
    }

    /// Takes a table out of the layer, with the paths of its sources shortened.
    pub fn take(&mut self, table: &str) -> Self {
        let prefix = format!("{table}.");
        let values = match self.values.remove(table) {
            Some(Value::Object(values)) => values,
            Some(_) | None => Map::new(),
        };
        // What has no source of its own came with the table.
        let whole = self.source(table).cloned();
        let mut sources: BTreeMap<_, _> = whole
            .into_iter()
            .flat_map(|source| values.keys().map(move |key| (key.clone(), source.clone())))
            .collect();
        self.sources
            .retain(|path, source| match path.strip_prefix(&prefix) {
                Some(rest) => {
                    sources.insert(rest.to_owned(), source.clone());
                    false
                }
                None => path != table,
            });
        Self { values, sources }
    }

    /// Lays another layer over this one: its values win, tables are merged, arrays replaced.
    pub fn merge(&mut self, over: Self) {
        for path in over.sources.keys() {
            // An array that is replaced leaves no sources of its old elements behind.
            let element = format!("{path}[");
            self.sources.retain(|known, _| !known.starts_with(&element));
        }
        merge_tables(&mut self.values, over.values);
        self.sources.extend(over.sources);
    }
}

/// Merges `over` into `under`: tables key by key, anything else replaced.
pub fn merge_tables(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge_tables(below, above),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}
