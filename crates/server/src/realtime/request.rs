use engine::error::Error;
use engine::messaging::Wanted;
use http::StatusCode;
use model::position::Since;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ChannelError;
use crate::messaging::publish::fields::value::{kind, text};

/// Bytes of an id at most.
const MAX_ID: usize = 128;
const OPS: &str = "subscribe, unsubscribe, publish, inbox or auth";

/// The id that a client gave, as JSON: a string, or a whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id(Box<str>);

impl Id {
    /// The id as JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

/// What a client asks for (api.md 3.6).
#[derive(Debug)]
pub enum Operation {
    /// `subscribe`.
    Subscribe {
        /// The channel.
        channel: String,
        /// `selector` and `subtopic`.
        wanted: Wanted,
        /// `since`.
        since: Option<Since>,
    },
    /// `unsubscribe`.
    Unsubscribe,
    /// `publish`; its fields are in the same text.
    Publish {
        /// The channel.
        channel: String,
    },
    /// `inbox`.
    Inbox {
        /// `client`.
        client: Option<String>,
        /// `since`, a cursor.
        since: Option<String>,
    },
    /// `auth`; absent: back to the key that the connection was opened with.
    Auth {
        /// `token`.
        token: Option<String>,
    },
}

/// An operation with the id that its answer carries.
#[derive(Debug)]
pub struct Request {
    /// Only `auth` may have none.
    pub id: Option<Id>,
    /// What is asked for.
    pub operation: Operation,
}

/// Why a text is no request, and the id that it had, if any.
#[derive(Debug)]
pub struct Refused {
    /// What the answer carries.
    pub id: Option<Id>,
    /// 5901 for what is no JSON object, 5908 for what is wrong in it.
    pub error: ChannelError,
}

/// The fields that are not those of a publish, unread.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    op: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    channel: Option<&'a RawValue>,
    #[serde(borrow)]
    selector: Option<&'a RawValue>,
    #[serde(borrow)]
    subtopic: Option<&'a RawValue>,
    #[serde(borrow)]
    since: Option<&'a RawValue>,
    #[serde(borrow)]
    client: Option<&'a RawValue>,
    #[serde(borrow)]
    token: Option<&'a RawValue>,
}

/// Reads the text of a message.
///
/// # Errors
/// [`Refused`]; the connection goes on.
pub fn parse(json: &str) -> Result<Request, Refused> {
    let fields = fields(json).map_err(|error| Refused { id: None, error })?;
    let id = match fields.id.map(id).transpose() {
        Ok(id) => id,
        Err(reason) => {
            let error = Error::parameter("id", reason).into();
            return Err(Refused { id: None, error });
        }
    };
    match operation(&fields, id.is_some()) {
        Ok(operation) => Ok(Request { id, operation }),
        Err(error) => Err(Refused { id, error }),
    }
}

fn fields(json: &str) -> Result<Fields<'_>, ChannelError> {
    let malformed = |reason: String| {
        let text = format!("the message is not a JSON object: {reason}");
        ChannelError::new(StatusCode::BAD_REQUEST, 5901, text)
    };
    // An array would be read as the fields in their order.
    if !json.trim_ascii_start().starts_with('{') {
        let whole = serde_json::from_str::<&RawValue>(json);
        return Err(malformed(match whole {
            Ok(value) => format!("found {}", kind(value)),
            Err(error) => error.to_string(),
        }));
    }
    serde_json::from_str(json).map_err(|error| malformed(error.to_string()))
}

fn operation(fields: &Fields<'_>, has_id: bool) -> Result<Operation, ChannelError> {
    let Some(op) = text(fields.op, "op")? else {
        return Err(Error::parameter("op", format!("expected {OPS}, found none")).into());
    };
    if !matches!(
        op.as_str(),
        "subscribe" | "unsubscribe" | "publish" | "inbox" | "auth"
    ) {
        let found: String = op.chars().take(40).collect();
        return Err(Error::parameter("op", format!("expected {OPS}, found {found:?}")).into());
    }
    if !has_id && op != "auth" {
        return Err(Error::parameter("id", format!("expected {ID}, found none")).into());
    }
    Ok(match op.as_str() {
        "subscribe" => Operation::Subscribe {
            channel: channel(fields)?,
            wanted: Wanted {
                selector: text(fields.selector, "selector")?,
                subtopic: text(fields.subtopic, "subtopic")?,
            },
            since: since(fields.since)?,
        },
        "unsubscribe" => Operation::Unsubscribe,
        "publish" => Operation::Publish {
            channel: channel(fields)?,
        },
        "inbox" => Operation::Inbox {
            client: text(fields.client, "client")?,
            since: text(fields.since, "since")?,
        },
        _ => Operation::Auth {
            token: text(fields.token, "token")?,
        },
    })
}

const ID: &str = "a string of 1 to 128 bytes or a whole number";

fn id(value: &RawValue) -> Result<Id, String> {
    let raw = value.get();
    match kind(value) {
        "a string" => {
            let text: String = serde_json::from_str(raw)
                .map_err(|_| format!("expected {ID}, found one with half a surrogate pair"))?;
            if !(1..=MAX_ID).contains(&text.len()) {
                return Err(format!("expected {ID}, found {} bytes", text.len()));
            }
            // Written anew: the same id may be escaped in several ways.
            Ok(Id(serde_json::Value::String(text).to_string().into()))
        }
        "a number" => match raw.parse::<i64>() {
            Ok(number) => Ok(Id(number.to_string().into())),
            Err(_) => Err(format!("expected {ID}, found another number")),
        },
        kind => Err(format!("expected {ID}, found {kind}")),
    }
}

fn channel(fields: &Fields<'_>) -> Result<String, ChannelError> {
    match fields.channel.map(|channel| (kind(channel), channel)) {
        Some(("a string", channel)) => Ok(text(Some(channel), "channel")?.unwrap_or_default()),
        found => {
            let found = found.map_or("none", |(kind, _)| kind);
            let text = format!("channel: expected a name, found {found}");
            Err(ChannelError::new(StatusCode::BAD_REQUEST, 5903, text))
        }
    }
}

/// A position, `all`, a duration; a bare `seq` may also be a number.
fn since(value: Option<&RawValue>) -> Result<Option<Since>, ChannelError> {
    let given = match value {
        Some(value) if kind(value) == "a number" => Some(value.get().to_owned()),
        value => text(value, "since")?,
    };
    Ok(crate::messaging::reading::since("since", given.as_deref())?)
}

#[cfg(test)]
mod tests;
