use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use client::messaging::publish::Publish;
use engine::system::SystemClock;
use model::time::Clock as _;
use serde_json::value::{RawValue, to_raw_value};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::connection::Connection;
use super::timing::{TimingArgs, local};

/// Examples, output and exit status.
pub const HELP: &str = "\
MESSAGE is plain text and published as a JSON string; with --raw it is JSON and published as written.

Examples:
  postbell publish news 'Hello there'
  postbell publish news --raw '{\"goal\": 1}' --header lang=sv
  echo 'from a pipe' | postbell publish news -
  postbell publish team 'Weekly report, please' --cron '0 9 * * MON' --timezone Europe/Stockholm
  postbell publish doors 'They open' --at +10m --every 30s --times 5 --dry-run

Output: the message's id; with --json {\"messageId\",\"status\",\"errorMessage\",\"replayed\"}. With --dry-run the \
next times, at most ten, in the local zone; with --json {\"occurrences\": [epoch ms]}. A key needs the scope \
`schedule` to publish later or repeatedly; `schedules` lists, cancels and changes what waits.
Exit status: 0 the message is durable, 1 failure, 2 wrong usage.";

/// More than any server takes (256 KiB by default), so that a wrong file on stdin fails here.
const STDIN_LIMIT: u64 = 16 * 1024 * 1024;

/// Arguments of `publish`.
#[derive(Debug, clap::Args)]
pub struct PublishArgs {
    /// The channel's name
    channel: String,
    /// The message, or `-` to read it from stdin
    message: String,
    /// The message is JSON
    #[arg(long)]
    raw: bool,
    /// A header that subscribers get and can select by; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Publisher id that subscribers get
    #[arg(long, value_name = "ID")]
    publisher: Option<String>,
    /// Dotted subtopic, e.g. news.sport
    #[arg(long)]
    subtopic: Option<String>,
    /// Makes trying again with the same message harmless for 24 hours
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print when it would be published, and publish nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    timing: Box<TimingArgs>,
}

/// Publishes one message.
///
/// # Errors
/// A message that is no JSON with `--raw`, a header given twice, and what the server refuses.
pub async fn run(args: PublishArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let text = if args.message == "-" {
        read(tokio::io::stdin()).await?
    } else {
        args.message
    };
    let mut publish = Publish::new(payload(text, args.raw)?);
    publish.headers = unique(args.headers)?;
    publish.publisher_id = args.publisher;
    publish.subtopic = args.subtopic;
    publish.idempotency_key = args.idempotency_key;
    let (now, timing) = (SystemClock.now(), *args.timing);
    publish.publish_at = timing.at.map(|time| time.millis(now));
    publish.repeat_every = timing.every;
    publish.repeat_expires_at = timing.until.map(|time| time.millis(now));
    publish.repeat_cron = timing.cron;
    publish.timezone = timing.timezone;
    publish.repeat_times = timing.times;
    if args.dry_run {
        let told = connection.client.dry_run(&args.channel, &publish).await?;
        if connection.json {
            connection.output.json(&told)?;
        } else {
            let lines: String = told.occurrences.iter().map(|at| local(*at) + "\n").collect();
            connection.output.bytes(lines.as_bytes())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let published = connection.client.publish(&args.channel, &publish).await?;
    if connection.json {
        connection.output.json(&published)?;
    } else {
        connection.output.line(&published.message_id)?;
    }
    if published.replayed {
        connection
            .output
            .note("note: this idempotency key had published it already; nothing new was published");
    }
    if published.status == "failed" {
        bail!(
            "not published: {}",
            published
                .error_message
                .as_deref()
                .unwrap_or("the server gave no reason")
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The message as JSON: a string, or with `raw` as it is written.
pub fn payload(text: String, raw: bool) -> anyhow::Result<Box<RawValue>> {
    if raw {
        RawValue::from_string(text.trim().to_owned())
            .context("MESSAGE is not JSON; leave --raw out to publish it as text")
    } else {
        Ok(to_raw_value(&text)?)
    }
}

/// Reads the whole input as text, without its last line end.
async fn read(input: impl AsyncRead + Unpin) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    input
        .take(STDIN_LIMIT + 1)
        .read_to_end(&mut bytes)
        .await
        .context("cannot read stdin")?;
    if bytes.len() as u64 > STDIN_LIMIT {
        bail!(
            "stdin is longer than {} MiB, which no channel takes",
            STDIN_LIMIT >> 20
        );
    }
    let mut text = String::from_utf8(bytes).context("stdin is not UTF-8 text")?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// Reads `NAME=VALUE`.
pub fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// Headers by name, none twice.
pub fn unique(headers: Vec<(String, String)>) -> anyhow::Result<BTreeMap<String, String>> {
    let mut map = BTreeMap::new();
    for (name, value) in headers {
        if map.contains_key(&name) {
            bail!("--header {name} is given twice: a message has each header once");
        }
        map.insert(name, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests;
