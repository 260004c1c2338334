use std::sync::{Arc, Mutex};

use model::app::AppKey;
use model::channel::ChannelName;
use model::headers::Headers;
use model::json::JsonText;
use model::message::{Content, MessageId};
use model::schedule::TimingFields;
use model::schedule::due::Due;
use model::time::UnixMillis;
use uuid::Uuid;

use super::fixtures::NOW;
use crate::Store;
use crate::messages::Range;
use crate::schedules::{Gate, NewSchedule, Owner, Schedule, ScheduleState, Scheduled};

pub mod change;
pub mod fire;
pub mod list;
pub mod schedule;

const SECOND: i64 = 1_000;

/// Lets everybody publish.
struct Open;

impl Gate for Open {
    fn refusal(&self, _: AppKey, _: &ChannelName, _: &Owner, _: UnixMillis) -> Option<Box<str>> {
        None
    }
}

/// Refuses these principals, and notes whom it was asked about.
#[derive(Default)]
struct Closed {
    refused: Vec<&'static str>,
    asked: Mutex<Vec<Owner>>,
}

impl Gate for Closed {
    fn refusal(&self, _: AppKey, _: &ChannelName, owner: &Owner, _: UnixMillis) -> Option<Box<str>> {
        self.asked.lock().unwrap().push(owner.clone());
        self.refused
            .contains(&&*owner.principal)
            .then(|| "not any more".into())
    }
}

fn name(text: &str) -> ChannelName {
    text.parse().unwrap()
}

/// So many milliseconds after [`NOW`].
fn at(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
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

/// A schedule that is due once, at so many milliseconds after [`NOW`].
fn once(app: AppKey, channel: &str, due: i64) -> NewSchedule {
    NewSchedule {
        app,
        channel: name(channel),
        content: Arc::new(content(&due.to_string())),
        owner: Owner {
            principal: "key:cms".into(),
            roles: Vec::new(),
        },
        timing: TimingFields {
            publish_at: Some(at(due).0),
            ..TimingFields::default()
        },
        first: Due { n: 1, at: at(due) },
        idempotency: None,
        max_channels: 1_000,
        max_waiting: 1_000_000,
    }
}

/// A schedule that is due first at so many milliseconds after [`NOW`], and every so many seconds after.
fn every(app: AppKey, channel: &str, due: i64, seconds: i64) -> NewSchedule {
    let new = once(app, channel, due);
    NewSchedule {
        timing: TimingFields {
            repeat_every: Some(seconds),
            ..new.timing
        },
        ..new
    }
}

async fn make(store: &dyn Store, new: NewSchedule) -> Uuid {
    match store.schedule(new).await.unwrap() {
        Scheduled::New { id } => id,
        other => panic!("expected a new schedule, found {other:?}"),
    }
}

async fn find(store: &dyn Store, app: AppKey, id: Uuid) -> Schedule {
    store.find_schedule(app, id).await.unwrap().unwrap()
}

async fn next(store: &dyn Store, app: AppKey, id: Uuid) -> Option<Due> {
    match find(store, app, id).await.state {
        ScheduleState::Waiting { next } => Some(next),
        _ => None,
    }
}

/// Publishes all that is due; how many occurrences.
async fn fire(store: &dyn Store) -> usize {
    let mut published = 0;
    loop {
        let fired = store.fire_due(7, Arc::new(Open)).await.unwrap();
        published += fired.published;
        if fired.picked == 0 {
            return published;
        }
    }
}

/// The ids of a channel's messages in their order.
async fn messages(store: &dyn Store, app: AppKey, channel: &str) -> Vec<MessageId> {
    let range = Range {
        after: 0,
        max_messages: 100_000,
        max_bytes: usize::MAX,
    };
    let page = store.read(app, &name(channel), range, NOW).await.unwrap();
    let messages = page.map_or(Vec::new(), |page| page.messages);
    messages.iter().map(|message| message.id).collect()
}

/// The ids of occurrences of a repetition.
fn occurrence_ids(id: Uuid, numbers: impl IntoIterator<Item = u32>) -> Vec<MessageId> {
    let occurrence = |n| MessageId {
        base: id,
        occurrence: Some(n),
    };
    numbers.into_iter().map(occurrence).collect()
}
