/// Cuts the file into requests.
mod batches;

/// The progress bar.
mod progress;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use client::inbox::import::Imported;
use futures_util::stream;
use serde::Serialize;
use tokio::io::AsyncRead;

use super::PARTLY;
use super::connection::Connection;
use crate::output::plain;
use batches::{Batch, Batches, Limits};
use progress::Progress;

/// Behaviour, output and exit status.
pub const HELP: &str = "\
The file holds JSON documents, one a line (\\r\\n or \\n), and is never read as a whole: it is cut into \
requests of at most --batch documents and 60 MiB, and smaller ones where the app's limits are lower. Each \
request is all or nothing for bad input; the first \
bad one stops the import and names the line of the file. Importing the same file again is harmless: what is \
in already counts as duplicates. A busy server (503) is tried again a few times.

Output: a summary; with --json {\"imported\":N,\"duplicates\":N,\"requests\":N,\"duplicate_key\":id or null}, also \
after a failure: then it tells what is in.
Exit status: 0 every message was new and is in, 3 some were duplicates and everything new is in, 1 failure, \
2 wrong usage.";

/// Below the server's 64 MiB (api.md 4).
const REQUEST_BYTES: usize = 60 * 1024 * 1024;
/// Pieces in which a request is sent, for the bar to move.
const PIECE: usize = 64 * 1024;
/// Tries of one request while the server is busy.
const TRIES: u32 = 6;
/// The longest wait between two tries, whatever the server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The campaign file, or `-` for stdin
    file: PathBuf,
    /// Documents a request at most
    #[arg(long, value_name = "DOCUMENTS", default_value_t = 25_000, value_parser = clap::value_parser!(u64).range(1..))]
    batch: u64,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    imported: u64,
    duplicates: u64,
    requests: u64,
    duplicate_key: Option<String>,
}

/// Imports a file.
///
/// # Errors
/// An unreadable file, a line over the limit, and what the server refuses, with the lines concerned.
pub async fn run(args: ImportArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let limits = Limits {
        documents: args.batch,
        bytes: REQUEST_BYTES,
    };
    if args.file == Path::new("-") {
        return import(tokio::io::stdin(), None, limits, connection).await;
    }
    let cannot_read = || format!("cannot read {}", args.file.display());
    let file = tokio::fs::File::open(&args.file)
        .await
        .with_context(cannot_read)?;
    let metadata = file.metadata().await.with_context(cannot_read)?;
    let size = metadata.is_file().then_some(metadata.len());
    import(file, size, limits, connection).await
}

async fn import(
    input: impl AsyncRead + Unpin,
    size: Option<u64>,
    limits: Limits,
    connection: &Connection,
) -> anyhow::Result<ExitCode> {
    let progress = Progress::new(size, connection.output.has_progress());
    let mut summary = Summary::default();
    let outcome = send_all(Batches::new(input, limits), &mut summary, &progress, connection).await;
    progress.finish();
    if connection.json {
        connection.output.json(&summary)?;
    }
    outcome?;
    if summary.requests == 0 {
        connection.output.note("note: the file holds no messages");
    }
    if !connection.json {
        connection.output.line(&human(&summary))?;
    }
    Ok(if summary.duplicates == 0 {
        ExitCode::SUCCESS
    } else {
        PARTLY.into()
    })
}

async fn send_all(
    mut batches: Batches<impl AsyncRead + Unpin>,
    summary: &mut Summary,
    progress: &Progress,
    connection: &Connection,
) -> anyhow::Result<()> {
    let mut lines_in = 0;
    // Behind what is sent, the last one next: parts of a batch that was too large.
    let mut parts = Vec::new();
    loop {
        let next = match parts.pop() {
            Some(part) => Ok(Some(part)),
            None => batches.next().await,
        };
        let batch = match next {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(()),
            Err(error) => return Err(anyhow::Error::new(error).context(already_in(lines_in, summary))),
        };
        let imported = match send(&batch, progress, connection).await {
            Ok(imported) => imported,
            Err(error) => {
                let is_too_large = error.refusal().is_some_and(|refusal| refusal.status == 413);
                let Some((first, second)) = batch.halves().filter(|_| is_too_large) else {
                    summary.requests += 1;
                    return Err(failure(error, &batch, lines_in, summary));
                };
                batches.limit_documents(first.lines);
                parts.extend([second, first]);
                continue;
            }
        };
        summary.requests += 1;
        summary.imported += imported.imported;
        summary.duplicates += imported.duplicates;
        if summary.duplicate_key.is_none() {
            summary.duplicate_key = imported.duplicate_key;
        }
        lines_in = batch.last_line();
        progress.imported(summary.imported + summary.duplicates);
    }
}

