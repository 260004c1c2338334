use reqwest::Method;
use serde_json::json;
use testkit::clock::START;

use crate::support::{World, send};

const UNKNOWN: &str = "message:0199AA11-2233-7445-8667-78899AABBCCD";

#[tokio::test]
async fn a_published_message_tells_its_place_with_a_raw_and_an_encoded_colon() {
    let world = World::new().await;
    let id = world.publish("news", json!(1)).await;
    let expected = json!({
        "status": "published", "messageId": id, "errorMessage": null, "channel": "news", "seq": 1, "publishedAt": START.0,
    });
    for path in [id.clone(), id.replace(':', "%3A"), id.to_lowercase()] {
        let answer = world.get(&format!("/api/messaging/{path}")).await;
        assert_eq!((answer.status, answer.json()), (200, expected.clone()), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_id_is_unknown_whatever_it_looks_like() {
    let world = World::new().await;
    for id in [UNKNOWN, "message:1", "message:", "message:å"] {
        let answer = world.get(&format!("/api/messaging/{id}")).await;
        let expected = json!({"status": "unknown", "messageId": id, "errorMessage": null});
        assert_eq!((answer.status, answer.json()), (200, expected));
    }
}

#[tokio::test]
async fn a_message_past_the_history_window_is_unknown() {
    let world = World::new().await;
    let id = world.publish("news", json!(1)).await;
    world
        .server
        .clock
        .advance(std::time::Duration::from_secs(24 * 3_600 + 1));
    let answer = world.get(&format!("/api/messaging/{id}")).await;
    assert_eq!(answer.json()["status"], "unknown");
}

#[tokio::test]
async fn who_may_not_read_the_channel_learns_nothing() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let publisher = app.key("publisher", "publish").await;
    let id = world.publish("news", json!(1)).await;
    let path = format!("/api/messaging/{id}");
    assert_eq!(
        send(world.request(Method::GET, &path, &publisher)).await.error(),
        (403, 5007)
    );
    for path in [
        path,
        format!("/api/messaging/{UNKNOWN}"),
        "/api/messaging/message:x".to_owned(),
    ] {
        let answer = send(world.server.http.get(world.server.url(&path))).await;
        assert_eq!(answer.error(), (401, 2002), "{path}");
    }
}

#[tokio::test]
async fn what_is_published_already_or_absent_is_neither_cancelled_nor_edited() {
    let world = World::new().await;
    let id = world.publish("news", json!(1)).await;
    for method in [Method::DELETE, Method::PATCH] {
        for id in [id.as_str(), UNKNOWN, "message:x"] {
            let path = format!("/api/messaging/{id}");
            let answer = send(world.request(method.clone(), &path, &world.admin)).await;
            assert_eq!(answer.error(), (409, 5040), "{method} {path}");
            let answer = send(world.request(method.clone(), &path, &world.key)).await;
            assert_eq!(
                answer.error(),
                (403, 5007),
                "{method} {path} without the scope schedule"
            );
            let answer = send(world.server.http.request(method.clone(), world.server.url(&path))).await;
            assert_eq!(answer.error(), (401, 2002), "{method} {path} without a key");
        }
    }
    assert_eq!(world.payloads("news").await, [json!(1)]);
}
