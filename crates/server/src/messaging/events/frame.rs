use hub::{Delivery, EndReason, Entry, Form};
use model::position::{Position, Since};

use crate::messaging::envelope::{self, formatted, string};
use crate::serve::streaming::Chunk;

/// The most bytes of an event beside its payload, mostly.
const AROUND: usize = 512;

/// What a batch of deliveries is on the wire, and whether the stream ends with it.
pub fn batch(deliveries: &[Delivery]) -> (Vec<Chunk>, bool) {
    let mut ends = false;
    let chunk = |delivery: &Delivery| match delivery {
        Delivery::Message { entry, .. } => message(entry),
        Delivery::Gap { from, to, .. } => gap(from, to),
        Delivery::End { reason, .. } | Delivery::Closed { reason } => {
            ends = true;
            end(reason)
        }
    };
    (deliveries.iter().map(chunk).collect(), ends)
}

/// A comment, which keeps connections open, and the reader's position. Without data it is no event, but a
/// reader that reconnects goes on from there (WHATWG HTML, 9.2.6).
pub fn heartbeat(position: Position) -> Chunk {
    Chunk::new(AROUND, |out| {
        formatted(out, format_args!(":\nid: {position}\n\n"))
    })
}

/// Encoded once for all readers, frame and all.
pub fn message(entry: &Entry) -> Chunk {
    Chunk::from_framed(entry.wire(Form::Sse, |entry| {
        let chunk = Chunk::new(AROUND + entry.message.content.size(), |out| {
            formatted(
                out,
                format_args!("id: {}\nevent: message\ndata: ", entry.position()),
            );
            envelope::write(out, entry.channel.as_str(), &entry.message);
            out.extend_from_slice(b"\n\n");
        });
        chunk.framed().clone()
    }))
}

fn gap(from: &Since, to: &Position) -> Chunk {
    Chunk::new(AROUND, |out| {
        formatted(
            out,
            format_args!("id: {to}\nevent: gap\ndata: {{\"from\":\"{from}\",\"to\":\"{to}\"}}\n\n"),
        );
    })
}

fn end(reason: &EndReason) -> Chunk {
    Chunk::new(AROUND, |out| {
        formatted(
            out,
            format_args!("event: end\ndata: {{\"code\":{},\"message\":", reason.code),
        );
        string(out, &reason.message);
        out.extend_from_slice(b"}\n\n");
    })
}
