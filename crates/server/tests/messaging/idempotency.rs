use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::json;

use crate::support::{Answer, World, send};

fn keyed(world: &World, channel: &str, key: &str, body: &str) -> RequestBuilder {
    world
        .posting(channel, body.to_owned())
        .header("Idempotency-Key", key)
}

fn is_replayed(answer: &Answer) -> bool {
    answer
        .headers
        .get("idempotent-replayed")
        .is_some_and(|value| value == "true")
}

#[tokio::test]
async fn the_same_request_again_gets_the_first_answer_and_does_nothing() {
    let world = World::new().await;
    let first = send(keyed(&world, "news", "k-1", r#"{"message":1}"#)).await;
    let again = send(keyed(&world, "news", "k-1", r#"{"message":1}"#)).await;
    assert_eq!((is_replayed(&first), is_replayed(&again)), (false, true));
    assert_eq!((again.status, again.json()), (200, first.json()));
    assert_eq!(world.payloads("news").await, [json!(1)]);
}

#[tokio::test]
async fn another_body_is_422_and_publishes_nothing() {
    let world = World::new().await;
    send(keyed(&world, "news", "k-1", r#"{"message":1}"#))
        .await
        .message_id();
    let other = send(keyed(&world, "news", "k-1", r#"{"message":2}"#)).await;
    assert_eq!(other.error(), (422, 5912));
    assert!(other.message().contains("Idempotency-Key"));
    assert_eq!(world.payloads("news").await, [json!(1)]);
}

#[tokio::test]
async fn many_at_once_publish_once() {
    let world = World::new().await;
    let requests = (0..20).map(|_| send(keyed(&world, "news", "k-1", r#"{"message":1}"#)));
    let answers = futures_util::future::join_all(requests).await;
    let id = answers[0].message_id();
    assert!(answers.iter().all(|answer| answer.message_id() == id));
    assert_eq!(answers.iter().filter(|answer| !is_replayed(answer)).count(), 1);
    assert_eq!(world.payloads("news").await, [json!(1)]);
}

#[tokio::test]
async fn channel_principal_and_a_day_bound_a_key() {
    let world = World::new().await;
    let body = r#"{"message":1}"#;
    let first = send(keyed(&world, "news", "k-1", body)).await.message_id();
    let elsewhere = send(keyed(&world, "other", "k-1", body)).await;
    assert!(!is_replayed(&elsewhere) && elsewhere.message_id() != first);
    let other = World {
        key: world.server.default_app().await.key("other", "publish").await,
        ..world
    };
    assert!(!is_replayed(&send(keyed(&other, "news", "k-1", body)).await));
    let world = World {
        key: other
            .server
            .default_app()
            .await
            .key("app", "publish,subscribe")
            .await,
        ..other
    };
    let same_name = send(keyed(&world, "news", "k-1", body)).await;
    assert_eq!(
        same_name.message_id(),
        first,
        "a new key of that name is the same principal"
    );
    world.server.clock.advance(Duration::from_secs(24 * 3_600 + 1));
    assert!(!is_replayed(&send(keyed(&world, "news", "k-1", body)).await));
}

#[tokio::test]
async fn a_key_holds_over_a_restart_and_over_both_forms_of_the_path() {
    let world = World::new().await;
    let first = send(keyed(&world, "news", "k-1", r#"{"message":1}"#))
        .await
        .message_id();
    let World { server, admin, key } = world;
    let world = World {
        server: server.restart().await,
        admin,
        key,
    };
    let classic = world
        .server
        .url(&format!("/default/{}/messaging/n%65ws", world.key));
    let request = world
        .server
        .http
        .post(classic)
        .header("Content-Type", "application/json");
    let again = send(request.header("Idempotency-Key", "k-1").body(r#"{"message":1}"#)).await;
    assert_eq!((is_replayed(&again), again.message_id()), (true, first));
}

#[tokio::test]
async fn a_key_that_is_none_is_5908() {
    let world = World::new().await;
    for key in ["", &"x".repeat(129), "\u{e5}", "a\tb"] {
        let answer = send(keyed(&world, "news", key, r#"{"message":1}"#)).await;
        assert_eq!(answer.error(), (400, 5908), "{key:?}");
        assert!(answer.message().contains("Idempotency-Key"));
    }
    for key in ["a b", &"x".repeat(128)] {
        send(keyed(&world, "news", key, r#"{"message":1}"#))
            .await
            .message_id();
    }
}
