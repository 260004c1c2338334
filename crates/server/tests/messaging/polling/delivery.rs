use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::clock::START;
use testkit::faults::Fault;
use testkit::server::Server;

use super::{nothing, numbers, payloads};
use crate::support::{World, send};

#[tokio::test]
async fn the_answers_have_exactly_their_keys() {
    let world = World::new().await;
    let answer = send(world.subscribing("news", "", &world.key)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    let id = body["subscriptionId"].as_str().unwrap();
    assert!(uuid::Uuid::parse_str(id).is_ok(), "{id}");

    let path = format!("/api/messaging/news/{id}");
    assert_eq!(
        world.get(&path).await.json(),
        json!({"messages": [], "position": "0"})
    );
    let full = r#"{"message":{"n":1.50},"headers":{"a":1,"b":"x"},"publisherId":"cms","subtopic":"s"}"#;
    let first = world.post("news", full).await.message_id();
    let second = world.publish("news", json!("hi")).await;
    let answer = world.get(&path).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.text.contains(r#""data":{"n":1.50}"#), "{}", answer.text);
    let mut body = answer.json();
    let position = body["position"].take();
    assert!(position.as_str().unwrap().ends_with("-2"), "{position}");
    assert_eq!(
        body,
        json!({
            "messages": [
                {"messageId": first, "data": {"n": 1.5}, "publishedAt": START.0, "publisherId": "cms",
                 "headers": {"a": "1", "b": "x"}},
                {"messageId": second, "data": "hi", "publishedAt": START.0, "publisherId": null, "headers": {}},
            ],
            "position": null,
        })
    );
}

#[tokio::test]
async fn the_first_poll_has_what_came_in_the_minute_before_the_subscription_and_since() {
    let world = World::new().await;
    for number in 1..=4 {
        world.publish("news", json!(number)).await;
        world.server.clock.advance(Duration::from_secs(25));
    }
    // Published 100, 75, 50 and 25 s ago.
    let polling = world.polling("news").await;
    world.server.clock.advance(Duration::from_secs(300));
    world.publish("news", json!(5)).await;
    assert_eq!(polling.payloads("").await, numbers(3..=5));
    assert_eq!(polling.payloads("").await, nothing());
}

#[tokio::test]
async fn the_first_window_is_configurable() {
    let change = |settings: &mut model::settings::AppSettings| {
        settings.polling.first_window = model::time::Span::seconds(10);
    };
    let world = World::of(Server::builder().app(change).start().await).await;
    world.publish("news", json!(1)).await;
    world.server.clock.advance(Duration::from_secs(11));
    world.publish("news", json!(2)).await;
    assert_eq!(world.polling("news").await.payloads("").await, [json!(2)]);
}

#[tokio::test]
async fn each_message_comes_once_and_in_order_to_every_subscription() {
    let world = World::new().await;
    let (early, late) = (world.polling("news").await, world.polling("news").await);
    let mut heard = Vec::new();
    for round in 0..10 {
        for number in 1..=7 {
            world.publish("news", json!(round * 7 + number)).await;
        }
        world.publish("other", json!("not ours")).await;
        heard.extend(early.payloads("").await);
    }
    assert_eq!(heard, numbers(1..=70));
    assert_eq!(late.payloads("").await, numbers(1..=70));
}

#[tokio::test]
async fn a_page_is_bounded_and_the_rest_comes_with_the_next_poll() {
    let change = |settings: &mut model::settings::AppSettings| settings.limits.poll_page = 300;
    let world = World::of(Server::builder().app(change).start().await).await;
    let polling = world.polling("news").await;
    for number in 1..=700 {
        world.publish("news", json!(number)).await;
    }
    assert_eq!(polling.payloads("").await, numbers(1..=300));
    assert_eq!(polling.payloads("?wait=5").await, numbers(301..=600));
    assert_eq!(polling.payloads("").await, numbers(601..=700));
}

#[tokio::test]
async fn since_reads_a_lost_answer_again_and_polls_go_on_behind_it() {
    let world = World::new().await;
    let polling = world.polling("news").await;
    world.publish("news", json!(1)).await;
    let position = polling.poll("").await["position"].as_str().unwrap().to_owned();
    for number in 2..=3 {
        world.publish("news", json!(number)).await;
    }
    let lost = polling.poll("").await;
    assert_eq!(payloads(&lost), numbers(2..=3));
    assert_eq!(polling.poll(&format!("?since={position}")).await, lost);
    assert_eq!(polling.payloads("").await, nothing());
    world.publish("news", json!(4)).await;
    for since in ["2", "all", "10m"] {
        let first = if since == "2" { 3 } else { 1 };
        let again = polling.payloads(&format!("?since={since}")).await;
        assert_eq!(again, numbers(first..=4), "{since}");
        assert_eq!(polling.payloads("").await, nothing(), "{since}");
    }
    let bad = polling.send(Method::GET, "?since=yesterday").await;
    assert_eq!(bad.error(), (400, 5908));
    assert!(bad.message().starts_with("since: "), "{}", bad.text);
}

#[tokio::test]
async fn polls_at_once_never_share_a_message() {
    const MESSAGES: u64 = 400;
    let change = |settings: &mut model::settings::AppSettings| settings.limits.poll_page = 9;
    let world = World::of(Server::builder().app(change).start().await).await;
    let polling = world.polling("news").await;
    let publishing = async {
        for number in 1..=MESSAGES {
            world.publish("news", json!(number)).await;
        }
    };
    // Ends when a second has passed without a message.
    let reading = || async {
        let mut heard: Vec<u64> = Vec::new();
        loop {
            let answer = polling.payloads("?wait=1").await;
            if answer.is_empty() {
                return heard;
            }
            heard.extend(answer.iter().filter_map(Value::as_u64));
        }
    };
    let (readers, ()) = tokio::join!(join_all((0..5).map(|_| reading())), publishing);
    assert!(readers.iter().filter(|heard| !heard.is_empty()).count() > 1);
    for heard in &readers {
        assert!(heard.is_sorted(), "{heard:?}");
    }
    let mut all: Vec<u64> = readers.concat();
    all.sort_unstable();
    assert_eq!(
        all,
        (1..=MESSAGES).collect::<Vec<_>>(),
        "a message came twice or never"
    );
}

#[tokio::test]
async fn a_loss_is_told_as_a_gap_and_later_polls_go_on() {
    let change = |settings: &mut model::settings::AppSettings| settings.history.count = 3;
    let world = World::of(Server::builder().app(change).start().await).await;
    let polling = world.polling("news").await;
    world.publish("news", json!(1)).await;
    let position = polling.poll("").await["position"].as_str().unwrap().to_owned();
    for number in 2..=6 {
        world.publish("news", json!(number)).await;
    }
    let answer = polling.poll("").await;
    let epoch = position.strip_suffix("-1").unwrap();
    assert_eq!(payloads(&answer), numbers(4..=6));
    assert_eq!(
        answer["gap"],
        json!({"from": position, "to": format!("{epoch}-3")})
    );
    assert_eq!(answer["position"], json!(format!("{epoch}-6")));
    world.publish("news", json!(7)).await;
    let next = polling.poll("").await;
    assert_eq!((payloads(&next), next.get("gap")), (numbers(7..=7), None));
    let foreign = polling.poll("?since=0123456789abcdef-1").await;
    assert_eq!(payloads(&foreign), numbers(5..=7));
    assert_eq!(foreign["gap"]["from"], json!("0123456789abcdef-1"));
}

#[tokio::test]
async fn a_subscription_and_its_place_survive_a_restart() {
    let world = World::new().await;
    let polling = world.polling("news").await;
    let path = polling.path.clone();
    world.publish("news", json!(1)).await;
    assert_eq!(polling.payloads("").await, numbers(1..=1));
    world.publish("news", json!(2)).await;
    let World { server, admin, key } = world;
    let server = server.restart().await;
    let world = World { server, admin, key };
    world.publish("news", json!(3)).await;
    assert_eq!(payloads(&world.get(&path).await.json()), numbers(2..=3));
    assert_eq!(payloads(&world.get(&path).await.json()), nothing());
}

#[tokio::test]
async fn an_answer_whose_commit_is_unknown_is_read_again_by_since() {
    let world = World::new().await;
    let polling = world.polling("news").await;
    let position = polling.poll("").await["position"].as_str().unwrap().to_owned();
    world.publish("news", json!(1)).await;
    world.server.faults.fail(Fault::Unavailable);
    assert_eq!(polling.send(Method::GET, "").await.error(), (503, 5914));
    world.server.faults.fail(Fault::Broken);
    assert_eq!(polling.send(Method::GET, "").await.error(), (500, 5919));
    world.server.faults.fail(Fault::UnknownPoll);
    let unknown = polling.send(Method::GET, "").await;
    assert_eq!(unknown.error(), (503, 5915));
    assert!(unknown.message().contains("`since`"), "{}", unknown.text);
    assert!(!unknown.message().contains("Idempotency-Key"), "{}", unknown.text);
    world.server.faults.fail(Fault::None);
    let again = polling.payloads(&format!("?since={position}")).await;
    assert_eq!(again, numbers(1..=1));
}

#[tokio::test]
async fn head_takes_no_messages() {
    let world = World::new().await;
    let polling = world.polling("news").await;
    world.publish("news", json!(1)).await;
    let head = polling.send(Method::HEAD, "").await;
    assert_eq!((head.status, head.text.as_str()), (405, ""));
    assert_eq!(head.headers["allow"], "GET,DELETE");
    assert_eq!(polling.payloads("").await, numbers(1..=1));
}

#[tokio::test]
async fn the_classic_form_polls_too() {
    let world = World::new().await;
    let classic = format!("/default/{}/messaging/news", world.key);
    let http = &world.server.http;
    let body = r#"{"subscriberId":"a","selector":null,"subtopic":"","other":1}"#;
    let subscribe = http
        .post(world.server.url(&format!("{classic}/subscribe")))
        .body(body);
    let id = send(subscribe).await.json()["subscriptionId"]
        .as_str()
        .unwrap()
        .to_owned();
    world.publish("news", json!(1)).await;
    let poll = send(http.get(world.server.url(&format!("{classic}/{id}")))).await;
    assert_eq!(payloads(&poll.json()), numbers(1..=1));
}
