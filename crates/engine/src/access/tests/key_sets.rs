use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::signer::{Signer, claims, eddsa, es256, rs256};
use super::stub::JwksStub;
use super::world::{World, still};
use crate::access::Options;
use crate::access::error::AccessError;
use crate::access::token::TokenError;

fn none_waits() -> Options {
    Options {
        fetch_cool_down: Duration::ZERO,
        ..still()
    }
}

async fn world(stub: &JwksStub, options: Options) -> World {
    World::with_options(json!({"jwt": {"jwks_url": stub.url}}), options).await
}

fn token(signer: &Signer, kid: &str) -> String {
    signer.sign_with_kid(kid, &claims(json!({})))
}

async fn decide(world: &World, token: &str) -> Result<(), TokenError> {
    match world.with_token(token).await {
        Ok(caller) => {
            assert_eq!(caller.user(), Ok("u1"));
            Ok(())
        }
        Err(AccessError::BadToken(reason)) => Err(reason),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tokens_of_every_kind_are_verified_with_the_keys_of_the_set() {
    let signers = [("r", rs256()), ("e", es256()), ("d", eddsa())];
    let entries: Vec<Value> = signers.iter().map(|(kid, signer)| signer.jwk(kid)).collect();
    let stub = JwksStub::start(&entries).await;
    let world = world(&stub, still()).await;
    for (kid, signer) in &signers {
        assert_eq!(decide(&world, &token(signer, kid)).await, Ok(()), "{kid}");
    }
    assert_eq!(
        decide(&world, &token(&es256(), "e")).await,
        Err(TokenError::Signature)
    );
    assert_eq!(stub.requests(), 1);
}

#[tokio::test]
async fn a_token_without_a_kid_is_tried_with_every_key_of_its_algorithm() {
    let (one, other) = (es256(), es256());
    let stub = JwksStub::start(&[one.jwk("1"), other.jwk("2")]).await;
    let world = world(&stub, still()).await;
    assert_eq!(decide(&world, &other.sign(&claims(json!({})))).await, Ok(()));
    assert_eq!(
        decide(&world, &es256().sign(&claims(json!({})))).await,
        Err(TokenError::Signature)
    );
}

#[tokio::test]
async fn the_first_requests_wait_for_the_one_fetch_that_runs() {
    let signer = es256();
    let stub = JwksStub::start_closed(&[signer.jwk("1")]).await;
    let world = world(&stub, still()).await;
    let tokens: Vec<String> = (0..20).map(|_| token(&signer, "1")).collect();
    let open = async {
        while stub.requests() == 0 {
            tokio::task::yield_now().await;
        }
        stub.open();
    };
    let (decided, ()) = tokio::join!(join_all(tokens.iter().map(|token| decide(&world, token))), open);
    assert_eq!(decided, vec![Ok(()); 20]);
    assert_eq!(stub.requests(), 1);
}

#[tokio::test]
async fn a_key_that_is_new_in_the_set_is_fetched_when_a_token_names_it() {
    let (old, new) = (es256(), es256());
    let stub = JwksStub::start(&[old.jwk("old")]).await;
    let world = world(&stub, none_waits()).await;
    assert_eq!(decide(&world, &token(&old, "old")).await, Ok(()));
    stub.set_keys(&[new.jwk("new")]);
    assert_eq!(decide(&world, &token(&new, "new")).await, Ok(()));
    assert_eq!(stub.requests(), 2);
}

#[tokio::test]
async fn a_new_key_is_fetched_for_a_token_without_a_kid() {
    let (old, new) = (es256(), es256());
    let stub = JwksStub::start(&[old.jwk("old")]).await;
    let world = world(&stub, none_waits()).await;
    assert_eq!(decide(&world, &token(&old, "old")).await, Ok(()));
    stub.set_keys(&[new.jwk("new")]);
    assert_eq!(decide(&world, &new.sign(&claims(json!({})))).await, Ok(()));
}

#[tokio::test]
async fn a_key_taken_back_is_good_no_longer_also_for_tokens_verified_before() {
    let (old, new) = (es256(), es256());
    let stub = JwksStub::start(&[old.jwk("old")]).await;
    let world = world(&stub, none_waits()).await;
    let verified_before = token(&old, "old");
    for _ in 0..2 {
        assert_eq!(decide(&world, &verified_before).await, Ok(()));
    }
    stub.set_keys(&[new.jwk("new")]);
    assert_eq!(decide(&world, &token(&new, "new")).await, Ok(()));
    assert_eq!(
        decide(&world, &verified_before).await,
        Err(TokenError::UnknownKey)
    );
}

#[tokio::test]
async fn a_flood_of_unknown_kids_causes_at_most_one_fetch_in_a_cool_down() {
    let signer = es256();
    let stub = JwksStub::start(&[signer.jwk("1")]).await;
    let world = world(&stub, still()).await;
    assert_eq!(decide(&world, &token(&signer, "1")).await, Ok(()));
    let made_up: Vec<String> = (0..200)
        .map(|at| token(&signer, &format!("made-up-{at}")))
        .collect();
    let decided = join_all(made_up.iter().map(|token| decide(&world, token))).await;
    assert_eq!(decided, vec![Err(TokenError::UnknownKey); 200]);
    assert_eq!(stub.requests(), 1, "the first fetch began the cool-down");
    assert_eq!(decide(&world, &token(&signer, "1")).await, Ok(()));
}

#[tokio::test]
async fn without_a_cool_down_a_flood_shares_the_fetch_that_runs() {
    let signer = es256();
    let stub = JwksStub::start(&[signer.jwk("1")]).await;
    let world = world(&stub, none_waits()).await;
    assert_eq!(decide(&world, &token(&signer, "1")).await, Ok(()));
    let made_up: Vec<String> = (0..50)
        .map(|at| token(&signer, &format!("made-up-{at}")))
        .collect();
    let before = stub.requests();
    let decided = join_all(made_up.iter().map(|token| decide(&world, token))).await;
    assert_eq!(decided, vec![Err(TokenError::UnknownKey); 50]);
    assert_eq!(stub.requests() - before, 1);
}

#[tokio::test]
async fn when_the_set_cannot_be_fetched_the_last_keys_stay() {
    let signer = es256();
    let stub = JwksStub::start(&[signer.jwk("1")]).await;
    let world = world(&stub, none_waits()).await;
    assert_eq!(decide(&world, &token(&signer, "1")).await, Ok(()));
    let location = format!("location: {}\r\n", stub.url);
    let too_large = json!({"keys": [], "filler": "x".repeat(256 * 1024)}).to_string();
    for (status, headers, body) in [
        ("500 Internal Server Error", "", r#"{"keys":[]}"#),
        ("302 Found", location.as_str(), r#"{"keys":[]}"#),
        ("200 OK", "", "no JSON"),
        ("200 OK", "", r#"{"keys":{}}"#),
        ("200 OK", "", &too_large),
    ] {
        stub.set_answer(status, headers, body);
        let before = stub.requests();
        assert_eq!(
            decide(&world, &token(&signer, "unknown")).await,
            Err(TokenError::UnknownKey)
        );
        assert_eq!(stub.requests() - before, 1, "{status}: no redirect is followed");
        assert_eq!(
            decide(&world, &token(&signer, "1")).await,
            Ok(()),
            "{status} {headers}"
        );
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_waited_for_no_longer_than_the_time_out() {
    let signer = es256();
    let stub = JwksStub::start_closed(&[signer.jwk("1")]).await;
    let options = Options {
        fetch_timeout: Duration::from_millis(100),
        ..still()
    };
    let world = world(&stub, options).await;
    let begun = std::time::Instant::now();
    assert_eq!(
        decide(&world, &token(&signer, "1")).await,
        Err(TokenError::UnknownKey)
    );
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn keys_for_others_are_left_out_and_do_no_harm() {
    let good = es256();
    let mut for_encryption = es256().jwk("enc");
    for_encryption["use"] = json!("enc");
    let mut for_signing = eddsa().jwk("ops");
    for_signing["key_ops"] = json!(["sign"]);
    let mut of_another_algorithm = rs256().jwk("alg");
    of_another_algorithm["alg"] = json!("RS512");
    let stub = JwksStub::start(&[
        json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "akp", "pub": "x"}),
        json!({"kty": "oct", "alg": "HS256", "kid": "oct", "k": "c2VjcmV0"}),
        json!({"kty": "EC", "crv": "P-256", "kid": "broken", "x": "AA", "y": "AA"}),
        json!({"kty": "RSA", "kid": "small", "n": "AQAB", "e": "AQAB"}),
        json!("no key at all"),
        for_encryption,
        for_signing,
        of_another_algorithm,
        good.jwk("good"),
    ])
    .await;
    let world = world(&stub, still()).await;
    assert_eq!(decide(&world, &token(&good, "good")).await, Ok(()));
    for kid in ["enc", "broken", "oct"] {
        assert_eq!(
            decide(&world, &token(&es256(), kid)).await,
            Err(TokenError::UnknownKey),
            "{kid}"
        );
    }
    assert_eq!(
        decide(&world, &token(&eddsa(), "ops")).await,
        Err(TokenError::UnknownKey)
    );
    for kid in ["alg", "small"] {
        assert_eq!(
            decide(&world, &token(&rs256(), kid)).await,
            Err(TokenError::UnknownKey),
            "{kid}"
        );
    }
}

#[tokio::test]
async fn a_symmetric_key_in_the_set_verifies_nothing() {
    let secret = "secret-of-32-bytes-in-a-key-set!";
    let signer = Signer::with_secret(jsonwebtoken::Algorithm::HS256, secret);
    let stub = JwksStub::start(&[signer.jwk("oct")]).await;
    let world = world(&stub, still()).await;
    assert_eq!(
        decide(&world, &token(&signer, "oct")).await,
        Err(TokenError::Algorithm)
    );
}

#[tokio::test]
async fn what_was_fetched_outlives_a_change_of_other_settings() {
    let signer = es256();
    let stub = JwksStub::start(&[signer.jwk("1")]).await;
    let world = world(&stub, still()).await;
    assert_eq!(decide(&world, &token(&signer, "1")).await, Ok(()));
    world
        .set(json!({"jwt": {"jwks_url": stub.url}, "cors": {"origins": ["*"]}}))
        .await;
    assert_eq!(decide(&world, &token(&signer, "1")).await, Ok(()));
    assert_eq!(stub.requests(), 1);
}

#[tokio::test]
async fn a_set_is_fetched_again_when_it_has_reached_its_age() {
    let (old, new) = (es256(), es256());
    let stub = JwksStub::start(&[old.jwk("1")]).await;
    stub.set_answer(
        "200 OK",
        "cache-control: public, Max-Age=0\r\n",
        &json!({"keys": [old.jwk("1")]}).to_string(),
    );
    let world = world(&stub, none_waits()).await;
    assert_eq!(decide(&world, &token(&old, "1")).await, Ok(()));
    stub.set_keys(&[new.jwk("1")]);
    let shutdown = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(world.access.clone().run(shutdown.clone()));
    // The new key has the old one's kid, so no token asks for it: only the set's age does.
    let wait = async {
        while decide(&world, &token(&new, "1")).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
    shutdown.cancel();
    running.await.unwrap();
}
