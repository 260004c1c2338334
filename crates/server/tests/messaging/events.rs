use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::clock::START;
use testkit::server::Server;
use testkit::sse::Events;

use crate::support::{World, send};

/// The payloads of so many events, which must all be messages.
async fn payloads(events: &mut Events, count: usize) -> Vec<Value> {
    let mut payloads = Vec::new();
    for _ in 0..count {
        let event = events.next().await.expect("a message");
        assert_eq!(event.name, "message", "{event:?}");
        payloads.push(event.json()["message"].take());
    }
    payloads
}

#[tokio::test]
async fn a_publish_is_read_live_with_the_whole_envelope() {
    let world = World::new().await;
    let mut events = world.events("news", "").await;
    events.last_event_id().await;
    let body = r#"{"message":{"text":"hi\nthere"},"headers":{"a":1},"publisherId":"cms"}"#;
    let id = world.post("news", body).await.message_id();
    let event = events.next().await.unwrap();
    assert_eq!(event.name, "message");
    assert!(event.id.len() == 18 && event.id.ends_with("-1"), "{}", event.id);
    assert_eq!(
        event.json(),
        json!({
            "messageId": id, "timestamp": START.0, "message": {"text": "hi\nthere"}, "publisherId": "cms",
            "subtopic": null, "pushSinglecast": null, "pushBroadcast": null, "publishPolicy": null,
            "templateValues": null, "query": null, "publishAt": 0, "repeatEvery": 0, "repeatExpiresAt": 0,
            "headers": {"a": "1"}, "seq": 1, "channel": "news",
        })
    );
}

#[tokio::test]
async fn the_head_of_a_stream_keeps_caches_and_proxies_out() {
    let world = World::new().await;
    for method in [Method::GET, Method::HEAD] {
        let path = "/api/messaging/news/events";
        let response = world
            .request(method.clone(), path, &world.key)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache, no-transform");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        if method == Method::HEAD {
            assert_eq!(response.text().await.unwrap(), "", "HEAD has no stream");
        }
    }
    let head = world.request(Method::HEAD, "/api/messaging/a%2Fb/events", &world.key);
    assert_eq!(send(head).await.status, 400);
}

#[tokio::test]
async fn a_reader_that_heard_nothing_yet_can_resume() {
    let world = World::new().await;
    let mut events = world.events("news", "").await;
    assert_eq!(events.last_event_id().await, "0", "the channel is not there yet");
    drop(events);
    world.publish("news", json!(1)).await;
    let mut events = world.events("news", "?since=0").await;
    assert_eq!(payloads(&mut events, 1).await, [json!(1)]);
    drop(events);

    let mut events = world.events("news", "").await;
    let position = events.last_event_id().await;
    assert!(position.ends_with("-1"), "{position}");
    drop(events);
    world.publish("news", json!(2)).await;
    let request = world.request(Method::GET, "/api/messaging/news/events", &world.key);
    let mut events = world.open(request.header("Last-Event-ID", position)).await;
    assert_eq!(payloads(&mut events, 1).await, [json!(2)]);
}

#[tokio::test]
async fn heartbeats_are_comments_with_the_position() {
    let world = World::new().await;
    let mut events = world.events("news", "").await;
    events.comment().await;
    world.publish("news", json!(1)).await;
    let position = events.next().await.unwrap().id;
    events.comment().await;
    assert_eq!(events.last_event_id().await, position);
}

#[tokio::test]
async fn all_forms_of_a_position_resume_and_the_header_wins_over_the_query() {
    let world = World::new().await;
    for n in 1..=3 {
        world.publish("news", json!(n)).await;
        world.server.clock.advance(Duration::from_secs(60));
    }
    let mut all = world.events("news", "?since=all").await;
    let second = (all.next().await.unwrap(), all.next().await.unwrap()).1;
    assert_eq!(payloads(&mut all, 1).await, [json!(3)]);
    for since in [second.id.as_str(), "2", "90s"] {
        let mut events = world.events("news", &format!("?since={since}")).await;
        assert_eq!(payloads(&mut events, 1).await, [json!(3)], "{since}");
    }
    let path = "/api/messaging/news/events?since=all";
    let request = world
        .request(Method::GET, path, &world.key)
        .header("Last-Event-ID", &second.id);
    let mut events = world.open(request).await;
    assert_eq!(payloads(&mut events, 1).await, [json!(3)]);
    let request = world
        .request(Method::GET, path, &world.key)
        .header("Last-Event-ID", "");
    assert_eq!(
        payloads(&mut world.open(request).await, 1).await,
        [json!(1)],
        "an empty header is none"
    );
    // Replayed first, then live, in one order.
    let mut events = world.events("news", "?since=1").await;
    world.publish("news", json!(4)).await;
    assert_eq!(payloads(&mut events, 3).await, [json!(2), json!(3), json!(4)]);
}

