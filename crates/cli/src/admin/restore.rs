use std::path::PathBuf;

use anyhow::{Context as _, bail};
use engine::system::SystemIds;
use serde_json::json;

use super::{StoreArgs, database};
use crate::output::Output;

/// Examples of `restore`.
pub const HELP: &str = "\
Examples:
  postbell restore /backups/postbell-monday.db
  postbell restore monday.db --force --data /var/lib/postbell

No server may run on the data folder. Readers that come back with positions from after the backup
are told that there is a gap.
Exit status: 0 success, 1 failure, 2 wrong usage.";

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// Replace the store if there is one
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// Runs `restore`.
///
/// # Errors
///
/// A server runs on the data folder, there is a store already, or the file is no backup.
pub fn run(args: &RestoreArgs, output: &Output) -> anyhow::Result<()> {
    let database = database(&args.store.config)?;
    let file = &args.file;
    if !file.exists() {
        bail!("there is no file {}", file.display());
    }
    if database.exists() && !args.force {
        bail!(
            "there is a store at {} already; --force replaces it",
            database.display()
        );
    }
    store_sqlite::backup::restore(file, &database, &SystemIds)
        .with_context(|| format!("cannot restore {}", database.display()))?;
    let database = database.display();
    if args.store.json {
        return output.json(&json!({"store": database.to_string(), "status": "restored"}));
    }
    output.line(&format!("restored {database}"))
}
