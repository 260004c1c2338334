use model::app::AppKey;
use model::headers::Headers;
use model::json::JsonText;
use model::message::{Content, Message, MessageId};
use model::time::UnixMillis;

use super::*;

fn published(seq: u64, bytes: usize) -> Commit {
    let content = Content {
        payload: JsonText::from_checked(&format!("\"{}\"", "x".repeat(bytes))),
        publisher_id: None,
        subtopic: None,
        headers: Headers::default(),
        publish_policy: None,
        echo: None,
    };
    let message = Message {
        id: MessageId::one_shot(uuid::Uuid::from_u128(u128::from(seq))),
        seq,
        published_at: UnixMillis(0),
        content: Arc::new(content),
    };
    Commit::Published {
        app: AppKey(1),
        channel: "news".parse().unwrap(),
        epoch: Epoch(7),
        message: Arc::new(message),
    }
}

#[test]
fn beyond_the_bound_the_head_of_a_channel_stands_for_its_messages() {
    let mut waiting = Waiting::default();
    for seq in 1..=10 {
        waiting.push(published(seq, 5 * 1024 * 1024));
    }
    assert_eq!(waiting.commits.len(), 6);
    assert!(waiting.bytes <= MAX_BYTES);
    let hints: Vec<_> = waiting.hints.values().copied().collect();
    assert_eq!(hints, [(Epoch(7), 10)]);
}

#[test]
fn a_deleted_channel_leaves_no_hint_behind() {
    let mut waiting = Waiting::default();
    waiting.push(published(1, MAX_BYTES));
    assert_eq!(waiting.hints.len(), 1);
    waiting.push(Commit::ChannelDeleted {
        app: AppKey(1),
        channel: "news".parse().unwrap(),
        epoch: Epoch(7),
    });
    assert!(waiting.hints.is_empty());
    assert_eq!(waiting.commits.len(), 1);
}

#[test]
fn beyond_the_bound_any_inbox_may_have_changed() {
    let mut waiting = Waiting::default();
    let changed = |change| Commit::InboxChanged {
        change,
        users: vec![7; MAX_BYTES / 16].into(),
    };
    waiting.push(changed(1));
    waiting.push(changed(2));
    assert!(!waiting.any_inbox);
    waiting.push(changed(3));
    assert_eq!((waiting.any_inbox, waiting.commits.len()), (true, 2));
}
