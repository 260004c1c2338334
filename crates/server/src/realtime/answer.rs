use std::fmt::Display;

use bytes::Bytes;
use engine::inbox::watch::InboxEvent;
use hub::{Entry, Form};
use model::position::{Position, Since};

use super::request::Id;
use crate::error::ChannelError;
use crate::inbox::stream::event;
use crate::messaging::envelope::{self, formatted, string};
use crate::websocket::output::Output;

/// The most bytes of a message beside its payload, mostly.
const AROUND: usize = 512;

fn json(id: Option<&Id>) -> &str {
    id.map_or("null", Id::as_json)
}

/// `message`. The envelope is encoded once for all readers, the id of each goes in front of it.
pub fn message(output: &mut Output, id: &Id, entry: &Entry) {
    let shared = entry.wire(Form::WebSocket, encode);
    output.text(&[b"{\"op\":\"message\",\"id\":", id.as_json().as_bytes(), &shared]);
}

/// What stands behind the id: `,"position":"…","messageId":…}`.
fn encode(entry: &Entry) -> Bytes {
    let mut out = Vec::with_capacity(AROUND + entry.message.content.size());
    formatted(&mut out, format_args!(",\"position\":\"{}\"", entry.position()));
    let brace = out.len();
    envelope::write(&mut out, entry.channel.as_str(), &entry.message);
    out[brace] = b',';
    out.into()
}

/// `ready`.
pub fn ready(output: &mut Output, id: &Id, position: Position) {
    told(output, "ready", id, position);
}

/// `position`, of a channel or of an inbox.
pub fn position(output: &mut Output, id: &Id, position: impl Display) {
    told(output, "position", id, position);
}

/// An event of a live inbox, with the data that the event stream gives (api.md 4, `stream`).
pub fn inbox(output: &mut Output, id: &Id, happened: &InboxEvent) {
    let mut text = Vec::new();
    formatted(
        &mut text,
        format_args!(
            "{{\"op\":\"inbox\",\"id\":{},\"event\":\"{}\",\"cursor\":\"{}\",\"data\":",
            id.as_json(),
            event::name(happened),
            happened.cursor,
        ),
    );
    event::write_data(&mut text, happened);
    text.push(b'}');
    output.text(&[&text]);
}

fn told(output: &mut Output, op: &str, id: &Id, position: impl Display) {
    let id = id.as_json();
    let text = format!("{{\"op\":\"{op}\",\"id\":{id},\"position\":\"{position}\"}}");
    output.text(&[text.as_bytes()]);
}

/// `gap`.
pub fn gap(output: &mut Output, id: &Id, from: &Since, to: Position) {
    let id = id.as_json();
    let text = format!("{{\"op\":\"gap\",\"id\":{id},\"from\":\"{from}\",\"to\":\"{to}\"}}");
    output.text(&[text.as_bytes()]);
}

/// `end`.
pub fn end(output: &mut Output, id: &Id, code: u32, message: &str) {
    failed(output, "end", Some(id), code, message);
}

/// `error`.
pub fn error(output: &mut Output, id: Option<&Id>, error: &ChannelError) {
    failed(output, "error", id, error.code().into(), error.message());
}

fn failed(output: &mut Output, op: &str, id: Option<&Id>, code: u32, message: &str) {
    let mut text = Vec::with_capacity(message.len() + 64);
    let id = json(id);
    formatted(
        &mut text,
        format_args!("{{\"op\":\"{op}\",\"id\":{id},\"code\":{code},\"message\":"),
    );
    string(&mut text, message);
    text.push(b'}');
    output.text(&[&text]);
}

/// `ok`, with the keys of an answer, which is a JSON object, or without.
pub fn ok(output: &mut Output, id: Option<&Id>, answer: Option<&[u8]>) {
    let parts = [b"{\"op\":\"ok\",\"id\":".as_slice(), json(id).as_bytes()];
    match answer.and_then(|answer| answer.split_first()) {
        // The rest of an object goes on with its first key, or ends it.
        Some((_, rest)) if rest != b"}" => output.text(&[parts[0], parts[1], b",", rest]),
        _ => output.text(&[parts[0], parts[1], b"}"]),
    }
}
