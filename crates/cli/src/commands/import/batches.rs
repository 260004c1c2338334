use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Free space before each read.
const READ: usize = 256 * 1024;

/// How large a request may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Documents: lines that are not blank.
    pub documents: u64,
    /// Bytes, line ends included.
    pub bytes: usize,
}

/// The lines of one request.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch {
    /// Number of its first line in the file, from 1; blank lines count.
    pub first_line: u64,
    /// Lines, blank ones included.
    pub lines: u64,
    /// The lines with their line ends.
    pub bytes: Bytes,
}

impl Batch {
    /// Number of its last line in the file.
    pub fn last_line(&self) -> u64 {
        self.first_line + self.lines.saturating_sub(1)
    }

    /// The same lines in two; `None` if it is one line.
    pub fn halves(&self) -> Option<(Self, Self)> {
        let lines = self.lines / 2;
        let ends = memchr::memchr_iter(b'\n', &self.bytes);
        let end = ends.take(usize::try_from(lines).ok()?).last()? + 1;
        let first = Self {
            first_line: self.first_line,
            lines,
            bytes: self.bytes.slice(..end),
        };
        let second = Self {
            first_line: self.first_line + lines,
            lines: self.lines - lines,
            bytes: self.bytes.slice(end..),
        };
        Some((first, second))
    }
}

/// Why the file cannot be cut.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read on.
    #[error("cannot read line {line}")]
    Read {
        /// Number of the line in the file.
        line: u64,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line that fits no request.
    #[error("line {line} is longer than {limit} bytes: expected one JSON document a line")]
    LineTooLong {
        /// Number of the line in the file.
        line: u64,
        /// The limit in bytes.
        limit: usize,
    },
}

/// Cuts an input into batches of whole lines, holding one batch at a time.
pub struct Batches<R> {
    input: R,
    limits: Limits,
    /// What is read and not given yet.
    pending: BytesMut,
    /// Bytes of `pending` that belong to counted lines.
    counted: usize,
    /// Bytes of `pending` that are known to hold no further line end.
    searched: usize,
    lines: u64,
    documents: u64,
    first_line: u64,
    at_end: bool,
}

impl<R: AsyncRead + Unpin> Batches<R> {
    pub fn new(input: R, limits: Limits) -> Self {
        Self {
            input,
            limits,
            pending: BytesMut::new(),
            counted: 0,
            searched: 0,
            lines: 0,
            documents: 0,
            first_line: 1,
            at_end: false,
        }
    }

    /// Makes the batches to come smaller.
    pub fn limit_documents(&mut self, documents: u64) {
        self.limits.documents = self.limits.documents.min(documents.max(1));
    }

    /// The next batch; `None` at the end, also if only blank lines are left.
    ///
    /// # Errors
    /// [`Error`], after which no further batch should be asked for.
    pub async fn next(&mut self) -> Result<Option<Batch>, Error> {
        loop {
            while let Some(end) = self.line_end() {
                if self.is_full(end) {
                    return Ok(Some(self.take()));
                }
                if end > self.limits.bytes {
                    self.drop_blank_lines()?;
                    continue;
                }
                self.count(end);
            }
            if self.at_end {
                let batch = (self.documents > 0).then(|| self.take());
                return Ok(batch);
            }
            if self.pending.len() > self.limits.bytes {
                if self.documents > 0 {
                    return Ok(Some(self.take()));
                }
                self.drop_blank_lines()?;
            }
            self.read().await?;
        }
    }

    /// End of the next uncounted line, at the end of the input also of an unfinished one.
    fn line_end(&mut self) -> Option<usize> {
        match memchr::memchr(b'\n', &self.pending[self.searched..]) {
            Some(found) => Some(self.searched + found + 1),
            None => {
                self.searched = self.pending.len();
                (self.at_end && self.counted < self.pending.len()).then_some(self.pending.len())
            }
        }
    }

    /// Whether the line up to `end` must wait for the next batch.
    fn is_full(&self, end: usize) -> bool {
        let one_too_many = self.documents == self.limits.documents && !self.is_blank(end);
        self.documents > 0 && (one_too_many || end > self.limits.bytes)
    }

    fn is_blank(&self, end: usize) -> bool {
        self.pending[self.counted..end]
            .iter()
            .all(u8::is_ascii_whitespace)
    }

    fn count(&mut self, end: usize) {
        self.documents += u64::from(!self.is_blank(end));
        self.lines += 1;
        self.counted = end;
        self.searched = end;
    }

    fn take(&mut self) -> Batch {
        let bytes = self.pending.split_to(self.counted).freeze();
        let batch = Batch {
            first_line: self.first_line,
            lines: self.lines,
            bytes,
        };
        self.first_line += self.lines;
        self.searched -= self.counted;
        self.counted = 0;
        self.lines = 0;
        self.documents = 0;
        batch
    }

    /// Makes room for a line that would fit but for the blank lines before it.
    fn drop_blank_lines(&mut self) -> Result<(), Error> {
        if self.counted == 0 {
            return Err(Error::LineTooLong {
                line: self.first_line,
                limit: self.limits.bytes,
            });
        }
        drop(self.take());
        Ok(())
    }

    async fn read(&mut self) -> Result<(), Error> {
        self.pending.reserve(READ);
        let line = self.first_line + self.lines;
        let read = self
            .input
            .read_buf(&mut self.pending)
            .await
            .map_err(|source| Error::Read { line, source })?;
        self.at_end = read == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
