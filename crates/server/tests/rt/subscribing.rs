use serde_json::json;
use testkit::rt::polling::Polling;
use testkit::rt::{error_of, event, parsed, ready};

use crate::support::World;

#[tokio::test]
async fn a_message_comes_with_the_envelope_of_the_sdk() {
    let world = World::new().await;
    let mut reader = world.polling("c1").await;
    reader
        .subscribe("s1", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    let id = world
        .publish_fields(
            "news",
            json!({"message": {"n": 1.50, "s": "é\u{2028}"}, "publisherId": "p", "subtopic": "a.b",
                   "headers": {"k": 5, "t": true}, "publishPolicy": "PUBSUB"}),
        )
        .await;
    let (name, argument) = reader.event().await;
    let timestamp = argument["data"]["timestamp"].clone();
    assert!(timestamp.is_u64());
    assert_eq!(name, "SUB_RES");
    let data = json!({
        "messageId": id, "timestamp": timestamp, "message": {"n": 1.5, "s": "é\u{2028}"}, "publisherId": "p",
        "subtopic": "a.b", "pushSinglecast": null, "pushBroadcast": null, "publishPolicy": "PUBSUB",
        "templateValues": null, "query": null, "publishAt": 0, "repeatEvery": 0, "repeatExpiresAt": 0,
        "headers": {"k": "5", "t": "true"},
    });
    assert_eq!(argument, json!({"id": "s1", "data": data}));
}

#[tokio::test]
async fn connecting_is_told_twice_and_unsubscribing_ends_delivery() {
    let world = World::new().await;
    let mut client = world.websocket("c1").await;
    client
        .subscribe("c", "PUB_SUB_CONNECT", json!({"channel": "news"}))
        .await;
    let connected = ("SUB_RES".to_owned(), json!({"id": "c", "data": "connected"}));
    assert_eq!(client.event().await, connected);
    client
        .subscribe("s1", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    client
        .subscribe("s2", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    client.say("SUB_OFF", json!({"id": "s1"})).await;
    client.say("SUB_OFF", json!({"id": "s1"})).await;
    client
        .subscribe("s3", "PUB_SUB_MESSAGES", json!({"channel": "other"}))
        .await;
    world.publish("news", json!(1)).await;
    assert_eq!(client.message("s2").await, 1);
    world.publish("other", json!(2)).await;
    assert_eq!(client.message("s3").await, 2);
    assert_eq!(world.server.engine.open_streams(), 3);
}

#[tokio::test]
async fn many_subscriptions_in_one_request_are_answered_in_order() {
    let world = World::new().await;
    let mut client = Polling::open(&world.server, &world.query("c1")).await;
    let mut packets = vec!["40/default,".to_owned()];
    for n in 0..50 {
        let options = json!({"channel": format!("news.{n}")});
        let argument = json!({"id": format!("s{n}"), "name": "PUB_SUB_MESSAGES", "options": options});
        packets.push(event("SUB_ON", &argument));
    }
    client.send(&packets.join("\u{1e}")).await;
    assert!(client.packet().await.starts_with("40/default,"));
    for n in 0..50 {
        assert_eq!(client.event().await, ready(&format!("s{n}")));
    }
}

#[tokio::test]
async fn an_id_that_comes_again_is_acknowledged_again_and_not_run_again() {
    let world = World::new().await;
    let mut client = world.websocket("c1").await;
    for _ in 0..2 {
        client
            .subscribe("m", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
            .await;
        client
            .subscribe("k", "PUB_SUB_COMMANDS", json!({"channel": "news"}))
            .await;
    }
    world.publish("news", json!("once")).await;
    assert_eq!(client.message("m").await, "once");
    let command = json!({"channel": "news", "type": "t", "data": 1});
    client
        .say(
            "MET_REQ",
            json!({"id": "i", "name": "PUB_SUB_COMMAND", "options": command}),
        )
        .await;
    let (first, second) = (client.event().await, client.event().await);
    let answered = ("MET_RES".to_owned(), json!({"id": "i", "result": null}));
    assert!(first == answered || second == answered);
    assert_eq!(client.invoke("i", "PUB_SUB_COMMAND", command).await, answered);
    world.publish("news", json!("last")).await;
    assert_eq!(
        client.message("m").await,
        "last",
        "the command was not sent again"
    );
}

#[tokio::test]
async fn unknown_names_and_bad_options_get_errors() {
    let world = World::new().await;
    let mut client = world.polling("c1").await;
    for (name, options) in [
        ("PUB_SUB_TEA", json!({"channel": "news"})),
        ("", json!({"channel": "news"})),
        ("OBJECTS_CHANGES", json!({"tableName": "t"})),
        ("PUB_SUB_MESSAGES", json!({})),
        ("PUB_SUB_MESSAGES", json!({"channel": 1})),
        ("PUB_SUB_MESSAGES", json!(null)),
    ] {
        assert_eq!(client.refused("s", name, options).await, 5908, "{name}");
    }
    for name in [
        "PUB_SUB_MESSAGES",
        "PUB_SUB_CONNECT",
        "PUB_SUB_COMMANDS",
        "PUB_SUB_USERS",
    ] {
        assert_eq!(
            client.refused("s", name, json!({"channel": "a/b"})).await,
            5903,
            "{name}"
        );
    }
    for (name, options) in [
        ("RSO_GET", json!({})),
        ("PUB_SUB_COMMAND", json!({})),
        ("SET_USER_TOKEN", json!({"userToken": 5})),
    ] {
        client
            .say("MET_REQ", json!({"id": name, "name": name, "options": options}))
            .await;
        assert_eq!(error_of(client.event().await, "MET_RES", name), 5908, "{name}");
    }
    client.say("TEA", json!({"id": "t"})).await;
    assert_eq!(client.error("t").await, 5908);
    for bad in [
        "[\"SUB_ON\"]",
        "[\"SUB_ON\",5]",
        "[\"SUB_ON\",{}]",
        "[\"SUB_ON\",{\"id\":\"\"}]",
        "[\"SUB_ON\",{\"id\":5}]",
    ] {
        client.send(&format!("42/default,{bad}")).await;
        let (name, argument) = client.event().await;
        assert_eq!(
            (name.as_str(), &argument["id"]),
            ("SUB_RES", &json!(null)),
            "{bad}"
        );
        assert_eq!(argument["error"]["code"], 5908, "{bad}");
    }
    let long = "x".repeat(129);
    client.send(&event("MET_REQ", &json!({"id": long}))).await;
    assert_eq!(client.event().await.0, "MET_RES");
}

#[tokio::test]
async fn a_session_has_the_namespace_of_its_app_alone() {
    let world = World::new().await;
    let mut client = Polling::open(&world.server, &world.query("c1")).await;
    client.send("40").await;
    assert_eq!(client.packet().await, "44{\"message\":\"Invalid namespace\"}");
    client.send("40/other,").await;
    assert_eq!(
        client.packet().await,
        "44/other,{\"message\":\"Invalid namespace\"}"
    );
    client.send(&event("SUB_ON", &json!({"id": "s"}))).await;
    assert_eq!(
        client.packet().await,
        "44/default,{\"message\":\"Invalid namespace\"}"
    );
    client.send("40/Default,").await;
    assert!(
        client.packet().await.starts_with("40/Default,{\"sid\""),
        "names ignore case"
    );
}

#[tokio::test]
async fn large_messages_go_over_both_transports() {
    let world = World::new().await;
    let mut polling = world.polling("c1").await;
    let mut ws = world.websocket("c2").await;
    let options = json!({"channel": "news"});
    polling.subscribe("s", "PUB_SUB_MESSAGES", options.clone()).await;
    ws.subscribe("s", "PUB_SUB_MESSAGES", options).await;
    let text = "0123456789é".repeat(17_000);
    for n in 0..5 {
        world.publish("news", json!([n, text])).await;
    }
    for n in 0..5 {
        assert_eq!(polling.message("s").await, json!([n, text]));
        assert_eq!(ws.message("s").await, json!([n, text]));
    }
    // And the other way.
    ws.subscribe("k", "PUB_SUB_COMMANDS", json!({"channel": "news"}))
        .await;
    let data = "é".repeat(100_000);
    polling
        .say(
            "MET_REQ",
            json!({"id": "i", "name": "PUB_SUB_COMMAND",
              "options": {"channel": "news", "type": "t", "data": data}}),
        )
        .await;
    let (_, command) = parsed(&ws.packet().await);
    assert_eq!(command["data"]["data"], data.as_str());
}

#[tokio::test]
async fn a_burst_arrives_whole_and_in_order() {
    let world = World::new().await;
    let mut polling = world.polling("c1").await;
    let mut ws = world.websocket("c2").await;
    polling
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    ws.subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    let publish = async {
        for n in 0..400 {
            world.publish("news", json!(n)).await;
        }
    };
    let read = async {
        for n in 0..400 {
            assert_eq!(polling.message("s").await, n);
            assert_eq!(ws.message("s").await, n);
        }
    };
    tokio::join!(publish, read);
}
