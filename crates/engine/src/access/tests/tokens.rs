use jsonwebtoken::Algorithm;
use model::permission::Principal;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::signer::{SECRET, Signer, claims, eddsa, es256, hs256, rs256};
use super::world::{NOW, World};
use crate::access::error::AccessError;
use crate::access::token::TokenError;

async fn with_secret(more: Value) -> World {
    let mut jwt = json!({"secret": SECRET});
    for (name, value) in more.as_object().unwrap() {
        jwt[name] = value.clone();
    }
    World::new(json!({ "jwt": jwt })).await
}

async fn with_public_key(signer: &Signer) -> World {
    World::new(json!({"jwt": {"public_key": signer.pem}})).await
}

async fn user(world: &World, token: &str) -> Result<String, TokenError> {
    match world.with_token(token).await {
        Ok(caller) => Ok(caller.user().unwrap().to_owned()),
        Err(AccessError::BadToken(reason)) => Err(reason),
        Err(other) => panic!("{other:?}"),
    }
}

async fn roles(world: &World, token: &str) -> Vec<String> {
    match world.with_token(token).await.unwrap().principal {
        Principal::User { roles, .. } => roles.into_iter().map(String::from).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn hs256_hs384_and_hs512_tokens_are_verified_with_the_secrets_bytes() {
    let world = with_secret(json!({})).await;
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let token = Signer::with_secret(algorithm, SECRET).sign(&claims(json!({})));
        assert_eq!(user(&world, &token).await, Ok("u1".into()), "{algorithm:?}");
        let other = Signer::with_secret(algorithm, "another secret of 32 bytes or more");
        let forged = other.sign(&claims(json!({})));
        assert_eq!(user(&world, &forged).await, Err(TokenError::Signature));
    }
}

#[tokio::test]
async fn rs256_es256_and_eddsa_tokens_are_verified_with_the_public_key() {
    for (signer, other) in [(es256(), es256()), (eddsa(), eddsa())] {
        let world = with_public_key(&signer).await;
        let token = signer.sign(&claims(json!({})));
        for _ in 0..2 {
            assert_eq!(user(&world, &token).await, Ok("u1".into()));
        }
        let forged = other.sign(&claims(json!({})));
        assert_eq!(user(&world, &forged).await, Err(TokenError::Signature));
    }
    let world = with_public_key(&rs256()).await;
    let token = rs256().sign(&claims(json!({})));
    assert_eq!(user(&world, &token).await, Ok("u1".into()));
    let forged = forge(&token, &claims(json!({"sub": "u2"})));
    assert_eq!(user(&world, &forged).await, Err(TokenError::Signature));
}

/// The token with other claims under the old signature.
fn forge(token: &str, claims: &Value) -> String {
    let other = hs256().sign(claims);
    let parts: Vec<&str> = token.split('.').collect();
    let payload = other.split('.').nth(1).unwrap();
    format!("{}.{payload}.{}", parts[0], parts[2])
}

#[tokio::test]
async fn a_token_signed_with_the_public_keys_text_as_secret_is_refused() {
    for signer in [rs256(), es256(), eddsa()] {
        let forged = Signer::with_secret(Algorithm::HS256, &signer.pem).sign(&claims(json!({})));
        let world = with_public_key(&signer).await;
        assert_eq!(user(&world, &forged).await, Err(TokenError::Algorithm));
        let both = World::new(json!({"jwt": {"public_key": signer.pem, "secret": SECRET}})).await;
        assert_eq!(user(&both, &forged).await, Err(TokenError::Signature));
        assert_eq!(
            user(&both, &hs256().sign(&claims(json!({})))).await,
            Ok("u1".into())
        );
        assert_eq!(
            user(&both, &signer.sign(&claims(json!({})))).await,
            Ok("u1".into())
        );
    }
}

#[tokio::test]
async fn an_algorithm_that_the_settings_do_not_allow_is_refused_whatever_the_token_says() {
    let world = with_secret(json!({"algorithms": ["HS512"]})).await;
    assert_eq!(
        user(&world, &hs256().sign(&claims(json!({})))).await,
        Err(TokenError::Algorithm)
    );
    let allowed = Signer::with_secret(Algorithm::HS512, SECRET).sign(&claims(json!({})));
    assert_eq!(user(&world, &allowed).await, Ok("u1".into()));
}

#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let world = with_secret(json!({})).await;
    let text = claims(json!({})).to_string();
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"None","typ":"JWT"}"#, "{}"] {
        let token = hs256().sign_text(header, &text);
        assert_eq!(user(&world, &token).await, Err(TokenError::Malformed), "{header}");
    }
    let signed = hs256().sign(&claims(json!({})));
    let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
    assert_eq!(user(&world, &unsigned).await, Err(TokenError::Signature));
}

#[tokio::test]
async fn a_token_that_demands_header_extensions_is_refused() {
    let world = with_secret(json!({})).await;
    let header = r#"{"alg":"HS256","crit":["exp"],"exp":1}"#;
    let token = hs256().sign_text(header, &claims(json!({})).to_string());
    assert_eq!(user(&world, &token).await, Err(TokenError::Critical));
}

