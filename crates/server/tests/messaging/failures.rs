use serde_json::{Value, json};
use testkit::faults::Fault;
use testkit::server::Server;

use crate::support::{World, send};

const BODY: &str = r#"{"message":1}"#;

#[tokio::test]
async fn an_overloaded_store_is_503_and_publishes_nothing() {
    let world = World::new().await;
    world.server.faults.fail(Fault::Unavailable);
    let answer = world.post("news", BODY).await;
    assert_eq!(answer.error(), (503, 5914));
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(
        world.get("/api/messaging/news/history").await.error(),
        (503, 5914)
    );
    assert_eq!(world.get("/api/messaging/news/events").await.error(), (503, 5914));
    let ready = send(world.server.http.get(world.server.url("/readyz"))).await;
    assert_eq!(ready.error(), (503, 5914));
    assert_eq!(
        send(world.server.http.get(world.server.url("/healthz")))
            .await
            .status,
        200
    );
    world.server.faults.fail(Fault::None);
    assert_eq!(world.payloads("news").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_commit_that_failed_is_503_and_the_same_key_tells_what_became_of_it() {
    let world = World::new().await;
    let keyed = || send(world.posting("news", BODY).header("Idempotency-Key", "k-1"));
    world.server.faults.fail(Fault::Unknown);
    let answer = keyed().await;
    assert_eq!(answer.error(), (503, 5915));
    assert!(answer.message().contains("Idempotency-Key"), "{}", answer.text);
    assert_eq!(answer.headers["retry-after"], "1");
    world.server.faults.fail(Fault::None);
    let again = keyed().await;
    assert_eq!(again.headers["idempotent-replayed"], "true", "it was done");
    again.message_id();
    assert_eq!(world.payloads("news").await, [json!(1)]);
}

#[tokio::test]
async fn an_error_of_ours_is_500_with_the_request_id_and_without_the_cause() {
    let world = World::new().await;
    world.server.faults.fail(Fault::Broken);
    let answer = send(world.posting("news", BODY).header("X-Request-Id", "mine-7")).await;
    assert_eq!(answer.error(), (500, 5919));
    assert!(answer.message().contains("mine-7"), "{}", answer.text);
    assert!(!answer.text.contains("fire"), "{}", answer.text);
    let answer = world.get("/api/messaging/news/history").await;
    assert_eq!(answer.error(), (500, 5919));
    let id = answer.headers["x-request-id"].to_str().unwrap();
    assert!(answer.message().contains(id), "{}", answer.text);
}

#[tokio::test]
async fn plain_http_is_403_where_https_is_required() {
    let server = Server::builder().serve(|options| options.require_https = true);
    let world = World::of(server.start().await).await;
    assert_eq!(world.post("news", BODY).await.error(), (403, 5917));
    assert_eq!(world.get("/info").await.error(), (403, 5917));
    let classic = format!("/default/{}/messages", world.key);
    let inbox = world.get(&classic).await;
    assert_eq!(
        (inbox.status, inbox.json()["errors"][0]["title"].as_str()),
        (403, Some("Forbidden"))
    );
    assert_eq!(
        inbox.json()["meta"]["endpoint"],
        "/messages",
        "without the classic prefix"
    );
    assert_eq!(world.get("/healthz").await.status, 200);
}
