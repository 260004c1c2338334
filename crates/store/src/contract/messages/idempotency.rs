use std::time::Duration;

use model::app::AppKey;

use super::{HOUR, appending, name, read};
use crate::Store;
use crate::contract::clock::ManualClock;
use crate::contract::fixtures::new_app;
use crate::messages::{Append, Appended, Idempotency};

fn keyed(app: AppKey, key: u8, body: u8) -> Append {
    Append {
        idempotency: Some(Idempotency {
            key: [key; 32],
            body: [body; 32],
        }),
        ..appending(app, "news", u64::from(body))
    }
}

async fn new_id(store: &dyn Store, append: Append) -> model::message::MessageId {
    super::publish_one(store, append).await.id
}

pub async fn the_same_key_and_body_give_the_first_answer_and_no_message(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let id = new_id(store, keyed(app, 1, 1)).await;
    for _ in 0..2 {
        let again = store.append(keyed(app, 1, 1)).await.unwrap();
        assert_eq!(again, Appended::Replayed { id });
    }
    assert_ne!(new_id(store, keyed(app, 2, 1)).await, id);
    assert_eq!(read(store, app, "news", 0, 10).await.messages.len(), 2);
}

pub async fn the_same_key_with_another_body_is_refused(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let id = new_id(store, keyed(app, 1, 1)).await;
    assert_eq!(store.append(keyed(app, 1, 2)).await.unwrap(), Appended::KeyReused);
    let head = store.head(app, &name("news")).await.unwrap().unwrap();
    assert_eq!(head.seq, 1);
    // The refusal changed nothing.
    let again = store.append(keyed(app, 1, 1)).await.unwrap();
    assert_eq!(again, Appended::Replayed { id });
}

pub async fn of_the_same_key_used_at_once_exactly_one_publishes(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    for key in 0..10 {
        let one = || store.append(keyed(app, key, 1));
        let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
        let answers = [a.unwrap(), b.unwrap(), c.unwrap(), d.unwrap()];
        let new: Vec<_> = answers
            .iter()
            .filter_map(|answer| match answer {
                Appended::New { message, .. } => Some(message.id),
                _ => None,
            })
            .collect();
        assert_eq!(new.len(), 1, "{answers:?}");
        let replayed = Appended::Replayed { id: new[0] };
        assert_eq!(
            answers.iter().filter(|answer| **answer == replayed).count(),
            3,
            "{answers:?}"
        );
    }
    assert_eq!(read(store, app, "news", 0, 100).await.head.seq, 10);
}

pub async fn keys_of_another_app_are_other_keys(store: &dyn Store) {
    let shop = new_app(store, "shop").await;
    let news = new_app(store, "news").await;
    let first = new_id(store, keyed(shop, 1, 1)).await;
    let second = new_id(store, keyed(news, 1, 2)).await;
    assert_ne!(first, second);
    assert_eq!(
        store.append(keyed(shop, 1, 1)).await.unwrap(),
        Appended::Replayed { id: first }
    );
}

pub async fn a_refused_channel_does_not_use_up_the_key(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let capped = |max_channels| Append {
        max_channels,
        ..keyed(app, 1, 1)
    };
    assert_eq!(store.append(capped(0)).await.unwrap(), Appended::TooManyChannels);
    new_id(store, capped(1)).await;
}

pub async fn a_key_is_kept_for_24_hours(store: &dyn Store, clock: &ManualClock) {
    let app = new_app(store, "shop").await;
    let id = new_id(store, keyed(app, 1, 1)).await;
    clock.forward(24 * HOUR - Duration::from_millis(1));
    let again = store.append(keyed(app, 1, 1)).await.unwrap();
    assert_eq!(again, Appended::Replayed { id });
    assert_eq!(store.append(keyed(app, 1, 2)).await.unwrap(), Appended::KeyReused);

    clock.forward(Duration::from_millis(1));
    let second = new_id(store, keyed(app, 1, 2)).await;
    assert_ne!(second, id);
    // It counts anew, for what it was used for now.
    clock.forward(HOUR);
    let again = store.append(keyed(app, 1, 2)).await.unwrap();
    assert_eq!(again, Appended::Replayed { id: second });
}
