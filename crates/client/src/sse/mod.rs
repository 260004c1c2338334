use std::collections::VecDeque;

/// An event together with its unfinished lines may take this many bytes.
pub const DEFAULT_LIMIT: usize = 16 * 1024 * 1024;

/// One dispatched event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The last `id` seen in the stream up to this event; empty if there was none.
    pub id: String,
    /// The `event` field; `message` where it is absent.
    pub event: String,
    /// The `data` lines, joined by `\n`.
    pub data: String,
}

/// What came out of the stream, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event with data.
    Event(Event),
    /// A block without data that moved the last event id, such as a heartbeat.
    Position(String),
}

/// Why a stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An event grew over the parser's bound.
    #[error("an event is longer than {limit} bytes")]
    TooLong {
        /// The bound in bytes.
        limit: usize,
    },
}

/// Incremental parser of `text/event-stream` (WHATWG HTML, "Interpreting an event stream").
///
/// Any splitting of the bytes into chunks gives the same items. Lines end in CR, LF or CRLF, a leading
/// byte order mark is skipped, bytes that are no UTF-8 become U+FFFD, an unfinished event at the end of
/// the stream is discarded.
#[derive(Debug)]
pub struct Parser {
    limit: usize,
    /// The unfinished line.
    line: Vec<u8>,
    /// The last byte was a CR: an LF right after it belongs to it.
    after_cr: bool,
    first_line: bool,
    id: String,
    dispatched_id: String,
    event: String,
    data: String,
    has_data: bool,
    retry_ms: Option<u64>,
    items: VecDeque<Item>,
}

impl Parser {
    /// A parser that refuses events longer than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_cr: false,
            first_line: true,
            id: String::new(),
            dispatched_id: String::new(),
            event: String::new(),
            data: String::new(),
            has_data: false,
            retry_ms: None,
            items: VecDeque::new(),
        }
    }

    /// Takes in the next bytes; [`Self::pop`] then gives what they completed.
    ///
    /// # Errors
    /// [`Error::TooLong`]; the parser must not be fed any further.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = memchr::memchr2(b'\r', b'\n', bytes) {
            self.grow(&bytes[..end])?;
            self.finish_line();
            let ended_by_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if ended_by_cr {
                self.after_cr = bytes.is_empty();
                bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
            }
        }
        self.grow(bytes)
    }

    /// The next item, oldest first.
    pub fn pop(&mut self) -> Option<Item> {
        self.items.pop_front()
    }

    /// The reconnection time that the server asked for, in milliseconds.
    #[must_use]
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    fn grow(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.line.len() + self.data.len() + bytes.len() > self.limit {
            return Err(Error::TooLong { limit: self.limit });
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn finish_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let mut text: &[u8] = &line;
        if std::mem::take(&mut self.first_line) {
            text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        }
        if text.is_empty() {
            self.dispatch();
        } else {
            let text = String::from_utf8_lossy(text);
            let (name, value) = text.split_once(':').unwrap_or((&text, ""));
            self.field(name, value.strip_prefix(' ').unwrap_or(value));
        }
        // The buffer is kept: most streams have many lines of like length.
        self.line = line;
        self.line.clear();
    }

    fn field(&mut self, name: &str, value: &str) {
        match name {
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.event),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry_ms = value.parse().ok()
            }
            // Comments have an empty name; unknown fields are ignored.
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        let event = std::mem::take(&mut self.event);
        let moved = self.dispatched_id != self.id;
        if moved {
            self.id.clone_into(&mut self.dispatched_id);
        }
        if std::mem::take(&mut self.has_data) {
            let data = std::mem::take(&mut self.data);
            let event = if event.is_empty() {
                "message".to_owned()
            } else {
                event
            };
            self.items.push_back(Item::Event(Event {
                id: self.id.clone(),
                event,
                data,
            }));
        } else if moved {
            self.items.push_back(Item::Position(self.id.clone()));
        }
    }
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(DEFAULT_LIMIT)
    }
}

#[cfg(test)]
mod tests;
