use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use testkit::sse::Events;

use crate::support::World;

/// The code and text of the last event, behind which the stream must end.
async fn end(events: &mut Events) -> (u64, String) {
    let event = events.next().await.expect("an end");
    assert_eq!(event.name, "end", "{event:?}");
    assert_eq!(events.next().await, None, "the server closes");
    let data = event.json();
    (
        data["code"].as_u64().unwrap(),
        data["message"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn deleting_a_channel_ends_its_readers_after_its_last_message() {
    let world = World::new().await;
    let mut events = world.events("news", "").await;
    let mut other = world.events("other", "").await;
    world.publish("news", json!(1)).await;
    world.delete("/api/messaging/channels/news").await;
    assert_eq!(events.next().await.unwrap().json()["message"], json!(1));
    assert_eq!(
        end(&mut events).await,
        (5909, "the channel was deleted".to_owned())
    );
    world.publish("other", json!(2)).await;
    assert_eq!(other.next().await.unwrap().json()["message"], json!(2));
}

#[tokio::test]
async fn a_revoked_key_ends_its_streams_within_two_seconds() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let key = app.create_key("reader", "subscribe", None).await;
    let request = world.request(Method::GET, "/api/messaging/news/events", &key.secret);
    let mut events = world.open(request).await;
    let mut stays = world.events("news", "").await;
    events.last_event_id().await;
    let revoked = Instant::now();
    app.revoke(&key).await;
    let (code, text) = end(&mut events).await;
    assert!(
        revoked.elapsed() < Duration::from_secs(2),
        "{:?}",
        revoked.elapsed()
    );
    assert_eq!(code, 2002);
    assert!(text.contains("revoked") && !text.contains(&key.secret), "{text}");
    world.publish("news", json!(1)).await;
    assert_eq!(stays.next().await.unwrap().json()["message"], json!(1));
}

#[tokio::test]
async fn an_expired_token_ends_its_streams() {
    let world = World::new().await;
    let token = world
        .server
        .default_app()
        .await
        .token_with("ann", &[], Duration::from_secs(600))
        .await;
    let url = world
        .server
        .url(&format!("/api/messaging/news/events?token={token}"));
    let mut events = world.open(world.server.http.get(url)).await;
    events.last_event_id().await;
    // 30 s of leeway.
    world.server.clock.advance(Duration::from_secs(631));
    assert_eq!(end(&mut events).await.0, 3064);
}

#[tokio::test]
async fn a_changed_rule_ends_the_streams_that_it_forbids() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let mut events = world.events("news.a", "").await;
    let mut stays = world.events("sport", "").await;
    events.last_event_id().await;
    app.set(|settings| {
        let rule = serde_json::from_value(json!({"pattern": "news.*", "subscribe": ["role:editor"]}));
        settings.channels.push(rule.unwrap());
    })
    .await;
    assert_eq!(end(&mut events).await.0, 5007);
    world.publish("sport", json!(1)).await;
    assert_eq!(stays.next().await.unwrap().json()["message"], json!(1));
}

#[tokio::test]
async fn a_stop_ends_all_streams_with_a_reason_and_a_position_to_go_on_from() {
    let world = World::new().await;
    let mut events = world.events("news", "").await;
    world.publish("news", json!(1)).await;
    let position = events.next().await.unwrap().id;
    let World { server, admin, key } = world;
    let (server, ended) = tokio::join!(server.restart(), end(&mut events));
    assert_eq!(ended, (5914, "the server is shutting down".to_owned()));
    let world = World { server, admin, key };
    world.publish("news", json!(2)).await;
    let mut events = world.events("news", &format!("?since={position}")).await;
    assert_eq!(events.next().await.unwrap().json()["message"], json!(2));
}
