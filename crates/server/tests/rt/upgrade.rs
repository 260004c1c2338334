use serde_json::json;
use testkit::rt::websocket::Ws;
use testkit::rt::{SEPARATOR, parsed};
use testkit::soon;

use crate::support::World;

#[tokio::test]
async fn a_session_goes_over_to_a_websocket() {
    let world = World::new().await;
    let mut client = world.polling("c").await;
    client
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    let held = tokio::spawn(world.server.http.get(client.url()).send());
    let mut ws = Ws::open(&world.server, &format!("sid={}", client.sid)).await;
    ws.send("2probe").await;
    assert_eq!(ws.raw().await, "3probe");
    let held = soon("the held poll", held).await.unwrap().unwrap();
    assert_eq!(held.text().await.unwrap(), "6", "the client is let go");
    assert_eq!(
        client.poll().await,
        (200, "6".to_owned()),
        "and held no longer while it probes"
    );
    world.publish("news", json!(1)).await;
    ws.send("5").await;
    assert_eq!(ws.message("s").await, 1);
    assert_eq!(client.poll().await.0, 400);
    assert_eq!(client.post("3").await.0, 400);
    ws.subscribe("t", "PUB_SUB_MESSAGES", json!({"channel": "other"}))
        .await;
}

#[tokio::test]
async fn a_second_websocket_does_not_take_a_session_over() {
    let world = World::new().await;
    let client = world.polling("c").await;
    let sid = format!("sid={}", client.sid);
    let mut first = Ws::open(&world.server, &sid).await;
    first.send("2probe").await;
    assert_eq!(first.raw().await, "3probe");
    let mut second = Ws::open(&world.server, &sid).await;
    first.send("5").await;
    first
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    second.send("2probe").await;
    assert_eq!(second.closed().await, 1002);
    world.publish("news", json!(1)).await;
    assert_eq!(first.message("s").await, 1);
}

#[tokio::test]
async fn a_probe_that_dies_leaves_the_session_polling() {
    let world = World::new().await;
    let mut client = world.polling("c").await;
    let mut ws = Ws::open(&world.server, &format!("sid={}", client.sid)).await;
    ws.send("2probe").await;
    assert_eq!(ws.raw().await, "3probe");
    drop(ws);
    client
        .send(&testkit::rt::event(
            "SUB_ON",
            &json!({"id": "s", "name": "PUB_SUB_MESSAGES", "options": {"channel": "news"}}),
        ))
        .await;
    loop {
        match client.packet().await.as_str() {
            "6" => {}
            packet => {
                assert_eq!(parsed(packet).0, "SUB_READY");
                break;
            }
        }
    }
    world.publish("news", json!(1)).await;
    assert_eq!(client.message("s").await, 1);
}

#[tokio::test]
async fn nothing_is_lost_or_reordered_while_clients_go_over() {
    let world = World::new().await;
    for round in 0..8 {
        let mut client = world.polling(&format!("c{round}")).await;
        let channel = format!("news.{round}");
        client
            .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": channel}))
            .await;
        let publish = async {
            for n in 0..200 {
                world.publish(&channel, json!(n)).await;
            }
        };
        let read = async {
            let mut got = vec![];
            let mut ws = Ws::open(&world.server, &format!("sid={}", client.sid)).await;
            for _ in 0..round {
                got.extend(messages(&client.poll().await.1));
            }
            // As the client library does: it polls on until it has heard from the probe.
            ws.send("2probe").await;
            let probed = async { assert_eq!(ws.raw().await, "3probe") };
            let polled = async { client.poll().await.1 };
            let ((), last) = tokio::join!(probed, polled);
            got.extend(messages(&last));
            ws.send("5").await;
            while got.len() < 200 {
                got.push(ws.message("s").await.as_u64().unwrap());
            }
            assert_eq!(got, (0..200).collect::<Vec<_>>());
        };
        tokio::join!(publish, read);
    }
}

fn messages(payload: &str) -> Vec<u64> {
    let packets = payload.split(SEPARATOR).filter(|packet| *packet != "6");
    packets
        .map(|packet| parsed(packet).1["data"]["message"].as_u64().unwrap())
        .collect()
}
