use std::time::Duration;

use model::key::Scope;
use model::time::UnixMillis;
use serde_json::json;
use store::apps::Apps;
use store::keys::Keys;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::signer::{SECRET, claims, hs256};
use super::world::{CountingIds, NOW, World, app_id, settings};
use crate::access::error::AccessError;
use crate::access::key::new_key;
use crate::access::token::TokenError;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_change_made_elsewhere_comes_into_force_and_is_told() {
    let world = World::new(json!({})).await;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(world.access.clone().run(shutdown.clone()));
    let mut changes = world.access.changes();
    let before = *changes.borrow_and_update();

    let scopes = [Scope::Import].into_iter().collect();
    let key = new_key(
        "cms".parse().unwrap(),
        scopes,
        None,
        "cms-secret-1",
        &CountingIds::default(),
        UnixMillis(NOW),
    );
    assert!(world.directory.create_key(world.app().key, &key).await.unwrap());

    timeout(SOON, changes.changed()).await.unwrap().unwrap();
    assert_eq!(*changes.borrow(), before + 1);
    assert!(world.with_key("cms-secret-1").await.is_ok());

    shutdown.cancel();
    timeout(SOON, running).await.unwrap().unwrap();
}

#[tokio::test]
async fn while_the_store_fails_the_last_snapshot_stays_and_later_changes_are_seen() {
    let world = World::new(json!({})).await;
    world.key("cms", "cms-secret-1", &[Scope::Import], None).await;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(world.access.clone().run(shutdown.clone()));
    let mut changes = world.access.changes();
    changes.mark_unchanged();

    world.directory.set_broken(true);
    assert!(world.access.refresh().await.is_err());
    timeout(SOON, world.directory.failed(3)).await.unwrap();
    assert!(world.with_key("cms-secret-1").await.is_ok());
    assert!(!changes.has_changed().unwrap());

    world.directory.set_broken(false);
    let other = "other".parse().unwrap();
    let created = world
        .directory
        .create_app(&other, &settings(json!({})), UnixMillis(NOW))
        .await;
    assert!(created.unwrap().is_some());
    timeout(SOON, changes.changed()).await.unwrap().unwrap();
    assert!(world.access.app(other.as_str()).is_some());

    shutdown.cancel();
    timeout(SOON, running).await.unwrap().unwrap();
}

#[tokio::test]
async fn apps_are_found_by_name_and_by_surrogate() {
    let world = World::new(json!({})).await;
    let app = world.access.app(app_id().as_str()).unwrap();
    assert_eq!(world.access.app_by_key(app.key).unwrap().id, app_id());
    assert_eq!(world.access.apps().len(), 1);
    assert!(world.access.app("nobody").is_none());
}

#[tokio::test]
async fn an_app_with_unusable_token_settings_refuses_tokens_and_works_otherwise() {
    let world = World::new(json!({"jwt": {"secret": SECRET, "public_key": "no PEM"}})).await;
    world.key("cms", "cms-secret-1", &[Scope::Import], None).await;
    assert!(world.with_key("cms-secret-1").await.is_ok());
    let refused = world.with_token(&hs256().sign(&claims(json!({})))).await;
    assert_eq!(
        refused.unwrap_err(),
        AccessError::BadToken(TokenError::NoKeySource)
    );
    world.set(json!({"jwt": {"secret": SECRET}})).await;
    assert!(world.with_token(&hs256().sign(&claims(json!({})))).await.is_ok());
}

#[tokio::test]
async fn an_app_without_token_settings_refuses_every_token() {
    let world = World::new(json!({})).await;
    let refused = world.with_token(&hs256().sign(&claims(json!({})))).await;
    assert_eq!(
        refused.unwrap_err(),
        AccessError::BadToken(TokenError::NoKeySource)
    );
}
