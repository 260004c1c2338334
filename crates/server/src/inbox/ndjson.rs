//! Messages from the bytes of an import while they arrive: one JSON document a line (api.md 4, Import).
//!
//! Lines end with `\n` or `\r\n`, the last one need not; lines of spaces and tabs alone are skipped but
//! counted. A byte order mark in front is skipped. Only the unfinished line is kept.

use memchr::{memchr, memchr_iter};
use model::inbox::{ClientTypes, InboxMessage};
use model::limits::Limits;

use super::document;

/// The byte order mark in UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Takes the bytes of an import, piece by piece.
pub(super) struct Parser<'a> {
    clients: &'a ClientTypes,
    limits: &'a Limits,
    /// The number of the line that comes next, blank ones counted.
    line: u64,
    bytes: usize,
    unfinished: Vec<u8>,
    parsed: Parsed,
}

/// What an import holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub(super) messages: Vec<InboxMessage>,
    /// Fields that the contract does not know, over all documents.
    pub(super) unknown_fields: u64,
}

/// Why an import is refused; none of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// A line that is no message: 400.
    #[error("line {line}{reason}")]
    Line {
        line: u64,
        /// With what leads over from the number.
        reason: String,
    },
    /// 413.
    #[error("line {line}: at most {limit} messages in one import, found more; send them in several requests")]
    TooManyMessages { line: u64, limit: usize },
    /// 413.
    #[error(
        "at most {limit} bytes in one import (after decompression), found more; send them in several requests"
    )]
    TooManyBytes { limit: usize },
}

impl<'a> Parser<'a> {
    pub(super) fn new(clients: &'a ClientTypes, limits: &'a Limits) -> Self {
        Self {
            clients,
            limits,
            line: 1,
            bytes: 0,
            unfinished: Vec::new(),
            parsed: Parsed::default(),
        }
    }

    /// Parses all lines that end in this piece. After an error the parser is of no more use.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), Refused> {
        let room = self.limits.import_bytes - self.bytes;
        let within = &piece[..piece.len().min(room)];
        self.bytes += within.len();
        self.lines(within)?;
        match within.len() == piece.len() {
            true => Ok(()),
            false => Err(Refused::TooManyBytes {
                limit: self.limits.import_bytes,
            }),
        }
    }

    /// Parses what stands behind the last separator, and gives everything.
    pub(super) fn finish(mut self) -> Result<Parsed, Refused> {
        let last = std::mem::take(&mut self.unfinished);
        self.line(&last)?;
        Ok(self.parsed)
    }

    fn lines(&mut self, mut piece: &[u8]) -> Result<(), Refused> {
        if !self.unfinished.is_empty() {
            let Some(end) = memchr(b'\n', piece) else {
                return self.keep(piece);
            };
            self.keep(&piece[..end])?;
            let mut line = std::mem::take(&mut self.unfinished);
            self.line(&line)?;
            // Its room serves the next unfinished line.
            line.clear();
            self.unfinished = line;
            piece = &piece[end + 1..];
        }
        let mut start = 0;
        for end in memchr_iter(b'\n', piece) {
            self.line(&piece[start..end])?;
            start = end + 1;
        }
        self.keep(&piece[start..])
    }

    /// Keeps bytes of an unfinished line, within the limit of a document and the `\r` that may follow it.
    fn keep(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        if self.unfinished.len() + bytes.len() > self.limits.import_document_bytes + 1 {
            return Err(self.too_long());
        }
        self.unfinished.extend_from_slice(bytes);
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Refused> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > self.limits.import_document_bytes {
            return Err(self.too_long());
        }
        let line = match self.line {
            1 => line.strip_prefix(MARK).unwrap_or(line),
            _ => line,
        };
        if !line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            self.document(line)?;
        }
        self.line += 1;
        Ok(())
    }

    fn document(&mut self, line: &[u8]) -> Result<(), Refused> {
        if self.parsed.messages.len() == self.limits.import_messages {
            return Err(Refused::TooManyMessages {
                line: self.line,
                limit: self.limits.import_messages,
            });
        }
        let text = std::str::from_utf8(line).map_err(|error| {
            let column = error.valid_up_to() + 1;
            self.refused(format!(
                ", column {column}: expected UTF-8, found the byte 0x{:02X}",
                line[column - 1]
            ))
        })?;
        let read = document::read(text, self.clients).map_err(|error| self.refused(error.to_string()))?;
        self.parsed.messages.push(read.message);
        self.parsed.unknown_fields += read.unknown_fields;
        Ok(())
    }

    fn too_long(&self) -> Refused {
        let limit = self.limits.import_document_bytes;
        self.refused(format!(
            ": at most {limit} bytes in one document, found more; a document ends with its line"
        ))
    }

    fn refused(&self, reason: String) -> Refused {
        Refused::Line {
            line: self.line,
            reason,
        }
    }
}

#[cfg(test)]
mod tests;
