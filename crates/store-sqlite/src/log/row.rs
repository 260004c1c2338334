use std::fmt;
use std::sync::Arc;

use model::headers::Headers;
use model::json::JsonText;
use model::message::{Content, Echo, Message, MessageId, Subtopic};
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension as _, Row, Statement, params};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::{JobError, corrupt};
use crate::heads::ChannelHead;

/// The statement that [`insert`] runs.
pub(crate) const INSERT: &str = "INSERT INTO log (row, channel, seq, previous, published_at, id, occurrence,
    principal, publisher_id, subtopic, policy, headers, echo, payload, place)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

/// Writes one row of the log with [`INSERT`], behind the channel's head.
pub(super) fn insert(
    statement: &mut Statement<'_>,
    row: i64,
    head: &ChannelHead,
    message: &Message,
    principal: &str,
    place: Option<uuid::Uuid>,
) -> Result<(), JobError> {
    let content = &*message.content;
    let encoded = Encoded::of(content).map_err(|error| corrupt("log", row, error))?;
    statement.execute(params![
        row,
        head.channel,
        message.seq as i64,
        head.row,
        message.published_at.0,
        message.id.base.as_bytes().as_slice(),
        message.id.occurrence,
        principal,
        content.publisher_id.as_deref(),
        content.subtopic.as_ref().map(Subtopic::as_str),
        content.publish_policy.map(|policy| policy.as_str()),
        encoded.headers,
        encoded.echo,
        content.payload.as_str(),
        place.as_ref().map(|place| place.as_bytes().as_slice()),
    ])?;
    Ok(())
}

/// Where a row of the log stands in its channel, without its content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) row: i64,
    pub(super) seq: u64,
    pub(super) previous: i64,
    pub(super) published_at: UnixMillis,
}

/// Reads a row's place in its channel's chain; `None` where it has been removed.
pub(super) fn link(connection: &Connection, channel: i64, row: i64) -> Result<Option<Link>, JobError> {
    if row == 0 {
        return Ok(None);
    }
    let found = connection
        .prepare_cached("SELECT channel, seq, previous, published_at FROM log WHERE row = ?1")?
        .query_row([row], |columns| {
            let link = Link {
                row,
                seq: columns.get::<_, i64>(1)? as u64,
                previous: columns.get(2)?,
                published_at: UnixMillis(columns.get(3)?),
            };
            Ok((columns.get::<_, i64>(0)?, link))
        })
        .optional()?;
    match found {
        Some((found, _)) if found != channel => {
            let reason = format!("belongs to channel {found}, a chain of channel {channel} leads to it");
            Err(corrupt("log", row, reason).into())
        }
        found => Ok(found.map(|(_, link)| link)),
    }
}

/// Reads a whole message.
pub(super) fn message(connection: &Connection, row: i64) -> Result<Option<Message>, JobError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, published_at, id, occurrence, publisher_id, subtopic, policy, headers, echo, payload
         FROM log WHERE row = ?1",
    )?;
    let mut rows = statement.query([row])?;
    rows.next()?.map(|columns| decode(row, columns)).transpose()
}

fn decode(row: i64, columns: &Row<'_>) -> Result<Message, JobError> {
    let wrong = |reason: &dyn fmt::Display| corrupt("log", row, reason);
    let id = columns.get_ref(2)?.as_blob().map_err(|error| wrong(&error))?;
    let base = uuid::Uuid::from_slice(id).map_err(|error| wrong(&error))?;
    Ok(Message {
        id: MessageId {
            base,
            occurrence: columns.get(3)?,
        },
        seq: columns.get::<_, i64>(0)? as u64,
        published_at: UnixMillis(columns.get(1)?),
        content: Arc::new(content("log", row, columns, 4)?),
    })
}

