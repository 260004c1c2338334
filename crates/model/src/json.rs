use std::fmt;
use std::sync::Arc;

/// JSON text that a parser has checked, on one line, passed on as it came: numbers keep their digits.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(Arc<str>);

impl JsonText {
    /// Takes over text that is one valid JSON value. Line breaks, which can only be white space there,
    /// become spaces, so that the text fits on one line of a stream.
    pub fn from_checked(text: &str) -> Self {
        if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some() {
            return Self(text.replace(['\n', '\r'], " ").into());
        }
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for JsonText {
    /// Payloads do not belong in logs: only the length is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonText({} bytes)", self.0.len())
    }
}
