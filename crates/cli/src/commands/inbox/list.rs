use std::process::ExitCode;

use client::inbox::Message;
use client::inbox::list::ListQuery;
use serde::Serialize;

use crate::commands::connection::Connection;
use crate::output::{plain, table};

/// Output and exit status.
pub const HELP: &str = "\
Output: a table; with --json {\"messages\":[{\"id\",\"uid\",\"vid\",\"created\",\"expires\",\"title\",\"lead\",\
\"body\",\"url\",\"img\",\"clients\",\"type\",\"prio\",\"state\",\"read\"}]}, absent fields left out.
Exit status: 0 also for an empty list, 1 failure, 2 wrong usage.";

/// Arguments of `inbox list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Kind of client that the list is for: web, ios, android, atv, stv [default: web]
    #[arg(long)]
    client: Option<String>,
    /// At most this many, 1 to 1000 [default: 5]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on after this id, the last of the page before
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

#[derive(Serialize)]
struct Page {
    messages: Vec<Message>,
}

/// Prints one page.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: ListArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let query = ListQuery {
        client: args.client,
        limit: args.limit,
        after: args.after,
    };
    let messages = connection.client.list(&query).await?;
    if connection.json {
        connection.output.json(&Page { messages })?;
    } else if messages.is_empty() {
        connection.output.note("no messages");
    } else {
        connection.output.bytes(table(&rows(&messages)).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn rows(messages: &[Message]) -> Vec<Vec<String>> {
    let head = ["ID", "PRIO", "TYPE", "CREATED", "EXPIRES", "TITLE"]
        .map(str::to_owned)
        .to_vec();
    let rows = messages.iter().map(|message| {
        let title = message.title.as_ref().unwrap_or(&message.body);
        vec![
            plain(&message.id),
            message.prio.to_string(),
            plain(&message.kind),
            plain(&message.created),
            plain(&message.expires),
            plain(title).chars().take(80).collect(),
        ]
    });
    std::iter::once(head).chain(rows).collect()
}
