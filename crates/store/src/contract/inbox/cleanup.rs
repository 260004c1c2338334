use model::app::AppKey;
use model::inbox::InboxState;
use model::time::UnixMillis;

use crate::Store;
use crate::contract::fixtures::{NOW, date, id, listed, message, messages, new_app, numbered, state};

const UNTIL: UnixMillis = UnixMillis(NOW.0 + 60_000);

/// One message in every state, alive and expired at [`NOW`]: `synced`, `synced-expired`, …
async fn one_of_each(store: &dyn Store, app: AppKey) {
    let names = ["synced", "deleted", "retracted", "imported"];
    let mut all = Vec::new();
    for name in names {
        let mut expired = message(&id(&format!("{name}-expired")), "ann");
        expired.expires_at = date("2026-06-01T00:00:00Z");
        all.extend([message(&id(name), "ann"), expired]);
    }
    let mut future = message(&id("future"), "ann");
    future.created_at = date("2026-12-01T00:00:00Z");
    all.push(future);
    store.import(app, all).await.unwrap();
    for text in ["synced", "synced-expired"] {
        assert!(store.delete(app, &id(text), None).await.unwrap());
    }
    let batch = store.claim_deleted(app, 1, 10, NOW, UNTIL).await.unwrap();
    assert_eq!(store.mark_synced(app, &batch).await.unwrap(), 2);
    for text in ["deleted", "deleted-expired"] {
        assert!(store.delete(app, &id(text), None).await.unwrap());
    }
    let retracted = ["retracted", "retracted-expired"].map(id).to_vec();
    assert_eq!(store.retract(app, retracted).await.unwrap().retracted, 2);
}

/// Which of the messages of [`one_of_each`] are there.
async fn left(store: &dyn Store, app: AppKey) -> Vec<&'static str> {
    const ALL: [&str; 9] = [
        "synced",
        "synced-expired",
        "deleted",
        "deleted-expired",
        "retracted",
        "retracted-expired",
        "imported",
        "imported-expired",
        "future",
    ];
    let mut left = Vec::new();
    for text in ALL {
        if state(store, app, text).await.is_some() {
            left.push(text);
        }
    }
    left
}

pub async fn cleanup_keeps_deleted_messages_for_the_sync(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    one_of_each(store, app).await;
    assert_eq!(store.cleanup(app, NOW, true).await.unwrap(), 5);
    assert_eq!(
        left(store, app).await,
        ["deleted", "deleted-expired", "imported", "future"]
    );
    assert_eq!(store.cleanup(app, NOW, true).await.unwrap(), 0);

    let batch = store.claim_deleted(app, 2, 10, NOW, UNTIL).await.unwrap();
    assert_eq!(store.mark_synced(app, &batch).await.unwrap(), 2);
    assert_eq!(store.cleanup(app, NOW, true).await.unwrap(), 2);
    assert_eq!(left(store, app).await, ["imported", "future"]);
}

pub async fn cleanup_without_a_sync_removes_expired_deleted_messages_too(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    one_of_each(store, app).await;
    let batch = store.claim_deleted(app, 2, 10, NOW, UNTIL).await.unwrap();
    assert_eq!(batch.ids.len(), 2);
    assert_eq!(store.cleanup(app, NOW, false).await.unwrap(), 6);
    assert_eq!(left(store, app).await, ["deleted", "imported", "future"]);
    assert_eq!(store.count_deleted(app).await.unwrap(), 1);
    assert_eq!(store.mark_synced(app, &batch).await.unwrap(), 1);
}

pub async fn a_message_is_removed_from_its_expiry_on(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let mut message = message(&id("1"), "ann");
    message.expires_at = date("2026-06-01T00:00:00.500Z");
    store.import(app, vec![message]).await.unwrap();
    assert_eq!(
        store.cleanup(app, UnixMillis(NOW.0 + 499), true).await.unwrap(),
        0
    );
    assert_eq!(
        store.cleanup(app, UnixMillis(NOW.0 + 500), true).await.unwrap(),
        1
    );
    assert_eq!(state(store, app, "1").await, None);
}

pub async fn an_id_is_free_again_after_cleanup(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    store.import(app, messages(1, "ann")).await.unwrap();
    store.retract(app, vec![numbered(0)]).await.unwrap();
    assert_eq!(store.cleanup(app, NOW, true).await.unwrap(), 1);
    let imported = store.import(app, messages(1, "bob")).await.unwrap();
    assert_eq!((imported.imported, imported.duplicates), (1, 0));
    assert_eq!(state(store, app, "m0000").await, Some(InboxState::Imported));
    assert_eq!(listed(store, app, "bob").await, ["m0000"]);
}

pub async fn a_cleanup_of_many_slices_removes_all_that_goes_and_nothing_else(store: &dyn Store) {
    const COUNT: usize = 5_000;
    let app = new_app(store, "shop").await;
    let other = new_app(store, "news").await;
    let mut all = messages(COUNT, "ann");
    for message in all.iter_mut().step_by(2) {
        message.expires_at = date("2026-05-31T00:00:00Z");
    }
    store.import(app, all.clone()).await.unwrap();
    store.import(other, all).await.unwrap();
    let cleanup = || store.cleanup(app, NOW, true);
    let (one, two) = tokio::join!(cleanup(), cleanup());
    assert_eq!(one.unwrap() + two.unwrap(), 2_500);
    for number in 0..COUNT {
        let is_there = store.show(app, &numbered(number)).await.unwrap().is_some();
        assert_eq!(is_there, number % 2 == 1, "{number}");
    }
    assert_eq!(store.cleanup(other, NOW, true).await.unwrap(), 2_500);
}
