use std::collections::BTreeMap;
use std::path::Path;

use model::app::AppId;
use model::channel::ChannelPattern;
use model::permission::{ChannelRule, Who};
use model::settings::check::JWT_ALGORITHMS;
use model::settings::shown::HIDDEN;
use model::settings::{
    AppSettings, CleanupSettings, CorsSettings, HistorySettings, HistoryWindow, InboxSettings, JwtSettings,
    PollingSettings, ScheduleSettings, Secret, SyncSettings,
};
use model::time::Span;
use serde::Serialize;
use serde_json::{Map, Value};

use super::layer::{Layer, merge_tables};
use super::schema::{ANY, Schema};
use super::{Problem, Problems, document, typed};

/// What the configuration says about one app.
#[derive(Debug, Clone)]
pub struct AppConfig {
    /// The app.
    pub id: AppId,
    /// `[apps.NAME]` of the file: the app's settings are these, whatever the store has.
    pub settings: Option<AppSettings>,
    /// From the environment: these fields alone are laid over the app's settings.
    pub overlay: Map<String, Value>,
    /// The given values with their sources, for `config print`.
    pub given: Layer,
}

impl AppConfig {
    /// The settings that the app has once the configuration is applied to what the store has. What the
    /// store alone has and cannot be stays as it is: its use fails, as it would without a configuration.
    ///
    /// # Errors
    ///
    /// A field that cannot be.
    pub fn apply(&self, stored: Option<&AppSettings>) -> Result<AppSettings, Problems> {
        let base = self.settings.as_ref().or(stored).cloned().unwrap_or_default();
        let prefix = format!("apps.{}.", self.id);
        let mut values = tree(&base);
        let mut known = Vec::new();
        if self.settings.is_none() {
            // What an older version has stored must not keep the server from its start.
            let stored = Layer {
                values: values.clone(),
                ..Layer::default()
            };
            checked(&stored, &prefix, &mut known);
        }
        merge_tables(&mut values, self.overlay.clone());
        let merged = Layer {
            values,
            sources: self.given.sources.clone(),
        };
        let mut problems = Vec::new();
        let settings = checked(&merged, &prefix, &mut problems);
        problems.retain(|problem| known.iter().all(|known| known.text != problem.text));
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(Problems(problems))
        }
    }
}

/// Reads a file with the settings of one app, as `app set --file` takes it.
///
/// # Errors
///
/// Every problem, with its line.
pub fn read_file(path: &Path) -> Result<AppSettings, Problems> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problems(vec![Problem {
            text: format!("cannot read {}: {error}", path.display()),
            source: None,
        }])
    })?;
    let mut layer = document::read(path, &text).map_err(|problem| Problems(vec![problem]))?;
    let mut problems = Vec::new();
    let schema = Schema::of_app();
    schema.refuse_unknown(&mut layer, &mut problems);
    schema.read_value_files(&mut layer, &mut problems);
    let settings = checked(&layer, "", &mut problems);
    if problems.is_empty() {
        Ok(settings)
    } else {
        Err(Problems(problems))
    }
}

/// What file and environment say about apps; each layer holds a table an app.
pub fn from_layers(mut file: Layer, mut environment: Layer, problems: &mut Vec<Problem>) -> Vec<AppConfig> {
    let names: std::collections::BTreeSet<String> = file
        .values
        .keys()
        .chain(environment.values.keys())
        .cloned()
        .collect();
    let mut apps: BTreeMap<AppId, AppConfig> = BTreeMap::new();
    for name in names {
        let source = file.source(&name).or_else(|| environment.source(&name)).cloned();
        let id = match name.parse::<AppId>() {
            Ok(id) => id,
            Err(error) => {
                let text = format!("apps.{name}: {error}");
                problems.push(Problem { text, source });
                continue;
            }
        };
        let prefix = format!("apps.{name}.");
        let is_in_file = file.values.contains_key(&name);
        let tables = [file.values.get(&name), environment.values.get(&name)];
        if tables.into_iter().flatten().any(|table| !table.is_object()) {
            let text = format!("apps.{name}: expected a table of settings");
            problems.push(Problem { text, source });
            continue;
        }
        let mut given = file.take(&name);
        let settings = is_in_file.then(|| checked(&given, &prefix, problems));
        let overlay = environment.take(&name);
        if !overlay.values.is_empty() {
            // The fields alone, so that what is wrong with them is told before there is a store.
            let _ = checked(&overlay, &prefix, problems);
        }
        let values = overlay.values.clone();
        given.merge(overlay);
        let app = AppConfig {
            id: id.clone(),
            settings,
            overlay: values,
            given,
        };
        if apps.insert(id, app).is_some() {
            let text = format!("apps.{name}: the app is there twice (names are compared ignoring case)");
            problems.push(Problem { text, source });
        }
    }
    apps.into_values().collect()
}

