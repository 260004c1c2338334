use std::sync::Arc;

use model::schedule::due::Due;
use uuid::Uuid;

use super::{SECOND, at, content, every, fire, make, name, once};
use crate::Store;
use crate::contract::clock::ManualClock;
use crate::contract::fixtures::new_app;
use crate::schedules::{LastOccurrence, NewSchedule, Occurrence, Owner, ScheduleQuery};

fn query() -> ScheduleQuery {
    ScheduleQuery {
        principal: None,
        channel: None,
        after: None,
        limit: 100,
        max_bytes: usize::MAX,
    }
}

pub async fn schedules_are_listed_in_the_order_they_were_made(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let other = new_app(store, "other").await;
    make(store, once(other, "news", 1_000)).await;
    let mut made = Vec::new();
    for n in 0..10_u8 {
        let owner = Owner {
            principal: if n % 2 == 0 { "key:a" } else { "key:b" }.into(),
            roles: Vec::new(),
        };
        let channel = if n < 5 { "low" } else { "high" };
        let new = NewSchedule {
            owner,
            ..once(app, channel, 100_000 - i64::from(n))
        };
        made.push(make(store, new).await);
    }
    store.cancel_schedule(app, made[3]).await.unwrap();
    let all: Vec<usize> = (0..10).collect();
    let cases: [(Option<&str>, Option<&str>, &[usize]); 5] = [
        (None, None, &all),
        (Some("key:a"), None, &[0, 2, 4, 6, 8]),
        (None, Some("high"), &[5, 6, 7, 8, 9]),
        (Some("key:b"), Some("low"), &[1, 3]),
        (Some("key:c"), None, &[]),
    ];
    for (principal, channel, expected) in cases {
        let query = ScheduleQuery {
            principal: principal.map(Into::into),
            channel: channel.map(name),
            ..query()
        };
        let expected: Vec<Uuid> = expected.iter().map(|at| made[*at]).collect();
        let whole = store.schedules(app, query.clone()).await.unwrap();
        let found: Vec<Uuid> = whole.schedules.iter().map(|schedule| schedule.id).collect();
        assert_eq!(
            (found, whole.more),
            (expected.clone(), false),
            "{principal:?} {channel:?}"
        );
        // The same in pages.
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = ScheduleQuery {
                after,
                limit: 2,
                ..query.clone()
            };
            let page = store.schedules(app, page).await.unwrap();
            found.extend(page.schedules.iter().map(|schedule| schedule.id));
            if !page.more {
                break;
            }
            after = found.last().copied();
        }
        assert_eq!(found, expected, "{principal:?} {channel:?}");
    }
}

pub async fn a_page_of_schedules_ends_where_its_bytes_are_full(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    for _ in 0..3 {
        let payload = format!("\"{}\"", "x".repeat(10_000));
        let new = NewSchedule {
            content: Arc::new(content(&payload)),
            ..once(app, "news", 1_000)
        };
        make(store, new).await;
    }
    for (max_bytes, expected) in [(1, 1), (21_000, 2), (100_000, 3)] {
        let query = ScheduleQuery { max_bytes, ..query() };
        let page = store.schedules(app, query).await.unwrap();
        assert_eq!((page.schedules.len(), page.more), (expected, expected < 3));
    }
}

pub async fn occurrences_tell_every_due_time_that_has_passed(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let id = make(store, every(app, "news", 0, 10)).await;
    let mut expected = Vec::new();
    let looks = [0, 10 * SECOND, 45 * SECOND, 1_000 * SECOND];
    for (seq, ms) in (1_u64..).zip(looks) {
        clock.set(at(ms));
        fire(store).await;
        while expected.len() as i64 <= ms / (10 * SECOND) {
            let n = expected.len() as i64;
            let due = Due {
                n: n as u64 + 1,
                at: at(n * 10 * SECOND),
            };
            let is_latest = n == ms / (10 * SECOND);
            expected.push(Occurrence {
                due,
                published: is_latest.then_some(LastOccurrence {
                    seq,
                    published_at: at(ms),
                }),
            });
        }
    }
    assert_eq!(expected.len(), 101);
    assert_eq!(store.occurrences(app, id, 0, 1_000).await.unwrap(), expected);
    for limit in [1, 3, 50] {
        let mut found: Vec<Occurrence> = Vec::new();
        loop {
            let after = found.last().map_or(0, |last| last.due.n);
            let page = store.occurrences(app, id, after, limit).await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= limit);
            found.extend(page);
        }
        assert_eq!(found, expected, "pages of {limit}");
    }
    let other = new_app(store, "other").await;
    assert_eq!(store.occurrences(other, id, 0, 10).await.unwrap(), Vec::new());
}
