use std::path::Path;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;
use super::layer::{Layer, Source};

/// Reads TOML text as a layer that knows the line of each value.
///
/// # Errors
///
/// The first place that is no TOML, with its line.
pub fn read(path: &Path, text: &str) -> Result<Layer, Problem> {
    let lines = Lines::of(text);
    let source = |offset| Source::File {
        path: path.to_owned(),
        line: lines.at(offset),
    };
    let table = DeTable::parse(text).map_err(|error| Problem {
        text: format!("not TOML: {}", error.message().replace('\n', ", ")),
        source: Some(source(error.span().map_or(0, |span| span.start))),
    })?;
    let mut layer = Layer::default();
    let mut walk = Walk {
        sources: &mut layer.sources,
        source: &source,
    };
    let values = walk.table(table.get_ref(), "");
    layer.values = values;
    Ok(layer)
}

/// One TOML value from text, as the environment carries lists and tables.
///
/// # Errors
///
/// What is wrong with it.
pub fn read_value(text: &str) -> Result<Value, String> {
    let value = DeValue::parse(text).map_err(|error| error.message().replace('\n', ", "))?;
    let mut sources = std::collections::BTreeMap::new();
    let mut walk = Walk {
        sources: &mut sources,
        source: &|_| Source::Flag(""),
    };
    Ok(walk.value(value.get_ref(), ""))
}

struct Walk<'a> {
    sources: &'a mut std::collections::BTreeMap<String, Source>,
    source: &'a dyn Fn(usize) -> Source,
}

impl Walk<'_> {
    fn table(&mut self, table: &DeTable<'_>, path: &str) -> Map<String, Value> {
        let mut values = Map::new();
        for (key, value) in table {
            let name: &str = key.get_ref();
            let path = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            };
            self.sources.insert(path.clone(), (self.source)(key.span().start));
            values.insert(name.to_owned(), self.value(value.get_ref(), &path));
        }
        values
    }

    fn value(&mut self, value: &DeValue<'_>, path: &str) -> Value {
        match value {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(value) => Value::Bool(*value),
            // What JSON cannot hold stays text: the type check then names it.
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => number.into(),
                Err(_) => number.as_str().into(),
            },
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(parsed) if parsed.is_finite() => parsed.into(),
                _ => number.as_str().into(),
            },
            DeValue::Datetime(value) => Value::String(value.to_string()),
            DeValue::Array(array) => {
                let element = |(at, value): (usize, &Spanned<DeValue<'_>>)| {
                    let path = format!("{path}[{at}]");
                    self.sources
                        .insert(path.clone(), (self.source)(value.span().start));
                    self.value(value.get_ref(), &path)
                };
                Value::Array(array.iter().enumerate().map(element).collect())
            }
            DeValue::Table(table) => Value::Object(self.table(table, path)),
        }
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(ends).collect())
    }

    /// The line of a byte offset, from 1.
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}
