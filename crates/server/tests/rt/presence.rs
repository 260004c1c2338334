use serde_json::{Value, json};
use testkit::rt::error_of;

use crate::support::World;

fn status(name: &str, users: &[(&str, Option<&str>)]) -> Value {
    let users: Vec<_> = users
        .iter()
        .map(|(connection, user)| json!({"connectionId": connection, "userId": user}))
        .collect();
    json!({"status": name, "data": users})
}

#[tokio::test]
async fn who_is_connected_is_listed_and_told() {
    let world = World::new().await;
    let mut watcher = world.polling("c1").await;
    let channel = json!({"channel": "news"});
    watcher.subscribe("u", "PUB_SUB_USERS", channel.clone()).await;
    assert_eq!(
        watcher.event().await.1,
        json!({"id": "u", "data": status("LISTING", &[])})
    );

    let token = world.app.token("ann").await;
    let mut other =
        testkit::rt::polling::Polling::connect(&world.server, &format!("userToken={token}&clientId=c2"))
            .await;
    other.subscribe("c", "PUB_SUB_CONNECT", channel.clone()).await;
    assert_eq!(other.event().await.1["data"], "connected");
    let ann_sid = other.sid.clone();
    let ann = [(ann_sid.as_str(), Some("ann"))];
    assert_eq!(watcher.event().await.1["data"], status("CONNECTED", &ann));

    watcher.subscribe("c", "PUB_SUB_CONNECT", channel.clone()).await;
    assert_eq!(watcher.event().await.1["data"], "connected");
    let sid = watcher.sid.clone();
    let own = [(sid.as_str(), None)];
    assert_eq!(watcher.event().await.1["data"], status("CONNECTED", &own));

    other.say("SUB_OFF", json!({"id": "c"})).await;
    assert_eq!(watcher.event().await.1["data"], status("DISCONNECTED", &ann));
    other.subscribe("c2", "PUB_SUB_CONNECT", channel).await;
    assert_eq!(watcher.event().await.1["data"], status("CONNECTED", &ann));
    other.send("1").await;
    assert_eq!(watcher.event().await.1["data"], status("DISCONNECTED", &ann));
}

#[tokio::test]
async fn a_websocket_that_is_gone_is_told_at_once() {
    let world = World::new().await;
    let mut watcher = world.polling("c1").await;
    watcher
        .subscribe("u", "PUB_SUB_USERS", json!({"channel": "news"}))
        .await;
    watcher.event().await;
    let mut other = world.websocket("c2").await;
    other
        .subscribe("c", "PUB_SUB_CONNECT", json!({"channel": "news"}))
        .await;
    assert_eq!(watcher.event().await.1["data"]["status"], "CONNECTED");
    drop(other);
    assert_eq!(watcher.event().await.1["data"]["status"], "DISCONNECTED");
    assert_eq!(world.server.engine.rooms(), 1);
    drop(watcher);
}

#[tokio::test]
async fn commands_reach_all_who_listen_the_sender_too() {
    let world = World::new().await;
    let mut listener = world.polling("c1").await;
    let mut sender = world.websocket("c2").await;
    let channel = json!({"channel": "news"});
    listener.subscribe("k", "PUB_SUB_COMMANDS", channel.clone()).await;
    sender.subscribe("k", "PUB_SUB_COMMANDS", channel).await;
    for data in [json!({"n": 1.50}), json!("é"), json!(null), json!([1, [2]])] {
        let options = json!({"channel": "news", "type": "note", "data": data});
        let first = sender.invoke(&data.to_string(), "PUB_SUB_COMMAND", options).await;
        let second = sender.event().await;
        let (answer, own) = if first.0 == "MET_RES" {
            (first, second)
        } else {
            (second, first)
        };
        assert_eq!(answer.1, json!({"id": data.to_string(), "result": null}));
        let heard = listener.event().await;
        assert_eq!(heard, own);
        assert_eq!(heard.1["data"]["type"], "note");
        assert_eq!(heard.1["data"]["data"], data);
        assert!(heard.1["data"]["userInfo"]["connectionId"].is_string());
    }
}

#[tokio::test]
async fn a_command_without_right_or_too_large_is_refused() {
    let world = World::new().await;
    let key = world.app.key("reader", "subscribe").await;
    let mut client = testkit::rt::websocket::Ws::connect(&world.server, &format!("apiKey={key}")).await;
    let options = json!({"channel": "news", "type": "t", "data": 1});
    let answer = client.invoke("i", "PUB_SUB_COMMAND", options).await;
    assert_eq!(error_of(answer, "MET_RES", "i"), 5007);

    world
        .app
        .set(|settings| settings.limits.publish_bytes = 1_000)
        .await;
    let mut client = world.websocket("c").await;
    let options = json!({"channel": "news", "type": "t", "data": "x".repeat(1_000)});
    let answer = client.invoke("i", "PUB_SUB_COMMAND", options).await;
    assert_eq!(error_of(answer, "MET_RES", "i"), 5910);
}
