use std::borrow::Cow;

use model::inbox::{Clients, InboxId, InboxMessage};
use model::json::JsonText;

/// What a message consists of, as it is stored and shown: fields in the contract's order (api.md 4), absent
/// ones left out, dates with the offset that they came with.
///
/// Texts are as a JSON parser gives them: one that is borrowed stood in JSON just so, without an escape.
pub(super) struct Document<'a> {
    pub(super) id: &'a InboxId,
    pub(super) uid: &'a Cow<'a, str>,
    pub(super) vid: Option<Cow<'a, str>>,
    pub(super) created: &'a Cow<'a, str>,
    pub(super) expires: &'a Cow<'a, str>,
    pub(super) title: Option<Cow<'a, str>>,
    pub(super) lead: Option<Cow<'a, str>>,
    pub(super) body: Cow<'a, str>,
    pub(super) url: Option<Cow<'a, str>>,
    pub(super) img: Option<Cow<'a, str>>,
    pub(super) clients: &'a Clients,
    pub(super) kind: Cow<'a, str>,
    pub(super) prio: i64,
}

impl Document<'_> {
    /// The JSON text of it, probably of about `capacity` bytes.
    pub(super) fn text(&self, capacity: usize) -> JsonText {
        let mut out = String::with_capacity(capacity + 16);
        // Neither ids nor client types have characters that JSON escapes.
        out.push_str("{\"id\":\"");
        out.push_str(self.id.as_str());
        out.push('"');
        text(&mut out, "uid", Some(self.uid));
        text(&mut out, "vid", self.vid.as_ref());
        text(&mut out, "created", Some(self.created));
        text(&mut out, "expires", Some(self.expires));
        text(&mut out, "title", self.title.as_ref());
        text(&mut out, "lead", self.lead.as_ref());
        text(&mut out, "body", Some(&self.body));
        text(&mut out, "url", self.url.as_ref());
        text(&mut out, "img", self.img.as_ref());
        for (at, client) in self.clients.iter().enumerate() {
            out.push_str(if at == 0 { ",\"clients\":[\"" } else { "\",\"" });
            out.push_str(client);
        }
        out.push_str("\"]");
        text(&mut out, "type", Some(&self.kind));
        out.push_str(",\"prio\":");
        out.push_str(&self.prio.to_string());
        out.push('}');
        JsonText::from_checked(&out)
    }
}

fn text(out: &mut String, name: &str, value: Option<&Cow<'_, str>>) {
    let Some(value) = value else { return };
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    match value {
        Cow::Borrowed(value) => {
            out.push('"');
            out.push_str(value);
            out.push('"');
        }
        Cow::Owned(value) => out.push_str(&serde_json::Value::from(value.as_str()).to_string()),
    }
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
