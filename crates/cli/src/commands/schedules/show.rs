use std::process::ExitCode;

use client::messaging::occurrences::{Occurrence, Occurrences};
use client::messaging::status::Status;
use serde::Serialize;

use crate::commands::connection::Connection;
use crate::commands::timing::local;
use crate::output::{plain, table};

/// Output and exit status.
pub const HELP: &str = "\
Output: where it stands, then its due times that have passed, in the local zone; with --json \
{\"schedule\": what `status` prints, \"occurrences\":[{\"n\",\"due\",\"fired\",\"seq\"}],\"next\"}, times in epoch ms, \
`fired` null where it was skipped.
Exit status: 0 success, 1 failure, 2 wrong usage.";

/// Arguments of `schedules show`.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// The schedule's id, e.g. message:0199…
    #[arg(value_name = "ID")]
    message_id: String,
    /// At most this many due times, 1 to 1000 [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: Option<u32>,
    /// Those after this number
    #[arg(long, value_name = "N")]
    after: Option<u64>,
}

#[derive(Serialize)]
struct Shown {
    schedule: Status,
    #[serde(flatten)]
    occurrences: Occurrences,
}

/// Prints a schedule.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: ShowArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let schedule = connection.client.status(&args.message_id).await?;
    let occurrences = connection
        .client
        .occurrences(&args.message_id, args.after, args.limit)
        .await?;
    if connection.json {
        connection.output.json(&Shown {
            schedule,
            occurrences,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = table(&fields(&schedule));
    if !occurrences.occurrences.is_empty() {
        text.push('\n');
        text.push_str(&table(&rows(&occurrences.occurrences)));
    }
    connection.output.bytes(text.as_bytes())?;
    if let Some(next) = occurrences.next {
        connection.output.note(&format!("there are more: --after {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Where it stands, a row each.
pub fn fields(schedule: &Status) -> Vec<Vec<String>> {
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    [
        ("schedule", Some(schedule.message_id.clone())),
        ("status", Some(schedule.status.clone())),
        ("error", schedule.error_message.clone()),
        ("channel", schedule.channel.clone()),
        ("next", schedule.next_at.map(local)),
        ("fired", number(schedule.occurrences)),
        ("skipped", number(schedule.skipped)),
        ("last", schedule.published_at.map(local)),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| vec![name.to_owned(), plain(&value)]))
    .collect()
}

fn rows(occurrences: &[Occurrence]) -> Vec<Vec<String>> {
    let head = ["N", "DUE", "FIRED", "SEQ"].map(str::to_owned).to_vec();
    let rows = occurrences.iter().map(|occurrence| {
        vec![
            occurrence.n.to_string(),
            local(occurrence.due),
            occurrence.fired.map_or_else(|| "skipped".to_owned(), local),
            occurrence
                .seq
                .map_or_else(|| "-".to_owned(), |seq| seq.to_string()),
        ]
    });
    std::iter::once(head).chain(rows).collect()
}
