//! What a client sends: engine.io 4 packets and the socket.io 5 packets in them, text only.

use serde_json::value::RawValue;

/// Between the packets of one polling request or answer.
pub const SEPARATOR: u8 = 0x1e;

/// A text that is no packet of the subset that is served: no binary, no acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// An engine.io packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The client ends the session.
    Close,
    /// `2probe`, which a WebSocket that is to take over begins with.
    Probe,
    /// A ping.
    Ping,
    /// The answer to a ping.
    Pong,
    /// A socket.io packet.
    Message(&'a str),
    /// The client goes over to the WebSocket that it has probed.
    Upgrade,
    /// Nothing.
    Noop,
}

impl<'a> Packet<'a> {
    /// Reads one packet.
    ///
    /// # Errors
    /// What was found in the place of a packet.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let kind = text
            .as_bytes()
            .first()
            .ok_or(Malformed("expected a packet, found nothing"))?;
        match (kind, text.get(1..).unwrap_or_default()) {
            (b'1', _) => Ok(Self::Close),
            (b'2', "probe") => Ok(Self::Probe),
            (b'2', _) => Ok(Self::Ping),
            (b'3', _) => Ok(Self::Pong),
            (b'4', message) => Ok(Self::Message(message)),
            (b'5', _) => Ok(Self::Upgrade),
            (b'6', _) => Ok(Self::Noop),
            (b'b', _) => Err(Malformed("binary packets are not taken")),
            _ => Err(Malformed("the first character is no type of a packet")),
        }
    }

    /// The packets of a polling request.
    pub fn parse_all(payload: &'a str) -> impl Iterator<Item = Result<Self, Malformed>> {
        payload.split(char::from(SEPARATOR)).map(Self::parse)
    }
}

/// A socket.io packet of a client.
#[derive(Debug)]
pub enum Message<'a> {
    /// Asks for a namespace.
    Connect {
        /// Which.
        namespace: &'a str,
    },
    /// Leaves the namespace.
    Disconnect,
    /// An event with its first argument.
    Event {
        /// In which namespace.
        namespace: &'a str,
        /// Its name.
        name: String,
        /// The argument, if there is one.
        argument: Option<&'a RawValue>,
    },
}

impl<'a> Message<'a> {
    /// Reads a socket.io packet.
    ///
    /// # Errors
    /// What was found in the place of a packet.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let kind = text
            .as_bytes()
            .first()
            .ok_or(Malformed("expected a socket.io packet, found nothing"))?;
        let (namespace, rest) = namespace(text.get(1..).unwrap_or_default());
        match kind {
            b'0' => Ok(Self::Connect { namespace }),
            b'1' => Ok(Self::Disconnect),
            b'2' => event(namespace, rest),
            b'3' | b'4' => Err(Malformed(
                "a client sends neither acknowledgements nor connection errors",
            )),
            b'5' | b'6' => Err(Malformed("binary events are not taken")),
            _ => Err(Malformed("the first character is no type of a socket.io packet")),
        }
    }
}

/// The namespace in front, `/` where none is named, and what stands behind it.
fn namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return ("/", text);
    }
    let (namespace, rest) = text.split_once(',').unwrap_or((text, ""));
    // Older clients put a query behind the name.
    let name = namespace
        .split_once('?')
        .map_or(namespace, |(namespace, _)| namespace);
    (name, rest)
}

fn event<'a>(namespace: &'a str, text: &'a str) -> Result<Message<'a>, Malformed> {
    // An id in front asks for an acknowledgement, which is not given.
    let array = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let elements: Vec<&RawValue> =
        serde_json::from_str(array).map_err(|_| Malformed("an event is no JSON array"))?;
    let name = elements.first().ok_or(Malformed("an event is an empty array"))?;
    let name =
        serde_json::from_str(name.get()).map_err(|_| Malformed("the name of an event is no string"))?;
    Ok(Message::Event {
        namespace,
        name,
        argument: elements.get(1).copied(),
    })
}

#[cfg(test)]
mod tests;