/// Sends a request, again while the server is too busy to take it.
async fn send(
    batch: &Batch,
    progress: &Progress,
    connection: &Connection,
) -> Result<Imported, client::Error> {
    let mut tries = 1;
    loop {
        progress.start_request();
        let error = match connection
            .client
            .import(pieces(batch.bytes.clone(), progress))
            .await
        {
            Ok(imported) => return Ok(imported),
            Err(error) => error,
        };
        let Some(refusal) = error
            .refusal()
            .filter(|refusal| matches!(refusal.status, 429 | 503))
        else {
            return Err(error);
        };
        if tries == TRIES {
            return Err(error);
        }
        let wait = refusal
            .retry_after
            .unwrap_or(Duration::from_secs(1 << tries))
            .min(LONGEST_WAIT);
        progress.suspend(|| {
            connection.output.note(&format!(
                "the server is busy; trying again in {} s",
                wait.as_secs()
            ));
        });
        tokio::time::sleep(wait).await;
        tries += 1;
    }
}

/// The request's body, telling the bar about each piece that is on its way.
fn pieces(
    bytes: Bytes,
    progress: &Progress,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    let progress = progress.clone();
    stream::iter(std::iter::from_fn({
        let mut rest = bytes;
        move || {
            let piece = rest.split_to(rest.len().min(PIECE));
            progress.sent(piece.len());
            (!piece.is_empty()).then_some(Ok(piece))
        }
    }))
}

/// Says which lines failed, which are in, and why; the server counts lines from the request's first.
fn failure(error: client::Error, batch: &Batch, lines_in: u64, summary: &Summary) -> anyhow::Error {
    let (first, last) = (batch.first_line, batch.last_line());
    let refused = error.refusal().map(|refusal| refusal.status);
    let fate = match refused {
        Some(400..=499) => format!("nothing of lines {first} to {last} is in"),
        _ => format!("some of lines {first} to {last} may be in (import the file again: that is harmless)"),
    };
    let context = format!("{fate}; {}", already_in(lines_in, summary));
    match error {
        client::Error::Refused(mut refusal) if refusal.status == 400 => {
            refusal.message = shift_line(&refusal.message, first - 1);
            anyhow::Error::new(client::Error::Refused(refusal)).context(context)
        }
        error => anyhow::Error::new(error).context(context),
    }
}

fn already_in(lines_in: u64, summary: &Summary) -> String {
    match lines_in {
        0 => "nothing was imported before".to_owned(),
        last => format!(
            "lines 1 to {last} are in ({} imported, {} duplicates)",
            summary.imported, summary.duplicates
        ),
    }
}

/// Adds `offset` to the number of the first `line N` in a text.
fn shift_line(text: &str, offset: u64) -> String {
    let mut from = 0;
    while let Some(found) = text[from..].find("line ") {
        let start = from + found + "line ".len();
        let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
        if let Ok(line) = text[start..start + digits].parse::<u64>() {
            return format!(
                "{}{}{}",
                &text[..start],
                line.saturating_add(offset),
                &text[start + digits..]
            );
        }
        from = start;
    }
    text.to_owned()
}

fn human(summary: &Summary) -> String {
    let mut text = format!("imported {}", summary.imported);
    if summary.duplicates > 0 {
        text.push_str(&format!(", {} duplicates", summary.duplicates));
    }
    if let Some(key) = &summary.duplicate_key {
        text.push_str(&format!(" (the first is {})", plain(key)));
    }
    let requests = if summary.requests == 1 {
        "request"
    } else {
        "requests"
    };
    text.push_str(&format!(", {} {requests}", summary.requests));
    text
}

#[cfg(test)]
mod tests;
