use std::time::Duration;

use model::position::Since;

use super::{name, publish, publish_many, read};
use crate::Store;
use crate::contract::fixtures::{NOW, new_app};
use crate::messages::{Channel, Start};

async fn names(store: &dyn Store, app: model::app::AppKey, after: Option<&str>, limit: usize) -> Vec<String> {
    let after = after.map(name);
    let channels = store.channels(app, after.as_ref(), limit).await.unwrap();
    channels.iter().map(|channel| channel.name.to_string()).collect()
}

pub async fn channels_are_listed_by_name_with_where_they_stand(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    publish_many(store, app, "news", 3).await;
    publish_many(store, app, "arena", 1).await;
    let listed = store.channels(app, None, 10).await.unwrap();
    let mut expected = Vec::new();
    for channel in ["arena", "news"] {
        let head = store.head(app, &name(channel)).await.unwrap().unwrap();
        let name = name(channel);
        expected.push(Channel { name, head });
    }
    assert_eq!(listed, expected);
    assert_eq!((listed[0].head.seq, listed[1].head.seq), (1, 3));
}

pub async fn a_page_of_channels_goes_on_after_a_name(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    // By code point, as UTF-8 sorts.
    for channel in ["ä", "b", "B", "a", "a.b", "日本"] {
        publish(store, app, channel, 1).await;
    }
    assert_eq!(names(store, app, None, 3).await, ["B", "a", "a.b"]);
    assert_eq!(names(store, app, Some("a.b"), 3).await, ["b", "ä", "日本"]);
    assert_eq!(names(store, app, Some("a.a"), 2).await, ["a.b", "b"]);
    assert_eq!(names(store, app, Some("日本"), 3).await, Vec::<String>::new());
}

pub async fn a_deleted_channel_is_gone_at_once(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let last = publish_many(store, app, "news", 70).await.pop().unwrap();
    assert!(store.delete_channel(app, &name("news")).await.unwrap());
    assert!(!store.delete_channel(app, &name("news")).await.unwrap());
    assert!(!store.delete_channel(app, &name("never")).await.unwrap());

    assert_eq!(store.head(app, &name("news")).await.unwrap(), None);
    assert_eq!(names(store, app, None, 10).await, Vec::<String>::new());
    let range = crate::messages::Range {
        after: 0,
        max_messages: 10,
        max_bytes: 1_000,
    };
    assert_eq!(store.read(app, &name("news"), range, NOW).await.unwrap(), None);
    assert_eq!(store.published(app, last.id, NOW).await.unwrap(), None);
    let all = store.start(app, &name("news"), Some(Since::All), NOW).await;
    let nothing = Start {
        head: None,
        after: 0,
        gap: false,
    };
    assert_eq!(all.unwrap(), nothing);
}

pub async fn a_channel_made_anew_is_another_incarnation_from_seq_1(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    publish_many(store, app, "news", 5).await;
    let old = store.head(app, &name("news")).await.unwrap().unwrap();
    assert!(store.delete_channel(app, &name("news")).await.unwrap());
    let anew = publish_many(store, app, "news", 7).await;
    let new = store.head(app, &name("news")).await.unwrap().unwrap();
    assert_ne!(new.epoch, old.epoch);
    assert_eq!(new.seq, 7);
    let page = read(store, app, "news", 0, 100).await;
    assert_eq!(page.messages, anew);

    // What was seen of the old one says nothing of the new one.
    let since = Since::Position {
        epoch: old.epoch,
        seq: 5,
    };
    let start = store.start(app, &name("news"), Some(since), NOW).await.unwrap();
    assert_eq!((start.after, start.gap), (0, true));
}

pub async fn deletes_and_publishes_at_once_leave_one_incarnation(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let publishing = async {
        for number in 0..60 {
            publish(store, app, "news", number).await;
        }
    };
    let deleting = async {
        for _ in 0..15 {
            store.delete_channel(app, &name("news")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::join!(publishing, deleting);
    let last = publish(store, app, "news", 1).await;
    let page = read(store, app, "news", 0, 100).await;
    let expected: Vec<_> = (1..=last.seq).collect();
    assert_eq!(super::seqs(&page.messages), expected);
    assert_eq!(names(store, app, None, 10).await, ["news"]);
}