#[tokio::test]
async fn exp_is_required_and_holds_with_30_seconds_of_leeway() {
    let world = with_secret(json!({})).await;
    for missing in [json!(null), json!("1900000000"), json!(true)] {
        let token = hs256().sign(&claims(json!({"exp": missing})));
        assert_eq!(user(&world, &token).await, Err(TokenError::NoExpiry));
    }
    let token = hs256().sign(&claims(json!({"exp": NOW})));
    world.clock.forward(29);
    assert_eq!(user(&world, &token).await, Ok("u1".into()));
    world.clock.forward(1);
    assert_eq!(user(&world, &token).await, Err(TokenError::Expired));
    let fraction = hs256().sign(&claims(json!({"exp": NOW as f64 + 0.5})));
    assert_eq!(user(&world, &fraction).await, Ok("u1".into()));
}

#[tokio::test]
async fn nbf_holds_with_30_seconds_of_leeway_when_present() {
    let world = with_secret(json!({})).await;
    let token = hs256().sign(&claims(json!({"nbf": NOW + 31})));
    assert_eq!(user(&world, &token).await, Err(TokenError::NotYetValid));
    world.clock.forward(1);
    assert_eq!(user(&world, &token).await, Ok("u1".into()));
    let unreadable = hs256().sign(&claims(json!({"nbf": "soon"})));
    assert_eq!(user(&world, &unreadable).await, Err(TokenError::NotYetValid));
}

#[tokio::test]
async fn a_token_seen_before_is_refused_once_it_has_expired() {
    let signer = es256();
    let world = with_public_key(&signer).await;
    let token = signer.sign(&claims(json!({"exp": NOW + 10})));
    assert_eq!(user(&world, &token).await, Ok("u1".into()));
    world.clock.forward(40);
    assert_eq!(user(&world, &token).await, Err(TokenError::Expired));
}

#[tokio::test]
async fn iss_must_be_the_configured_one() {
    let world = with_secret(json!({"issuer": "https://id.example"})).await;
    let token = |iss: Value| hs256().sign(&claims(json!({ "iss": iss })));
    assert_eq!(
        user(&world, &token(json!("https://id.example"))).await,
        Ok("u1".into())
    );
    for wrong in [
        json!("https://id.example/"),
        json!(null),
        json!(["https://id.example"]),
    ] {
        assert_eq!(user(&world, &token(wrong)).await, Err(TokenError::Issuer));
    }
}

#[tokio::test]
async fn aud_must_name_the_configured_audience() {
    let world = with_secret(json!({"audience": "postbell"})).await;
    let token = |aud: Value| hs256().sign(&claims(json!({ "aud": aud })));
    for good in [json!("postbell"), json!(["other", "postbell"])] {
        assert_eq!(user(&world, &token(good)).await, Ok("u1".into()));
    }
    for wrong in [json!("other"), json!(null), json!(["other"]), json!([]), json!(7)] {
        assert_eq!(user(&world, &token(wrong)).await, Err(TokenError::Audience));
    }
}

#[tokio::test]
async fn iss_and_aud_are_not_looked_at_when_none_are_configured() {
    let world = with_secret(json!({})).await;
    let token = hs256().sign(&claims(json!({"iss": "anyone", "aud": ["a", "b"]})));
    assert_eq!(user(&world, &token).await, Ok("u1".into()));
}

#[tokio::test]
async fn the_user_id_is_the_first_present_of_uid_user_id_userid_and_sub() {
    let world = with_secret(json!({})).await;
    let all = json!({"uid": "a", "user_id": "b", "userId": "c", "sub": "d"});
    let mut token_claims = claims(all);
    for (claim, expected) in [("uid", "a"), ("user_id", "b"), ("userId", "c"), ("sub", "d")] {
        let token = hs256().sign(&token_claims);
        assert_eq!(user(&world, &token).await, Ok(expected.into()));
        token_claims[claim] = json!(null);
    }
    assert_eq!(
        user(&world, &hs256().sign(&token_claims)).await,
        Err(TokenError::NoUser)
    );
}

#[tokio::test]
async fn a_configured_user_claim_is_the_only_one() {
    let world = with_secret(json!({"user_claim": "https://id.example/account"})).await;
    let token = hs256().sign(&claims(json!({"https://id.example/account": "a7", "uid": "b"})));
    assert_eq!(user(&world, &token).await, Ok("a7".into()));
    assert_eq!(
        user(&world, &hs256().sign(&claims(json!({"uid": "b"})))).await,
        Err(TokenError::NoUser)
    );
}

