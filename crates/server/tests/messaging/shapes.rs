use reqwest::Method;
use serde_json::json;

use crate::support::{World, send};

#[tokio::test]
async fn paths_that_are_no_route_are_404_in_the_shape_of_their_family() {
    let world = World::new().await;
    for path in [
        "/nothing",
        "/api/nothing",
        "/api/messaging",
        "/api/messaging/",
        "/api/messaging/news",
        "/api/messaging/a/b/c",
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.error(), (404, 5909), "{path}");
    }
    let inbox = world.get("/messages/a/b/c").await;
    assert_eq!(
        (inbox.status, inbox.json()["errors"][0]["title"].as_str()),
        (404, Some("Not Found"))
    );
    for method in [Method::DELETE, Method::PATCH] {
        let answer = send(world.request(method, "/api/messaging/news", &world.admin)).await;
        assert_eq!(answer.error(), (404, 5909), "a channel's name is no message id");
    }
}

#[tokio::test]
async fn another_method_is_405_and_tells_which_there_are() {
    let world = World::new().await;
    let cases = [
        (Method::PUT, "/api/messaging/news"),
        (Method::POST, "/api/messaging/news/events"),
        (Method::POST, "/api/messaging/news/history"),
        (Method::GET, "/api/messaging/channels/news"),
        (Method::DELETE, "/healthz"),
    ];
    for (method, path) in cases {
        let answer = send(world.request(method.clone(), path, &world.key)).await;
        assert_eq!(answer.error(), (405, 5918), "{method} {path}");
        assert!(!answer.headers["allow"].is_empty());
        assert!(answer.message().contains(method.as_str()));
    }
}

#[tokio::test]
async fn what_is_not_built_yet_is_501() {
    let world = World::new().await;
    world.publish("news", json!(1)).await;
    let cases = [(Method::GET, "/metrics".to_owned())];
    for (method, path) in cases {
        let answer = send(world.request(method.clone(), &path, &world.admin)).await;
        assert_eq!(answer.error(), (501, 5916), "{method} {path}: {}", answer.text);
        assert!(answer.message().contains("not built yet"));
    }
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let world = World::new().await;
    let request = world
        .request(Method::GET, "/api/messaging/nothing", &world.key)
        .header("X-Request-Id", "mine-1");
    assert_eq!(send(request).await.headers["x-request-id"], "mine-1");
    let fresh = world.get("/healthz").await.headers["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(uuid::Uuid::parse_str(&fresh).is_ok());
}

#[tokio::test]
async fn a_query_that_is_not_utf8_is_400_and_names_the_parameter() {
    let world = World::new().await;
    world.publish("news", json!(1)).await;
    let history = "/api/messaging/news/history";
    let answer = world
        .get(&format!("{history}?limit=1&selector=a%3D%27%FF%27"))
        .await;
    assert_eq!(answer.error(), (400, 5908), "{}", answer.text);
    assert!(
        answer.message().starts_with("query: expected UTF-8"),
        "{}",
        answer.text
    );
    assert!(answer.message().contains("\"selector\""), "{}", answer.text);
    let answer = world.get(&format!("{history}?%FF=1")).await;
    assert_eq!(answer.error(), (400, 5908), "{}", answer.text);
    let inbox = world.get("/messages?client=w%E9b").await;
    let detail = inbox.json()["errors"][0]["detail"].clone();
    assert_eq!(
        (inbox.status, detail),
        (
            400,
            json!("query: expected UTF-8, percent-encoded, found other bytes in \"client\"")
        )
    );
    let umlaut = world.get(&format!("{history}?selector=a%3D%27%C3%BC%27")).await;
    assert_eq!(umlaut.status, 200, "{}", umlaut.text);
}
