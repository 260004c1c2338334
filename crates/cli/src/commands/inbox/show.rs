use std::process::ExitCode;

use client::inbox::Message;

use crate::commands::connection::Connection;
use crate::output::{plain, table};

/// Output and exit status.
pub const HELP: &str = "\
Output: one field a line; with --json the message's object as in `inbox list`.
Exit status: 0 found, 1 absent or failure, 2 wrong usage.";

/// Arguments of `inbox show`.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// The message's id
    id: String,
}

/// Prints one message.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: ShowArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let message = connection.client.show(&args.id).await?;
    if connection.json {
        connection.output.json(&message)?;
    } else {
        connection.output.bytes(human(message).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn human(message: Message) -> String {
    let fields = [
        ("id", Some(message.id)),
        ("uid", Some(message.uid)),
        ("state", message.state),
        ("type", Some(message.kind)),
        ("prio", Some(message.prio.to_string())),
        ("clients", Some(message.clients.join(" "))),
        ("created", Some(message.created)),
        ("expires", Some(message.expires)),
        ("read", message.read.then(|| "yes".to_owned())),
        ("vid", message.vid),
        ("title", message.title),
        ("lead", message.lead),
        ("body", Some(message.body)),
        ("url", message.url),
        ("img", message.img),
    ];
    let rows: Vec<_> = fields
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| vec![name.to_owned(), plain(&value)]))
        .collect();
    table(&rows)
}
