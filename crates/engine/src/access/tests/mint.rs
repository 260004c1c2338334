use std::time::Duration;

use model::permission::Principal;
use serde_json::json;

use super::signer::{SECRET, es256};
use super::world::{World, settings};
use crate::access::error::AccessError;
use crate::access::token::TokenError;
use crate::access::token::mint::{MintError, mint_token};

#[tokio::test]
async fn a_minted_token_is_good_in_its_app_until_it_expires() {
    for jwt in [
        json!({"secret": SECRET}),
        json!({
            "secret": SECRET, "algorithms": ["HS384"], "issuer": "me", "audience": "postbell",
            "user_claim": "account", "roles_claim": "groups",
        }),
    ] {
        let world = World::new(json!({ "jwt": jwt })).await;
        let roles = ["editor".to_owned(), "admin".to_owned()];
        let ttl = Duration::from_secs(60);
        let token = mint_token(&world.app().settings.jwt, "u7", &roles, ttl, &*world.clock).unwrap();
        let expected = Principal::User {
            id: "u7".into(),
            roles: vec!["editor".into(), "admin".into()],
        };
        assert_eq!(world.with_token(&token).await.unwrap().principal, expected);
        world.clock.forward(90);
        assert_eq!(
            world.with_token(&token).await.unwrap_err(),
            AccessError::BadToken(TokenError::Expired)
        );
    }
}

#[tokio::test]
async fn without_a_secret_no_token_can_be_made() {
    let world = World::new(json!({})).await;
    let mint = |jwt: serde_json::Value| {
        let settings = settings(json!({ "jwt": jwt }));
        mint_token(&settings.jwt, "u", &[], Duration::from_secs(1), &*world.clock)
    };
    assert!(matches!(
        mint(json!({"public_key": es256().pem})),
        Err(MintError::NoSecret)
    ));
    assert!(matches!(
        mint(json!({"secret": SECRET, "public_key": es256().pem, "algorithms": ["ES256"]})),
        Err(MintError::NoAlgorithm)
    ));
    assert!(matches!(
        mint(json!({"secret": SECRET, "public_key": "no PEM"})),
        Err(MintError::Settings(_))
    ));
}
