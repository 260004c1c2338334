use std::time::Duration;

use model::time::Clock as _;
use serde_json::json;
use testkit::faults::Fault;

use super::Client;
use crate::support::World;

#[tokio::test]
async fn a_subscription_gets_messages_with_its_id_their_position_and_the_whole_envelope() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    assert_eq!(client.subscribe("a", "news").await, "0");
    let body = json!({"message": {"x": [1.50, "ü"]}, "publisherId": "p", "headers": {"n": 20}});
    let id = world.post("news", body.to_string()).await.message_id();
    let mut message = client.hear().await;
    let position = message["position"].take();
    let (epoch, seq) = position.as_str().unwrap().split_once('-').unwrap();
    assert_eq!((epoch.len(), seq), (16, "1"));
    assert!(message["timestamp"].take().as_i64().unwrap() > 0);
    let expected = json!({
        "op": "message", "id": "a", "position": null, "messageId": id, "timestamp": null,
        "message": {"x": [1.50, "ü"]}, "publisherId": "p", "subtopic": null,
        "pushSinglecast": null, "pushBroadcast": null, "publishPolicy": null,
        "templateValues": null, "query": null, "publishAt": 0, "repeatEvery": 0,
        "repeatExpiresAt": 0, "headers": {"n": "20"}, "seq": 1, "channel": "news",
    });
    assert_eq!(message, expected);
}

#[tokio::test]
async fn many_subscriptions_share_a_connection_and_each_message_names_its_own() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news").await;
    client.subscribe("b", "news").await;
    client.subscribe_with(json!({"id": 7, "channel": "sport"})).await;
    world.publish("news", json!(1)).await;
    let mut both = [client.message().await, client.message().await];
    both.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(both, [("a".to_owned(), json!(1)), ("b".to_owned(), json!(1))]);
    world.publish("sport", json!(2)).await;
    assert_eq!(client.hear().await["id"], 7);
}

#[tokio::test]
async fn nothing_comes_after_unsubscribing_and_the_id_is_free_again() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news").await;
    client.subscribe("b", "sport").await;
    let answer = client.ask(json!({"op": "unsubscribe", "id": "a"})).await;
    assert_eq!(answer, json!({"op": "ok", "id": "a"}));
    world.publish("news", json!(1)).await;
    world.publish("sport", json!(2)).await;
    assert_eq!(client.message().await, ("b".to_owned(), json!(2)));
    assert_eq!(
        client
            .error(json!({"op": "unsubscribe", "id": "a"}), json!("a"))
            .await,
        5907
    );
    client.subscribe("a", "sport").await;
}

#[tokio::test]
async fn a_repeated_id_is_an_error_and_the_first_subscription_stays() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news").await;
    let again = json!({"op": "subscribe", "id": "a", "channel": "sport"});
    assert_eq!(client.error(again, json!("a")).await, 5908);
    world.publish("sport", json!(1)).await;
    world.publish("news", json!(2)).await;
    assert_eq!(client.message().await, ("a".to_owned(), json!(2)));
}

#[tokio::test]
async fn publishing_is_answered_as_over_http_and_every_field_goes_through() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    let publish = json!({
        "op": "publish", "id": "p", "channel": "news", "message": [null, true],
        "publisherId": "cms", "headers": {"a": true, "b": null}, "subtopic": "x.y",
        "publishPolicy": "BOTH", "pushBroadcast": 3, "pushSinglecast": ["d"],
        "templateValues": {"t": 1}, "query": "q", "unknown": {},
    });
    let answer = client.ask(publish).await;
    let id = answer["messageId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("message:"), "{id}");
    let expected = json!({
        "op": "ok", "id": "p", "errorMessage": null, "messageId": id, "status": "scheduled",
    });
    assert_eq!(answer, expected);
    let history = world.get("/api/messaging/news/history").await.json();
    let message = &history["messages"][0];
    assert_eq!(message["messageId"], id);
    assert_eq!(message["headers"], json!({"a": "true"}));
    for (field, value) in [
        ("publisherId", json!("cms")),
        ("subtopic", json!("x.y")),
        ("publishPolicy", json!("BOTH")),
        ("pushBroadcast", json!(3)),
        ("pushSinglecast", json!(["d"])),
        ("templateValues", json!({"t": 1})),
        ("query", json!("q")),
    ] {
        assert_eq!(message[field], value, "{field}");
    }
}

