use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use engine::access::key::{digest, new_key, new_secret};
use engine::access::token::mint::mint_token;
use engine::system::SystemIds;
use model::ids::IdSource as _;
use model::key::Preset;
use model::settings::Secret;
use model::time::Clock;
use serde::{Deserialize, Serialize};
use store::SharedStore;
use store::apps::App;

/// What development mode made, as scripts read it from `dev.json` in the data folder (mode 0600).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevFile {
    /// Base URL of the server, of its first listener.
    pub url: String,
    /// The app: `default`.
    pub app: String,
    /// A key for each preset, by the preset's name.
    pub keys: BTreeMap<String, String>,
    /// The HS256 secret of user tokens; null where the app has another source of keys.
    pub jwt_secret: Option<String>,
}

/// How long the token of the printed example is valid.
const TOKEN_TTL: Duration = Duration::from_secs(24 * 3_600);

/// The data folder's `dev.json`.
pub fn path(data: &Path) -> PathBuf {
    data.join("dev.json")
}

/// Sees to it that the app has a token secret and a key for each preset, and writes `dev.json`. What the
/// file names and is still good is kept.
///
/// # Errors
///
/// The store or the file cannot be read or written.
pub async fn prepare(
    store: &SharedStore,
    app: App,
    data: &Path,
    url: String,
    clock: &dyn Clock,
) -> anyhow::Result<DevFile> {
    let before = read(&path(data))?;
    let jwt_secret = ensure_jwt_secret(store, &app, before.as_ref()).await?;
    let mut keys = BTreeMap::new();
    for preset in Preset::ALL {
        let known = before.as_ref().and_then(|file| file.keys.get(preset.as_str()));
        let key = ensure_key(store, &app, preset, known, clock).await?;
        keys.insert(preset.as_str().to_owned(), key);
    }
    let file = DevFile {
        url,
        app: app.id.to_string(),
        keys,
        jwt_secret,
    };
    write(&path(data), &file)?;
    Ok(file)
}

/// What is printed after the addresses: the keys, and three lines that work when pasted.
///
/// # Errors
///
/// No token can be made with the app's settings.
pub fn describe(file: &DevFile, app: &App, data: &Path, clock: &dyn Clock) -> anyhow::Result<String> {
    let DevFile { url, keys, .. } = file;
    let mut text = String::from("\nAPI keys of the app default (X-Api-Key):\n");
    for preset in Preset::ALL {
        let key = keys.get(preset.as_str()).map_or("", String::as_str);
        text.push_str(&format!("  {:<10} {key}\n", preset.as_str()));
    }
    if let Some(secret) = &file.jwt_secret {
        text.push_str(&format!("Secret of user tokens (HS256):\n  {secret}\n"));
    }
    text.push_str(&format!("All of this for scripts: {}\n", path(data).display()));

    let key = |preset: Preset| keys.get(preset.as_str()).map_or("", String::as_str);
    let publisher = key(Preset::App);
    text.push_str(&format!(
        "\nPublish to the channel demo:\n  \
         curl -sS '{url}/api/messaging/demo' -H 'X-Api-Key: {publisher}' -H 'Content-Type: application/json' \
         -d '{{\"message\":\"Hello there\"}}'\n\
         Read it live, from the start:\n  \
         curl -sSN '{url}/api/messaging/demo/events?since=all' -H 'X-Api-Key: {publisher}'\n"
    ));
    if file.jwt_secret.is_some() {
        let token = mint_token(&app.settings.jwt, "alice", &[], TOKEN_TTL, clock)
            .context("cannot make a token for the example")?;
        let now = clock.timestamp();
        let created = now.strftime("%Y-%m-%dT%H:%M:%SZ");
        let expires = (now + Duration::from_secs(7 * 24 * 3_600)).strftime("%Y-%m-%dT%H:%M:%SZ");
        let id = format!("hello-{}", clock.now());
        let campaign = key(Preset::Campaign);
        text.push_str(&format!(
            "Import a message for the user alice and list her inbox (token valid 24 h):\n  \
             curl -sS '{url}/messages/import' -H 'X-Api-Key: {campaign}' -H 'Content-Type: application/json; boundary=NL' \
             -d '{{\"id\":\"{id}\",\"uid\":\"alice\",\"created\":\"{created}\",\"expires\":\"{expires}\",\
             \"title\":\"Hello\",\"body\":\"A first message\",\"clients\":[\"web\"],\"type\":\"demo\",\"prio\":1}}' \
             && curl -sS '{url}/messages' -H 'user-token: {token}'\n"
        ));
    }
    Ok(text)
}

