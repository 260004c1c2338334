use std::time::Duration;

use model::key::{KeyName, Scope};
use model::permission::Principal;
use model::time::UnixMillis;
use serde_json::json;
use store::apps::Apps;
use store::keys::Keys;

use super::world::{CountingIds, NOW, World, settings};
use crate::access::error::AccessError;
use crate::access::key::{digest, new_key, new_secret};

#[test]
fn a_new_secret_is_the_name_and_32_random_hexadecimal_digits() {
    let ids = CountingIds::default();
    let name: KeyName = "cms".parse().unwrap();
    assert_eq!(new_secret(&name, &ids), "cms-00000000000000000000000000000000");
    assert_eq!(new_secret(&name, &ids), "cms-01010101010101010101010101010101");
}

#[test]
fn the_digest_is_sha_256() {
    // FIPS 180-2, appendix B.1.
    let expected = [
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0,
        0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
    ];
    assert_eq!(digest("abc").0, expected);
}

#[test]
fn a_new_key_has_a_random_id_and_keeps_the_digest_alone() {
    let scopes = [Scope::Import].into_iter().collect();
    let now = UnixMillis(NOW);
    let key = new_key(
        "cms".parse().unwrap(),
        scopes,
        Some(now),
        "cms-secret",
        &CountingIds::default(),
        now,
    );
    assert_eq!(&*key.id, "0000000000000000");
    assert_eq!(key.digest, digest("cms-secret"));
    assert_eq!((key.created, key.expires, key.revoked), (now, Some(now), None));
    assert!(!format!("{key:?}").contains("cms-secret"));
}

#[tokio::test]
async fn a_key_calls_under_its_name_with_its_scopes() {
    let world = World::new(json!({})).await;
    let key = world
        .key(
            "cms",
            "cms-secret-1",
            &[Scope::Import],
            Some(Duration::from_secs(60)),
        )
        .await;
    let caller = world.with_key("cms-secret-1").await.unwrap();
    let principal = Principal::Key {
        name: "cms".parse().unwrap(),
        scopes: [Scope::Import].into_iter().collect(),
    };
    assert_eq!(caller.principal, principal);
    assert_eq!(caller.key_id(), Some(&*key.id));
    assert_eq!(caller.expires, Some(UnixMillis((NOW + 60) * 1_000)));
    assert_eq!(caller.selector, None);
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let world = World::new(json!({})).await;
    world.key("cms", "cms-secret-1", &[Scope::Admin], None).await;
    for secret in ["cms-secret-2", "cms-secret-", "CMS-SECRET-1", "cms"] {
        assert_eq!(
            world.with_key(secret).await.unwrap_err(),
            AccessError::BadKey,
            "{secret}"
        );
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused() {
    let world = World::new(json!({})).await;
    let key = world.key("cms", "cms-secret-1", &[Scope::Admin], None).await;
    let revoked = world
        .directory
        .revoke_key(world.app().key, &key.id, UnixMillis(NOW))
        .await;
    assert!(revoked.unwrap());
    world.access.refresh().await.unwrap();
    assert_eq!(
        world.with_key("cms-secret-1").await.unwrap_err(),
        AccessError::BadKey
    );
}

#[tokio::test]
async fn a_key_is_refused_from_its_expiry_on() {
    let world = World::new(json!({})).await;
    world
        .key(
            "cms",
            "cms-secret-1",
            &[Scope::Admin],
            Some(Duration::from_secs(60)),
        )
        .await;
    world.clock.forward(59);
    assert!(world.with_key("cms-secret-1").await.is_ok());
    world.clock.forward(1);
    assert_eq!(
        world.with_key("cms-secret-1").await.unwrap_err(),
        AccessError::BadKey
    );
}

#[tokio::test]
async fn a_key_of_one_app_is_unknown_to_another() {
    let world = World::new(json!({})).await;
    world.key("cms", "cms-secret-1", &[Scope::Admin], None).await;
    let other = "other".parse().unwrap();
    let now = UnixMillis(NOW);
    let created = world
        .directory
        .create_app(&other, &settings(json!({})), now)
        .await;
    assert!(created.unwrap().is_some());
    world.access.refresh().await.unwrap();
    let credentials = crate::access::credentials::Credentials::new(["cms-secret-1"], None::<String>);
    let app = world.access.app(other.as_str()).unwrap();
    let refused = world.access.authenticate(&app, &credentials).await;
    assert_eq!(refused.unwrap_err(), AccessError::BadKey);
}
