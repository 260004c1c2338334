//! The configuration: a TOML file, then the environment, then flags, into one typed [`Config`] that
//! knows where each value came from (api.md 1 and 5).
//!
//! # Layout
//!
//! - [`settings`]: the typed configuration with its defaults.
//! - [`check`]: what the types alone do not say.
//! - [`apps`]: the settings of apps, in the configuration and in files of their own.
//! - [`layer`], [`document`], [`environment`]: one source of values each, with where they stand.
//! - [`schema`]: which settings there are, and the nearest one to a slip.
//! - [`typed`]: from values to types, every problem named.
//! - [`command`]: `config check` and `config print`.
//! - [`mod@print`]: every effective value with its source, secrets hidden.

use std::fmt;
use std::path::PathBuf;

use serde_json::Value;

use self::apps::AppConfig;
use self::layer::{Layer, Source};
use self::settings::Config;

/// Settings of apps.
pub mod apps;
/// Ranges, addresses, URLs.
mod check;
/// `config check` and `config print`.
pub mod command;
/// TOML text as a layer.
pub mod document;
/// The environment as a layer.
pub mod environment;
/// Values with their sources.
pub mod layer;
/// Every effective value as text.
pub mod print;
/// The known settings.
pub mod schema;
/// The typed configuration.
pub mod settings;
/// From values to types.
pub mod typed;

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`: the file to read.
    pub config: Option<PathBuf>,
    /// `--dev`: development mode.
    pub dev: bool,
    /// `--clock manual`: time stands until a request moves it.
    pub manual_clock: bool,
    /// `--listen`, each as given.
    pub listen: Vec<String>,
    /// `--data`: the data folder.
    pub data: Option<PathBuf>,
    /// `--store`: the store's URL.
    pub store: Option<String>,
}

/// The configuration of one run.
#[derive(Debug)]
pub struct Loaded {
    /// The typed values.
    pub config: Config,
    /// What it says about apps.
    pub apps: Vec<AppConfig>,
    /// The values as a tree with their sources; what is not in it has its default.
    pub given: Layer,
    /// Whether this is development mode.
    pub dev: bool,
    /// Whether time stands until a request moves it (api.md 5).
    pub manual_clock: bool,
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, and what was expected.
    pub text: String,
    /// Where it stands.
    pub source: Option<Source>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

/// All that is wrong with the configuration; at least one problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [problem] => problem.fmt(f),
            problems => {
                write!(f, "the configuration has {} problems:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

/// Reads the configuration of this process: file, environment, flags.
///
/// # Errors
///
/// Every problem found, not only the first.
pub fn load(flags: &Flags) -> Result<Loaded, Problems> {
    let environment: Vec<_> = std::env::vars_os().collect();
    let from_environment = environment
        .iter()
        .find(|(name, value)| name == "POSTBELL_CONFIG" && !value.is_empty())
        .map(|(_, value)| PathBuf::from(value));
    let file = match flags.config.clone().or(from_environment) {
        None => None,
        Some(path) => match std::fs::read_to_string(&path) {
            Ok(text) => Some((path, text)),
            Err(error) => {
                return Err(Problems(vec![Problem {
                    text: format!("cannot read the configuration file {}: {error}", path.display()),
                    source: None,
                }]));
            }
        },
    };
    assemble(file, &environment, flags)
}

/// The configuration from its sources; [`load`] without reading the process's own.
///
/// # Errors
///
/// Every problem found.
pub fn assemble(
    file: Option<(PathBuf, String)>,
    environment: &[(std::ffi::OsString, std::ffi::OsString)],
    flags: &Flags,
) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let schema = schema::Schema::of_configuration();

    let mut file_layer = match file {
        None => Layer::default(),
        Some((path, text)) => document::read(&path, &text).unwrap_or_else(|problem| {
            problems.push(problem);
            Layer::default()
        }),
    };
    schema.refuse_unknown(&mut file_layer, &mut problems);
    schema.read_value_files(&mut file_layer, &mut problems);
    let mut environment_layer = environment::read(&schema, environment, &mut problems);
    schema.read_value_files(&mut environment_layer, &mut problems);

    for layer in [&mut file_layer, &mut environment_layer] {
        if layer.get("apps").is_some_and(|apps| !apps.is_object()) {
            let text = "apps: expected a table with a table for each app".to_owned();
            let source = layer.source("apps").cloned();
            problems.push(Problem { text, source });
        }
    }
    let file_apps = file_layer.take("apps");
    let environment_apps = environment_layer.take("apps");
    let apps = apps::from_layers(file_apps, environment_apps, &mut problems);

    let mut given = Layer::default();
    for layer in [file_layer, environment_layer, flag_layer(flags)] {
        given.merge(layer);
    }
    let config: Config = typed::from_layer(&given, "", &mut problems);
    config.check(flags.dev, &given, &mut problems);
    if flags.manual_clock && !flags.dev {
        problems.push(Problem {
            text: "--clock manual works with --dev alone: whoever moves the clock decides what is due and which token is valid"
                .to_owned(),
            source: Some(Source::Flag("--clock")),
        });
    }

    if problems.is_empty() {
        let dev = flags.dev;
        Ok(Loaded {
            config,
            apps,
            given,
            dev,
            manual_clock: flags.manual_clock,
        })
    } else {
        Err(Problems(problems))
    }
}

fn flag_layer(flags: &Flags) -> Layer {
    let mut layer = Layer::default();
    if flags.dev {
        layer.set("require_https", Value::Bool(false), Source::Flag("--dev"));
    }
    if !flags.listen.is_empty() {
        layer.set("listen", flags.listen.clone().into(), Source::Flag("--listen"));
    }
    if let Some(data) = &flags.data {
        layer.set("data", data.to_string_lossy().into(), Source::Flag("--data"));
    }
    if let Some(store) = &flags.store {
        layer.set("store.url", store.clone().into(), Source::Flag("--store"));
    }
    layer
}

#[cfg(test)]
mod tests;