#[tokio::test]
async fn publishes_that_are_sent_at_once_keep_their_order_and_are_all_answered() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    for number in 0..200 {
        let publish = json!({"op": "publish", "id": number, "channel": "news", "message": number});
        client.say(publish).await;
    }
    let mut answered = Vec::new();
    for _ in 0..200 {
        let answer = client.hear().await;
        assert_eq!(answer["op"], "ok", "{answer}");
        answered.push(answer["id"].as_i64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, (0..200).collect::<Vec<_>>());
    let history = world.get("/api/messaging/news/history?limit=1000").await.json();
    let messages = history["messages"].as_array().unwrap();
    let payloads: Vec<_> = messages
        .iter()
        .map(|message| message["message"].as_i64().unwrap())
        .collect();
    assert_eq!(payloads, (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_errors_of_publishing_carry_their_codes() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    let cases = [
        (json!({"channel": "news"}), 5902),
        (json!({"channel": "news", "message": null}), 5902),
        (json!({"channel": "a/b", "message": 1}), 5903),
        (json!({"channel": "", "message": 1}), 5903),
        (json!({"message": 1}), 5903),
        (
            json!({"channel": "news", "message": 1, "headers": {"a": []}}),
            5904,
        ),
        (
            json!({"channel": "news", "message": 1, "repeatEvery": 1, "repeatCron": "* * * * *"}),
            5905,
        ),
        (json!({"channel": "news", "message": 1, "publisherId": 7}), 5908),
        (json!({"channel": "news", "message": 1, "publishAt": -1}), 5030),
        (
            json!({"channel": "news", "message": 1, "repeatExpiresAt": 1}),
            5003,
        ),
    ];
    for (mut publish, code) in cases {
        publish["op"] = json!("publish");
        publish["id"] = json!("p");
        assert_eq!(client.error(publish.clone(), json!("p")).await, code, "{publish}");
    }
    // The connection is as good as before.
    client.subscribe("a", "news").await;
}

#[tokio::test]
async fn the_errors_of_subscribing_carry_their_codes() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    let cases = [
        (json!({"channel": "a/b"}), 5903),
        (json!({}), 5903),
        (json!({"channel": 7}), 5903),
        (json!({"channel": "news", "since": "yesterday"}), 5908),
        (json!({"channel": "news", "since": {}}), 5908),
        (json!({"channel": "news", "subtopic": 1}), 5908),
    ];
    for (mut subscribe, code) in cases {
        subscribe["op"] = json!("subscribe");
        subscribe["id"] = json!(1);
        assert_eq!(
            client.error(subscribe.clone(), json!(1)).await,
            code,
            "{subscribe}"
        );
    }
    client.subscribe_with(json!({"id": 1, "channel": "news"})).await;
}

#[tokio::test]
async fn a_connection_and_an_app_have_a_cap_on_subscriptions() {
    let server = testkit::server::Server::builder()
        .app(|settings| {
            settings.limits.connection_subscriptions = 2;
            settings.limits.subscriptions = 3;
        })
        .start()
        .await;
    let world = World::of(server).await;
    let mut first = Client::new(&world).await;
    first.subscribe("a", "news").await;
    first.subscribe("b", "news").await;
    let third = json!({"op": "subscribe", "id": "c", "channel": "news"});
    assert_eq!(first.error(third.clone(), json!("c")).await, 5913);
    let mut second = Client::new(&world).await;
    second.subscribe("a", "news").await;
    assert_eq!(second.error(third.clone(), json!("c")).await, 5913);
    first.ask(json!({"op": "unsubscribe", "id": "a"})).await;
    second.subscribe("c", "news").await;
}

#[tokio::test]
async fn a_store_that_fails_is_told_as_an_error_with_the_request_id() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    world.server.faults.fail(Fault::Broken);
    let subscribe = json!({"op": "subscribe", "id": "a", "channel": "news"});
    let answer = client.ask(subscribe).await;
    assert_eq!(super::error_of(&answer, &json!("a")), 5919);
    assert!(
        answer["message"].as_str().unwrap().contains("request id"),
        "{answer}"
    );
    let publish = json!({"op": "publish", "id": "p", "channel": "news", "message": 1});
    world.server.faults.fail(Fault::Unknown);
    assert_eq!(client.error(publish.clone(), json!("p")).await, 5915);
    world.server.faults.fail(Fault::Unavailable);
    assert_eq!(client.error(publish, json!("p")).await, 5914);
    world.server.faults.fail(Fault::None);
    client.subscribe("a", "news").await;
}

#[tokio::test]
async fn a_message_for_later_is_answered_at_once_and_delivered_at_its_time() {
    let world = World::new().await;
    let mut client = Client::with_key(&world, &world.admin).await;
    client.subscribe("a", "news").await;
    let at = world.server.clock.now().0 + 60_000;
    let publish = json!({"op": "publish", "id": "p", "channel": "news", "message": "later", "publishAt": at});
    let answer = client.ask(publish).await;
    assert_eq!(
        (&answer["op"], &answer["status"]),
        (&json!("ok"), &json!("scheduled"))
    );
    world.publish("news", json!("now")).await;
    assert_eq!(client.message().await.1, "now");
    world.server.clock.advance(Duration::from_secs(61));
    let message = client.hear().await;
    assert_eq!(
        (&message["message"], &message["publishAt"]),
        (&json!("later"), &json!(at))
    );
    assert_eq!(message["messageId"], answer["messageId"]);
}

#[tokio::test]
async fn each_subscription_gets_what_its_selector_and_its_subtopic_want() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    let cheap = json!({"id": "cheap", "channel": "news", "selector": "price < 10"});
    client.subscribe_with(cheap).await;
    let sport = json!({"id": "sport", "channel": "news", "subtopic": "sport.*"});
    client.subscribe_with(sport).await;
    for (payload, price, subtopic) in [
        (1, 20, "sport.a"),
        (2, 5, "art.b"),
        (3, 50, "art.c"),
        (4, 5, "art.d"),
    ] {
        let body = json!({"message": payload, "headers": {"price": price}, "subtopic": subtopic});
        assert_eq!(world.post("news", body.to_string()).await.status, 200);
    }
    let mut heard = Vec::new();
    for _ in 0..3 {
        let (id, payload) = client.message().await;
        heard.push((id, payload.as_i64().unwrap()));
    }
    heard.sort();
    let expected = [("cheap", 2), ("cheap", 4), ("sport", 1)];
    assert_eq!(heard, expected.map(|(id, payload)| (id.to_owned(), payload)));
    let bad = json!({"op": "subscribe", "id": "x", "channel": "news", "selector": "price >"});
    let answer = client.ask(bad).await;
    assert_eq!(super::error_of(&answer, &json!("x")), 5906);
    assert!(
        answer["message"].as_str().unwrap().contains("position"),
        "{answer}"
    );
}
