use std::sync::Arc;
use std::time::Duration;

use model::message::MessageId;
use model::schedule::TimingFields;
use model::schedule::due::Due;

use super::{Closed, Open, at, every, find, fire, make, messages, name, next, occurrence_ids, once};
use crate::Store;
use crate::contract::clock::ManualClock;
use crate::contract::fixtures::{NOW, new_app};
use crate::schedules::{Fired, LastOccurrence, NewSchedule, Owner, ScheduleState};

pub async fn a_one_shot_is_published_at_its_time_under_its_own_id(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let id = make(store, once(app, "news", 1_000)).await;
    clock.set(at(999));
    assert_eq!(fire(store).await, 0);
    clock.set(at(1_000));
    let fired = store.fire_due(512, Arc::new(Open)).await.unwrap();
    let expected = Fired {
        picked: 1,
        published: 1,
        next: None,
    };
    assert_eq!(fired, expected);
    clock.set(at(1_000_000));
    assert_eq!(fire(store).await, 0);
    assert_eq!(messages(store, app, "news").await, [MessageId::one_shot(id)]);
    let schedule = find(store, app, id).await;
    assert_eq!(schedule.state, ScheduleState::Published);
    assert_eq!((schedule.occurrences, schedule.skipped), (1, 0));
    let last = LastOccurrence {
        seq: 1,
        published_at: at(1_000),
    };
    assert_eq!(schedule.last, Some(last));
}

pub async fn a_message_of_a_schedule_is_found_and_read_like_any_other(
    store: &dyn Store,
    clock: &ManualClock,
) {
    let app = new_app(store, "shop").await;
    let id = make(store, every(app, "news", 1_000, 1)).await;
    clock.set(at(1_000));
    fire(store).await;
    let [first] = occurrence_ids(id, [1])[..] else {
        unreachable!()
    };
    let found = store
        .published(app, first, clock_now(clock))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.seq, found.published_at), (1, at(1_000)));
    let whole = MessageId::one_shot(id);
    assert_eq!(store.published(app, whole, clock_now(clock)).await.unwrap(), None);
    let head = store.head(app, &name("news")).await.unwrap().unwrap();
    assert_eq!((head.seq, head.last_published_at), (1, Some(at(1_000))));
}

fn clock_now(clock: &ManualClock) -> model::time::UnixMillis {
    model::time::Clock::now(clock)
}

pub async fn a_repetition_keeps_its_cadence_however_late_it_is_picked_up(
    store: &dyn Store,
    clock: &ManualClock,
) {
    let app = new_app(store, "shop").await;
    let id = make(store, every(app, "news", 1_000, 10)).await;
    for (late, expected) in [
        (1_000, 11_000),
        (20_999, 21_000),
        (21_000, 31_000),
        (40_900, 41_000),
    ] {
        clock.set(at(late));
        assert_eq!(fire(store).await, 1, "at {late}");
        let due = next(store, app, id).await.unwrap();
        assert_eq!(due.at, at(expected), "after {late}");
    }
    assert_eq!(messages(store, app, "news").await, occurrence_ids(id, 1..=4));
}

pub async fn of_what_was_missed_the_latest_is_published_and_the_rest_skipped(
    store: &dyn Store,
    clock: &ManualClock,
) {
    let app = new_app(store, "shop").await;
    let id = make(store, every(app, "news", 1_000, 1)).await;
    clock.set(at(1_000));
    fire(store).await;
    clock.set(at(3_600_500));
    assert_eq!(fire(store).await, 1);
    assert_eq!(messages(store, app, "news").await, occurrence_ids(id, [1, 3_600]));
    let schedule = find(store, app, id).await;
    assert_eq!((schedule.occurrences, schedule.skipped), (2, 3_598));
    let expected = Due {
        n: 3_601,
        at: at(3_601_000),
    };
    assert_eq!(next(store, app, id).await, Some(expected));
}

pub async fn a_repetition_ends_after_its_last_due_time(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let new = every(app, "news", 0, 1);
    let bounded = |expires: Option<i64>, times: Option<i64>| NewSchedule {
        timing: TimingFields {
            repeat_expires_at: expires.map(|expires| at(expires).0),
            repeat_times: times,
            ..new.timing.clone()
        },
        ..new.clone()
    };
    let expiring = make(store, bounded(Some(2_999), None)).await;
    let counted = make(store, bounded(None, Some(2))).await;
    for ms in (0..6_000).step_by(500) {
        clock.set(at(ms));
        fire(store).await;
    }
    for (id, occurrences) in [(expiring, 3), (counted, 2)] {
        let schedule = find(store, app, id).await;
        assert_eq!(schedule.state, ScheduleState::Published);
        assert_eq!(schedule.occurrences, occurrences);
    }
    assert_eq!(store.next_due().await.unwrap(), None);
}

