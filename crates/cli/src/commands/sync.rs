use std::process::ExitCode;

use serde_json::json;

use super::connection::Connection;

/// Output and exit status.
pub const HELP: &str = "\
One call works up to 25 s; what is left goes with the next. The server also does this by itself.
Output: how many messages were synced; with --json {\"synced\":N}.
Exit status: 0 also with nothing to sync, 1 failure, 2 wrong usage.";

/// Arguments of `sync`: none.
#[derive(Debug, clap::Args)]
pub struct SyncArgs {}

/// Syncs once.
///
/// # Errors
/// What the server refuses, among it a disabled sync and a campaign system that does not answer.
pub async fn run(_args: SyncArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let synced = connection.client.sync().await?;
    if connection.json {
        connection.output.json(&json!({ "synced": synced }))?;
    } else {
        connection.output.line(&format!("synced {synced}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
