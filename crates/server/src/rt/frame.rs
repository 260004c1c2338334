//! What a client is sent, as engine.io packets.

use bytes::Bytes;
use engine::presence::{Change, Command, Member, UserStatus};
use hub::{Entry, Form};

use crate::messaging::envelope::{self, formatted, string};
use crate::rt::packet::SEPARATOR;
use crate::websocket::output::Output;

/// The most bytes of an event beside its payload, mostly.
const AROUND: usize = 512;

/// Where packets go: each may come in parts.
pub trait Packets {
    /// Adds a packet.
    fn packet(&mut self, parts: &[&[u8]]);
}

impl Packets for Output {
    fn packet(&mut self, parts: &[&[u8]]) {
        self.text(parts);
    }
}

/// The body of a polling answer.
#[derive(Debug, Default)]
pub struct Payload(pub Vec<u8>);

impl Packets for Payload {
    fn packet(&mut self, parts: &[&[u8]]) {
        if !self.0.is_empty() {
            self.0.push(SEPARATOR);
        }
        for part in parts {
            self.0.extend_from_slice(part);
        }
    }
}

/// `0`: the answer to a handshake.
pub fn open(sid: &str, upgrades: &[&str], ping: (u128, u128), max_payload: usize) -> Vec<u8> {
    let open = serde_json::json!({
        "sid": sid,
        "upgrades": upgrades,
        "pingInterval": ping.0,
        "pingTimeout": ping.1,
        "maxPayload": max_payload,
    });
    format!("0{open}").into_bytes()
}

/// `40`: the namespace is there.
pub fn connected(namespace: &str, sid: &str) -> Vec<u8> {
    format!("40{namespace},{}", serde_json::json!({ "sid": sid })).into_bytes()
}

/// `44`: there is no such namespace.
pub fn no_namespace(namespace: &str) -> Vec<u8> {
    let behind = if namespace == "/" {
        String::new()
    } else {
        format!("{namespace},")
    };
    format!("44{behind}{{\"message\":\"Invalid namespace\"}}").into_bytes()
}

/// An event with an id: `42/app,["SUB_RES",{"id":"…"` and what stands behind it.
pub struct Event<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The id of a subscription or an invocation, as JSON.
    pub id: &'a str,
}

impl Event<'_> {
    /// Writes the event with what stands behind its id, which begins with `,` or is `}]`.
    pub fn write(&self, packets: &mut impl Packets, rest: &[u8]) {
        packets.packet(&[
            b"42",
            self.namespace.as_bytes(),
            b",[\"",
            self.name.as_bytes(),
            b"\",{\"id\":",
            self.id.as_bytes(),
            rest,
        ]);
    }
}

/// The end of an event with nothing behind the id.
pub const NOTHING: &[u8] = b"}]";
/// What `PUB_SUB_CONNECT` is answered.
pub const CONNECTED: &[u8] = b",\"data\":\"connected\"}]";
/// What a method without a result is answered.
pub const NO_RESULT: &[u8] = b",\"result\":null}]";

/// An error behind an id.
pub fn error(code: u32, message: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(AROUND);
    formatted(
        &mut out,
        format_args!(",\"error\":{{\"code\":{code},\"message\":"),
    );
    string(&mut out, message);
    out.extend_from_slice(b"}}]");
    out
}

/// A message behind the id of a subscription, encoded once for all readers.
pub fn message(entry: &Entry) -> Bytes {
    entry.wire(Form::SocketIo, |entry| {
        let mut out = Vec::with_capacity(AROUND + entry.message.content.size());
        out.extend_from_slice(b",\"data\":");
        envelope::write_rt(&mut out, &entry.message);
        out.extend_from_slice(b"}]");
        out.into()
    })
}

/// A command behind the id of a listener.
pub fn command(command: &Command) -> Vec<u8> {
    let mut out = Vec::with_capacity(AROUND + command.data.as_str().len());
    out.extend_from_slice(b",\"data\":{\"type\":");
    string(&mut out, &command.kind);
    formatted(
        &mut out,
        format_args!(",\"data\":{},\"userInfo\":", command.data.as_str()),
    );
    member(&mut out, &command.sender);
    out.extend_from_slice(b"}}]");
    out
}

/// Users behind the id of a listener.
pub fn users(status: &UserStatus) -> Vec<u8> {
    let name = match status.change {
        Change::Listing => "LISTING",
        Change::Connected => "CONNECTED",
        Change::Disconnected => "DISCONNECTED",
    };
    let mut out = Vec::with_capacity(AROUND);
    formatted(
        &mut out,
        format_args!(",\"data\":{{\"status\":\"{name}\",\"data\":["),
    );
    for (at, user) in status.members.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        member(&mut out, user);
    }
    out.extend_from_slice(b"]}}]");
    out
}

fn member(out: &mut Vec<u8>, member: &Member) {
    out.extend_from_slice(b"{\"connectionId\":");
    string(out, &member.connection);
    out.extend_from_slice(b",\"userId\":");
    match &member.user {
        Some(user) => string(out, user),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}
