use std::time::Duration;

use model::app::AppKey;
use model::position::{Epoch, Position};
use model::time::UnixMillis;
use uuid::Uuid;

use super::clock::ManualClock;
use super::fixtures::{NOW, new_app};
use super::messages::{name, publish, publish_many};
use crate::Store;
use crate::polling::{Advance, Advanced, Created, NewSubscription, Subscription};

const MINUTE: Duration = Duration::from_secs(60);
/// When the subscriptions of the cases expire.
const LATER: UnixMillis = UnixMillis(NOW.0 + 600_000);

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A subscription without filters that begins with the present.
fn new(number: u128, channel: &str) -> NewSubscription {
    NewSubscription {
        id: id(number),
        channel: name(channel),
        owner: "user:ann".into(),
        selector: None,
        subtopic: None,
        since: UnixMillis(i64::MAX),
        expires: LATER,
        max_subscriptions: 1_000,
    }
}

async fn create(store: &dyn Store, app: AppKey, new: NewSubscription) -> Position {
    match store.create_subscription(app, new, NOW).await.unwrap() {
        Created::New(position) => position,
        Created::TooMany => panic!("expected a new subscription"),
    }
}

async fn found(store: &dyn Store, app: AppKey, number: u128) -> Option<Subscription> {
    store.subscription(app, id(number), NOW).await.unwrap()
}

async fn advance(store: &dyn Store, app: AppKey, number: u128, from: Position, to: Position) -> Advanced {
    let advance = Advance {
        id: id(number),
        from,
        to,
        expires: LATER,
    };
    store.advance_subscription(app, advance).await.unwrap()
}

async fn epoch(store: &dyn Store, app: AppKey, channel: &str) -> Epoch {
    store.head(app, &name(channel)).await.unwrap().unwrap().epoch
}

