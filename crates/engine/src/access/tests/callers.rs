use std::time::Duration;

use model::key::Scope;
use model::permission::{Access, Principal};
use model::time::UnixMillis;
use serde_json::{Value, json};
use store::apps::Apps;
use store::keys::Keys;

use super::signer::{SECRET, claims, hs256};
use super::world::{NOW, World, app_id};
use crate::access::credentials::Credentials;
use crate::access::error::AccessError;
use crate::access::token::TokenError;

fn rules() -> Value {
    json!({
        "jwt": {"secret": SECRET},
        "channels": [
            {"pattern": "open.*", "subscribe": ["anyone"]},
            {"pattern": "news.*", "publish": ["role:editor", "key:cms"], "subscribe": ["user:u1"]},
        ],
    })
}

#[tokio::test]
async fn without_credentials_the_caller_is_anonymous() {
    let world = World::new(rules()).await;
    let caller = world.anonymous().await;
    assert_eq!(caller.principal, Principal::Anonymous);
    assert_eq!((caller.expires, caller.key_id()), (None, None));
}

#[tokio::test]
async fn an_anonymous_caller_who_is_refused_is_asked_for_a_credential() {
    let world = World::new(rules()).await;
    let caller = world.anonymous().await;
    assert_eq!(caller.may(Access::Subscribe, "open.air"), Ok(()));
    assert_eq!(
        caller.may(Access::Publish, "open.air"),
        Err(AccessError::NoCredential)
    );
    assert_eq!(
        caller.may(Access::Subscribe, "other"),
        Err(AccessError::NoCredential)
    );
    assert_eq!(caller.needs(Scope::Import), Err(AccessError::NoCredential));
    assert_eq!(caller.user(), Err(AccessError::NoCredential));
}

#[tokio::test]
async fn a_key_does_what_its_scopes_and_the_rules_allow() {
    let world = World::new(rules()).await;
    world.key("cms", "cms-secret-1", &[Scope::Import], None).await;
    let caller = world.with_key("cms-secret-1").await.unwrap();
    assert_eq!(caller.may(Access::Publish, "news.today"), Ok(()));
    assert_eq!(
        caller.may(Access::Subscribe, "news.today"),
        Err(AccessError::Forbidden)
    );
    assert_eq!(caller.may(Access::Publish, "other"), Err(AccessError::Forbidden));
    assert_eq!(caller.needs(Scope::Import), Ok(()));
    let refused = caller.needs(Scope::Sync).unwrap_err();
    assert_eq!(refused, AccessError::MissingScope(Scope::Sync));
    assert_eq!(
        refused.to_string(),
        "the key is not allowed to do this: it lacks the scope `sync`"
    );
    assert_eq!(caller.user(), Err(AccessError::Forbidden));
}

#[tokio::test]
async fn a_user_does_what_the_rules_allow_and_nothing_that_needs_a_scope() {
    let world = World::new(rules()).await;
    let token = hs256().sign(&claims(json!({"roles": ["editor"]})));
    let caller = world.with_token(&token).await.unwrap();
    assert_eq!(caller.user(), Ok("u1"));
    assert_eq!(caller.may(Access::Publish, "news.today"), Ok(()));
    assert_eq!(caller.may(Access::Subscribe, "news.today"), Ok(()));
    assert_eq!(
        caller.may(Access::Publish, "open.air"),
        Err(AccessError::Forbidden)
    );
    assert_eq!(caller.needs(Scope::Import), Err(AccessError::Forbidden));
}

