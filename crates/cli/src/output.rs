//! What a command prints: results on stdout, notes and errors on stderr, each on one line.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// Where a command prints to; cheap to clone.
#[derive(Clone)]
pub struct Output {
    results: Sink,
    notes: Sink,
    progress: bool,
}

type Sink = Arc<Mutex<dyn Write + Send>>;

/// The reader of stdout has gone, as with `| head`: the command ends quietly.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output any more")]
pub struct Closed;

impl Output {
    /// The program's stdout and stderr.
    pub fn standard() -> Self {
        Self {
            results: Arc::new(Mutex::new(io::stdout())),
            notes: Arc::new(Mutex::new(io::stderr())),
            progress: io::stderr().is_terminal(),
        }
    }

    /// Anything else, for tests; without a progress bar.
    #[cfg(test)]
    pub fn to(results: Sink, notes: Sink) -> Self {
        Self {
            results,
            notes,
            progress: false,
        }
    }

    /// Whether a progress bar has a terminal to draw on.
    pub fn has_progress(&self) -> bool {
        self.progress
    }

    /// Writes a result and flushes it.
    ///
    /// # Errors
    /// [`Closed`] once the reader has gone, else what the system says.
    pub fn bytes(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut sink = lock(&self.results);
        match sink.write_all(bytes).and_then(|()| sink.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Closed.into()),
            Err(error) => Err(anyhow::Error::new(error).context("cannot write the output")),
        }
    }

    /// Writes a line of results.
    ///
    /// # Errors
    /// As [`Self::bytes`].
    pub fn line(&self, text: &str) -> anyhow::Result<()> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Writes a result as one line of JSON.
    ///
    /// # Errors
    /// As [`Self::bytes`].
    pub fn json<T: Serialize>(&self, value: &T) -> anyhow::Result<()> {
        self.line(&serde_json::to_string(value)?)
    }

    /// Writes a line to stderr; where even that fails there is nobody left to tell.
    pub fn note(&self, text: &str) {
        let _ = writeln!(lock(&self.notes), "{text}");
    }
}

fn lock(sink: &Sink) -> MutexGuard<'_, dyn Write + Send + 'static> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Text of strangers, made safe for a terminal: on one line, and without control sequences.
pub fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push(' '),
            '\r' => {}
            control if control.is_control() => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(control));
            }
            other => safe.push(other),
        }
    }
    safe
}

/// Columns as wide as their widest cell, two spaces apart; nothing follows the last cell of a row.
pub fn table(rows: &[Vec<String>]) -> String {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// An error on one line, with what to do about it where that is known.
pub fn describe(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        // The layers of an HTTP library between "no answer" and its root say nothing to a user.
        if cause.is::<client::Error>()
            && let Some(client::Error::Transport { .. }) = cause.downcast_ref()
        {
            append(&mut text, &cause.to_string());
            append(&mut text, &error.root_cause().to_string());
            break;
        }
        append(&mut text, &cause.to_string());
    }
    if let Some(hint) = error
        .chain()
        .find_map(|cause| cause.downcast_ref().and_then(hint))
    {
        let _ = write!(text, "; {hint}");
    }
    plain(&text)
}

/// A transparent error has the text of its cause: once is enough.
fn append(text: &mut String, cause: &str) {
    if text.ends_with(cause) {
        return;
    }
    if !text.is_empty() {
        text.push_str(": ");
    }
    text.push_str(cause);
}

fn hint(error: &client::Error) -> Option<String> {
    let refusal = match error {
        client::Error::Transport { source, .. } if source.is_connect() => {
            return Some("is the server running, and is --url right?".to_owned());
        }
        client::Error::Transport { source, .. } if source.is_timeout() => {
            return Some("try again, or give it longer with --timeout".to_owned());
        }
        client::Error::Refused(refusal) => refusal,
        _ => return None,
    };
    let text = match (refusal.status, refusal.code) {
        (401, Some(3064)) => "give a valid token with --token-file or POSTBELL_TOKEN",
        (401, Some(_)) => "give a valid key with --key-file or POSTBELL_KEY",
        (401, None) => {
            "give a key that may do this (POSTBELL_KEY) or, for a user's own messages, a token (POSTBELL_TOKEN)"
        }
        (403, Some(5007)) => "use a key or a user with that permission",
        (403, Some(5917)) => "use an https:// URL",
        (404, Some(5909)) => "check --url, --app and the name or id given",
        (429 | 503, _) if refusal.retry_after.is_some() => {
            return refusal
                .retry_after
                .map(|wait| format!("try again in {} s", wait.as_secs()));
        }
        // A 503 that waiting does not help says itself what would: sync without a URL, an unknown outcome.
        (500 | 502 | 504, _) => {
            return Some(match &refusal.request_id {
                Some(id) => format!("try again; the server's log has it as request {id}"),
                None => "try again later".to_owned(),
            });
        }
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests;
