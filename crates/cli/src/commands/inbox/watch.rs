use std::pin::pin;
use std::process::ExitCode;

use client::Backoff;
use client::inbox::watch::{Event, Happening, Notice, WatchQuery};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::commands::connection::Connection;
use crate::commands::subscribe::{describe_client, until_ctrl_c};
use crate::output::plain;

/// Behaviour, output and exit status.
pub const HELP: &str = "\
Prints the list, then `synced`, then every change as it happens, made on whatever device. Reconnects by \
itself and goes on where it stopped; `reset` tells that what was printed before no longer counts and the \
list comes anew. A closing server is told on stderr as an end.

Examples:
  postbell inbox watch --client ios
  postbell inbox watch --json | jq -r 'select(.event == \"message\").data.title'

Output: what happened, the message's id, and what it is about; with --json an event a line: \
{\"event\",\"cursor\",\"data\"}, data as the server wrote it.
Exit status: 0 after Ctrl-C, after --count events or when nobody reads the output any more, 1 failure, \
2 wrong usage.";

/// Arguments of `inbox watch`.
#[derive(Debug, clap::Args)]
pub struct WatchArgs {
    /// Kind of client that the inbox is for: web, ios, android, atv, stv [default: web]
    #[arg(long)]
    client: Option<String>,
    /// Messages of the list at the start, 1 to 1000 [default: 100]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on behind this event, of --json's `cursor`
    #[arg(long, value_name = "CURSOR")]
    since: Option<String>,
    /// Stop after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'a str,
    cursor: &'a str,
    data: &'a RawValue,
}

/// Prints events until Ctrl-C or `--count`.
///
/// # Errors
/// What reconnecting cannot mend: no first connection, a refusal, a stream that cannot be read.
pub async fn run(args: WatchArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    follow(args, connection, Backoff::default(), until_ctrl_c()).await
}

pub(super) async fn follow(
    args: WatchArgs,
    connection: &Connection,
    backoff: Backoff,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<ExitCode> {
    let query = WatchQuery {
        client: args.client,
        limit: args.limit,
        last_event_id: args.since,
    };
    let mut watch = connection.client.watch(query, backoff);
    let mut left = args.count;
    let mut stop = pin!(stop);
    while left != Some(0) {
        let notice = tokio::select! {
            () = &mut stop => break,
            notice = watch.next() => notice?,
        };
        match notice {
            Notice::Event(event) if connection.json => {
                connection.output.json(&Line {
                    event: &event.name,
                    cursor: &event.cursor,
                    data: &event.json,
                })?;
                left = left.map(|left| left - 1);
            }
            Notice::Event(event) => {
                connection.output.line(&human(&event))?;
                left = left.map(|left| left - 1);
            }
            Notice::End(end) => {
                let text = format!("end: {} (code {})", end.message, end.code);
                connection.output.note(&plain(&text));
            }
            Notice::Reconnecting { after, reason } => {
                let reason = match &reason {
                    Some(error) => describe_client(error),
                    None => "the server closed the stream".to_owned(),
                };
                let text = format!("reconnecting in {:.1} s: {reason}", after.as_secs_f64());
                connection.output.note(&text);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Name, id, and what belongs to it; two spaces apart.
fn human(event: &Event) -> String {
    let columns = match &event.what {
        Happening::Message(shown) => {
            let message = &shown.message;
            let title = message.title.as_ref().unwrap_or(&message.body);
            vec![message.id.clone(), title.chars().take(80).collect()]
        }
        Happening::Read(read) => vec![read.id.clone(), unread(read.unread)],
        Happening::Removed(removed) => {
            vec![removed.id.clone(), removed.reason.clone(), unread(removed.unread)]
        }
        Happening::Synced(counts) | Happening::Reset(counts) => {
            vec![format!("{} unread of {}", counts.unread, counts.total)]
        }
    };
    let columns = columns.iter().map(|column| plain(column));
    let columns: Vec<_> = std::iter::once(event.name.clone()).chain(columns).collect();
    columns.join("  ")
}

fn unread(count: u64) -> String {
    format!("{count} unread")
}