/// What is printed of a manual clock: where it stands, and a line that moves it.
pub fn describe_clock(file: &DevFile, clock: &dyn Clock) -> String {
    let key = file.keys.get(Preset::Admin.as_str()).map_or("", String::as_str);
    format!(
        "Time stands at {}; move it by an hour, a minute at a time:\n  \
         curl -sS '{}/admin/v1/clock/advance' -H 'X-Api-Key: {key}' -H 'Content-Type: application/json' \
         -d '{{\"ms\":3600000,\"step\":60000}}'\n",
        clock.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
        file.url
    )
}

/// The app's own secret if it has one, else that of the file, else a new one.
async fn ensure_jwt_secret(
    store: &SharedStore,
    app: &App,
    before: Option<&DevFile>,
) -> anyhow::Result<Option<String>> {
    let jwt = &app.settings.jwt;
    if let Some(secret) = &jwt.secret {
        return Ok(Some(secret.expose().to_owned()));
    }
    if jwt.public_key.is_some() || jwt.jwks_url.is_some() {
        return Ok(None);
    }
    let secret = match before.and_then(|file| file.jwt_secret.clone()) {
        Some(secret) => secret,
        None => {
            let mut random = [0; 32];
            SystemIds.fill(&mut random);
            random.iter().map(|byte| format!("{byte:02x}")).collect()
        }
    };
    let mut settings = app.settings.clone();
    settings.jwt.secret = Some(Secret::new(secret.clone()));
    store.set_app(&app.id, &settings).await?;
    Ok(Some(secret))
}

/// The known key if the store has it or can take it, else a new one.
async fn ensure_key(
    store: &SharedStore,
    app: &App,
    preset: Preset,
    known: Option<&String>,
    clock: &dyn Clock,
) -> anyhow::Result<String> {
    let now = clock.now();
    let name: model::key::KeyName = preset.as_str().parse()?;
    let make = |secret: &str| new_key(name.clone(), preset.scopes(), None, secret, &SystemIds, now);
    if let Some(secret) = known {
        if store.create_key(app.key, &make(secret)).await? {
            return Ok(secret.clone());
        }
        let keys = store.keys(app.key).await?;
        let is_good = |key: &model::key::ApiKey| key.digest == digest(secret) && key.is_valid_at(now);
        if keys.iter().any(is_good) {
            return Ok(secret.clone());
        }
    }
    let secret = new_secret(&name, &SystemIds);
    store.create_key(app.key, &make(&secret)).await?;
    Ok(secret)
}

/// `None` if there is no file. One that holds something else is replaced, with a word in the log.
fn read(path: &Path) -> anyhow::Result<Option<DevFile>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    match serde_json::from_str(&text) {
        Ok(file) => Ok(Some(file)),
        Err(error) => {
            tracing::warn!(file = %path.display(), error.line = error.line(), "not a dev.json of postbell: made anew");
            Ok(None)
        }
    }
}

/// Appears whole or not at all, readable by its owner alone.
fn write(path: &Path, file: &DevFile) -> anyhow::Result<()> {
    let partial = path.with_extension("json.partial");
    let text = serde_json::to_string_pretty(file)?;
    let written = || -> std::io::Result<()> {
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)?;
        writeln!(out, "{text}")?;
        out.sync_all()?;
        fs::rename(&partial, path)
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests;
