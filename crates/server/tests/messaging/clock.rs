use std::time::Duration;

use model::time::{Span, Timer};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::clock::START;
use testkit::server::Server;

use crate::support::{Answer, World, send};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A server whose clock requests may move, with a cleanup every hour.
async fn world() -> World {
    let cleanup = Timer::Every(Duration::from_secs(3_600));
    let server = Server::builder()
        .manual_clock()
        .app(move |settings| settings.cleanup.timer = cleanup);
    World::of(server.start().await).await
}

async fn advance(world: &World, key: &str, body: impl ToString) -> Answer {
    let request = world.request(Method::POST, "/admin/v1/clock/advance", key);
    send(request.body(body.to_string())).await
}

/// Moves the clock, which must work, and gives the time since the start.
async fn moved(world: &World, body: Value) -> i64 {
    let answer = advance(world, &world.admin, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let json = answer.json();
    assert_eq!(json.as_object().unwrap().len(), 1, "{}", answer.text);
    json["now"].as_i64().unwrap() - START.0
}

#[tokio::test]
async fn an_admin_key_moves_the_clock_in_one_jump_or_in_many() {
    let world = world().await;
    assert_eq!(moved(&world, json!({"ms": HOUR})).await, HOUR);
    assert_eq!(
        moved(&world, json!({"ms": 2_500, "step": 1_000})).await,
        HOUR + 2_500
    );
    assert_eq!(moved(&world, json!({"ms": 0})).await, HOUR + 2_500);
    assert_eq!(
        moved(&world, json!({"ms": 30 * DAY, "step": 1})).await,
        30 * DAY + HOUR + 2_500
    );
    world.publish("news", json!(1)).await;
    let history = world.get("/api/messaging/news/history").await.json();
    let published = history["messages"][0]["timestamp"].as_i64().unwrap();
    assert_eq!(
        published - START.0,
        30 * DAY + HOUR + 2_500,
        "messages have its time"
    );
}

#[tokio::test]
async fn without_a_manual_clock_there_is_no_such_route() {
    let world = World::new().await;
    let answer = advance(&world, &world.admin, json!({"ms": 1})).await;
    assert_eq!(answer.error(), (404, 5909));
    assert!(answer.message().contains("--clock manual"), "{}", answer.text);
}

#[tokio::test]
async fn only_an_admin_key_moves_the_clock() {
    let world = world().await;
    assert_eq!(
        advance(&world, &world.key, json!({"ms": 1})).await.error(),
        (403, 5007)
    );
    assert_eq!(advance(&world, "", json!({"ms": 1})).await.error(), (401, 2002));
    assert_eq!(
        moved(&world, json!({"ms": 0})).await,
        0,
        "it stands where it stood"
    );
}

#[tokio::test]
async fn a_bad_jump_is_refused_with_the_field_and_moves_nothing() {
    let world = world().await;
    for body in ["", "[1]", "{\"ms\":", "\u{1}"] {
        let answer = advance(&world, &world.admin, body).await;
        assert_eq!(answer.error(), (400, 5901), "{body}");
    }
    for (body, field) in [
        (json!({}), "ms"),
        (json!({"ms": -1}), "ms"),
        (json!({"ms": "1"}), "ms"),
        (json!({"ms": 1.5}), "ms"),
        (json!({"ms": 4_000 * DAY}), "ms"),
        (json!({"ms": 1, "step": 0}), "step"),
    ] {
        let answer = advance(&world, &world.admin, &body).await;
        assert_eq!(answer.error(), (400, 5908), "{body}");
        let expected = format!("{field}: expected whole milliseconds from ");
        assert!(answer.message().starts_with(&expected), "{}", answer.text);
    }
    let long = format!("{}{}", json!({"ms": 1}), " ".repeat(2_000));
    assert_eq!(advance(&world, &world.admin, long).await.error(), (413, 5910));
    assert_eq!(moved(&world, json!({"ms": 0})).await, 0);
}

#[tokio::test]
async fn tokens_and_their_streams_expire_by_the_moved_clock() {
    let world = world().await;
    let token = world.server.default_app().await.token("alice").await;
    let history = || {
        let url = world.server.url("/api/messaging/news/history");
        send(world.server.http.get(url).header("user-token", &token))
    };
    let url = world.server.url("/api/messaging/news/events");
    let mut events = world
        .open(world.server.http.get(url).header("user-token", &token))
        .await;
    events.last_event_id().await;
    assert_eq!(history().await.status, 200);
    moved(&world, json!({"ms": 2 * HOUR})).await;
    assert_eq!(history().await.error(), (401, 3064));
    let event = events.next().await.expect("an end");
    assert_eq!(
        (event.name.as_str(), event.json()["code"].as_u64()),
        ("end", Some(3064))
    );
}

#[tokio::test]
async fn windows_and_idempotency_keys_follow_the_moved_clock() {
    let world = world().await;
    let publish = || {
        let request = world.posting("news", r#"{"message":1}"#);
        send(request.header("Idempotency-Key", "k-1"))
    };
    let first = publish().await.message_id();
    moved(&world, json!({"ms": DAY - 1})).await;
    assert_eq!(publish().await.message_id(), first);
    assert_eq!(world.payloads("news").await, [json!(1)]);
    moved(&world, json!({"ms": 2})).await;
    assert!(world.payloads("news").await.is_empty(), "past the window of 24 h");
    assert_ne!(publish().await.message_id(), first, "past the 24 h of a key");
}

#[tokio::test]
async fn the_timers_that_a_jump_makes_due_have_run_when_it_is_answered() {
    let world = world().await;
    let import = |id: &str, minutes: i64| {
        let time = |ms: i64| {
            let at = jiff::Timestamp::from_millisecond(START.0 + ms).unwrap();
            at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        };
        let message = json!({
            "id": id, "uid": "alice", "created": time(0), "expires": time(minutes * 60_000),
            "body": "x", "clients": ["web"], "type": "t", "prio": 1,
        });
        let request = world.request(Method::POST, "/messages/import", &world.admin);
        send(
            request
                .header("Content-Type", "application/json")
                .body(message.to_string()),
        )
    };
    assert_eq!(import("short", 30).await.status, 200);
    assert_eq!(import("long", 90).await.status, 200);
    let statuses = async || {
        let mut statuses = Vec::new();
        for id in ["short", "long"] {
            let request = world.request(Method::GET, &format!("/messages/{id}"), &world.admin);
            statuses.push(send(request).await.status);
        }
        statuses
    };
    moved(&world, json!({"ms": 59 * 60_000})).await;
    assert_eq!(
        statuses().await,
        [200, 200],
        "the first cleanup comes after an hour"
    );
    moved(&world, json!({"ms": 2 * 60_000, "step": 1_000})).await;
    assert_eq!(statuses().await, [404, 200]);
    moved(&world, json!({"ms": 10 * HOUR, "step": 60_000})).await;
    assert_eq!(statuses().await, [404, 404]);
}

#[tokio::test]
async fn a_month_of_a_calendar_passes_in_one_call() {
    let world = world().await;
    let app = world.server.default_app().await;
    app.set(|settings| {
        settings.cleanup.timer = Timer::Off;
        settings.history.age = Span::seconds(90 * 86_400);
    })
    .await;
    // The clock starts at 2026-03-01T12:00Z; Stockholm's goes forward on 29 March.
    let body = json!({"message": "Good morning", "repeatCron": "30 2 * * *", "timezone": "Europe/Stockholm"});
    let request = world.request(Method::POST, "/api/messaging/news", &world.admin);
    let request = request
        .header("Content-Type", "application/json")
        .body(body.to_string());
    let id = send(request).await.message_id();
    assert_eq!(
        moved(&world, json!({"ms": 31 * DAY, "step": 1_000})).await,
        31 * DAY
    );

    let history = world.get("/api/messaging/news/history").await.json();
    let messages = history["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 31);
    for (day, message) in messages.iter().enumerate() {
        let day = i64::try_from(day).unwrap() + 1;
        // From 02:30 in the night after the start; 01:30 in UTC, then 01:00 once, then 00:30.
        let from_midnight = match day {
            ..28 => 90,
            28 => 60,
            _ => 30,
        };
        let due = day * DAY - 12 * HOUR + from_midnight * 60_000;
        assert_eq!(message["timestamp"].as_i64().unwrap() - START.0, due, "day {day}");
        assert_eq!(message["messageId"], format!("{id}-{day}"));
    }
}

#[tokio::test]
async fn one_jump_skips_what_steps_would_fire() {
    let fired = async |step: Option<i64>| {
        let world = world().await;
        let request = world.request(Method::POST, "/api/messaging/news", &world.admin);
        let body = json!({"message": 1, "repeatEvery": 60});
        let request = request
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let id = send(request).await.message_id();
        moved(&world, json!({"ms": 10 * 60_000, "step": step})).await;
        let status = world.request(Method::GET, &format!("/api/messaging/{id}"), &world.admin);
        let status = send(status).await.json();
        let number = |name: &str| status[name].as_u64().unwrap();
        (number("occurrences"), number("skipped"))
    };
    assert_eq!(fired(None).await, (2, 9));
    assert_eq!(fired(Some(60_000)).await, (11, 0));
    assert_eq!(fired(Some(1)).await, (11, 0));
    assert_eq!(fired(Some(120_000)).await, (6, 5), "each jump fires the latest");
}
