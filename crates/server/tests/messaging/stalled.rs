//! Readers that stop reading: they slow nobody, and lose nothing within the window.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use testkit::server::Server;
use testkit::sse::Events;

use crate::support::World;

const MESSAGES: u64 = 200;
/// So long that all of them are far more than the sockets between the two take.
const LENGTH: usize = 60_000;
const STOPPED: usize = 3;

/// Takes the messages that come and says which was the last: up to `last`, or to the end of the stream.
async fn read(events: &mut Events, mut seq: u64, last: u64) -> (u64, String) {
    let mut id = String::new();
    while seq < last
        && let Some(event) = events.next().await
    {
        assert_eq!(event.name, "message", "{}", event.data);
        let envelope = event.json();
        assert_eq!(envelope["seq"], json!(seq + 1), "one after the other");
        assert_eq!(envelope["message"].as_str().map(str::len), Some(LENGTH));
        seq += 1;
        id = event.id;
    }
    (seq, id)
}

async fn publish_all(world: &World) {
    for _ in 0..MESSAGES {
        world.publish("news", json!("x".repeat(LENGTH))).await;
    }
}

async fn stopped(world: &World) -> Vec<Events> {
    let mut readers = Vec::new();
    for _ in 0..STOPPED {
        let mut events = world.events("news", "").await;
        events.last_event_id().await;
        readers.push(events);
    }
    readers
}

#[tokio::test]
async fn readers_that_stop_and_read_on_get_everything_and_hold_up_nobody() {
    let server = Server::builder().engine(|options| options.ring_messages = 8);
    let world = World::of(server.start().await).await;
    let mut readers = stopped(&world).await;
    let mut live = world.events("news", "").await;
    live.last_event_id().await;
    let ((seq, _), ()) = tokio::join!(read(&mut live, 0, MESSAGES), publish_all(&world));
    assert_eq!(seq, MESSAGES);
    for events in &mut readers {
        assert_eq!(read(events, 0, MESSAGES).await.0, MESSAGES);
    }
}

#[tokio::test]
async fn readers_that_were_closed_for_taking_no_bytes_resume_where_they_were() {
    let server = Server::builder().serve(|options| options.write_stall_timeout = Duration::from_millis(300));
    let world = World::of(server.start().await).await;
    // A place for each: one that is free again shows that its reader was closed.
    let app = world.server.default_app().await;
    app.set(|settings| settings.limits.subscriptions = STOPPED).await;
    let readers = stopped(&world).await;
    publish_all(&world).await;
    let mut places = Vec::new();
    testkit::soon("the end of all streams", async {
        while places.len() < STOPPED {
            let request = world.request(Method::GET, "/api/messaging/other/events", &world.key);
            let answer = request.send().await.unwrap();
            match answer.status().as_u16() {
                200 => places.push(answer),
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    })
    .await;
    app.set(|settings| settings.limits.subscriptions = 2 * STOPPED)
        .await;
    for mut events in readers {
        let (seq, id) = read(&mut events, 0, MESSAGES).await;
        assert!((1..MESSAGES).contains(&seq), "closed at {seq}");
        let mut events = world.events("news", &format!("?since={id}")).await;
        assert_eq!(read(&mut events, seq, MESSAGES).await.0, MESSAGES);
    }
}
