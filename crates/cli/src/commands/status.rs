use std::process::ExitCode;

use client::messaging::status::Status;

use super::connection::Connection;
use crate::output::{plain, table};

/// Output and exit status.
pub const HELP: &str = "\
Output: `status` (scheduled, published, cancelled, failed or unknown) and what else is known; with --json \
{\"messageId\",\"status\",\"errorMessage\"} and, where they apply, \"channel\", \"seq\", \"publishedAt\", \
\"publishAt\", \"nextAt\" (epoch ms), \"occurrences\", \"skipped\".
Exit status: 0 an answer came, also `unknown`, 1 failure, 2 wrong usage.";

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// The message's id, e.g. message:0199…
    #[arg(value_name = "ID")]
    message_id: String,
}

/// Prints where a message stands.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: StatusArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let status = connection.client.status(&args.message_id).await?;
    if connection.json {
        connection.output.json(&status)?;
    } else {
        connection.output.bytes(human(&status).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn human(status: &Status) -> String {
    let time = |millis: Option<i64>| {
        millis.map(|millis| {
            jiff::Timestamp::from_millisecond(millis)
                .map_or_else(|_| millis.to_string(), |time| time.to_string())
        })
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let fields = [
        ("message", Some(status.message_id.clone())),
        ("status", Some(status.status.clone())),
        ("error", status.error_message.clone()),
        ("channel", status.channel.clone()),
        ("seq", number(status.seq)),
        ("published", time(status.published_at)),
        ("publish at", time(status.publish_at)),
        ("next", time(status.next_at)),
        ("occurrences", number(status.occurrences)),
        ("skipped", number(status.skipped)),
    ];
    let rows: Vec<_> = fields
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| vec![name.to_owned(), plain(&value)]))
        .collect();
    table(&rows)
}
