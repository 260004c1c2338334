use model::settings::HistorySettings;

use super::{HOUR, app_keeping, keeping, name, publish, publish_many, read, seqs, window};
use crate::Store;
use crate::contract::fixtures::{NOW, new_app};
use crate::messages::Range;

pub async fn every_range_has_its_messages_in_order(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let mut published = Vec::new();
    for number in 1..=131 {
        published.push(publish(store, app, "news", number).await);
        publish(store, app, "other", number).await;
    }
    for after in [
        0, 1, 2, 62, 63, 64, 65, 66, 126, 127, 128, 129, 130, 131, 132, 1_000,
    ] {
        for max_messages in [1, 2, 63, 64, 65, 130, 131, 5_000] {
            let page = read(store, app, "news", after as u64, max_messages).await;
            let first = after.min(published.len());
            let end = (first + max_messages).min(published.len());
            assert_eq!(
                page.messages,
                published[first..end],
                "after {after}, {max_messages}"
            );
            assert_eq!((page.head.seq, page.floor), (131, 0));
        }
    }
}

pub async fn an_absent_channel_has_no_page(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let range = Range {
        after: 0,
        max_messages: 1,
        max_bytes: 1,
    };
    assert_eq!(store.read(app, &name("news"), range, NOW).await.unwrap(), None);
}

pub async fn a_page_ends_where_its_bytes_are_full_but_has_a_first_message(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let size = publish_many(store, app, "news", 9).await[0].content.size();
    for (max_bytes, expected) in [
        (0, 1),
        (1, 1),
        (size, 1),
        (3 * size - 1, 2),
        (3 * size, 3),
        (100 * size, 9),
    ] {
        let range = Range {
            after: 0,
            max_messages: 50,
            max_bytes,
        };
        let page = store.read(app, &name("news"), range, NOW).await.unwrap();
        assert_eq!(page.unwrap().messages.len(), expected, "{max_bytes} bytes");
    }
}

pub async fn what_left_the_count_window_is_never_answered(store: &dyn Store) {
    let app = app_keeping(store, "shop", keeping(10, HOUR)).await;
    for count in 1..=150_u64 {
        publish(store, app, "news", count).await;
        let floor = count.saturating_sub(10);
        let page = read(store, app, "news", 0, 1_000).await;
        assert_eq!(seqs(&page.messages), (floor + 1..=count).collect::<Vec<_>>());
        assert_eq!((page.floor, page.head.seq), (floor, count));
    }
    let page = read(store, app, "news", 140, 3).await;
    assert_eq!(seqs(&page.messages), [141, 142, 143]);
    let page = read(store, app, "news", 139, 3).await;
    assert_eq!((page.floor, seqs(&page.messages)), (140, vec![141, 142, 143]));
    let page = read(store, app, "news", 148, 3).await;
    assert!(page.floor <= 148);
    assert_eq!(seqs(&page.messages), [149, 150]);
}

pub async fn the_first_window_whose_pattern_matches_counts(store: &dyn Store) {
    let history = HistorySettings {
        windows: vec![
            window("news.sport*", 2, HOUR),
            window("news.*", 3, HOUR),
            window("default", 1, HOUR),
        ],
        ..keeping(4, HOUR)
    };
    let app = app_keeping(store, "shop", history).await;
    for (channel, kept) in [("news.sports", 2), ("news.a", 3), ("default", 1), ("other", 4)] {
        publish_many(store, app, channel, 6).await;
        let page = read(store, app, channel, 0, 100).await;
        assert_eq!(page.messages.len(), kept, "{channel}");
    }
}