/// Waits until the app takes a subscription more.
async fn until_there_is_room(store: &dyn Store, app: AppKey, more: &NewSubscription) {
    for _ in 0..200 {
        if store.create_subscription(app, more.clone(), NOW).await.unwrap() != Created::TooMany {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("what is gone is not removed");
}

pub async fn a_subscription_comes_back_as_it_was_stored(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    assert_eq!(found(store, app, 1).await, None);
    let stored = NewSubscription {
        selector: Some("lang = 'sv'".into()),
        subtopic: Some("news.*".into()),
        ..new(1, "news")
    };
    assert_eq!(create(store, app, stored).await, Position::Start);
    let expected = Subscription {
        channel: name("news"),
        owner: "user:ann".into(),
        selector: Some("lang = 'sv'".into()),
        subtopic: Some("news.*".into()),
        position: Position::Start,
        expires: LATER,
    };
    assert_eq!(found(store, app, 1).await, Some(expected));
    create(store, app, new(2, "other")).await;
    let other = found(store, app, 2).await.unwrap();
    assert_eq!((other.selector, other.subtopic), (None, None));
}

pub async fn a_subscription_begins_before_the_first_message_of_its_window(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let messages = publish_many(store, app, "news", 70).await;
    let epoch = epoch(store, app, "news").await;
    for seq in [1, 2, 64, 70] {
        let since = messages[seq - 1].published_at;
        let first = messages.iter().find(|message| message.published_at >= since);
        let expected = first.unwrap().seq - 1;
        let stored = NewSubscription {
            since,
            ..new(seq as u128, "news")
        };
        let position = create(store, app, stored).await;
        assert_eq!(position, Position::At { epoch, seq: expected });
    }
    let now = create(store, app, new(100, "news")).await;
    assert_eq!(now, Position::At { epoch, seq: 70 });
    assert_eq!(found(store, app, 100).await.unwrap().position, now);
}

pub async fn a_cursor_moves_only_from_where_it_stands(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    create(store, app, new(1, "news")).await;
    let at = |seq| Position::At {
        epoch: Epoch(u64::MAX - 7),
        seq,
    };
    assert_eq!(advance(store, app, 1, at(1), at(2)).await, Advanced::Moved);
    assert_eq!(advance(store, app, 1, at(0), at(2)).await, Advanced::Moved);
    assert_eq!(
        advance(store, app, 1, Position::Start, at(2)).await,
        Advanced::Done
    );
    assert_eq!(found(store, app, 1).await.unwrap().position, at(2));
    assert_eq!(
        advance(store, app, 1, Position::Start, at(3)).await,
        Advanced::Moved
    );
    assert_eq!(advance(store, app, 1, at(2), at(1)).await, Advanced::Done);
    assert_eq!(found(store, app, 1).await.unwrap().position, at(1));
    let other = Position::At {
        epoch: Epoch(8),
        seq: 1,
    };
    assert_eq!(advance(store, app, 1, other, at(9)).await, Advanced::Moved);
    assert_eq!(advance(store, app, 1, at(1), other).await, Advanced::Done);
    assert_eq!(found(store, app, 1).await.unwrap().position, other);
    assert_eq!(
        advance(store, app, 2, Position::Start, at(1)).await,
        Advanced::Gone
    );
}

pub async fn of_concurrent_polls_one_advances_the_cursor(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    create(store, app, new(1, "news")).await;
    let mut from = Position::Start;
    for round in 1..=20 {
        let to = |poll| Position::At {
            epoch: Epoch(round),
            seq: poll,
        };
        let (a, b, c) = tokio::join!(
            advance(store, app, 1, from, to(1)),
            advance(store, app, 1, from, to(2)),
            advance(store, app, 1, from, to(3)),
        );
        let done: Vec<u64> = [(a, 1), (b, 2), (c, 3)]
            .into_iter()
            .filter_map(|(advanced, poll)| (advanced == Advanced::Done).then_some(poll))
            .collect();
        assert_eq!(done.len(), 1, "{a:?} {b:?} {c:?}");
        from = to(done[0]);
        assert_eq!(found(store, app, 1).await.unwrap().position, from);
    }
}

pub async fn a_subscription_is_deleted_once(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    create(store, app, new(1, "news")).await;
    create(store, app, new(2, "news")).await;
    assert!(!store.delete_subscription(app, id(3), NOW).await.unwrap());
    assert!(store.delete_subscription(app, id(1), NOW).await.unwrap());
    assert!(!store.delete_subscription(app, id(1), NOW).await.unwrap());
    assert_eq!(found(store, app, 1).await, None);
    assert!(found(store, app, 2).await.is_some());
}

pub async fn an_expired_subscription_is_gone_unless_it_was_polled(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    create(store, app, new(1, "news")).await;
    create(store, app, new(2, "news")).await;
    let moved = Advance {
        id: id(2),
        from: Position::Start,
        to: Position::Start,
        expires: LATER + MINUTE,
    };
    assert_eq!(
        store.advance_subscription(app, moved).await.unwrap(),
        Advanced::Done
    );
    for (number, expires) in [(1, LATER), (2, LATER + MINUTE)] {
        let before = UnixMillis(expires.0 - 1);
        assert!(
            store
                .subscription(app, id(number), before)
                .await
                .unwrap()
                .is_some()
        );
        assert_eq!(store.subscription(app, id(number), expires).await.unwrap(), None);
        assert!(!store.delete_subscription(app, id(number), expires).await.unwrap());
    }
}

pub async fn the_cap_refuses_one_subscription_more(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let capped = |number| NewSubscription {
        max_subscriptions: 2,
        ..new(number, "news")
    };
    create(store, app, capped(1)).await;
    create(store, app, capped(2)).await;
    let refused = store.create_subscription(app, capped(3), NOW).await.unwrap();
    assert_eq!(refused, Created::TooMany);
    assert_eq!(found(store, app, 3).await, None);
    assert!(store.delete_subscription(app, id(1), NOW).await.unwrap());
    create(store, app, capped(3)).await;
    let other = new_app(store, "other").await;
    create(store, other, capped(4)).await;
}

pub async fn deleting_a_channel_ends_its_subscriptions_and_no_later_ones(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    for round in 0..3 {
        publish(store, app, "news", 1).await;
        create(store, app, new(3 * round + 1, "news")).await;
        create(store, app, new(3 * round + 2, "other")).await;
        assert!(store.delete_channel(app, &name("news")).await.unwrap());
        assert_eq!(found(store, app, 3 * round + 1).await, None);
        let late = advance(store, app, 3 * round + 1, Position::Start, Position::Start).await;
        assert_eq!(late, Advanced::Gone);
        assert!(
            !store
                .delete_subscription(app, id(3 * round + 1), NOW)
                .await
                .unwrap()
        );
        assert!(found(store, app, 3 * round + 2).await.is_some());
        let fresh = create(store, app, new(3 * round + 3, "waits")).await;
        assert_eq!(fresh, Position::Start);
        assert_eq!(
            create(store, app, new(1_000 + round, "news")).await,
            Position::Start
        );
        assert!(found(store, app, 1_000 + round).await.is_some());
    }
}

pub async fn many_subscriptions_of_a_deleted_channel_make_room_in_time(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    publish(store, app, "news", 1).await;
    let capped = |number, channel| NewSubscription {
        max_subscriptions: 701,
        ..new(number, channel)
    };
    for number in 1..=700 {
        create(store, app, capped(number, "news")).await;
    }
    create(store, app, capped(701, "other")).await;
    assert!(store.delete_channel(app, &name("news")).await.unwrap());
    until_there_is_room(store, app, &capped(702, "news")).await;
    for number in [701, 702] {
        assert!(found(store, app, number).await.is_some());
    }
}

pub async fn what_has_expired_makes_room_in_time(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let capped = |number| NewSubscription {
        max_subscriptions: 1,
        ..new(number, "news")
    };
    create(store, app, capped(1)).await;
    clock.set(LATER);
    until_there_is_room(store, app, &capped(2)).await;
}

pub async fn apps_never_see_each_others_subscriptions(store: &dyn Store) {
    let (app, other) = (new_app(store, "shop").await, new_app(store, "other").await);
    publish(store, app, "news", 1).await;
    create(store, app, new(1, "news")).await;
    assert_eq!(found(store, other, 1).await, None);
    assert!(!store.delete_subscription(other, id(1), NOW).await.unwrap());
    let foreign = advance(store, other, 1, Position::Start, Position::Start).await;
    assert_eq!(foreign, Advanced::Gone);
    publish(store, other, "news", 1).await;
    assert!(store.delete_channel(other, &name("news")).await.unwrap());
    assert!(found(store, app, 1).await.is_some());
}
