use std::process::ExitCode;

use serde_json::json;

use crate::commands::connection::Connection;
use crate::output::plain;

/// Output and exit status.
pub const HELP: &str = "\
Output: a line; with --json {\"deleted\":1}.
Exit status: 0 deleted, 1 absent, another user's, no longer imported, or failure, 2 wrong usage.";

/// Arguments of `inbox delete`.
#[derive(Debug, clap::Args)]
pub struct DeleteArgs {
    /// The message's id
    id: String,
}

/// Deletes one message.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: DeleteArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    connection.client.delete(&args.id).await?;
    if connection.json {
        connection.output.json(&json!({ "deleted": 1 }))?;
    } else {
        connection.output.line(&format!("deleted {}", plain(&args.id)))?;
    }
    Ok(ExitCode::SUCCESS)
}
