use std::process::ExitCode;

use serde_json::json;

use crate::commands::connection::Connection;
use crate::output::plain;

/// Output and exit status.
pub const HELP: &str = "\
Output: a line; with --json {\"read\":1}.
Exit status: 0 marked, now or before, 1 not shown to the user, or failure, 2 wrong usage.";

/// Arguments of `inbox read`.
#[derive(Debug, clap::Args)]
pub struct ReadArgs {
    /// The message's id
    id: String,
}

/// Marks one message as read.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: ReadArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    connection.client.mark_read(&args.id).await?;
    if connection.json {
        connection.output.json(&json!({ "read": 1 }))?;
    } else {
        connection.output.line(&format!("read {}", plain(&args.id)))?;
    }
    Ok(ExitCode::SUCCESS)
}
