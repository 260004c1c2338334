use model::key::{ApiKey, KeyDigest, Preset, Scope};
use model::time::UnixMillis;

use super::fixtures::{NOW, new_app};
use crate::Store;

/// One of many keys, each with its own id, digest and time.
pub(super) fn key(number: u8) -> ApiKey {
    ApiKey {
        id: format!("{number:016x}").into(),
        name: "cms".parse().unwrap(),
        digest: KeyDigest([number; 32]),
        scopes: Preset::Campaign.scopes(),
        created: UnixMillis(NOW.0 + i64::from(number)),
        expires: None,
        revoked: None,
    }
}

pub async fn a_key_comes_back_as_it_was_stored(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let whole = ApiKey {
        scopes: Scope::ALL.into_iter().collect(),
        expires: Some(UnixMillis(NOW.0 + 60_000)),
        revoked: Some(UnixMillis(NOW.0 + 30_000)),
        ..key(1)
    };
    let bare = ApiKey {
        scopes: [].into_iter().collect(),
        ..key(2)
    };
    assert!(store.create_key(app, &whole).await.unwrap());
    assert!(store.create_key(app, &bare).await.unwrap());
    assert_eq!(store.keys(app).await.unwrap(), [whole, bare]);
}

pub async fn a_digest_is_taken_once(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    assert!(store.create_key(app, &key(1)).await.unwrap());
    let same_secret = ApiKey {
        digest: key(1).digest,
        ..key(2)
    };
    assert!(!store.create_key(app, &same_secret).await.unwrap());
    assert!(store.revoke_key(app, &key(1).id, NOW).await.unwrap());
    assert!(!store.create_key(app, &same_secret).await.unwrap());
    assert_eq!(store.keys(app).await.unwrap().len(), 1);
}

pub async fn keys_are_listed_oldest_first_with_revoked_and_expired_ones(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let expired = ApiKey {
        expires: Some(UnixMillis(1)),
        ..key(3)
    };
    for key in [&key(2), &expired, &key(1)] {
        assert!(store.create_key(app, key).await.unwrap());
    }
    assert!(store.revoke_key(app, &key(2).id, UnixMillis(9)).await.unwrap());
    let revoked = ApiKey {
        revoked: Some(UnixMillis(9)),
        ..key(2)
    };
    assert_eq!(store.keys(app).await.unwrap(), [key(1), revoked, expired]);
}

pub async fn a_key_is_revoked_once_and_stays_so(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    assert!(store.create_key(app, &key(1)).await.unwrap());
    assert!(store.create_key(app, &key(2)).await.unwrap());
    assert!(store.revoke_key(app, &key(1).id, UnixMillis(7)).await.unwrap());
    assert!(!store.revoke_key(app, &key(1).id, UnixMillis(8)).await.unwrap());
    assert!(!store.revoke_key(app, "none", UnixMillis(8)).await.unwrap());
    let keys = store.keys(app).await.unwrap();
    assert_eq!(keys[0].revoked, Some(UnixMillis(7)));
    assert_eq!(keys[1].revoked, None);
}
