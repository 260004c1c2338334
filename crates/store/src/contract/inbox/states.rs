use model::inbox::{InboxMessage, InboxState};
use model::time::UnixMillis;

use crate::Store;
use crate::contract::fixtures::{
    NOW, date, id, import_deleted, listed, message, messages, new_app, numbered, state,
};

pub async fn a_message_is_deleted_once(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    store
        .import(app, vec![message(&id("1"), "ann"), message(&id("2"), "ann")])
        .await
        .unwrap();
    assert!(store.delete(app, &id("1"), Some("ann")).await.unwrap());
    assert!(!store.delete(app, &id("1"), Some("ann")).await.unwrap());
    assert!(!store.delete(app, &id("1"), None).await.unwrap());
    assert!(!store.delete(app, &id("none"), None).await.unwrap());
    let deleted = store.show(app, &id("1")).await.unwrap().unwrap();
    let expected = InboxMessage {
        state: InboxState::Deleted,
        ..message(&id("1"), "ann")
    };
    assert_eq!(deleted, expected);
    assert_eq!(listed(store, app, "ann").await, ["2"]);
}

pub async fn of_concurrent_deletions_one_wins(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    store.import(app, vec![message(&id("1"), "ann")]).await.unwrap();
    let target = id("1");
    let delete = || store.delete(app, &target, None);
    let (a, b, c, d) = tokio::join!(delete(), delete(), delete(), delete());
    let won = [a, b, c, d]
        .into_iter()
        .filter(|deleted| *deleted.as_ref().unwrap());
    assert_eq!(won.count(), 1);
}

pub async fn only_the_owner_deletes_where_an_owner_is_given(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    store.import(app, messages(2, "ann")).await.unwrap();
    assert!(!store.delete(app, &numbered(0), Some("bob")).await.unwrap());
    assert!(!store.delete(app, &numbered(0), Some("")).await.unwrap());
    assert_eq!(state(store, app, "m0000").await, Some(InboxState::Imported));
    assert!(store.delete(app, &numbered(0), Some("ann")).await.unwrap());
    assert!(store.delete(app, &numbered(1), None).await.unwrap());
}

pub async fn what_is_not_yet_or_no_longer_shown_is_deleted_and_retracted_too(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let expired = date("2025-01-01T00:00:00Z");
    let future = date("2026-12-01T00:00:00Z");
    let mut all = messages(4, "ann");
    all[0].expires_at = expired;
    all[1].created_at = future;
    all[2].expires_at = expired;
    all[3].created_at = future;
    store.import(app, all).await.unwrap();
    assert!(store.delete(app, &numbered(0), Some("ann")).await.unwrap());
    let retracted = store.retract(app, vec![numbered(3)]).await.unwrap();
    assert_eq!(retracted.retracted, 1);
    assert_eq!(store.delete_all(app, "ann").await.unwrap(), 2);
}

/// api.md 4: imported → deleted → synced, imported → retracted, and no other way.
pub async fn states_change_as_the_contract_says_and_no_other_way(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let until = UnixMillis(NOW.0 + 1_000);
    import_deleted(store, app, &["synced"]).await;
    let synced = store.claim_deleted(app, 1, 10, NOW, until).await.unwrap();
    assert_eq!(store.mark_synced(app, &synced).await.unwrap(), 1);
    import_deleted(store, app, &["deleted"]).await;
    store
        .import(
            app,
            vec![message(&id("retracted"), "ann"), message(&id("imported"), "ann")],
        )
        .await
        .unwrap();
    store.retract(app, vec![id("retracted")]).await.unwrap();

    let mut batch = store.claim_deleted(app, 2, 10, NOW, until).await.unwrap();
    assert_eq!(batch.ids, [id("deleted")]);
    store.release_claim(app, &batch).await.unwrap();
    batch.ids = ["synced", "retracted", "imported"].map(id).to_vec();
    assert_eq!(store.mark_synced(app, &batch).await.unwrap(), 0);
    for text in ["synced", "deleted", "retracted"] {
        assert!(!store.delete(app, &id(text), None).await.unwrap(), "{text}");
    }
    let all = ["synced", "deleted", "retracted"].map(id).to_vec();
    let retracted = store.retract(app, all.clone()).await.unwrap();
    assert_eq!((retracted.retracted, retracted.not_retracted), (0, all));
    assert_eq!(store.delete_all(app, "ann").await.unwrap(), 1);

    let expected = [
        ("synced", InboxState::Synced),
        ("deleted", InboxState::Deleted),
        ("retracted", InboxState::Retracted),
        ("imported", InboxState::Deleted),
    ];
    for (text, expected) in expected {
        assert_eq!(state(store, app, text).await, Some(expected), "{text}");
    }
}

pub async fn deleting_all_of_a_user_leaves_the_others_alone(store: &dyn Store) {
    const COUNT: usize = 1_201;
    let app = new_app(store, "shop").await;
    store.import(app, messages(COUNT, "ann")).await.unwrap();
    store
        .import(app, vec![message(&id("other"), "bob")])
        .await
        .unwrap();
    store.delete(app, &numbered(7), None).await.unwrap();
    assert_eq!(store.delete_all(app, "ann").await.unwrap(), COUNT as u64 - 1);
    assert_eq!(store.delete_all(app, "ann").await.unwrap(), 0);
    assert_eq!(store.delete_all(app, "none").await.unwrap(), 0);
    assert_eq!(listed(store, app, "ann").await, Vec::<String>::new());
    assert_eq!(listed(store, app, "bob").await, ["other"]);
    assert_eq!(store.count_deleted(app).await.unwrap(), COUNT as u64);
}

pub async fn a_retract_tells_in_order_what_it_did_not_retract(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    import_deleted(store, app, &["deleted"]).await;
    store
        .import(app, vec![message(&id("1"), "ann"), message(&id("2"), "bob")])
        .await
        .unwrap();
    let ids = ["none", "2", "deleted", "1", "2", "also-none"].map(id).to_vec();
    let retracted = store.retract(app, ids).await.unwrap();
    assert_eq!(retracted.retracted, 2);
    assert_eq!(
        retracted.not_retracted,
        ["none", "deleted", "2", "also-none"].map(id)
    );
    assert_eq!(state(store, app, "1").await, Some(InboxState::Retracted));
    assert_eq!(state(store, app, "deleted").await, Some(InboxState::Deleted));
    assert_eq!(store.retract(app, Vec::new()).await.unwrap(), Default::default());
}

pub async fn a_retract_of_many_slices_is_whole(store: &dyn Store) {
    const COUNT: usize = 1_501;
    let app = new_app(store, "shop").await;
    store.import(app, messages(COUNT, "ann")).await.unwrap();
    // Every third is unknown.
    let ids: Vec<_> = (0..COUNT)
        .map(|number| numbered(if number % 3 == 0 { 5_000 + number } else { number }))
        .collect();
    let retracted = store.retract(app, ids.clone()).await.unwrap();
    assert_eq!(retracted.retracted, 1_000);
    let unknown: Vec<_> = ids.into_iter().step_by(3).collect();
    assert_eq!(retracted.not_retracted, unknown);
    assert_eq!(listed(store, app, "ann").await.len(), 501);
}
