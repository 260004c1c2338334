use futures_util::SinkExt as _;
use serde_json::json;
use testkit::rt::websocket::Ws;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Message;

use crate::support::World;

/// What no client may send, once it is connected.
const BAD: [&str; 20] = [
    "",
    "0{}",
    "7",
    "x",
    "é",
    "\u{0}",
    "bAQIDBA==",
    "4",
    "4x",
    "43/default,1[]",
    "44/default,{}",
    "451-/default,[\"a\",{\"_placeholder\":true,\"num\":0}]",
    "461-/default,1[]",
    "42/default,",
    "42/default,{}",
    "42/default,[]",
    "42/default,[5]",
    "42/default,[\"SUB_ON\"",
    "42[",
    "2probe",
];

#[tokio::test]
async fn bad_packets_end_the_session_that_sent_them_and_nothing_else() {
    let world = World::new().await;
    for bad in BAD {
        let client = world.polling("c").await;
        let (status, text) = client.post(bad).await;
        assert_eq!(status, 400, "{bad:?}");
        assert!(text.contains("\"code\":3"), "{bad:?}: {text}");
        assert_eq!(client.poll().await.0, 400, "{bad:?}: the session is closed");
    }
    let client = world.polling("c").await;
    assert_eq!(client.post(vec![b'4', 0xff, 0xfe]).await.0, 400, "not UTF-8");
    world.still_serves().await;
}

#[tokio::test]
async fn bad_packets_close_the_websocket_that_sent_them_and_nothing_else() {
    let world = World::new().await;
    for bad in BAD {
        let mut client = world.websocket("c").await;
        client.send(bad).await;
        assert_eq!(client.closed().await, 1002, "{bad:?}");
    }
    let mut client = world.websocket("c").await;
    client.0.send(Message::binary(vec![4, 5, 6])).await.unwrap();
    assert_eq!(client.closed().await, 1002);
    let mut client = world.websocket("c").await;
    client.send(&"4".repeat(330 * 1024)).await;
    assert_eq!(client.closed().await, 1009);
    world.still_serves().await;
}

#[tokio::test]
async fn a_bad_frame_of_any_kind_closes_its_own_websocket_alone() {
    let world = World::new().await;
    let mut bystander = world.websocket("b").await;
    let options = json!({"channel": "news"});
    bystander
        .subscribe("s", "PUB_SUB_MESSAGES", options.clone())
        .await;
    for bad in testkit::frames::bad() {
        let mut client = world.websocket("c").await;
        client.subscribe("s", "PUB_SUB_MESSAGES", options.clone()).await;
        client.0.get_mut().write_all(&bad.bytes).await.unwrap();
        assert_eq!(client.closed().await, bad.code, "{}", bad.what);
        let mut probe = Ws::open(&world.server, &format!("sid={}", world.polling("").await.sid)).await;
        probe.0.get_mut().write_all(&bad.bytes).await.unwrap();
        assert_eq!(probe.closed().await, bad.code, "{}, while it probes", bad.what);
    }
    world.publish("news", json!(1)).await;
    assert_eq!(bystander.message("s").await, 1);
    world.still_serves().await;
}

#[tokio::test]
async fn a_probe_that_says_something_else_is_closed_and_polling_goes_on() {
    let world = World::new().await;
    for bad in ["5", "3probe", "40/default,", "", "2"] {
        let mut client = world.polling("").await;
        let mut probe = Ws::open(&world.server, &format!("sid={}", client.sid)).await;
        probe.send(bad).await;
        assert_eq!(probe.closed().await, 1002, "{bad:?}");
        client
            .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
            .await;
    }
}

#[tokio::test]
async fn rubbish_of_every_length_ends_nothing_but_its_session() {
    let world = World::new().await;
    let whole = "42/default,[\"SUB_ON\",{\"id\":\"s\",\"name\":\"PUB_SUB_MESSAGES\",\"options\":{\"channel\":\"c\"}}]";
    for cut in 0..whole.len() {
        let client = world.polling("").await;
        client.post(&whole[..cut]).await;
        client.post(&whole[cut..]).await;
    }
    let deep = format!(
        "42/default,[\"MET_REQ\",{{\"id\":\"i\",\"name\":\"PUB_SUB_COMMAND\",\"options\":{{\"channel\":\"c\",\"type\":\"t\",\"data\":{}{}}}}}]",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let client = world.polling("").await;
    client.post(deep).await;
    world.still_serves().await;
}

#[tokio::test]
async fn pings_and_pongs_of_a_client_are_fine_at_any_time() {
    let world = World::new().await;
    let mut client = world.websocket("c").await;
    for packet in ["3", "3", "6", "2"] {
        client.send(packet).await;
    }
    assert_eq!(client.raw().await, "3");
    client
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
}