/// Reads a content from the columns `publisher_id, subtopic, policy, headers, echo, payload`, of which the
/// first is number `first`.
pub(crate) fn content(
    table: &'static str,
    row: i64,
    columns: &Row<'_>,
    first: usize,
) -> Result<Content, JobError> {
    let wrong = |reason: &dyn fmt::Display| corrupt(table, row, reason);
    let text = |at: usize| -> Result<Option<&str>, JobError> {
        columns
            .get_ref(first + at)?
            .as_str_or_null()
            .map_err(|error| wrong(&error).into())
    };
    let headers = match text(3)? {
        None => Headers::default(),
        Some(headers) => {
            serde_json::from_str::<HeadersColumn>(headers)
                .map_err(|error| wrong(&error))?
                .0
        }
    };
    let echo = match text(4)? {
        None => None,
        Some(echo) => Some(Box::new(
            serde_json::from_str::<EchoColumn<'_>>(echo)
                .map_err(|error| wrong(&error))?
                .echo(),
        )),
    };
    Ok(Content {
        payload: JsonText::from_checked(text(5)?.unwrap_or("null")),
        publisher_id: text(0)?.map(Box::from),
        subtopic: text(1)?
            .map(str::parse)
            .transpose()
            .map_err(|error| wrong(&error))?,
        headers,
        publish_policy: text(2)?
            .map(str::parse)
            .transpose()
            .map_err(|error| wrong(&error))?,
        echo,
    })
}

/// What of a content is JSON in its columns.
pub(crate) struct Encoded {
    pub(crate) headers: Option<String>,
    pub(crate) echo: Option<String>,
}

impl Encoded {
    pub(crate) fn of(content: &Content) -> serde_json::Result<Self> {
        let headers = (!content.headers.is_empty())
            .then(|| serde_json::to_string(&HeadersRef(&content.headers)))
            .transpose()?;
        let echo = content
            .echo
            .as_deref()
            .map(|echo| serde_json::to_string(&EchoColumn::from_echo(echo)?))
            .transpose()?;
        Ok(Self { headers, echo })
    }
}

/// Headers as a JSON object, in order.
struct HeadersColumn(Headers);

/// The same, to be written.
struct HeadersRef<'a>(&'a Headers);

impl Serialize for HeadersRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

impl<'de> Deserialize<'de> for HeadersColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = HeadersColumn;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeadersColumn, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(4));
                while let Some(pair) = map.next_entry::<Box<str>, Box<str>>()? {
                    pairs.push(pair);
                }
                Ok(HeadersColumn(Headers::from_stored(pairs)))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// What is only echoed, as a JSON object.
#[derive(Serialize, Deserialize)]
struct EchoColumn<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    push_singlecast: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    push_broadcast: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    template_values: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    query: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_at: Option<UnixMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_every: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_expires_at: Option<UnixMillis>,
}

impl<'a> EchoColumn<'a> {
    fn from_echo(echo: &'a Echo) -> serde_json::Result<Self> {
        let raw = |text: &'a Option<JsonText>| {
            text.as_ref()
                .map(|text| serde_json::from_str::<&RawValue>(text.as_str().trim()))
                .transpose()
        };
        Ok(Self {
            push_singlecast: raw(&echo.push_singlecast)?,
            push_broadcast: raw(&echo.push_broadcast)?,
            template_values: raw(&echo.template_values)?,
            query: raw(&echo.query)?,
            publish_at: echo.publish_at,
            repeat_every: echo.repeat_every,
            repeat_expires_at: echo.repeat_expires_at,
        })
    }

    fn echo(self) -> Echo {
        let text = |raw: Option<&RawValue>| raw.map(|raw| JsonText::from_checked(raw.get()));
        Echo {
            push_singlecast: text(self.push_singlecast),
            push_broadcast: text(self.push_broadcast),
            template_values: text(self.template_values),
            query: text(self.query),
            publish_at: self.publish_at,
            repeat_every: self.repeat_every,
            repeat_expires_at: self.repeat_expires_at,
        }
    }
}
