use std::process::ExitCode;

use anyhow::Context as _;
use client::inbox::retract::Retracted;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader};

use super::PARTLY;
use super::connection::Connection;
use crate::output::plain;

/// Input, output and exit status.
pub const HELP: &str = "\
Output: how many were retracted, and on stderr which were not (absent, or no longer imported); with --json \
{\"retracted\":N,\"not_retracted\":[ids]}.
Exit status: 0 all retracted, 3 some not, 1 none or failure, 2 wrong usage.";

/// Ids a request.
const BATCH: usize = 1000;

/// Arguments of `retract`.
#[derive(Debug, clap::Args)]
pub struct RetractArgs {
    /// Message ids, or `-` to read them from stdin, one a line
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Retracts messages, in several requests if need be.
///
/// # Errors
/// What the server refuses but "none of them", and unreadable input.
pub async fn run(args: RetractArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let ids = if args.ids == ["-"] {
        read(BufReader::new(tokio::io::stdin())).await?
    } else {
        args.ids
    };
    let mut total = Retracted::default();
    let (mut rest, mut size) = (&ids[..], BATCH);
    while !rest.is_empty() {
        let (batch, behind) = rest.split_at(size.min(rest.len()));
        rest = behind;
        match connection.client.retract(batch).await {
            Ok(retracted) => {
                total.retracted += retracted.retracted;
                total.not_retracted.extend(retracted.not_retracted);
            }
            // None of these; others may follow. An unknown app answers so too, which the total then tells.
            Err(error) if error.refusal().is_some_and(|refusal| refusal.status == 404) => {
                total.not_retracted.extend_from_slice(batch);
            }
            // More than the app's limit: in smaller requests, this one too.
            Err(error) if batch.len() > 1 && error.refusal().is_some_and(|refusal| refusal.status == 413) => {
                size = batch.len() / 2;
                rest = &ids[ids.len() - batch.len() - behind.len()..];
            }
            Err(error) => {
                return Err(
                    anyhow::Error::new(error).context(format!("stopped after {} retracted", total.retracted))
                );
            }
        }
    }
    if connection.json {
        connection.output.json(&total)?;
    } else {
        connection
            .output
            .line(&format!("retracted {}", total.retracted))?;
        for id in &total.not_retracted {
            connection.output.note(&format!("not retracted: {}", plain(id)));
        }
    }
    Ok(match (total.retracted, total.not_retracted.is_empty()) {
        (_, true) => ExitCode::SUCCESS,
        (0, false) => ExitCode::FAILURE,
        (_, false) => PARTLY.into(),
    })
}

async fn read(input: impl AsyncBufRead + Unpin) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    let mut lines = input.lines();
    while let Some(line) = lines.next_line().await.context("cannot read ids from stdin")? {
        let id = line.trim();
        if !id.is_empty() {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests;
