use std::process::ExitCode;
use std::time::Duration;

use client::messaging::scheduled::{Schedule, ScheduleQuery};
use model::time::format_duration;

use crate::commands::connection::Connection;
use crate::commands::timing::local;
use crate::output::{plain, table};

/// Output and exit status.
pub const HELP: &str = "\
Examples:
  postbell schedules list
  postbell schedules list --channel news --json

Output: a table, times in the local zone; with --json {\"schedules\":[{\"messageId\",\"status\",\"errorMessage\",\
\"channel\",\"nextAt\",\"occurrences\",\"skipped\",\"message\" and the publish fields}],\"next\"}, times in epoch ms.
Exit status: 0 also for an empty list, 1 failure, 2 wrong usage.";

/// Arguments of `schedules list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Into this channel alone
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// At most this many, 1 to 1000 [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: Option<u32>,
    /// Go on after this id, the last of the page before
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

/// Prints one page.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: ListArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let query = ScheduleQuery {
        channel: args.channel,
        limit: args.limit,
        after: args.after,
    };
    let page = connection.client.scheduled(&query).await?;
    if connection.json {
        connection.output.json(&page)?;
    } else if page.schedules.is_empty() {
        connection.output.note("no schedules");
    } else {
        connection
            .output
            .bytes(table(&rows(&page.schedules)).as_bytes())?;
        if let Some(next) = &page.next {
            connection
                .output
                .note(&format!("there are more: --after {}", plain(next)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn rows(schedules: &[Schedule]) -> Vec<Vec<String>> {
    let head = [
        "ID", "STATUS", "CHANNEL", "NEXT", "REPEATS", "FIRED", "SKIPPED", "MESSAGE",
    ]
    .map(str::to_owned)
    .to_vec();
    let rows = schedules.iter().map(|schedule| {
        vec![
            plain(&schedule.message_id),
            plain(&schedule.status),
            plain(&schedule.channel),
            schedule.next_at.map_or_else(|| "-".to_owned(), local),
            repeats(schedule),
            schedule.occurrences.to_string(),
            schedule.skipped.to_string(),
            plain(schedule.message.get()).chars().take(40).collect(),
        ]
    });
    std::iter::once(head).chain(rows).collect()
}

/// By what rule it repeats, in a few words.
fn repeats(schedule: &Schedule) -> String {
    let mut text = match (schedule.repeat_every, &schedule.repeat_cron) {
        (Some(seconds), _) => format!("every {}", format_duration(Duration::from_secs(seconds))),
        (None, Some(cron)) => {
            let zone = schedule.timezone.as_deref().unwrap_or("UTC");
            format!("{} ({})", plain(cron), plain(zone))
        }
        (None, None) => return "once".to_owned(),
    };
    if let Some(times) = schedule.repeat_times {
        text.push_str(&format!(", {times} times"));
    }
    if let Some(until) = schedule.repeat_expires_at {
        text.push_str(&format!(", until {}", local(until)));
    }
    text
}
