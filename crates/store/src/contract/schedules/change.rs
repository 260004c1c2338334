use std::sync::Arc;

use model::schedule::TimingFields;
use model::schedule::due::Due;
use uuid::Uuid;

use super::{at, content, every, find, fire, make, messages, next, once};
use crate::Store;
use crate::contract::clock::ManualClock;
use crate::contract::fixtures::new_app;
use crate::schedules::{Edit, Edited, ScheduleState};

const NOTHING: Edit = Edit {
    revision: 0,
    content: None,
    timing: None,
};

pub async fn a_schedule_is_cancelled_once(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let id = make(store, once(app, "news", 1_000)).await;
    let other = new_app(store, "other").await;
    assert_eq!(store.cancel_schedule(other, id).await.unwrap(), None);
    let cancel = || store.cancel_schedule(app, id);
    let (a, b, c) = tokio::join!(cancel(), cancel(), cancel());
    let answers = [a.unwrap(), b.unwrap(), c.unwrap()];
    assert_eq!(
        answers.iter().filter(|answer| **answer == Some(0)).count(),
        1,
        "{answers:?}"
    );
    assert_eq!(find(store, app, id).await.state, ScheduleState::Cancelled);
    assert_eq!(store.cancel_schedule(app, Uuid::nil()).await.unwrap(), None);
    assert_eq!(
        store.edit_schedule(app, id, NOTHING).await.unwrap(),
        Edited::NotWaiting
    );
}

pub async fn what_is_cancelled_is_not_published(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let cancelled = make(store, every(app, "news", 1_000, 1)).await;
    let kept = make(store, once(app, "news", 2_000)).await;
    clock.set(at(1_000));
    assert_eq!(fire(store).await, 1);
    assert_eq!(store.cancel_schedule(app, cancelled).await.unwrap(), Some(1));
    clock.set(at(60_000));
    assert_eq!(fire(store).await, 1);
    let found = messages(store, app, "news").await;
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].base, kept);
    assert_eq!(store.cancel_schedule(app, kept).await.unwrap(), None);
}

pub async fn an_edit_replaces_what_it_names(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let id = make(store, once(app, "news", 1_000)).await;
    let before = find(store, app, id).await;
    let edit = Edit {
        content: Some(Arc::new(content("\"new\""))),
        ..NOTHING
    };
    assert_eq!(store.edit_schedule(app, id, edit).await.unwrap(), Edited::Done);
    let after = find(store, app, id).await;
    assert_eq!(after.content.payload.as_str(), "\"new\"");
    assert_eq!((&after.timing, &after.state), (&before.timing, &before.state));
    let timing = TimingFields {
        repeat_cron: Some("0 9 * * *".into()),
        timezone: Some("UTC".into()),
        ..TimingFields::default()
    };
    let due = Due { n: 4, at: at(5_000) };
    let edit = Edit {
        revision: after.revision,
        timing: Some((timing.clone(), Some(due))),
        ..NOTHING
    };
    assert_eq!(store.edit_schedule(app, id, edit).await.unwrap(), Edited::Done);
    let last = find(store, app, id).await;
    assert_eq!((last.timing, &last.content), (timing, &after.content));
    assert_eq!(next(store, app, id).await, Some(due));
    assert_eq!(store.next_due().await.unwrap(), Some(at(5_000)));
}

pub async fn an_edit_without_a_next_due_time_ends_the_schedule(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let id = make(store, every(app, "news", 1_000, 1)).await;
    let timing = find(store, app, id).await.timing;
    let edit = Edit {
        timing: Some((timing, None)),
        ..NOTHING
    };
    assert_eq!(store.edit_schedule(app, id, edit).await.unwrap(), Edited::Done);
    assert_eq!(find(store, app, id).await.state, ScheduleState::Published);
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(store.cancel_schedule(app, id).await.unwrap(), None);
}

pub async fn an_edit_of_what_has_changed_since_does_nothing(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let id = make(store, every(app, "news", 1_000, 1)).await;
    let edit = |revision| Edit {
        revision,
        content: Some(Arc::new(content("\"new\""))),
        ..NOTHING
    };
    clock.set(at(1_000));
    fire(store).await;
    assert_eq!(
        store.edit_schedule(app, id, edit(0)).await.unwrap(),
        Edited::Changed
    );
    let revision = find(store, app, id).await.revision;
    let one = || store.edit_schedule(app, id, edit(revision));
    let (a, b) = tokio::join!(one(), one());
    let mut answers = [a.unwrap(), b.unwrap()];
    answers.sort_by_key(|answer| *answer != Edited::Done);
    assert_eq!(answers, [Edited::Done, Edited::Changed]);
}