#[tokio::test]
async fn a_number_as_user_id_is_taken_as_it_was_written() {
    let world = with_secret(json!({})).await;
    for number in ["7", "-3", "123456789012345678901234567890", "1.50"] {
        let text = format!(r#"{{"uid": {number}, "exp": {}}}"#, NOW + 60);
        let token = hs256().sign_text(r#"{"alg":"HS256"}"#, &text);
        assert_eq!(user(&world, &token).await, Ok(number.into()));
    }
}

#[tokio::test]
async fn what_is_no_user_id_is_refused() {
    let world = with_secret(json!({})).await;
    let long = "a".repeat(256);
    for wrong in [
        json!(""),
        json!(true),
        json!(["u1"]),
        json!({"id": 1}),
        json!(long),
    ] {
        let token = hs256().sign(&claims(json!({"sub": wrong})));
        assert_eq!(user(&world, &token).await, Err(TokenError::NoUser));
    }
}

#[tokio::test]
async fn roles_are_a_list_of_texts_or_one_text() {
    let world = with_secret(json!({})).await;
    for (value, expected) in [
        (json!(["a", "b"]), vec!["a", "b"]),
        (json!("a"), vec!["a"]),
        (json!(["a", 1, null]), vec!["a"]),
        (json!({"a": true}), vec![]),
        (json!(null), vec![]),
    ] {
        let token = hs256().sign(&claims(json!({"roles": value})));
        assert_eq!(roles(&world, &token).await, expected, "{value}");
    }
}

#[tokio::test]
async fn the_claims_of_roles_and_selector_are_configurable() {
    let world = with_secret(json!({"roles_claim": "groups", "selector_claim": "only"})).await;
    let all = json!({"groups": ["g"], "roles": ["r"], "only": "a = 1", "selector": "b = 2"});
    let token = hs256().sign(&claims(all));
    assert_eq!(roles(&world, &token).await, ["g"]);
    let caller = world.with_token(&token).await.unwrap();
    assert_eq!(caller.selector.unwrap().to_string(), "a = 1");
}

#[tokio::test]
async fn a_selector_that_is_no_text_makes_the_token_bad() {
    let world = with_secret(json!({})).await;
    for wrong in [json!(7), json!(["a = 1"]), json!({})] {
        let token = hs256().sign(&claims(json!({"selector": wrong})));
        assert_eq!(user(&world, &token).await, Err(TokenError::Selector));
    }
    for none in [json!(null), json!(""), json!(" ")] {
        let token = hs256().sign(&claims(json!({"selector": none})));
        assert_eq!(world.with_token(&token).await.unwrap().selector, None);
    }
}

#[tokio::test]
async fn a_selector_that_cannot_be_read_makes_the_token_bad_and_tells_where() {
    let world = with_secret(json!({})).await;
    let token = hs256().sign(&claims(json!({"selector": "team = 'a' AND"})));
    let refused = world.with_token(&token).await.unwrap_err();
    assert_eq!(refused, AccessError::BadTokenSelector { position: 15 });
    assert_eq!(refused.code(), 3064);
    assert!(!refused.to_string().contains("team"), "{refused}");
}

#[tokio::test]
async fn a_token_of_more_than_8_kib_is_refused_unread() {
    let world = with_secret(json!({})).await;
    let token = |filler: usize| hs256().sign(&claims(json!({"filler": "x".repeat(filler)})));
    let fits = token(5_900);
    assert!(fits.len() <= 8_192);
    assert_eq!(user(&world, &fits).await, Ok("u1".into()));
    assert_eq!(user(&world, &token(6_200)).await, Err(TokenError::TooLong));
}

#[tokio::test]
async fn the_reason_for_the_log_holds_nothing_of_the_token() {
    let world = with_secret(json!({})).await;
    let token = hs256().sign(&claims(json!({"uid": "secret-user", "exp": 1})));
    let error = world.with_token(&token).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(
        !told.contains("secret-user") && !told.contains(&token[..10]),
        "{told}"
    );
}

fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

proptest! {
    #[test]
    fn no_text_as_token_is_let_in_or_panics(token in "\\PC{0,200}|[A-Za-z0-9_.-]{0,300}") {
        one_thread().block_on(async {
            let world = with_secret(json!({})).await;
            if !matches!(token.as_str(), "" | "null" | "undefined") {
                prop_assert!(user(&world, &token).await.is_err());
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_well_signed_claims_panic(
        claims in "(\\{(\"(exp|nbf|sub|uid|roles|selector|iss|aud)\":(-?[0-9]{1,30}|1e999|null|\"x\"|\\[\"a\",1\\]|\\{\\}),?){0,6}\\})|\\PC{0,60}",
    ) {
        one_thread().block_on(async {
            let world = with_secret(json!({})).await;
            let token = hs256().sign_text(r#"{"alg":"HS256"}"#, &claims);
            // Whatever it says, it is decided.
            let _ = user(&world, &token).await;
        });
    }

    #[test]
    fn a_token_changed_anywhere_is_refused(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_-]") {
        let token = hs256().sign(&claims(json!({})));
        let at = at.index(token.len() - 1);
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        if changed != token {
            one_thread().block_on(async {
                let world = with_secret(json!({})).await;
                prop_assert!(user(&world, &changed).await.is_err());
                Ok(())
            })?;
        }
    }
}
