//! Commands that work on the store itself, alone or beside a running server, which sees the change
//! within 2 s (api.md 1).

/// `app …`.
pub mod app;
/// `backup`.
pub mod backup;
/// `key …`.
pub mod key;
/// `restore`.
pub mod restore;
/// `token …`.
pub mod token;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use engine::system::{SystemClock, SystemIds};
use model::app::AppId;
use model::time::{Clock, UnixMillis};
use store::SharedStore;
use store::apps::App;
use store::commits::{Commit, CommitSink};
use store_sqlite::{Role, SqliteOptions, SqliteStore};

use crate::cli::ConfigArgs;
use crate::config;
use crate::config::settings::StoreLocation;

/// Where the store is and how to print.
#[derive(Debug, clap::Args)]
pub struct StoreArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON for scripts
    #[arg(long)]
    pub json: bool,
}

/// Whether a command may make a store that is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// Keys and apps can be made before the first start.
    Make,
    /// There is nothing to list or change.
    Refuse,
}

/// Nobody listens to the commits of a command: servers poll.
struct Nobody;

impl CommitSink for Nobody {
    fn committed(&self, _: Vec<Commit>) {}
}

/// The database file that the configuration names.
fn database(args: &ConfigArgs) -> anyhow::Result<PathBuf> {
    let loaded = config::load(&args.flags())?;
    let StoreLocation::Sqlite(path) = loaded.config.store_location()?;
    Ok(path)
}

/// Opens the store beside a server that may be running.
async fn open(args: &ConfigArgs, missing: Missing) -> anyhow::Result<SharedStore> {
    let path = database(args)?;
    let is_new = !path.exists();
    if missing == Missing::Refuse && is_new {
        bail!("there is no store at {}: is --data right?", path.display());
    }
    let mut options = SqliteOptions::new(&path, Role::Admin);
    options.readers = 1;
    let store = SqliteStore::open(
        &options,
        Arc::new(SystemClock),
        Arc::new(SystemIds),
        Arc::new(Nobody),
    )
    .with_context(|| format!("cannot open the store {}", path.display()))?;
    let store: SharedStore = Arc::new(store);
    ensure_default(&store).await?;
    Ok(store)
}

/// The app `default` always exists (api.md 1).
///
/// # Errors
///
/// The store cannot be read or written.
pub async fn ensure_default(store: &SharedStore) -> anyhow::Result<App> {
    let id = AppId::default_app();
    if let Some(app) = store.app(&id).await? {
        return Ok(app);
    }
    store
        .create_app(&id, &Default::default(), SystemClock.now())
        .await?;
    let made = store.app(&id).await?;
    made.context("the app default was made and is not there")
}

/// An app that has to be there.
async fn app(store: &SharedStore, id: &AppId) -> anyhow::Result<App> {
    let found = store.app(id).await?;
    found.with_context(|| format!("there is no app {id}; `postbell app list` shows which there are"))
}

/// A point in time in RFC 3339, to the second.
fn date(at: UnixMillis) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0);
    at.map_or_else(
        |_| "?".to_owned(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

/// Closes the store; a failure matters only where the command itself succeeded.
async fn close<T>(store: SharedStore, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
    let closed = store.close().await;
    let value = outcome?;
    closed?;
    Ok(value)
}
