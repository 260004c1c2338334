use std::sync::Arc;

use model::app::AppKey;
use model::channel::ChannelName;
use model::json::JsonText;
use model::message::{Content, Message, MessageId};
use model::position::Epoch;
use model::time::UnixMillis;

use crate::end::EndReason;
use crate::key::ChannelKey;

pub(crate) const FIRST: Epoch = Epoch(0xa1);

pub(crate) fn key(name: &str) -> ChannelKey {
    ChannelKey {
        app: AppKey(1),
        name: ChannelName::from_stored(name),
    }
}

/// A message whose payload has this many bytes.
pub(crate) fn message_of(seq: u64, bytes: usize) -> Arc<Message> {
    let text = format!("\"{}\"", "x".repeat(bytes.saturating_sub(2)));
    Arc::new(Message {
        id: MessageId::one_shot(uuid::Uuid::from_u128(u128::from(seq))),
        seq,
        published_at: UnixMillis(0),
        content: Arc::new(Content {
            payload: JsonText::from_checked(&text),
            publisher_id: None,
            subtopic: None,
            headers: model::headers::Headers::default(),
            publish_policy: None,
            echo: None,
        }),
    })
}

pub(crate) fn message(seq: u64) -> Arc<Message> {
    message_of(seq, 2)
}

pub(crate) fn reason(code: u32) -> EndReason {
    EndReason {
        code,
        message: "for a test".into(),
    }
}
