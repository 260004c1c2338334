use serde_json::{Value, json};
use testkit::clock::START;

use crate::support::World;

#[tokio::test]
async fn a_publish_is_answered_with_exactly_three_keys() {
    let world = World::new().await;
    let answer = world.post("news", r#"{"message":"hello"}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(!answer.headers.contains_key("idempotent-replayed"));
    let id = answer.message_id();
    assert_eq!(
        answer.json(),
        json!({"errorMessage": null, "messageId": id, "status": "scheduled"})
    );
    let uuid = id.strip_prefix("message:").unwrap();
    assert_eq!(uuid, uuid.to_uppercase());
    assert_eq!(uuid::Uuid::parse_str(uuid).unwrap().get_version_num(), 7);
}

#[tokio::test]
async fn an_empty_text_is_a_message() {
    let world = World::new().await;
    for payload in [json!(""), json!(0), json!(false), json!([]), json!({})] {
        world.publish("news", payload).await;
    }
    assert_eq!(
        world.payloads("news").await,
        [json!(""), json!(0), json!(false), json!([]), json!({})]
    );
}

#[tokio::test]
async fn every_published_field_comes_out_in_the_envelope() {
    let world = World::new().await;
    let body = r#"{"message":{"n":1.50},"publisherId":"cms","headers":{"a":20,"b":true,"c":null},"subtopic":"a.b",
        "publishPolicy":"BOTH","pushBroadcast":31,"pushSinglecast":["d"],"templateValues":{"x":1},"query":"q","other":1}"#;
    let id = world.post("news", body).await.message_id();
    let history = world.get("/api/messaging/news/history").await;
    assert!(
        history.text.contains(r#""message":{"n":1.50},"#),
        "numbers as written: {}",
        history.text
    );
    assert_eq!(
        history.json()["messages"],
        json!([{
            "messageId": id, "timestamp": START.0, "message": {"n": 1.5}, "publisherId": "cms", "subtopic": "a.b",
            "pushSinglecast": ["d"], "pushBroadcast": 31, "publishPolicy": "BOTH", "templateValues": {"x": 1},
            "query": "q", "publishAt": 0, "repeatEvery": 0, "repeatExpiresAt": 0,
            "headers": {"a": "20", "b": "true"}, "seq": 1, "channel": "news",
        }])
    );
}

#[tokio::test]
async fn a_time_of_less_than_a_minute_ago_means_now_and_is_echoed() {
    let world = World::new().await;
    let at = START.0 - 59_000;
    world
        .post("news", format!(r#"{{"message":1,"publishAt":{at}}}"#))
        .await
        .message_id();
    let envelope = world.get("/api/messaging/news/history").await.json()["messages"][0].take();
    assert_eq!(
        (envelope["publishAt"].as_i64(), envelope["timestamp"].as_i64()),
        (Some(at), Some(START.0))
    );
}

#[tokio::test]
async fn a_dry_run_is_asked_for_in_clear_words() {
    let world = World::new().await;
    for unclear in ["dryRun=perhaps", "dryRun=", "dryRun"] {
        let refused = world.post(&format!("news?{unclear}"), r#"{"message":1}"#).await;
        assert_eq!(refused.error(), (400, 5908), "{unclear}");
    }
    let published = world.post("news?dryRun=false", r#"{"message":1}"#).await;
    published.message_id();
    assert_eq!(world.payloads("news").await, [json!(1)]);
}

#[tokio::test]
async fn a_push_without_a_provider_fails_and_delivers_nothing() {
    let world = World::new().await;
    let answer = world
        .post("news", r#"{"message":1,"publishPolicy":"PUSH"}"#)
        .await;
    assert_eq!(
        (answer.status, answer.json()["status"].as_str()),
        (200, Some("failed"))
    );
    assert!(
        answer.json()["errorMessage"]
            .as_str()
            .unwrap()
            .contains("push provider")
    );
    assert!(answer.message_id().starts_with("message:"));
    assert_eq!(world.payloads("news").await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let world = World::new().await;
    let ids = [
        world.publish("news", json!(1)).await,
        world.publish("news", json!(2)).await,
    ];
    let World { server, admin, key } = world;
    let world = World {
        server: server.restart().await,
        admin,
        key,
    };
    assert_eq!(world.payloads("news").await, [json!(1), json!(2)]);
    for (at, id) in ids.iter().enumerate() {
        let status = world.get(&format!("/api/messaging/{id}")).await.json();
        assert_eq!(
            (&status["status"], &status["seq"]),
            (&json!("published"), &json!(at + 1))
        );
    }
    world.publish("news", json!(3)).await;
    assert_eq!(world.payloads("news").await, [json!(1), json!(2), json!(3)]);
    world.server.stop().await;
}