/// Settings from values, with their ranges checked.
fn checked(layer: &Layer, prefix: &str, problems: &mut Vec<Problem>) -> AppSettings {
    let mut rest = layer.clone();
    refuse_hidden(&mut rest, prefix, problems);
    let settings: AppSettings = typed::take_fitting(&mut rest, prefix, problems);
    for key in KEYS {
        if layer.get(key).is_some() && rest.get(key).is_none() {
            forget_algorithms(&mut rest);
        }
    }
    // A check ends at the first field that cannot be: the next one goes without it.
    let mut left: AppSettings = typed::from_layer(&rest, prefix, &mut Vec::new());
    while let Err(error) = engine::access::check_settings(&left) {
        problems.push(Problem {
            text: format!("{prefix}{error}"),
            source: layer.source(error.field).cloned(),
        });
        if !rest.remove(error.field) {
            break;
        }
        if KEYS.contains(&error.field) {
            forget_algorithms(&mut rest);
        }
        left = typed::from_layer(&rest, prefix, &mut Vec::new());
    }
    settings
}

/// The keys of tokens.
const KEYS: [&str; 3] = ["jwt.secret", "jwt.public_key", "jwt.jwks_url"];

/// Leaves out the algorithms that there are: once a key has been told, that it is missing is no news.
fn forget_algorithms(layer: &mut Layer) {
    let jwt = layer.values.get_mut("jwt");
    if let Some(Value::Array(names)) = jwt.and_then(|jwt| jwt.get_mut("algorithms")) {
        names.retain(|name| name.as_str().is_none_or(|name| !JWT_ALGORITHMS.contains(&name)));
    }
}

/// What `app show` and `config print` write in the place of a secret is none.
fn refuse_hidden(layer: &mut Layer, prefix: &str, problems: &mut Vec<Problem>) {
    let headers = layer.get("sync.headers").and_then(Value::as_object);
    let headers = headers.into_iter().flat_map(|headers| headers.keys());
    let paths: Vec<_> = headers.map(|name| format!("sync.headers.{name}")).collect();
    for path in paths
        .into_iter()
        .chain(["jwt.secret".to_owned(), "sync.webhook_secret".to_owned()])
    {
        if layer.get(&path).and_then(Value::as_str) == Some(HIDDEN) {
            let text = format!("{prefix}{path}: {HIDDEN} stands for a secret: write the secret itself");
            let source = layer.source(&path).cloned();
            problems.push(Problem { text, source });
            layer.remove(&path);
        }
    }
    let url = layer.get("sync.url").and_then(Value::as_str);
    if url.is_some_and(|url| url.contains(HIDDEN)) {
        let text = format!("{prefix}sync.url: {HIDDEN} stands for a secret: write the secret itself");
        let source = layer.source("sync.url").cloned();
        problems.push(Problem { text, source });
        layer.remove("sync.url");
    }
}

/// Settings of an app in which nothing is absent, as a tree: what the schema is made of.
pub fn complete() -> Map<String, Value> {
    let text = || Some(String::new());
    let secret = || Some(Secret::new(""));
    let pattern = || ChannelPattern::new("*");
    let HistorySettings { age, count, .. } = HistorySettings::default();
    let SyncSettings {
        timeout,
        batch,
        timer,
        ..
    } = SyncSettings::default();
    // Every field is written out, so that a new one cannot be forgotten here.
    let settings = AppSettings {
        jwt: JwtSettings {
            secret: secret(),
            public_key: text(),
            jwks_url: text(),
            algorithms: vec![String::new()],
            issuer: text(),
            audience: text(),
            user_claim: text(),
            roles_claim: String::new(),
            selector_claim: String::new(),
        },
        channels: vec![ChannelRule {
            pattern: pattern(),
            publish: vec![Who::Anyone],
            subscribe: vec![Who::Anyone],
        }],
        cors: CorsSettings {
            origins: vec![String::new()],
        },
        history: HistorySettings {
            age,
            count,
            windows: vec![HistoryWindow {
                pattern: pattern(),
                age: Span::seconds(1),
                count: 1,
            }],
        },
        schedules: ScheduleSettings::default(),
        polling: PollingSettings::default(),
        inbox: InboxSettings::default(),
        sync: SyncSettings {
            url: text(),
            headers: BTreeMap::from([(ANY.to_owned(), Secret::new(""))]),
            webhook_secret: secret(),
            timeout,
            batch,
            timer,
        },
        cleanup: CleanupSettings::default(),
        limits: model::limits::Limits::default(),
    };
    tree(&settings)
}

/// A value of settings as a tree.
pub fn tree<T: Serialize>(value: &T) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(tree)) => tree,
        // Settings are structs of plain values: they are always a table.
        _ => Map::new(),
    }
}
