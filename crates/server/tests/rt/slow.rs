use std::time::Duration;

use futures_util::StreamExt as _;
use postbell_server::rt::options::Options;
use serde_json::json;
use testkit::rt::polling::Polling;
use testkit::soon;

use crate::support::{World, until};

#[tokio::test]
async fn a_websocket_gets_no_more_than_a_window_beyond_what_it_confirmed() {
    let options = Options {
        window: 64 * 1024,
        ..Options::default()
    };
    let world = World::with(options).await;
    let mut client = world.websocket("c").await;
    client
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    let text = "x".repeat(10_000);
    for n in 0..60 {
        world.publish("news", json!([n, text])).await;
    }
    let (mut got, mut asked) = (0, false);
    // Without a pong there is an end to it.
    while let Ok(Some(Ok(message))) = tokio::time::timeout(Duration::from_millis(500), client.0.next()).await
    {
        match message.to_text().unwrap() {
            "2" => asked = true,
            _ => got += 1,
        }
    }
    assert!(asked, "the server asks what has arrived");
    assert!(
        (6..=20).contains(&got),
        "{got} messages of 10,000 bytes came without a pong"
    );
    client.send("3").await;
    while got < 60 {
        assert_eq!(client.message("s").await[0], got);
        got += 1;
    }
}

#[tokio::test]
async fn clients_that_answer_no_ping_or_fetch_none_are_closed() {
    let options = Options {
        ping_interval: Duration::from_millis(200),
        pong_timeout: Duration::from_millis(600),
        tick: Duration::from_millis(50),
        ..Options::default()
    };
    let world = World::with(options).await;
    let mut watcher = world.websocket("w").await;
    watcher
        .subscribe("u", "PUB_SUB_USERS", json!({"channel": "news"}))
        .await;
    assert_eq!(watcher.event().await.1["data"]["status"], "LISTING");
    let mut silent = world.websocket("a").await;
    silent
        .subscribe("c", "PUB_SUB_CONNECT", json!({"channel": "news"}))
        .await;
    let mut absent = world.polling("b").await;
    absent
        .subscribe("c", "PUB_SUB_CONNECT", json!({"channel": "news"}))
        .await;
    for expected in ["CONNECTED", "CONNECTED", "DISCONNECTED", "DISCONNECTED"] {
        assert_eq!(watcher.event().await.1["data"]["status"], expected);
    }
    assert_eq!(silent.closed().await, 1000);
    assert_eq!(absent.post("3").await.0, 400);
    // Who answers stays.
    world.publish("news", json!(1)).await;
    watcher
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
}

#[tokio::test]
async fn a_client_that_connects_to_nothing_is_closed() {
    let options = Options {
        connect_timeout: Duration::from_millis(200),
        tick: Duration::from_millis(50),
        ..Options::default()
    };
    let world = World::with(options).await;
    let client = Polling::open(&world.server, "").await;
    assert_eq!(client.poll().await, (200, "1".to_owned()));
    assert_eq!(client.poll().await.0, 400);
}

#[tokio::test]
async fn a_websocket_that_takes_no_bytes_is_closed_and_comes_back_to_everything() {
    let options = Options {
        stall: Duration::from_millis(600),
        pong_timeout: Duration::from_secs(60),
        // So that the kernel's buffers are filled.
        window: usize::MAX,
        ..Options::default()
    };
    let world = World::with(options).await;
    let mut stuck = world.websocket("c").await;
    stuck
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    let text = "x".repeat(200_000);
    let before = world.server.engine.open_streams();
    assert_eq!(before, 1);
    for n in 0..60 {
        world.publish("news", json!([n, text])).await;
    }
    until("the end of the stuck connection", || {
        world.server.engine.open_streams() == 0
    })
    .await;
    let mut back = world.websocket("c").await;
    back.subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    for n in 0..60 {
        assert_eq!(back.message("s").await[0], n);
    }
}

#[tokio::test]
async fn answers_and_notices_for_a_client_that_does_not_read_are_bounded() {
    let options = Options {
        max_waiting: 10_000,
        ..Options::default()
    };
    let world = World::with(options).await;
    // Answers: a client that asks and asks, and never polls.
    let client = world.polling("a").await;
    let ask = testkit::rt::event("SUB_OFF", &json!({}));
    soon("the end of its patience", async {
        loop {
            client.post([ask.as_str(); 100].join("\u{1e}")).await;
            if client.poll().await.1 == "1" {
                break;
            }
        }
    })
    .await;
    // Notices: a listener that never polls.
    let mut listener = world.polling("b").await;
    listener
        .subscribe("k", "PUB_SUB_COMMANDS", json!({"channel": "news"}))
        .await;
    let mut sender = world.websocket("c").await;
    for n in 0..20 {
        let options = json!({"channel": "news", "type": "t", "data": "x".repeat(1_000)});
        sender.invoke(&n.to_string(), "PUB_SUB_COMMAND", options).await;
    }
    assert_eq!(listener.poll().await, (200, "1".to_owned()));
}
