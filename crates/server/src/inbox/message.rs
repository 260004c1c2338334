use model::inbox::{Clients, InboxMessage};
use model::json::JsonText;
use serde::{Serialize, Serializer};

/// What a message consists of, as it is stored and shown: fields in the contract's order (api.md 4), absent
/// ones left out, dates with the offset that they came with.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) id: &'a str,
    pub(super) uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vid: Option<&'a str>,
    pub(super) created: &'a str,
    pub(super) expires: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lead: Option<&'a str>,
    pub(super) body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) img: Option<&'a str>,
    #[serde(serialize_with = "names")]
    pub(super) clients: &'a Clients,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) prio: i64,
}

impl Document<'_> {
    /// The JSON text of it, probably of about `capacity` bytes.
    pub(super) fn text(&self, capacity: usize) -> JsonText {
        let mut bytes = Vec::with_capacity(capacity);
        // Texts and numbers into memory: nothing of it can fail, and all of it is UTF-8.
        if let Err(error) = serde_json::to_writer(&mut bytes, self) {
            unreachable!("a document could not be written: {error}");
        }
        JsonText::from_checked(&String::from_utf8_lossy(&bytes))
    }
}

fn names<S: Serializer>(clients: &Clients, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(clients.iter())
}

/// Writes a message as answers show it: its document, and where it stands.
pub(super) fn write(out: &mut Vec<u8>, message: &InboxMessage) {
    write_open(out, message);
    out.push(b'}');
}

/// The same without the closing brace: further fields may follow.
pub(super) fn write_open(out: &mut Vec<u8>, message: &InboxMessage) {
    let document = message.document.as_str().as_bytes();
    out.extend_from_slice(document.strip_suffix(b"}").unwrap_or(document));
    out.extend_from_slice(b",\"state\":\"");
    out.extend_from_slice(message.state.as_str().as_bytes());
    out.push(b'"');
    if message.read {
        out.extend_from_slice(b",\"read\":true");
    }
}
