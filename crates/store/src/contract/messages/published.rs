use model::message::MessageId;
use model::settings::HistorySettings;

use super::{HOUR, app_keeping, keeping, name, publish, publish_many};
use crate::Store;
use crate::contract::fixtures::{NOW, new_app};
use crate::messages::Published;

pub async fn a_published_message_is_found_by_its_id(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    publish(store, app, "other", 1).await;
    for message in publish_many(store, app, "news", 3).await {
        let found = store.published(app, message.id, NOW).await.unwrap();
        let expected = Published {
            channel: name("news"),
            seq: message.seq,
            published_at: message.published_at,
        };
        assert_eq!(found, Some(expected));
    }
}

pub async fn an_unknown_id_is_not_found(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let id = publish(store, app, "news", 1).await.id;
    let occurrence = MessageId {
        occurrence: Some(1),
        ..id
    };
    let other = MessageId::one_shot("0199a1b2-0000-7000-8000-000000000000".parse().unwrap());
    for id in [occurrence, other] {
        assert_eq!(store.published(app, id, NOW).await.unwrap(), None);
    }
}

pub async fn an_id_of_another_app_is_not_found(store: &dyn Store) {
    let shop = new_app(store, "shop").await;
    let news = new_app(store, "news").await;
    let id = publish(store, shop, "a", 1).await.id;
    publish(store, news, "a", 1).await;
    assert_eq!(store.published(news, id, NOW).await.unwrap(), None);
}

pub async fn what_left_the_window_is_not_found(store: &dyn Store) {
    let history = HistorySettings {
        windows: vec![super::window("short*", 2, HOUR)],
        ..keeping(10, HOUR)
    };
    let app = app_keeping(store, "shop", history).await;
    let short = publish_many(store, app, "short.1", 5).await;
    let long = publish_many(store, app, "long", 5).await;
    let mut found = Vec::new();
    for message in short.iter().chain(&long) {
        found.push(store.published(app, message.id, NOW).await.unwrap().is_some());
    }
    assert_eq!(
        found,
        [false, false, false, true, true, true, true, true, true, true]
    );
}