#[tokio::test]
async fn a_bad_position_is_5908_and_names_where_it_stands() {
    let world = World::new().await;
    let answer = world.get("/api/messaging/news/events?since=yesterday").await;
    assert_eq!(answer.error(), (400, 5908));
    assert!(answer.message().starts_with("since: "), "{}", answer.text);
    for bad in ["yesterday", "\u{e5}", "0123-1"] {
        let request = world.request(Method::GET, "/api/messaging/news/events?since=all", &world.key);
        let answer = send(request.header("Last-Event-ID", bad)).await;
        assert_eq!(answer.error(), (400, 5908), "{bad}");
        assert!(answer.message().starts_with("Last-Event-ID: "), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_position_of_another_epoch_is_a_gap_and_then_all_there_is() {
    let world = World::new().await;
    world.publish("news", json!(1)).await;
    let old = world.events("news", "?since=all").await.next().await.unwrap().id;
    world.delete("/api/messaging/channels/news").await;
    world.publish("news", json!(2)).await;
    let mut events = world.events("news", &format!("?since={old}")).await;
    let gap = events.next().await.unwrap();
    assert_eq!((gap.name.as_str(), &gap.json()["from"]), ("gap", &json!(old)));
    let to = gap.json()["to"].as_str().unwrap().to_owned();
    assert!(to.ends_with("-0") && to[..16] != old[..16], "{to}");
    assert_eq!(gap.id, to, "who breaks off here goes on from there");
    assert_eq!(payloads(&mut events, 1).await, [json!(2)]);
}

#[tokio::test]
async fn what_left_the_window_by_count_or_by_age_is_a_gap() {
    let world = World::new().await;
    world
        .server
        .default_app()
        .await
        .set(|settings| settings.history.count = 3)
        .await;
    for n in 1..=5 {
        world.publish("news", json!(n)).await;
    }
    let mut events = world.events("news", "?since=1").await;
    let gap = events.next().await.unwrap();
    assert_eq!((gap.name.as_str(), &gap.json()["from"]), ("gap", &json!("1")));
    assert!(gap.json()["to"].as_str().unwrap().ends_with("-2"), "{gap:?}");
    assert_eq!(payloads(&mut events, 3).await, [json!(3), json!(4), json!(5)]);

    world.server.clock.advance(Duration::from_secs(24 * 3_600 + 1));
    world.publish("news", json!(6)).await;
    let mut events = world.events("news", "?since=3").await;
    let gap = events.next().await.unwrap();
    assert_eq!((gap.name.as_str(), &gap.json()["from"]), ("gap", &json!("3")));
    assert!(gap.json()["to"].as_str().unwrap().ends_with("-5"), "{gap:?}");
    assert_eq!(payloads(&mut events, 1).await, [json!(6)]);
    // Asking for all there is, is no loss.
    assert_eq!(
        payloads(&mut world.events("news", "?since=all").await, 1).await,
        [json!(6)]
    );
}

#[tokio::test]
async fn a_thousand_publishes_at_once_come_in_one_order_without_holes() {
    let world = World::new().await;
    let mut live = [world.events("news", "").await, world.events("news", "").await];
    for events in &mut live {
        events.last_event_id().await;
    }
    let posts = (0..20).map(|worker| {
        let world = &world;
        async move {
            for n in 0..50 {
                world.publish("news", json!(worker * 50 + n)).await;
            }
        }
    });
    futures_util::future::join_all(posts).await;
    let mut orders = Vec::new();
    let [first, second] = &mut live;
    for events in [first, second, &mut world.events("news", "?since=0").await] {
        let mut order = Vec::new();
        for seq in 1..=1_000 {
            let envelope = events.next().await.unwrap().json();
            assert_eq!(envelope["seq"], json!(seq));
            order.push(envelope["message"].as_u64().unwrap());
        }
        orders.push(order);
    }
    assert!(
        orders.iter().all(|order| *order == orders[0]),
        "all readers see the same order"
    );
    let mut sent = orders.remove(0);
    sent.sort_unstable();
    assert_eq!(sent, (0..1_000).collect::<Vec<u64>>());
}

#[tokio::test]
async fn one_subscription_more_than_the_app_may_have_is_429() {
    let world = World::new().await;
    world
        .server
        .default_app()
        .await
        .set(|settings| settings.limits.subscriptions = 1)
        .await;
    let mut events = world.events("news", "").await;
    events.last_event_id().await;
    assert_eq!(world.get("/api/messaging/news/events").await.error(), (429, 5913));
    drop(events);
    testkit::soon("the place of a reader that left", async {
        loop {
            let request = world.request(Method::GET, "/api/messaging/news/events", &world.key);
            if request.send().await.unwrap().status() == 200 {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_reader_that_fell_behind_the_ring_loses_nothing_inside_the_window() {
    let server = Server::builder().engine(|options| {
        options.ring_messages = 8;
        options.page_cache_bytes = 64 * 1024;
    });
    let world = World::of(server.start().await).await;
    let mut slow = world.events("news", "").await;
    slow.last_event_id().await;
    // More than the sockets between the two take, while nobody reads.
    let text = "x".repeat(60_000);
    for n in 1..=200 {
        world.publish("news", json!([n, text])).await;
    }
    for n in 1..=200 {
        let event = slow.next().await.unwrap();
        assert_eq!(event.name, "message", "{}", event.data);
        let envelope = event.json();
        assert_eq!(
            (&envelope["seq"], &envelope["message"][0]),
            (&json!(n), &json!(n))
        );
        assert_eq!(envelope["message"][1].as_str().map(str::len), Some(60_000));
    }
    world.publish("news", json!("live")).await;
    assert_eq!(payloads(&mut slow, 1).await, [json!("live")]);
}

#[tokio::test]
async fn many_streams_share_one_http2_connection() {
    let world = World::new().await;
    let http = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let mut streams = Vec::new();
    for _ in 0..20 {
        let url = world.server.url("/api/messaging/news/events");
        let mut events = world.open(http.get(url).header("X-Api-Key", &world.key)).await;
        events.last_event_id().await;
        streams.push(events);
    }
    world.publish("news", json!(1)).await;
    for events in &mut streams {
        assert_eq!(payloads(events, 1).await, [json!(1)]);
    }
    world.delete("/api/messaging/channels/news").await;
    for events in &mut streams {
        assert_eq!(events.next().await.unwrap().name, "end");
        assert_eq!(events.next().await, None);
    }
}
