use std::sync::Arc;
use std::time::Duration;

use model::app::AppKey;
use model::channel::{ChannelName, ChannelPattern};
use model::headers::Headers;
use model::json::JsonText;
use model::message::{Content, Message};
use model::settings::{AppSettings, HistorySettings, HistoryWindow};
use model::time::{Span, UnixMillis};

use super::fixtures::NOW;
use crate::Store;
use crate::messages::{Append, Appended, Page, Range};

pub mod append;
pub mod channels;
pub mod content;
pub mod idempotency;
pub mod published;
pub mod read;
pub mod start;
pub mod time;

const HOUR: Duration = Duration::from_secs(3_600);

pub(super) fn name(text: &str) -> ChannelName {
    text.parse().unwrap()
}

fn content(payload: &str) -> Content {
    Content {
        payload: JsonText::from_checked(payload),
        publisher_id: None,
        subtopic: None,
        headers: Headers::default(),
        publish_policy: None,
        echo: None,
    }
}

/// A publish of a number.
fn appending(app: AppKey, channel: &str, number: u64) -> Append {
    Append {
        app,
        channel: name(channel),
        content: Arc::new(content(&number.to_string())),
        principal: "anonymous".into(),
        idempotency: None,
        max_channels: 1_000,
    }
}

async fn publish_one(store: &dyn Store, append: Append) -> Arc<Message> {
    match store.append(append).await.unwrap() {
        Appended::New { message, .. } => message,
        other => panic!("expected a new message, found {other:?}"),
    }
}

pub(super) async fn publish(store: &dyn Store, app: AppKey, channel: &str, number: u64) -> Arc<Message> {
    publish_one(store, appending(app, channel, number)).await
}

/// Publishes the numbers 1 to `count`.
pub(super) async fn publish_many(
    store: &dyn Store,
    app: AppKey,
    channel: &str,
    count: u64,
) -> Vec<Arc<Message>> {
    let mut messages = Vec::new();
    for number in 1..=count {
        messages.push(publish(store, app, channel, number).await);
    }
    messages
}

/// Reads at most so many messages after `after`, at [`NOW`].
async fn read(store: &dyn Store, app: AppKey, channel: &str, after: u64, max_messages: usize) -> Page {
    read_at(store, app, channel, after, max_messages, NOW).await
}

async fn read_at(
    store: &dyn Store,
    app: AppKey,
    channel: &str,
    after: u64,
    max_messages: usize,
    now: UnixMillis,
) -> Page {
    let range = Range {
        after,
        max_messages,
        max_bytes: usize::MAX,
    };
    let page = store.read(app, &name(channel), range, now).await.unwrap();
    page.unwrap()
}

fn seqs(messages: &[Arc<Message>]) -> Vec<u64> {
    messages.iter().map(|message| message.seq).collect()
}

fn keeping(count: u64, age: Duration) -> HistorySettings {
    HistorySettings {
        age: Span(age),
        count,
        windows: Vec::new(),
    }
}

fn window(pattern: &str, count: u64, age: Duration) -> HistoryWindow {
    HistoryWindow {
        pattern: ChannelPattern::new(pattern),
        age: Span(age),
        count,
    }
}

async fn app_keeping(store: &dyn Store, id: &str, history: HistorySettings) -> AppKey {
    let settings = AppSettings {
        history,
        ..AppSettings::default()
    };
    let app = store.create_app(&id.parse().unwrap(), &settings, NOW).await;
    app.unwrap().unwrap().key
}
