use std::process::ExitCode;

use crate::commands::connection::Connection;

/// Output and exit status.
pub const HELP: &str = "\
Output: a line; with --json {\"unread\",\"total\"}.
Exit status: 0 also for an empty inbox, 1 failure, 2 wrong usage.";

/// Arguments of `inbox count`.
#[derive(Debug, clap::Args)]
pub struct CountArgs {
    /// Kind of client: web, ios, android, atv, stv [default: web]
    #[arg(long)]
    client: Option<String>,
}

/// Prints how many messages the token's user is shown.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: CountArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let counts = connection.client.count(args.client.as_deref()).await?;
    if connection.json {
        connection.output.json(&counts)?;
    } else {
        let line = format!("{} unread of {}", counts.unread, counts.total);
        connection.output.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}
