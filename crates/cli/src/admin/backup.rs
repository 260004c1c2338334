use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::{StoreArgs, database};
use crate::output::Output;

/// Examples of `backup`.
pub const HELP: &str = "\
Examples:
  postbell backup /backups/postbell-monday.db
  postbell backup latest.db --force --data /var/lib/postbell

The file is a whole SQLite database as of one moment; it holds the secrets of apps: keep it safe.
Exit status: 0 success, 1 failure, 2 wrong usage.";

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to write; it appears once it is whole
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// Runs `backup`.
///
/// # Errors
///
/// There is no store, the file is there already, or it cannot be written.
pub fn run(args: &BackupArgs, output: &Output) -> anyhow::Result<()> {
    let database = database(&args.store.config)?;
    let file = &args.file;
    if !database.exists() {
        bail!("there is no store at {}: is --data right?", database.display());
    }
    if file.exists() {
        if !args.force {
            bail!("{} is there already; --force replaces it", file.display());
        }
        if file.canonicalize()? == database.canonicalize()? {
            bail!("{} is the store itself", file.display());
        }
    }
    let bytes = store_sqlite::backup::backup(&database, file)
        .with_context(|| format!("cannot back up {}", database.display()))?;
    if args.store.json {
        return output.json(&json!({"file": file.display().to_string(), "bytes": bytes}));
    }
    output.line(&format!("{bytes} bytes in {}", file.display()))
}
