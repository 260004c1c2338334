use std::collections::HashSet;

use model::inbox::InboxState;
use model::time::UnixMillis;

use crate::Store;
use crate::contract::fixtures::{NOW, id, import_deleted, messages, new_app, state};
use crate::inbox::SyncBatch;

const UNTIL: UnixMillis = UnixMillis(NOW.0 + 60_000);

pub async fn where_nothing_is_deleted_nothing_is_claimed(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    store.import(app, messages(3, "ann")).await.unwrap();
    let batch = store.claim_deleted(app, 7, 10, NOW, UNTIL).await.unwrap();
    let empty = SyncBatch {
        claim: 7,
        ids: Vec::new(),
    };
    assert_eq!(batch, empty);
    assert_eq!(store.mark_synced(app, &batch).await.unwrap(), 0);
    store.release_claim(app, &batch).await.unwrap();
    assert_eq!(store.count_deleted(app).await.unwrap(), 0);
}

pub async fn claims_are_exclusive_under_concurrency_and_miss_nothing(store: &dyn Store) {
    const COUNT: usize = 1_000;
    let app = new_app(store, "shop").await;
    store.import(app, messages(COUNT, "ann")).await.unwrap();
    assert_eq!(store.delete_all(app, "ann").await.unwrap(), COUNT as u64);
    let claim = |number| store.claim_deleted(app, number, 300, NOW, UNTIL);
    let claims = tokio::join!(claim(1), claim(u64::MAX), claim(3), claim(4));
    let claims = [claims.0, claims.1, claims.2, claims.3].map(|batch| batch.unwrap());
    let ids: Vec<_> = claims.iter().flat_map(|batch| &batch.ids).collect();
    assert_eq!(ids.len(), COUNT);
    assert_eq!(
        ids.iter().collect::<HashSet<_>>().len(),
        COUNT,
        "a message was claimed twice"
    );
    assert!(claims.iter().all(|batch| batch.ids.len() <= 300));
    let more = store.claim_deleted(app, 5, 300, NOW, UNTIL).await.unwrap();
    assert_eq!(more.ids, []);
    for batch in &claims {
        assert_eq!(
            store.mark_synced(app, batch).await.unwrap(),
            batch.ids.len() as u64
        );
    }
    assert_eq!(store.count_deleted(app).await.unwrap(), 0);
}

pub async fn a_claim_takes_as_many_as_its_limit(store: &dyn Store) {
    const COUNT: usize = 1_300;
    let app = new_app(store, "shop").await;
    store.import(app, messages(COUNT, "ann")).await.unwrap();
    store.delete_all(app, "ann").await.unwrap();
    let one = store.claim_deleted(app, 1, 1, NOW, UNTIL).await.unwrap();
    assert_eq!(one.ids.len(), 1);
    let many = store.claim_deleted(app, 2, 1_000, NOW, UNTIL).await.unwrap();
    assert_eq!(many.ids.len(), 1_000);
    let rest = store.claim_deleted(app, 3, 1_000, NOW, UNTIL).await.unwrap();
    assert_eq!(rest.ids.len(), 299);
    let ids: HashSet<_> = [&one, &many, &rest]
        .into_iter()
        .flat_map(|batch| &batch.ids)
        .collect();
    assert_eq!(ids.len(), COUNT);
}

pub async fn a_claim_runs_out_at_its_time(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    import_deleted(store, app, &["1", "2"]).await;
    let first = store.claim_deleted(app, 1, 10, NOW, UNTIL).await.unwrap();
    assert_eq!(first.ids.len(), 2);
    let before = UnixMillis(UNTIL.0 - 1);
    let early = store
        .claim_deleted(app, 2, 10, before, UnixMillis(UNTIL.0 + 1))
        .await
        .unwrap();
    assert_eq!(early.ids, []);
    let late = store
        .claim_deleted(app, 3, 1, UNTIL, UnixMillis(UNTIL.0 + 60_000))
        .await
        .unwrap();
    assert_eq!(late.ids.len(), 1);

    // The first one still holds what nobody took.
    assert_eq!(store.mark_synced(app, &first).await.unwrap(), 1);
    assert_eq!(store.mark_synced(app, &late).await.unwrap(), 1);
    assert_eq!(state(store, app, "1").await, Some(InboxState::Synced));
    assert_eq!(state(store, app, "2").await, Some(InboxState::Synced));
}

pub async fn what_another_took_over_is_not_marked(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    import_deleted(store, app, &["1", "2"]).await;
    let first = store.claim_deleted(app, 1, 10, NOW, UNTIL).await.unwrap();
    let second = store
        .claim_deleted(app, 2, 10, UNTIL, UnixMillis(UNTIL.0 + 60_000))
        .await
        .unwrap();
    assert_eq!(second.ids.len(), 2);
    assert_eq!(store.mark_synced(app, &first).await.unwrap(), 0);
    store.release_claim(app, &first).await.unwrap();
    assert_eq!(
        store
            .claim_deleted(app, 3, 10, UNTIL, UnixMillis(UNTIL.0 + 1))
            .await
            .unwrap()
            .ids,
        []
    );
    assert_eq!(store.count_deleted(app).await.unwrap(), 2);
    assert_eq!(store.mark_synced(app, &second).await.unwrap(), 2);
    assert_eq!(store.mark_synced(app, &second).await.unwrap(), 0);
}

pub async fn a_released_claim_can_be_claimed_at_once(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    import_deleted(store, app, &["1", "2", "3"]).await;
    let batch = store.claim_deleted(app, 1, 2, NOW, UNTIL).await.unwrap();
    store.release_claim(app, &batch).await.unwrap();
    assert_eq!(store.count_deleted(app).await.unwrap(), 3);
    assert_eq!(store.mark_synced(app, &batch).await.unwrap(), 0);
    let again = store.claim_deleted(app, 2, 10, NOW, UNTIL).await.unwrap();
    assert_eq!(again.ids.len(), 3);
}

pub async fn marking_touches_only_the_batch(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    import_deleted(store, app, &["1", "2"]).await;
    let mut batch = store.claim_deleted(app, 1, 10, NOW, UNTIL).await.unwrap();
    import_deleted(store, app, &["3"]).await;
    batch.ids.retain(|claimed| *claimed != id("2"));
    batch.ids.extend([id("3"), id("none")]);
    assert_eq!(store.mark_synced(app, &batch).await.unwrap(), 1);
    assert_eq!(state(store, app, "1").await, Some(InboxState::Synced));
    assert_eq!(state(store, app, "2").await, Some(InboxState::Deleted));
    assert_eq!(state(store, app, "3").await, Some(InboxState::Deleted));
    assert_eq!(store.count_deleted(app).await.unwrap(), 2);
}
