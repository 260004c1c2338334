use super::close::CloseCode;
use super::frame::{MAX_CONTROL, Opcode, write_head};

/// Frames that wait to be written. Bounded by who adds: only while the peer has taken what was before.
#[derive(Debug, Default)]
pub struct Output {
    pub(super) bytes: Vec<u8>,
    is_closing: bool,
}

impl Output {
    /// Adds a text frame whose payload is these parts, one behind the other; together they must be UTF-8.
    pub fn text(&mut self, parts: &[&[u8]]) {
        self.frame(Opcode::Text, parts);
    }

    /// Adds a ping without payload.
    pub fn ping(&mut self) {
        self.frame(Opcode::Ping, &[]);
    }

    /// Adds the answer to a ping.
    pub fn pong(&mut self, payload: &[u8]) {
        self.frame(Opcode::Pong, &[payload]);
    }

    /// Adds a close frame; what is added later is dropped. The reason is cut to what fits.
    pub fn close(&mut self, code: CloseCode, reason: &str) {
        let reason = &reason[..reason.floor_char_boundary(MAX_CONTROL - 2)];
        let code = code.0.to_be_bytes();
        self.frame(Opcode::Close, &[&code, reason.as_bytes()]);
        self.is_closing = true;
    }

    /// Adds a close frame without a code: the answer to one that had none.
    pub fn close_without_code(&mut self) {
        self.frame(Opcode::Close, &[]);
        self.is_closing = true;
    }

    /// Whether a close frame was added.
    pub fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn frame(&mut self, opcode: Opcode, parts: &[&[u8]]) {
        if self.is_closing {
            return;
        }
        let length = parts.iter().map(|part| part.len()).sum();
        self.bytes.reserve(length + MAX_CONTROL);
        write_head(&mut self.bytes, opcode, length);
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
    }
}
