use model::inbox::InboxMessage;
use serde::{Serialize, Serializer};

/// A message as answers show it (api.md 4): fields in the contract's order, absent ones left out, dates with
/// the offset that they came with.
pub(super) struct MessageBody<'a>(pub(super) &'a InboxMessage);

#[derive(Serialize)]
struct Fields<'a> {
    id: &'a str,
    uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vid: Option<&'a str>,
    created: &'a str,
    expires: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<&'a str>,
    body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    img: Option<&'a str>,
    clients: Names<'a>,
    r#type: &'a str,
    prio: i64,
    state: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read: bool,
}

struct Names<'a>(&'a model::inbox::Clients);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

impl Serialize for MessageBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.0;
        let fields = Fields {
            id: message.id.as_str(),
            uid: &message.uid,
            vid: message.vid.as_deref(),
            created: message.created.as_str(),
            expires: message.expires.as_str(),
            title: message.title.as_deref(),
            lead: message.lead.as_deref(),
            body: &message.body,
            url: message.url.as_deref(),
            img: message.img.as_deref(),
            clients: Names(&message.clients),
            r#type: &message.kind,
            prio: message.prio,
            state: message.state.as_str(),
            read: message.read,
        };
        fields.serialize(serializer)
    }
}
