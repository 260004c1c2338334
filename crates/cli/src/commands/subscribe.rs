use std::pin::pin;
use std::process::ExitCode;

use client::Backoff;
use client::messaging::Envelope;
use client::messaging::events::EventsQuery;
use client::messaging::subscription::{Message, Notice};

use super::connection::Connection;
use crate::output::plain;

/// Behaviour, output and exit status.
pub const HELP: &str = "\
Reconnects by itself and goes on where it stopped: nothing inside the channel's history window is lost or \
repeated. What the window no longer holds is told on stderr as a gap, a closing server as an end.

Examples:
  postbell subscribe news
  postbell subscribe news --since all --json | jq .message
  postbell subscribe news --since 10m --count 1

Output: time, publisher, [subtopic], headers and message; with --json one envelope a line, as the server \
wrote it: {\"messageId\",\"timestamp\",\"message\",\"publisherId\",\"subtopic\",\"headers\",\"seq\",\"channel\",…}.
Exit status: 0 after Ctrl-C, after --count messages or when nobody reads the output any more, 1 failure, \
2 wrong usage.";

/// Arguments of `subscribe`.
#[derive(Debug, clap::Args)]
pub struct SubscribeArgs {
    /// The channel's name
    channel: String,
    /// Where to begin: `all`, a duration such as 10m, or a position EPOCH-SEQ [default: from now on]
    #[arg(long, value_name = "POSITION")]
    since: Option<String>,
    /// Only messages whose headers meet this condition, e.g. "lang = 'sv'"
    #[arg(long)]
    selector: Option<String>,
    /// Only messages of these subtopics, e.g. news.*
    #[arg(long, value_name = "PATTERN")]
    subtopic: Option<String>,
    /// Stop after this many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// Prints messages until Ctrl-C or `--count`.
///
/// # Errors
/// What reconnecting cannot mend: no first connection, a refusal, a stream that cannot be read.
pub async fn run(args: SubscribeArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    follow(args, connection, Backoff::default(), until_ctrl_c()).await
}

/// Ends at Ctrl-C.
pub(super) async fn until_ctrl_c() {
    // Without a handler, Ctrl-C ends the program the system's way, which is as good.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn follow(
    args: SubscribeArgs,
    connection: &Connection,
    backoff: Backoff,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<ExitCode> {
    let query = EventsQuery {
        since: args.since,
        last_event_id: None,
        selector: args.selector,
        subtopic: args.subtopic,
    };
    let mut subscription = connection.client.subscribe(&args.channel, query, backoff);
    let mut left = args.count;
    let mut stop = pin!(stop);
    while left != Some(0) {
        let notice = tokio::select! {
            () = &mut stop => break,
            notice = subscription.next() => notice?,
        };
        match notice {
            Notice::Message(message) => {
                connection.output.line(&line(&message, connection.json))?;
                left = left.map(|left| left - 1);
            }
            other => connection.output.note(&note(&other)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(message: &Message, json: bool) -> String {
    if json {
        // Inside JSON a line break can only be space between tokens.
        message.json.get().replace(['\r', '\n'], " ")
    } else {
        human(&message.envelope)
    }
}

/// Time, publisher, subtopic in brackets, headers, message; two spaces apart, absent ones left out but the publisher.
fn human(envelope: &Envelope) -> String {
    let time = jiff::Timestamp::from_millisecond(envelope.timestamp).map_or_else(
        |_| envelope.timestamp.to_string(),
        |time| {
            time.to_zoned(jiff::tz::TimeZone::system())
                .strftime("%Y-%m-%d %H:%M:%S%.3f%:z")
                .to_string()
        },
    );
    let mut columns = vec![
        time,
        envelope.publisher_id.clone().unwrap_or_else(|| "-".to_owned()),
    ];
    columns.extend(envelope.subtopic.as_ref().map(|subtopic| format!("[{subtopic}]")));
    if !envelope.headers.is_empty() {
        let headers: Vec<_> = envelope
            .headers
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        columns.push(headers.join(" "));
    }
    let message = envelope.message.get();
    // A text is shown without its quotes, anything else as its JSON.
    columns
        .push(serde_json::from_str::<String>(message).unwrap_or_else(|_| message.replace(['\r', '\n'], " ")));
    columns
        .iter()
        .map(|column| plain(column))
        .collect::<Vec<_>>()
        .join("  ")
}

fn note(notice: &Notice) -> String {
    match notice {
        Notice::Message(message) => message.position.clone(),
        Notice::Gap(gap) => plain(&format!(
            "gap: messages after {} are no longer in the history; going on after {}",
            gap.from, gap.to
        )),
        Notice::End(end) => plain(&format!("end: {} (code {})", end.message, end.code)),
        Notice::Reconnecting { after, reason } => {
            let reason = match reason {
                Some(error) => describe_client(error),
                None => "the server closed the stream".to_owned(),
            };
            format!("reconnecting in {:.1} s: {reason}", after.as_secs_f64())
        }
    }
}

/// An error with its first cause.
pub(super) fn describe_client(error: &client::Error) -> String {
    let mut text = error.to_string();
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let root = cause.to_string();
    if root != text {
        text = format!("{text}: {root}");
    }
    plain(&text)
}

#[cfg(test)]
mod tests;
