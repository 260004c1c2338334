use std::process::ExitCode;

use serde_json::json;

use super::connection::Connection;

/// Output and exit status.
pub const HELP: &str = "\
The server also does this by itself, every hour unless configured otherwise.
Output: how many messages were removed; with --json {\"removed\":N}.
Exit status: 0 also with nothing to remove, 1 failure, 2 wrong usage.";

/// Arguments of `cleanup`: none.
#[derive(Debug, clap::Args)]
pub struct CleanupArgs {}

/// Cleans up once.
///
/// # Errors
/// What the server refuses.
pub async fn run(_args: CleanupArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let removed = connection.client.cleanup().await?;
    if connection.json {
        connection.output.json(&json!({ "removed": removed }))?;
    } else {
        connection.output.line(&format!("removed {removed}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
