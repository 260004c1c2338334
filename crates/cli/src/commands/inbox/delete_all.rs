use std::process::ExitCode;

use serde_json::json;

use crate::commands::connection::Connection;
use crate::output::plain;

/// Output and exit status.
pub const HELP: &str = "\
Output: how many messages were deleted; with --json {\"deleted\":N}.
Exit status: 0 also with none, 1 failure, 2 wrong usage.";

/// Arguments of `inbox delete-all`.
#[derive(Debug, clap::Args)]
pub struct DeleteAllArgs {
    /// The user's id
    uid: String,
}

/// Deletes all imported messages of a user.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: DeleteAllArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let deleted = connection.client.delete_all(&args.uid).await?;
    if connection.json {
        connection.output.json(&json!({ "deleted": deleted }))?;
    } else {
        connection.output.line(&format!(
            "deleted {deleted} messages of user {}",
            plain(&args.uid)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
