use std::sync::Arc;

use model::headers::Headers;
use model::message::{Echo, PublishPolicy};
use model::schedule::TimingFields;
use model::schedule::due::Due;
use uuid::Uuid;

use super::{at, content, every, find, make, name, once};
use crate::Store;
use crate::contract::fixtures::new_app;
use crate::messages::Idempotency;
use crate::schedules::{NewSchedule, Owner, Schedule, ScheduleState, Scheduled};

pub async fn a_schedule_comes_back_as_it_was_stored(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let headers = [("b", "2"), ("a", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let new = NewSchedule {
        content: Arc::new(model::message::Content {
            publisher_id: Some("me".into()),
            subtopic: Some("x.y".parse().unwrap()),
            headers: Headers::new(headers, 64, 8_192).unwrap(),
            publish_policy: Some(PublishPolicy::Both),
            echo: Some(Box::new(Echo {
                repeat_expires_at: Some(at(9_000)),
                ..Echo::default()
            })),
            ..content("{\"a\":1.50}")
        }),
        owner: Owner {
            principal: "user:ann".into(),
            roles: vec!["editor".into(), "a \"b\"".into()],
        },
        timing: TimingFields {
            publish_at: Some(at(1_000).0),
            repeat_every: None,
            repeat_expires_at: Some(at(9_000).0),
            repeat_cron: Some("0 9 * * MON".into()),
            timezone: Some("Europe/Stockholm".into()),
            repeat_times: Some(3),
        },
        first: Due { n: 1, at: at(2_000) },
        ..once(app, "news", 0)
    };
    let id = make(store, new.clone()).await;
    assert_eq!(id.get_version_num(), 7);
    let expected = Schedule {
        id,
        channel: name("news"),
        owner: new.owner,
        content: new.content,
        timing: new.timing,
        state: ScheduleState::Waiting { next: new.first },
        occurrences: 0,
        skipped: 0,
        last: None,
        revision: 0,
    };
    assert_eq!(find(store, app, id).await, expected);
    assert_eq!(store.find_schedule(app, Uuid::nil()).await.unwrap(), None);
    let other = new_app(store, "other").await;
    assert_eq!(store.find_schedule(other, id).await.unwrap(), None);
}

pub async fn a_schedule_makes_its_channel_under_the_cap(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let capped = |channel| NewSchedule {
        max_channels: 1,
        ..once(app, channel, 1_000)
    };
    make(store, capped("news")).await;
    // To readers it is one that was never published to.
    assert_eq!(store.head(app, &name("news")).await.unwrap(), None);
    let start = store.start(app, &name("news"), None, at(0)).await.unwrap();
    assert_eq!((start.head, start.after, start.gap), (None, 0, false));
    let listed = store.channels(app, None, 10).await.unwrap();
    assert_eq!((&listed[0].name, listed[0].head.seq), (&name("news"), 0));
    make(store, capped("news")).await;
    assert_eq!(
        store.schedule(capped("other")).await.unwrap(),
        Scheduled::TooManyChannels
    );
    assert_eq!(store.head(app, &name("other")).await.unwrap(), None);
}

pub async fn the_cap_counts_what_waits(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let capped = || NewSchedule {
        max_waiting: 2,
        ..every(app, "news", 1_000, 1)
    };
    let first = make(store, capped()).await;
    make(store, capped()).await;
    assert_eq!(
        store.schedule(capped()).await.unwrap(),
        Scheduled::TooManySchedules
    );
    assert_eq!(store.cancel_schedule(app, first).await.unwrap(), Some(0));
    make(store, capped()).await;
    assert_eq!(
        store.schedule(capped()).await.unwrap(),
        Scheduled::TooManySchedules
    );
    let other = new_app(store, "other").await;
    make(
        store,
        NewSchedule {
            app: other,
            ..capped()
        },
    )
    .await;
}

pub async fn the_same_key_and_body_make_one_schedule(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let keyed = |key: u8, body: u8| NewSchedule {
        idempotency: Some(Idempotency {
            key: [key; 32],
            body: [body; 32],
        }),
        ..once(app, "news", 1_000)
    };
    let one = || store.schedule(keyed(1, 1));
    let (a, b, c) = tokio::join!(one(), one(), one());
    let answers = [a.unwrap(), b.unwrap(), c.unwrap()];
    let new: Vec<Uuid> = answers
        .iter()
        .filter_map(|answer| match answer {
            Scheduled::New { id } => Some(*id),
            _ => None,
        })
        .collect();
    assert_eq!(new.len(), 1, "{answers:?}");
    let replayed = Scheduled::Replayed { id: new[0] };
    assert_eq!(answers.iter().filter(|answer| **answer == replayed).count(), 2);
    assert_eq!(store.schedule(keyed(1, 2)).await.unwrap(), Scheduled::KeyReused);
    assert_ne!(make(store, keyed(2, 1)).await, new[0]);
}

pub async fn the_earliest_due_time_of_all_apps_is_told(store: &dyn Store) {
    assert_eq!(store.next_due().await.unwrap(), None);
    let (shop, news) = (new_app(store, "shop").await, new_app(store, "news").await);
    make(store, once(shop, "a", 3_000_000)).await;
    let earliest = make(store, once(news, "b", 1_000_000)).await;
    make(store, once(shop, "c", 2_000_000)).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(1_000_000)));
    store.cancel_schedule(news, earliest).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(2_000_000)));
}
