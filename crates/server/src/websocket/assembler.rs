use super::close::CloseCode;
use super::frame::{Head, MAX_CONTROL, MAX_HEAD, Opcode, unmask};

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message, whole.
    Text(String),
    /// A binary message of so many bytes. Nothing here takes any: its bytes are not kept.
    Binary(u64),
    /// A ping with its payload, which the pong repeats.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The client closes, with a code and a reason if it gave one.
    Close(Option<(CloseCode, String)>),
}

/// What a client did that its connection cannot go on after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    /// What to close with.
    pub code: CloseCode,
    /// What was wrong, for people; at most 123 bytes.
    pub reason: &'static str,
}

/// Puts messages together from the bytes of a connection. Holds memory only in the middle of a message,
/// and no more than the message has brought.
#[derive(Debug)]
pub struct Assembler {
    max_message: usize,
    head: [u8; MAX_HEAD],
    head_length: u8,
    /// The frame whose payload is being read, and how much of it came.
    frame: Option<(Head, u64)>,
    /// The message that is not whole yet.
    message: Option<Box<Partial>>,
    control: Vec<u8>,
}

#[derive(Debug)]
struct Partial {
    is_text: bool,
    length: u64,
    /// Of a binary message nothing is kept.
    bytes: Vec<u8>,
}

impl Assembler {
    /// For messages of at most so many bytes.
    pub fn new(max_message: usize) -> Self {
        Self {
            max_message,
            head: [0; MAX_HEAD],
            head_length: 0,
            frame: None,
            message: None,
            control: Vec::new(),
        }
    }

    /// Takes bytes off the front until something is whole; `None` when they are used up. The bytes are
    /// unmasked in place.
    ///
    /// # Errors
    /// [`Violation`]: nothing further can be read.
    pub fn take(&mut self, bytes: &mut &mut [u8]) -> Result<Option<Incoming>, Violation> {
        loop {
            let (head, at) = match self.frame {
                Some(frame) => frame,
                None => match self.take_head(bytes)? {
                    Some(head) => (head, 0),
                    None => return Ok(None),
                },
            };
            let wanted = usize::try_from(head.length - at).unwrap_or(usize::MAX);
            let part = split_off(bytes, wanted);
            unmask(part, head.mask, at);
            let at = at + part.len() as u64;
            if head.opcode.is_control() {
                self.control.extend_from_slice(part);
            } else {
                self.add_to_message(part);
            }
            if at < head.length {
                self.frame = Some((head, at));
                return Ok(None);
            }
            self.frame = None;
            if let Some(incoming) = self.end_frame(head)? {
                return Ok(Some(incoming));
            }
        }
    }

    fn take_head(&mut self, bytes: &mut &mut [u8]) -> Result<Option<Head>, Violation> {
        loop {
            let known = usize::from(self.head_length);
            let size = if known < 2 { 2 } else { Head::size(self.head[1]) };
            let part = split_off(bytes, size - known);
            self.head[known..known + part.len()].copy_from_slice(part);
            let known = known + part.len();
            self.head_length = known as u8;
            if known < size {
                return Ok(None);
            }
            if let Some(head) = Head::parse(&self.head[..known]).map_err(violation)? {
                self.head_length = 0;
                self.begin_frame(head)?;
                return Ok(Some(head));
            }
        }
    }

    /// Refuses before anything of the payload is read what cannot be, or is too large.
    fn begin_frame(&mut self, head: Head) -> Result<(), Violation> {
        let is_text = match (head.opcode, &self.message) {
            (Opcode::Continuation, Some(message)) => message.is_text,
            (Opcode::Continuation, None) => {
                return Err(violation("a frame continues a message that was not begun"));
            }
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(violation("a message begins within another one"));
            }
            (Opcode::Text, None) => true,
            (Opcode::Binary, None) => false,
            _ => return Ok(()),
        };
        let message = self.message.get_or_insert_with(|| {
            Box::new(Partial {
                is_text,
                length: 0,
                bytes: Vec::new(),
            })
        });
        message.length = message.length.saturating_add(head.length);
        if message.length > self.max_message as u64 {
            return Err(Violation {
                code: CloseCode::TOO_BIG,
                reason: "the message is larger than this server takes",
            });
        }
        Ok(())
    }

    fn add_to_message(&mut self, part: &[u8]) {
        if let Some(message) = &mut self.message
            && message.is_text
        {
            message.bytes.extend_from_slice(part);
        }
    }

    fn end_frame(&mut self, head: Head) -> Result<Option<Incoming>, Violation> {
        if head.opcode.is_control() {
            let payload = std::mem::take(&mut self.control);
            return match head.opcode {
                Opcode::Ping => Ok(Some(Incoming::Ping(payload))),
                Opcode::Close => Ok(Some(Incoming::Close(close(&payload)?))),
                _ => Ok(Some(Incoming::Pong)),
            };
        }
        if !head.is_final {
            return Ok(None);
        }
        let Some(message) = self.message.take() else {
            return Ok(None);
        };
        if !message.is_text {
            return Ok(Some(Incoming::Binary(message.length)));
        }
        match String::from_utf8(message.bytes) {
            Ok(text) => Ok(Some(Incoming::Text(text))),
            Err(_) => Err(Violation {
                code: CloseCode::NOT_UTF8,
                reason: "the text of a message is not UTF-8",
            }),
        }
    }
}

/// The code and reason of a close frame (RFC 6455, 5.5.1).
fn close(payload: &[u8]) -> Result<Option<(CloseCode, String)>, Violation> {
    debug_assert!(payload.len() <= MAX_CONTROL);
    let (code, reason) = match payload {
        [] => return Ok(None),
        [high, low, reason @ ..] => (CloseCode(u16::from_be_bytes([*high, *low])), reason),
        _ => return Err(violation("a close frame has half a code")),
    };
    if !code.may_be_sent() {
        return Err(violation("a close frame has a code that none may have"));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok(Some((code, reason.to_owned()))),
        Err(_) => Err(Violation {
            code: CloseCode::NOT_UTF8,
            reason: "the reason of a close frame is not UTF-8",
        }),
    }
}

fn violation(reason: &'static str) -> Violation {
    Violation {
        code: CloseCode::PROTOCOL,
        reason,
    }
}

/// Takes at most so many bytes off the front.
fn split_off<'a>(bytes: &mut &'a mut [u8], most: usize) -> &'a mut [u8] {
    let taken = std::mem::take(bytes);
    let (part, rest) = taken.split_at_mut(most.min(taken.len()));
    *bytes = rest;
    part
}

#[cfg(test)]
mod tests;
