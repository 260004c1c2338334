use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use engine::system::SystemClock;
use model::app::AppId;
use model::settings::AppSettings;
use model::time::Clock as _;
use serde_json::json;
use store::SharedStore;
use store::apps::App;

use super::{Missing, StoreArgs, close, date, open};
use crate::config::{apps, print};
use crate::output::{Output, table};

/// `app …`.
#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// Make an app
    #[command(after_help = CREATE_HELP)]
    Create {
        /// Its id: 1 to 63 of A-Z a-z 0-9 -
        name: AppId,
        /// File with its settings (TOML); without one it has the defaults
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the apps
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Show an app's settings, secrets hidden
    Show {
        /// Its id
        name: AppId,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Replace an app's settings; servers have them in force within 2 s
    #[command(after_help = SET_HELP)]
    Set {
        /// Its id
        name: AppId,
        /// File with the settings (TOML); what it leaves out has its default
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Delete an app with all its channels, messages and keys
    #[command(after_help = DELETE_HELP)]
    Delete {
        /// Its id
        name: AppId,
        /// Yes, delete it: there is no way back
        #[arg(long, required = true)]
        yes: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
}

const CREATE_HELP: &str = "\
Examples:
  postbell app create shop
  postbell app create shop --file shop.toml

The file has the sections of [apps.NAME] in postbell.example.toml: [jwt], [[channels]], [sync] …
Exit status: 0 made, 1 failure (also where the app is there), 2 wrong usage.";

const SET_HELP: &str = "\
Example:
  postbell app set shop --file shop.toml

The whole file is checked before anything is written; every problem is told with its line.
Exit status: 0 success, 1 failure, 2 wrong usage.";

const DELETE_HELP: &str = "\
Example:
  postbell app delete shop --yes

The app default cannot be deleted.
Exit status: 0 success, 1 failure, 2 wrong usage.";

/// Runs the chosen one.
///
/// # Errors
///
/// The store cannot be used, the settings cannot be, the app is there already or is not there.
pub async fn run(command: AppCommand, output: &Output) -> anyhow::Result<()> {
    match command {
        AppCommand::Create { name, file, store } => {
            let settings = file.map_or_else(|| Ok(AppSettings::default()), |file| apps::read_file(&file))?;
            let opened = open(&store.config, Missing::Make).await?;
            let outcome = create(&opened, &name, &settings).await;
            close(opened, outcome).await?;
            say(output, store.json, &name, "created")
        }
        AppCommand::List { store } => {
            let opened = open(&store.config, Missing::Refuse).await?;
            let apps = opened.apps().await;
            list(close(opened, apps.map_err(Into::into)).await?, store.json, output)
        }
        AppCommand::Show { name, store } => {
            let opened = open(&store.config, Missing::Refuse).await?;
            let app = super::app(&opened, &name).await;
            show(&close(opened, app).await?, store.json, output)
        }
        AppCommand::Set { name, file, store } => {
            let settings = apps::read_file(&file)?;
            let opened = open(&store.config, Missing::Make).await?;
            let outcome = set(&opened, &name, &settings).await;
            close(opened, outcome).await?;
            say(output, store.json, &name, "set")
        }
        AppCommand::Delete { name, yes: _, store } => {
            if name == AppId::default_app() {
                bail!("the app default always exists and cannot be deleted");
            }
            let opened = open(&store.config, Missing::Refuse).await?;
            let outcome = delete(&opened, &name).await;
            close(opened, outcome).await?;
            say(output, store.json, &name, "deleted")
        }
    }
}

async fn create(store: &SharedStore, name: &AppId, settings: &AppSettings) -> anyhow::Result<()> {
    if store
        .create_app(name, settings, SystemClock.now())
        .await?
        .is_none()
    {
        bail!("the app {name} is there already; `postbell app set` changes it");
    }
    Ok(())
}

async fn set(store: &SharedStore, name: &AppId, settings: &AppSettings) -> anyhow::Result<()> {
    if !store.set_app(name, settings).await? {
        bail!("there is no app {name}; `postbell app create` makes it");
    }
    Ok(())
}

async fn delete(store: &SharedStore, name: &AppId) -> anyhow::Result<()> {
    if !store.delete_app(name).await? {
        bail!("there is no app {name}; `postbell app list` shows which there are");
    }
    Ok(())
}

fn say(output: &Output, as_json: bool, name: &AppId, done: &str) -> anyhow::Result<()> {
    if as_json {
        return output.json(&json!({"app": name.as_str(), "status": done}));
    }
    output.line(&format!("app {name} {done}"))
}

fn list(apps: Vec<App>, as_json: bool, output: &Output) -> anyhow::Result<()> {
    if as_json {
        let apps: Vec<_> = apps
            .iter()
            .map(|app| json!({"app": app.id.as_str(), "created": date(app.created)}))
            .collect();
        return output.json(&apps);
    }
    let mut rows = vec![vec!["APP".to_owned(), "CREATED".to_owned()]];
    rows.extend(apps.iter().map(|app| vec![app.id.to_string(), date(app.created)]));
    output.bytes(table(&rows).as_bytes())
}

fn show(app: &App, as_json: bool, output: &Output) -> anyhow::Result<()> {
    if as_json {
        let settings = app.settings.without_secrets();
        let app = json!({"app": app.id.as_str(), "created": date(app.created), "settings": settings});
        return output.json(&app);
    }
    let settings = print::app_as_toml(&app.settings);
    output.bytes(format!("# app {}, created {}\n{settings}", app.id, date(app.created)).as_bytes())
}
