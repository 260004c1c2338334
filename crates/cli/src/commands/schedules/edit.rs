use std::process::ExitCode;

use client::messaging::edit::Edit;
use engine::system::SystemClock;
use model::time::Clock as _;

use crate::commands::connection::Connection;
use crate::commands::publish::{header, payload, unique};
use crate::commands::schedules::show;
use crate::commands::timing::{Change, Time, change, seconds, time};
use crate::output::table;

/// Examples, output and exit status.
pub const HELP: &str = "\
What is not given stays; `none` removes, but for --message and ID. A change of any of the times, --until and \
--times among them, counts the interval anew from now; a calendar goes on as it was.

Examples:
  postbell schedules edit message:0199… --every 5m
  postbell schedules edit message:0199… --every none --cron '0 9 * * MON-FRI' --timezone Europe/Stockholm
  postbell schedules edit message:0199… --message 'Another text' --header none --until none

Output: where it stands then; with --json what `status` prints.
Exit status: 0 the change is durable, 1 failure, 2 wrong usage.";

/// Arguments of `schedules edit`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args([
    "at", "every", "cron", "timezone", "until", "times", "message", "headers",
]))]
pub struct EditArgs {
    /// The schedule's id, e.g. message:0199…
    #[arg(value_name = "ID")]
    message_id: String,
    /// Publish next then: 2026-12-24T15:00:00+01:00, epoch milliseconds, or +10m from now
    #[arg(long, value_name = "TIME", value_parser = |text: &str| change(text, time))]
    at: Option<Change<Time>>,
    /// Publish at this interval, e.g. 30s, 10m, 1d
    #[arg(long, value_name = "DURATION", value_parser = |text: &str| change(text, seconds))]
    every: Option<Change<u64>>,
    /// Publish by the calendar: minute, hour, day, month, weekday
    #[arg(long, value_name = "EXPRESSION", value_parser = |text: &str| change(text, words))]
    cron: Option<Change<String>>,
    /// IANA time zone of the calendar
    #[arg(long, value_name = "ZONE", value_parser = |text: &str| change(text, words))]
    timezone: Option<Change<String>>,
    /// No repetition after this time
    #[arg(long, value_name = "TIME", value_parser = |text: &str| change(text, time))]
    until: Option<Change<Time>>,
    /// Stop after so many repetitions, those that have passed counted
    #[arg(long, value_name = "N", value_parser = |text: &str| change(text, number))]
    times: Option<Change<u64>>,
    /// Another message
    #[arg(long, value_name = "MESSAGE")]
    message: Option<String>,
    /// The message is JSON
    #[arg(long, requires = "message")]
    raw: bool,
    /// Headers in the place of all; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = |text: &str| change(text, header))]
    headers: Vec<Change<(String, String)>>,
}

/// Changes a schedule.
///
/// # Errors
/// A message that is no JSON with `--raw`, a header given twice, and what the server refuses.
pub async fn run(args: EditArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let millis = |time: Change<Time>| time.into_option().map(|time| time.millis(now));
    let edit = Edit {
        message: args.message.map(|text| payload(text, args.raw)).transpose()?,
        headers: match args.headers.is_empty() {
            true => None,
            false => Some(unique(
                args.headers.into_iter().filter_map(Change::into_option).collect(),
            )?),
        },
        publish_at: args.at.map(millis),
        repeat_every: args.every.map(Change::into_option),
        repeat_expires_at: args.until.map(millis),
        repeat_cron: args.cron.map(Change::into_option),
        timezone: args.timezone.map(Change::into_option),
        repeat_times: args.times.map(Change::into_option),
    };
    let status = connection.client.edit(&args.message_id, &edit).await?;
    if connection.json {
        connection.output.json(&status)?;
    } else {
        connection
            .output
            .bytes(table(&show::fields(&status)).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn words(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn number(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if number >= 1 => Ok(number),
        _ => Err("expected a whole number of at least 1, or none".to_owned()),
    }
}