pub async fn a_call_picks_up_at_most_its_limit_the_earliest_first(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let mut expected = Vec::new();
    for due in [5, 3, 9, 1, 7] {
        let id = make(store, once(app, "news", due)).await;
        expected.push((due, MessageId::one_shot(id)));
    }
    expected.sort_unstable_by_key(|(due, _)| *due);
    clock.set(at(8));
    let fired = store.fire_due(3, Arc::new(Open)).await.unwrap();
    assert_eq!((fired.picked, fired.next), (3, Some(at(7))));
    let fired = store.fire_due(3, Arc::new(Open)).await.unwrap();
    assert_eq!((fired.picked, fired.next), (1, Some(at(9))));
    let expected: Vec<MessageId> = expected.into_iter().take(4).map(|(_, id)| id).collect();
    assert_eq!(messages(store, app, "news").await, expected);
}

pub async fn calls_at_once_publish_each_occurrence_once(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let mut expected = Vec::new();
    for n in 0..200 {
        if n % 2 == 0 {
            let id = make(store, once(app, "news", 1_000)).await;
            expected.push(MessageId::one_shot(id));
        } else {
            let id = make(store, every(app, "news", 1_000, 1)).await;
            expected.extend(occurrence_ids(id, [1, 2, 3]));
        }
    }
    for second in 1..=3 {
        clock.set(at(second * 1_000));
        tokio::join!(fire(store), fire(store), fire(store), fire(store));
    }
    let mut found = messages(store, app, "news").await;
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

pub async fn where_the_gate_refuses_the_schedule_fails_and_nothing_is_published(
    store: &dyn Store,
    clock: &ManualClock,
) {
    let app = new_app(store, "shop").await;
    let owned = |principal: &str, roles: &[&str]| NewSchedule {
        owner: Owner {
            principal: principal.into(),
            roles: roles.iter().map(|role| (*role).into()).collect(),
        },
        ..every(app, "news", 1_000, 1)
    };
    let refused = make(store, owned("key:old", &[])).await;
    let allowed = make(store, owned("user:ann", &["editor"])).await;
    clock.set(at(1_000));
    let gate = Arc::new(Closed {
        refused: vec!["key:old"],
        ..Closed::default()
    });
    let fired = store.fire_due(512, gate.clone()).await.unwrap();
    assert_eq!((fired.picked, fired.published), (2, 1));
    let asked = std::mem::take(&mut *gate.asked.lock().unwrap());
    assert_eq!(asked[1].roles, ["editor".into()]);
    assert_eq!(messages(store, app, "news").await, occurrence_ids(allowed, [1]));
    let failed = find(store, app, refused).await;
    let reason = "not any more".into();
    assert_eq!(failed.state, ScheduleState::Failed { reason });
    assert_eq!(failed.occurrences, 0);
    assert_eq!(store.cancel_schedule(app, refused).await.unwrap(), None);
}

pub async fn deleting_a_channel_fails_its_schedules_at_once(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let id = make(store, every(app, "news", 1_000, 1)).await;
    let kept = make(store, once(app, "other", 1_000)).await;
    assert!(store.delete_channel(app, &name("news")).await.unwrap());
    let failed = find(store, app, id).await;
    assert!(matches!(failed.state, ScheduleState::Failed { .. }), "{failed:?}");
    assert_eq!(store.cancel_schedule(app, id).await.unwrap(), None);
    // A channel made anew is another one.
    make(store, once(app, "news", 900_000)).await;
    clock.set(at(5_000));
    assert_eq!(fire(store).await, 1);
    assert_eq!(messages(store, app, "news").await, []);
    assert_eq!(messages(store, app, "other").await, [MessageId::one_shot(kept)]);
    let failed = find(store, app, id).await;
    assert!(matches!(failed.state, ScheduleState::Failed { .. }), "{failed:?}");
}

pub async fn what_has_ended_is_forgotten_after_7_days(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let published = make(store, once(app, "news", 0)).await;
    let cancelled = make(store, once(app, "news", 1_000)).await;
    let waiting = make(store, once(app, "news", 30 * 86_400_000)).await;
    fire(store).await;
    store.cancel_schedule(app, cancelled).await.unwrap();
    clock.set(at(7 * 86_400_000 - 1));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    find(store, app, published).await;
    clock.set(at(7 * 86_400_000));
    for id in [published, cancelled] {
        while store.find_schedule(app, id).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    find(store, app, waiting).await;
    assert_eq!(
        store.occurrences(app, published, 0, 10).await.unwrap(),
        Vec::new()
    );
}

pub async fn times_of_a_channel_never_go_backwards_for_occurrences_either(
    store: &dyn Store,
    clock: &ManualClock,
) {
    let app = new_app(store, "shop").await;
    let id = make(store, every(app, "news", 0, 1)).await;
    clock.set(at(1_000_000));
    fire(store).await;
    clock.set(NOW);
    make(store, once(app, "news", 0)).await;
    fire(store).await;
    let head = store.head(app, &name("news")).await.unwrap().unwrap();
    assert_eq!((head.seq, head.last_published_at), (2, Some(at(1_000_000))));
    assert_eq!(find(store, app, id).await.occurrences, 1);
}
