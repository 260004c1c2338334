use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use engine::access::key::{new_key, new_secret};
use engine::system::{SystemClock, SystemIds};
use model::app::AppId;
use model::key::{ApiKey, KeyName, Preset, Scope, Scopes, check_secret};
use model::time::{Clock as _, DurationError, UnixMillis, parse_duration};
use serde::Serialize;
use serde_json::{Value, json};
use store::SharedStore;

use super::{Missing, StoreArgs, close, date, open};
use crate::output::{Output, table};

/// `key …`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it: once, it is stored as a digest only
    #[command(after_help = CREATE_HELP)]
    Create(CreateArgs),
    /// List an app's keys, revoked and expired ones too
    List {
        /// The app
        #[arg(long, default_value = "default")]
        app: AppId,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Revoke a key; servers refuse it within 2 s
    #[command(after_help = REVOKE_HELP)]
    Revoke {
        /// Its id, or its name where only one valid key has it
        #[arg(value_name = "ID|NAME")]
        key: String,
        /// The app
        #[arg(long, default_value = "default")]
        app: AppId,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// Arguments of `key create`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct CreateArgs {
    /// The app
    #[arg(long, default_value = "default")]
    app: AppId,
    /// What the key may do, by usual job: campaign, scheduler, app, client or admin
    #[arg(long, group = "what")]
    preset: Option<Preset>,
    /// What the key may do, may be repeated: publish, schedule, subscribe, import, sync, cleanup, inbox
    /// or admin
    #[arg(long = "scope", value_name = "SCOPE", group = "what")]
    scopes: Vec<Scope>,
    /// Its name, which is also the name that owns what is done with it
    #[arg(long)]
    name: KeyName,
    /// When it expires: a duration from now (30d) or an RFC 3339 date-time
    #[arg(long, value_name = "WHEN", value_parser = expiry)]
    expires: Option<Expiry>,
    /// Take over the secret in this file (8 to 128 printable characters) instead of making one
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
}

/// When a key expires.
#[derive(Debug, Clone, Copy)]
enum Expiry {
    After(Duration),
    At(UnixMillis),
}

const CREATE_HELP: &str = "\
Examples:
  postbell key create --preset campaign --name campaigns
  postbell key create --scope publish --scope subscribe --name cms --expires 90d
  postbell key create --preset app --name legacy --from-file old-key.txt

A server that runs takes it within 2 s.
Output: the key; with --json {\"id\",\"name\",\"key\",\"scopes\",\"expires\"}.
Exit status: 0 made, 1 failure, 2 wrong usage.";

const REVOKE_HELP: &str = "\
Examples:
  postbell key revoke campaigns
  postbell key revoke 3f62a1c09be4d775 --app shop

Exit status: 0 revoked, 1 failure (also where there is no such valid key), 2 wrong usage.";

/// A new key, in the order of fields that the help promises.
#[derive(Serialize)]
struct Created<'a> {
    id: &'a str,
    name: &'a str,
    key: &'a str,
    scopes: Vec<&'static str>,
    expires: Option<String>,
}

/// Runs the chosen one.
///
/// # Errors
///
/// The store cannot be used, there is no such app or key, the secret cannot be taken over.
pub async fn run(command: KeyCommand, output: &Output) -> anyhow::Result<()> {
    match command {
        KeyCommand::Create(args) => {
            let secret = match &args.from_file {
                Some(file) => read_secret(file)?,
                None => new_secret(&args.name, &SystemIds),
            };
            let opened = open(&args.store.config, Missing::Make).await?;
            let outcome = create(&opened, &args, &secret).await;
            let key = close(opened, outcome).await?;
            if args.store.json {
                output.json(&Created {
                    id: &key.id,
                    name: key.name.as_str(),
                    key: &secret,
                    scopes: scopes(&key),
                    expires: key.expires.map(date),
                })
            } else {
                output.line(&secret)
            }
        }
        KeyCommand::List { app, store } => {
            let opened = open(&store.config, Missing::Refuse).await?;
            let outcome = keys(&opened, &app).await;
            list(&close(opened, outcome).await?, store.json, output)
        }
        KeyCommand::Revoke { key, app, store } => {
            let opened = open(&store.config, Missing::Refuse).await?;
            let outcome = revoke(&opened, &app, &key).await;
            let revoked = close(opened, outcome).await?;
            if store.json {
                let name = revoked.name.as_str();
                return output.json(&json!({"id": revoked.id, "name": name, "status": "revoked"}));
            }
            output.line(&format!("key {} ({}) revoked", revoked.name, revoked.id))
        }
    }
}

async fn create(store: &SharedStore, args: &CreateArgs, secret: &str) -> anyhow::Result<ApiKey> {
    let now = SystemClock.now();
    let expires = match args.expires {
        Some(Expiry::After(duration)) => Some(now + duration),
        Some(Expiry::At(at)) if at <= now => bail!("--expires {} has passed already", date(at)),
        Some(Expiry::At(at)) => Some(at),
        None => None,
    };
    let scopes: Scopes = match args.preset {
        Some(preset) => preset.scopes(),
        None => args.scopes.iter().copied().collect(),
    };
    let app = super::app(store, &args.app).await?;
    let key = new_key(args.name.clone(), scopes, expires, secret, &SystemIds, now);
    if !store.create_key(app.key, &key).await? {
        bail!("the app {} has a key with this secret already", args.app);
    }
    Ok(key)
}

async fn keys(store: &SharedStore, app: &AppId) -> anyhow::Result<Vec<ApiKey>> {
    let app = super::app(store, app).await?;
    Ok(store.keys(app.key).await?)
}

async fn revoke(store: &SharedStore, app: &AppId, wanted: &str) -> anyhow::Result<ApiKey> {
    let now = SystemClock.now();
    let app = super::app(store, app).await?;
    let keys = store.keys(app.key).await?;
    let not_revoked = || keys.iter().filter(|key| key.revoked.is_none());
    let by_id = not_revoked().find(|key| *key.id == *wanted);
    let by_name: Vec<_> = not_revoked().filter(|key| key.name.as_str() == wanted).collect();
    let key: &ApiKey = match (by_id, by_name.as_slice()) {
        (Some(key), _) => key,
        (None, [key]) => key,
        (None, []) => bail!(
            "the app {} has no key {wanted:?} that is not revoked yet; `postbell key list` shows its keys",
            app.id
        ),
        (None, several) => {
            let ids: Vec<_> = several.iter().map(|key| &*key.id).collect();
            bail!(
                "{} keys are called {wanted:?}: give the id, one of {}",
                ids.len(),
                ids.join(", ")
            );
        }
    };
    if !store.revoke_key(app.key, &key.id, now).await? {
        bail!("the key {} has just been revoked by somebody else", key.id);
    }
    Ok(key.clone())
}

fn list(keys: &[ApiKey], as_json: bool, output: &Output) -> anyhow::Result<()> {
    if as_json {
        let row = |key: &ApiKey| -> Value {
            json!({
                "id": key.id,
                "name": key.name.as_str(),
                "scopes": scopes(key),
                "created": date(key.created),
                "expires": key.expires.map(date),
                "revoked": key.revoked.map(date),
            })
        };
        return output.json(&keys.iter().map(row).collect::<Vec<_>>());
    }
    let now = SystemClock.now();
    let head = ["ID", "NAME", "SCOPES", "CREATED", "EXPIRES", "STATE"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(keys.iter().map(|key| {
        let state = match key.revoked {
            Some(_) => "revoked",
            None if key.is_valid_at(now) => "valid",
            None => "expired",
        };
        vec![
            key.id.to_string(),
            key.name.to_string(),
            key.scopes.to_string(),
            date(key.created),
            key.expires.map_or_else(|| "never".to_owned(), date),
            state.to_owned(),
        ]
    }));
    output.bytes(table(&rows).as_bytes())
}

fn scopes(key: &ApiKey) -> Vec<&'static str> {
    key.scopes.iter().map(Scope::as_str).collect()
}

fn expiry(text: &str) -> Result<Expiry, String> {
    match parse_duration(text) {
        Ok(Duration::ZERO) => {
            return Err("expected more than 0: such a key would have expired already".to_owned());
        }
        Ok(duration) => return Ok(Expiry::After(duration)),
        Err(error @ DurationError::TooLong(_)) => return Err(error.to_string()),
        Err(_) => {}
    }
    UnixMillis::parse(text).map(Expiry::At).map_err(|_| {
        "expected a duration such as 30d or an RFC 3339 date-time such as 2027-01-31T00:00:00Z".to_owned()
    })
}

/// Reads a secret to take over; one final newline does not belong to it.
fn read_secret(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    check_secret(secret).with_context(|| format!("{} holds no key", file.display()))?;
    Ok(secret.to_owned())
}

#[cfg(test)]
mod tests;
