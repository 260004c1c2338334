use std::io::Write as _;

use engine::inbox::watch::{Happening, InboxEvent};
use model::inbox::change::{ChangeCursor, Counts, Removal};
use serde::Serialize;

use crate::inbox::message;

/// The name of an event (api.md 4, `stream`).
pub fn name(event: &InboxEvent) -> &'static str {
    match event.what {
        Happening::Message(_) => "message",
        Happening::Read(_) => "read",
        Happening::Removed { .. } => "removed",
        Happening::Synced => "synced",
        Happening::Reset => "reset",
        Happening::End(_) => "end",
    }
}

/// Writes the `data` of an event, one line of JSON (api.md 4, `stream`).
pub fn write_data(out: &mut Vec<u8>, event: &InboxEvent) {
    let Counts { unread, total } = event.counts;
    match &event.what {
        Happening::Message(message) => {
            message::write_open(out, message);
            // Writing to memory does not fail.
            let _ = write!(out, ",\"unread\":{unread}}}");
        }
        Happening::Read(id) => json(
            out,
            &Read {
                id: id.as_str(),
                unread,
            },
        ),
        Happening::Removed { id, reason } => {
            let reason = match reason {
                Removal::Deleted => "deleted",
                Removal::Retracted => "retracted",
                Removal::Expired => "expired",
            };
            let id = id.as_str();
            json(out, &Removed { id, reason, unread });
        }
        Happening::Synced | Happening::Reset => json(out, &CountsBody { unread, total }),
        Happening::End(reason) => json(
            out,
            &End {
                code: reason.code,
                message: &reason.message,
            },
        ),
    }
}

/// Writes an event as server-sent one. The last of a stream has no id: it is no place to go on from.
pub(super) fn write(out: &mut Vec<u8>, event: &InboxEvent) {
    // Writing to memory does not fail.
    let _ = match event.what {
        Happening::End(_) => write!(out, "event: end\ndata: "),
        _ => write!(out, "id: {}\nevent: {}\ndata: ", event.cursor, name(event)),
    };
    write_data(out, event);
    out.extend_from_slice(b"\n\n");
}

/// Writes a comment, which keeps connections open, and the reader's place: no event, but a reader that
/// reconnects goes on from there.
pub(super) fn write_heartbeat(out: &mut Vec<u8>, cursor: Option<ChangeCursor>) {
    let _ = match cursor {
        Some(cursor) => write!(out, ":\nid: {cursor}\n\n"),
        None => write!(out, ":\n\n"),
    };
}

/// `data` of counts.
#[derive(Serialize)]
pub(in crate::inbox) struct CountsBody {
    pub(in crate::inbox) unread: u64,
    pub(in crate::inbox) total: u64,
}

#[derive(Serialize)]
struct Read<'a> {
    id: &'a str,
    unread: u64,
}

#[derive(Serialize)]
struct Removed<'a> {
    id: &'a str,
    reason: &'static str,
    unread: u64,
}

#[derive(Serialize)]
struct End<'a> {
    code: u32,
    message: &'a str,
}

fn json(out: &mut Vec<u8>, data: &impl Serialize) {
    if let Err(error) = serde_json::to_writer(out, data) {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "an event could not be written"
        );
    }
}
