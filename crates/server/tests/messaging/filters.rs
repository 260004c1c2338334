use http::HeaderName;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::clock::START;
use testkit::sse::Events;

use crate::support::{Answer, World, send};

/// The query that asks for this selector and this subtopic.
fn asking(selector: &str, subtopic: &str) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    format!("?selector={}&subtopic={}", encode(selector), encode(subtopic))
}

/// A message for each of these headers; the n-th has the payload n, from 1.
async fn publish(world: &World, headers: &[Value]) {
    for (at, headers) in headers.iter().enumerate() {
        let body = json!({"message": at + 1, "headers": headers});
        world.post("news", body.to_string()).await.message_id();
    }
}

/// What a page of history holds.
async fn page(world: &World, query: &str) -> (Vec<u64>, String) {
    let answer = world.get(&format!("/api/messaging/news/history{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let page = answer.json();
    assert_eq!(page.get("gap"), None, "{}", answer.text);
    let messages = page["messages"].as_array().unwrap().iter();
    (
        messages
            .map(|envelope| envelope["message"].as_u64().unwrap())
            .collect(),
        page["nextSince"].as_str().unwrap().to_owned(),
    )
}

/// The payloads of so many events.
async fn read(events: &mut Events, count: usize) -> Vec<u64> {
    let mut payloads = Vec::new();
    for _ in 0..count {
        let event = events.next().await.unwrap();
        assert_eq!(event.name, "message", "{event:?}");
        payloads.push(event.json()["message"].as_u64().unwrap());
    }
    payloads
}

/// `foo` over 10 (api.md 3.4), and what it delivers.
fn foos() -> Vec<Value> {
    let with = |value: Value| json!({ "foo": value });
    vec![
        with(json!(20)),
        with(json!(10)),
        with(json!("50")),
        with(json!(5)),
        json!({}),
    ]
}

#[tokio::test]
async fn a_stream_gets_what_its_selector_says_live_and_replayed() {
    let world = World::new().await;
    let query = asking("foo > 10", "");
    let mut live = world.events("news", &query).await;
    live.last_event_id().await;
    publish(&world, &foos()).await;
    publish(&world, &[json!({"foo": "11"})]).await;
    assert_eq!(read(&mut live, 3).await, [1, 3, 1]);
    let mut replayed = world.events("news", &format!("{query}&since=all")).await;
    assert_eq!(read(&mut replayed, 3).await, [1, 3, 1]);
    let mut rest = world.events("news", &format!("{query}&since=3")).await;
    assert_eq!(read(&mut rest, 1).await, [1]);
}

#[tokio::test]
async fn a_page_of_history_holds_what_its_selector_says_and_the_next_goes_on_behind_it() {
    let world = World::new().await;
    publish(&world, &foos()).await;
    let query = asking("foo > 10", "");
    let (all, end) = page(&world, &query).await;
    assert_eq!(all, [1, 3]);
    assert!(end.ends_with("-5"), "{end}");
    let (first, next) = page(&world, &format!("{query}&limit=1")).await;
    assert_eq!(first, [1]);
    assert!(next.ends_with("-1"), "{next}");
    let (second, next) = page(&world, &format!("{query}&limit=1&since={next}")).await;
    assert_eq!(second, [3]);
    assert!(next.ends_with("-3"), "{next}");
    let (none, next) = page(&world, &format!("{query}&limit=1&since={next}")).await;
    assert_eq!(none, [0; 0]);
    assert_eq!(next, end);
    assert_eq!(page(&world, &format!("{query}&since={end}")).await, (vec![], end));
}

#[tokio::test]
async fn a_page_looks_through_a_bounded_number_of_messages_and_the_next_goes_on() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    app.set(|settings| settings.limits.history_scan = 2).await;
    publish(&world, &foos()).await;
    let (mut found, mut since) = (Vec::new(), "all".to_owned());
    let mut pages = Vec::new();
    for _ in 0..4 {
        let query = asking("foo = 5 OR foo = 20", "");
        let (payloads, next) = page(&world, &format!("{query}&limit=2&since={since}")).await;
        found.extend(payloads);
        pages.push(next.rsplit_once('-').unwrap().1.to_owned());
        since = next;
    }
    assert_eq!(found, [1, 4]);
    assert_eq!(pages, ["2", "4", "5", "5"]);
}

#[tokio::test]
async fn a_subtopic_pattern_picks_messages_and_goes_together_with_a_selector() {
    let world = World::new().await;
    let mut events = world.events("news", &asking("n > 1", "news.*")).await;
    events.last_event_id().await;
    for (n, subtopic) in [
        (1, json!("news.dallas")),
        (2, json!("news.dallas.sports")),
        (3, json!("news")),
        (4, json!("weather.dallas")),
        (5, Value::Null),
        (6, json!("news.austin")),
    ] {
        let body = json!({"message": n, "subtopic": subtopic, "headers": {"n": n}});
        world.post("news", body.to_string()).await.message_id();
    }
    assert_eq!(read(&mut events, 2).await, [2, 6]);
    assert_eq!(page(&world, &asking("", "news.*")).await.0, [1, 2, 6]);
    assert_eq!(page(&world, &asking("", "news.*.sports")).await.0, [2]);
    assert_eq!(page(&world, &asking("", "news.dallas")).await.0, [1]);
    assert_eq!(page(&world, &asking("", "*")).await.0, [1, 2, 3, 4, 6]);
    assert_eq!(page(&world, "?selector=&subtopic=").await.0, [1, 2, 3, 4, 5, 6]);
    assert_eq!(page(&world, "?selector=+&subtopic").await.0, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_bad_selector_is_5906_with_its_position_and_a_bad_subtopic_5908() {
    let world = World::new().await;
    for resource in ["events", "history"] {
        let ask = async |selector: &str, subtopic: &str| {
            let query = asking(selector, subtopic);
            world.get(&format!("/api/messaging/news/{resource}{query}")).await
        };
        let answer = ask("foo > 10 OR foo >", "").await;
        assert_eq!(answer.error(), (400, 5906));
        assert_eq!(
            answer.message(),
            "selector: position 18: expected a value after '>', found end"
        );
        assert_eq!(ask(&"(".repeat(33), "").await.error(), (400, 5906));
        assert_eq!(
            ask(&format!("a = '{}'", "x".repeat(1_024)), "").await.error(),
            (400, 5906)
        );
        let answer = ask("", "news..x").await;
        assert_eq!(answer.error(), (400, 5908));
        assert!(
            answer.message().starts_with("subtopic: expected"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn heartbeats_carry_the_position_though_nothing_matched() {
    let world = World::new().await;
    let mut events = world.events("news", &asking("foo > 100", "")).await;
    assert_eq!(events.last_event_id().await, "0");
    publish(&world, &foos()).await;
    let position = loop {
        events.comment().await;
        let position = events.last_event_id().await;
        if position != "0" {
            break position;
        }
    };
    assert!(position.ends_with("-5"), "{position}");
    drop(events);
    // Who resumes there gets what came after.
    publish(&world, &[json!({"foo": 101})]).await;
    let query = format!("{}&since={position}", asking("foo > 100", ""));
    let mut events = world.events("news", &query).await;
    assert_eq!(read(&mut events, 1).await, [1]);
}

async fn with_token(world: &World, token: &str, path: &str) -> Answer {
    let name = HeaderName::from_static("user-token");
    let request = world.server.http.get(world.server.url(path)).header(name, token);
    send(request).await
}

#[tokio::test]
async fn the_selector_of_a_token_is_added_to_all_that_its_user_reads() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let expires = START.0 / 1_000 + 60;
    let token = app.token_of(&json!({"sub": "ann", "exp": expires, "selector": "team = 'a' OR open"}));
    let request = |path: &str| {
        let request = world.server.http.request(Method::GET, world.server.url(path));
        request.header("user-token", &token)
    };
    let mut all = world.open(request("/api/messaging/news/events")).await;
    let mut some = world
        .open(request(&format!(
            "/api/messaging/news/events{}",
            asking("n > 2", "")
        )))
        .await;
    all.last_event_id().await;
    some.last_event_id().await;
    publish(
        &world,
        &[
            json!({"team": "a", "n": 1}),
            json!({"team": "b", "n": 2}),
            json!({"team": "b", "n": 3, "open": true}),
            json!({"n": 4}),
            json!({"team": "a", "n": 5}),
        ],
    )
    .await;
    assert_eq!(read(&mut all, 3).await, [1, 3, 5]);
    assert_eq!(read(&mut some, 2).await, [3, 5]);
    let history = with_token(&world, &token, "/api/messaging/news/history").await;
    let seqs: Vec<_> = history.json()["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|envelope| envelope["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, [1, 3, 5]);
}

#[tokio::test]
async fn a_token_whose_selector_cannot_be_read_is_denied_with_the_reason() {
    let world = World::new().await;
    world.publish("news", json!(1)).await;
    let app = world.server.default_app().await;
    let expires = START.0 / 1_000 + 60;
    let token = app.token_of(&json!({"sub": "ann", "exp": expires, "selector": "team ="}));
    for resource in ["events", "history"] {
        let answer = with_token(&world, &token, &format!("/api/messaging/news/{resource}")).await;
        assert_eq!(answer.error(), (401, 3064));
        assert_eq!(
            answer.message(),
            "the selector in the user token cannot be read: it goes wrong at position 7"
        );
    }
}

#[tokio::test]
async fn one_selector_more_than_the_app_may_have_is_429() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    app.set(|settings| settings.limits.selectors = 2).await;
    let first = world.events("news", &asking("a = 1", "")).await;
    let second = world.events("news", &asking("a = 2", "")).await;
    // The same one, however it is written, in whichever channel.
    let third = world.events("other", &asking("((a)=1.0)", "")).await;
    let _unfiltered = world.events("news", "").await;
    let refused = asking("a = 1", "x.*");
    let path = format!("/api/messaging/news/events{refused}");
    let answer = world.get(&path).await;
    assert_eq!(answer.error(), (429, 5913));
    assert_eq!(
        answer.message(),
        "the app has as many different selectors as it may: 2"
    );
    assert_eq!(
        page(&world, &refused).await.0,
        [0; 0],
        "a page is no subscription"
    );
    drop((first, third));
    testkit::soon("the place of a selector that nobody has any more", async {
        while world
            .request(Method::GET, &path, &world.key)
            .send()
            .await
            .unwrap()
            .status()
            != 200
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(second);
}
