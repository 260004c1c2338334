use std::sync::Arc;

use model::app::AppKey;
use model::message::Message;

use super::{appending, name, publish, publish_many, publish_one, read};
use crate::Store;
use crate::contract::fixtures::new_app;
use crate::messages::{Append, Appended};

/// Publishes `count` messages one after the other.
async fn writer(store: &dyn Store, app: AppKey, channel: &str, count: u64) -> Vec<Arc<Message>> {
    publish_many(store, app, channel, count).await
}

pub async fn the_first_message_makes_the_channel_and_has_seq_1(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    assert_eq!(store.head(app, &name("news")).await.unwrap(), None);
    let appended = store.append(appending(app, "news", 7)).await.unwrap();
    let Appended::New { epoch, message } = appended else {
        panic!("{appended:?}")
    };
    assert_eq!(message.seq, 1);
    assert_eq!(message.content.payload.as_str(), "7");
    assert_eq!(message.id.occurrence, None);
    let head = store.head(app, &name("news")).await.unwrap().unwrap();
    assert_eq!((head.epoch, head.seq), (epoch, 1));
    assert_eq!(head.last_published_at, Some(message.published_at));
}

pub async fn a_channel_has_one_order_without_holes_under_concurrent_appends(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let one = || writer(store, app, "news", 40);
    let (a, b, c, d, e) = tokio::join!(one(), one(), one(), one(), one());
    let mut answered: Vec<_> = [a, b, c, d, e].concat();
    answered.sort_by_key(|message| message.seq);

    let page = read(store, app, "news", 0, 1_000).await;
    assert_eq!(page.messages, answered);
    for (message, seq) in answered.iter().zip(1..) {
        assert_eq!(message.seq, seq);
    }
    assert_eq!((answered.len(), page.head.seq), (200, 200));
    for pair in answered.windows(2) {
        assert!(pair[0].id < pair[1].id, "{pair:?}");
        assert!(pair[0].published_at <= pair[1].published_at, "{pair:?}");
    }
}

pub async fn channels_written_at_once_each_have_their_own_order(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let one = |channel| writer(store, app, channel, 70);
    let written = tokio::join!(one("a"), one("b"), one("c"), one("a-b"), one("default"));
    let (a, b, c, d, e) = written;
    for (channel, answered) in [("a", a), ("b", b), ("c", c), ("a-b", d), ("default", e)] {
        let page = read(store, app, channel, 0, 1_000).await;
        assert_eq!(page.messages, answered, "{channel}");
        let numbers: Vec<_> = (1..=70).map(|number: u64| number.to_string()).collect();
        let payloads: Vec<_> = page.messages.iter().map(|m| m.content.payload.as_str()).collect();
        assert_eq!(payloads, numbers, "{channel}");
    }
}

pub async fn ids_are_uuid_version_7_and_ascend_over_all_channels(store: &dyn Store) {
    let shop = new_app(store, "shop").await;
    let news = new_app(store, "news").await;
    let mut last = None;
    for number in 0..50 {
        for (app, channel) in [(shop, "a"), (news, "a"), (shop, "b")] {
            let id = publish(store, app, channel, number).await.id;
            assert_eq!(id.base.get_version_num(), 7);
            assert!(last < Some(id), "{last:?} was followed by {id:?}");
            last = Some(id);
        }
    }
}

pub async fn the_cap_refuses_one_channel_more_and_no_message(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let other = new_app(store, "news").await;
    publish_many(store, other, "busy", 3).await;
    let capped = |channel, number| Append {
        max_channels: 2,
        ..appending(app, channel, number)
    };
    publish_one(store, capped("a", 1)).await;
    publish_one(store, capped("b", 1)).await;
    assert_eq!(
        store.append(capped("c", 1)).await.unwrap(),
        Appended::TooManyChannels
    );
    assert_eq!(store.head(app, &name("c")).await.unwrap(), None);
    assert_eq!(publish_one(store, capped("a", 2)).await.seq, 2);
    // The channel that always exists is never one too many.
    publish_one(store, capped("default", 1)).await;

    assert!(store.delete_channel(app, &name("a")).await.unwrap());
    assert!(store.delete_channel(app, &name("b")).await.unwrap());
    publish_one(store, capped("c", 1)).await;
}

pub async fn the_cap_holds_when_channels_are_made_at_once(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let capped = |channel| {
        store.append(Append {
            max_channels: 2,
            ..appending(app, channel, 1)
        })
    };
    let (a, b, c, d) = tokio::join!(capped("a"), capped("b"), capped("c"), capped("d"));
    let refused = [a, b, c, d]
        .into_iter()
        .filter(|answer| matches!(answer, Ok(Appended::TooManyChannels)))
        .count();
    assert_eq!(refused, 2);
    assert_eq!(store.channels(app, None, 10).await.unwrap().len(), 2);
}

pub async fn apps_never_see_each_others_channels(store: &dyn Store) {
    let shop = new_app(store, "shop").await;
    let news = new_app(store, "news").await;
    let first = publish_many(store, shop, "a", 3).await;
    assert_eq!(store.head(news, &name("a")).await.unwrap(), None);
    assert_eq!(store.channels(news, None, 10).await.unwrap(), []);
    assert!(!store.delete_channel(news, &name("a")).await.unwrap());

    let second = publish_many(store, news, "a", 2).await;
    assert_eq!(read(store, shop, "a", 0, 10).await.messages, first);
    assert_eq!(read(store, news, "a", 0, 10).await.messages, second);
    let epoch_of = async |app| store.head(app, &name("a")).await.unwrap().unwrap().epoch;
    assert_ne!(epoch_of(shop).await, epoch_of(news).await);

    assert!(store.delete_channel(news, &name("a")).await.unwrap());
    assert_eq!(read(store, shop, "a", 0, 10).await.messages, first);
}
