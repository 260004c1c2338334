use bytes::Bytes;
use hub::{Delivery, EndReason, Entry, Form};
use model::position::{Position, Since};

use crate::messaging::envelope::{self, formatted, string};

/// The most bytes of an event beside its payload, mostly.
const AROUND: usize = 512;

/// What a batch of deliveries is on the wire, and whether the stream ends with it.
pub fn batch(deliveries: &[Delivery]) -> (Bytes, bool) {
    if let [Delivery::Message { entry, .. }] = deliveries {
        return (message(entry), false);
    }
    let mut out = Vec::with_capacity(size(deliveries));
    let mut ends = false;
    for delivery in deliveries {
        match delivery {
            Delivery::Message { entry, .. } => out.extend_from_slice(&message(entry)),
            Delivery::Gap { from, to, .. } => gap(&mut out, from, to),
            Delivery::End { reason, .. } | Delivery::Closed { reason } => {
                end(&mut out, reason);
                ends = true;
            }
        }
    }
    (out.into(), ends)
}

/// A comment, which keeps connections open, and the reader's position. Without data it is no event, but a
/// reader that reconnects goes on from there (WHATWG HTML, 9.2.6).
pub fn heartbeat(position: Position) -> Bytes {
    format!(":\nid: {position}\n\n").into()
}

fn size(deliveries: &[Delivery]) -> usize {
    let of = |delivery: &Delivery| match delivery {
        Delivery::Message { entry, .. } => message(entry).len(),
        _ => AROUND,
    };
    deliveries.iter().map(of).sum()
}

/// Encoded once for all readers.
fn message(entry: &Entry) -> Bytes {
    entry.wire(Form::Sse, |entry| {
        let mut out = Vec::with_capacity(AROUND + entry.message.content.size());
        formatted(
            &mut out,
            format_args!("id: {}\nevent: message\ndata: ", entry.position()),
        );
        envelope::write(&mut out, entry.channel.as_str(), &entry.message);
        out.extend_from_slice(b"\n\n");
        out.into()
    })
}

fn gap(out: &mut Vec<u8>, from: &Since, to: &Position) {
    formatted(
        out,
        format_args!("id: {to}\nevent: gap\ndata: {{\"from\":\"{from}\",\"to\":\"{to}\"}}\n\n"),
    );
}

fn end(out: &mut Vec<u8>, reason: &EndReason) {
    formatted(
        out,
        format_args!("event: end\ndata: {{\"code\":{},\"message\":", reason.code),
    );
    string(out, &reason.message);
    out.extend_from_slice(b"}\n\n");
}