#[tokio::test]
async fn beside_a_key_a_request_with_a_token_is_judged_by_the_user_alone() {
    let world = World::new(rules()).await;
    world.key("root", "root-secret", &[Scope::Admin], None).await;
    let token = hs256().sign(&claims(json!({})));
    for key in ["root-secret", "no-such-key"] {
        let credentials = Credentials::new([key], Some(token.clone()));
        let caller = world
            .access
            .authenticate(&world.app(), &credentials)
            .await
            .unwrap();
        assert_eq!(caller.user(), Ok("u1"));
        assert_eq!(caller.key_id(), None);
        assert_eq!(caller.needs(Scope::Import), Err(AccessError::Forbidden));
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_even_beside_a_good_key() {
    let world = World::new(rules()).await;
    world.key("root", "root-secret", &[Scope::Admin], None).await;
    let credentials = Credentials::new(["root-secret"], Some("not-a-token"));
    let refused = world.access.authenticate(&world.app(), &credentials).await;
    assert_eq!(refused.unwrap_err(), AccessError::BadToken(TokenError::Malformed));
}

#[tokio::test]
async fn two_different_keys_are_refused() {
    let world = World::new(rules()).await;
    world.key("root", "root-secret", &[Scope::Admin], None).await;
    let credentials = Credentials::new(["root-secret", "other-secret"], None::<String>);
    let refused = world.access.authenticate(&world.app(), &credentials).await;
    assert_eq!(refused.unwrap_err(), AccessError::BadKey);
}

#[tokio::test]
async fn a_caller_is_no_longer_valid_once_its_key_is_revoked() {
    let world = World::new(rules()).await;
    let key = world.key("cms", "cms-secret-1", &[Scope::Import], None).await;
    let caller = world.with_key("cms-secret-1").await.unwrap();
    assert!(caller.is_still_valid());
    let revoked = world
        .directory
        .revoke_key(caller.app.key, &key.id, UnixMillis(NOW))
        .await;
    assert!(revoked.unwrap());
    world.access.refresh().await.unwrap();
    assert_eq!(caller.renewed().unwrap_err(), AccessError::BadKey);
}

#[tokio::test]
async fn a_caller_is_no_longer_valid_once_its_key_or_token_has_expired() {
    let world = World::new(rules()).await;
    world
        .key("cms", "cms-secret-1", &[], Some(Duration::from_secs(60)))
        .await;
    let key = world.with_key("cms-secret-1").await.unwrap();
    let token = hs256().sign(&claims(json!({"exp": NOW + 60})));
    let user = world.with_token(&token).await.unwrap();
    world.clock.forward(60);
    assert_eq!(key.renewed().unwrap_err(), AccessError::BadKey);
    assert!(user.is_still_valid(), "the leeway holds for open streams too");
    world.clock.forward(30);
    assert_eq!(
        user.renewed().unwrap_err(),
        AccessError::BadToken(TokenError::Expired)
    );
    assert_eq!(user.expires, Some(UnixMillis((NOW + 90) * 1_000)));
}

#[tokio::test]
async fn a_caller_whose_app_was_deleted_is_no_longer_valid() {
    let world = World::new(rules()).await;
    let caller = world.anonymous().await;
    assert!(caller.is_still_valid());
    assert!(world.directory.delete_app(&app_id()).await.unwrap());
    let again = world
        .directory
        .create_app(&app_id(), &caller.app.settings, UnixMillis(NOW))
        .await;
    assert!(again.unwrap().is_some());
    world.access.refresh().await.unwrap();
    assert_eq!(caller.renewed().unwrap_err(), AccessError::AppGone);
}

#[tokio::test]
async fn a_renewed_caller_is_judged_by_the_changed_rules() {
    let world = World::new(rules()).await;
    let caller = world.with_token(&hs256().sign(&claims(json!({})))).await.unwrap();
    assert_eq!(caller.may(Access::Subscribe, "news.today"), Ok(()));
    let mut changed = rules();
    changed["channels"] = json!([{"pattern": "*"}]);
    world.set(changed).await;
    let renewed = caller.renewed().unwrap();
    assert_eq!(
        renewed.may(Access::Subscribe, "news.today"),
        Err(AccessError::Forbidden)
    );
}

#[tokio::test]
async fn a_user_is_no_longer_valid_once_the_token_settings_have_changed() {
    let world = World::new(rules()).await;
    let caller = world.with_token(&hs256().sign(&claims(json!({})))).await.unwrap();
    let mut changed = rules();
    changed["jwt"]["secret"] = json!("another secret of 32 bytes or more");
    world.set(changed).await;
    assert_eq!(
        caller.renewed().unwrap_err(),
        AccessError::BadToken(TokenError::SettingsChanged)
    );
}
