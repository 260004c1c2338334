use std::process::ExitCode;

use anyhow::Context as _;

use crate::commands::connection::Connection;
use crate::output::plain;

/// Output and exit status.
pub const HELP: &str = "\
Output: a line for each schedule once nothing of it is published any more; with --json a line \
{\"messageId\",\"status\",\"errorMessage\",\"occurrences\"} each.
Exit status: 0 all were cancelled, 1 failure: those after it were not tried, 2 wrong usage.";

/// Arguments of `schedules cancel`.
#[derive(Debug, clap::Args)]
pub struct CancelArgs {
    /// The schedules' ids
    #[arg(value_name = "ID", required = true)]
    message_ids: Vec<String>,
}

/// Cancels one after the other.
///
/// # Errors
/// What the server refuses: a schedule that has ended cannot be cancelled.
pub async fn run(args: CancelArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    for id in &args.message_ids {
        let cancelled = connection
            .client
            .cancel(id)
            .await
            .with_context(|| format!("cannot cancel {id}"))?;
        if connection.json {
            connection.output.json(&cancelled)?;
            continue;
        }
        let fired = cancelled.occurrences.unwrap_or_default();
        let line = format!(
            "{} cancelled; published before: {fired}",
            plain(&cancelled.message_id)
        );
        connection.output.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}
