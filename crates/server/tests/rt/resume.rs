use std::time::Duration;

use postbell_server::rt::options::Options;
use serde_json::json;
use testkit::rt::websocket::Ws;
use testkit::rt::{SEPARATOR, parsed, payload, ready};
use testkit::soon;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::World;

#[tokio::test]
async fn a_websocket_that_comes_back_goes_on_where_it_stopped() {
    let world = World::new().await;
    let mut first = world.websocket("c").await;
    first
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    world.publish("news", json!(1)).await;
    assert_eq!(first.message("s").await, 1);
    // The server asks after a while, and the pong says that the message arrived.
    assert_eq!(first.raw().await, "2");
    first.send("3").await;
    first
        .subscribe("t", "PUB_SUB_MESSAGES", json!({"channel": "other"}))
        .await;
    drop(first);
    world.publish("news", json!(2)).await;
    world.publish("other", json!(3)).await;
    let mut second = world.websocket("c").await;
    second
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    assert_eq!(
        second.message("s").await,
        2,
        "what was confirmed does not come again"
    );
    second
        .subscribe("t", "PUB_SUB_MESSAGES", json!({"channel": "other"}))
        .await;
    assert_eq!(second.message("t").await, 3, "also before the first message");
}

#[tokio::test]
async fn a_poll_whose_connection_dies_loses_nothing() {
    let world = World::new().await;
    let mut first = world.polling("c").await;
    first
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    for n in 1..=3 {
        world.publish("news", json!(n)).await;
    }
    // The answer is taken from the session, and dies on its way.
    let mut tcp = TcpStream::connect(world.server.address).await.unwrap();
    let path = first
        .url()
        .split_once(&world.server.address.to_string())
        .unwrap()
        .1
        .to_owned();
    tcp.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut begun = [0; 15];
    soon("the first bytes", tcp.read_exact(&mut begun)).await.unwrap();
    drop(tcp);
    let mut second = world.websocket("c").await;
    second
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    for n in 1..=3 {
        assert_eq!(second.message("s").await, n);
    }
    assert_eq!(first.post("3").await.0, 400, "its client is elsewhere now");
}

#[tokio::test]
async fn another_channel_or_another_client_starts_anew() {
    let world = World::new().await;
    let mut first = world.websocket("c").await;
    for (id, channel) in [("s", "news"), ("t", "news")] {
        first
            .subscribe(id, "PUB_SUB_MESSAGES", json!({"channel": channel}))
            .await;
    }
    drop(first);
    world.publish("news", json!(1)).await;
    let mut stranger = world.websocket("d").await;
    stranger
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    let mut second = world.websocket("c").await;
    second
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "other"}))
        .await;
    second
        .subscribe("u", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    world.publish("news", json!(2)).await;
    world.publish("other", json!(3)).await;
    assert_eq!(stranger.message("s").await, 2);
    assert_eq!(second.message("u").await, 2);
    assert_eq!(second.message("s").await, 3);
}

#[tokio::test]
async fn what_is_kept_is_kept_for_its_time_alone() {
    let world = World::with(Options {
        resume: Duration::ZERO,
        ..Options::default()
    })
    .await;
    let mut first = world.websocket("c").await;
    first
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    drop(first);
    world.publish("news", json!(1)).await;
    let mut second = world.websocket("c").await;
    second
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    world.publish("news", json!(2)).await;
    assert_eq!(second.message("s").await, 2);
}

#[tokio::test]
async fn a_deleted_channel_is_not_a_reason_to_lose_what_comes_after() {
    let world = World::new().await;
    world.publish("news", json!(0)).await;
    let mut first = world.websocket("c").await;
    first
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    drop(first);
    let gone = world
        .server
        .http
        .delete(world.server.url("/api/messaging/channels/news"));
    assert_eq!(
        gone.header("X-Api-Key", &world.admin)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    world.publish("news", json!(1)).await;
    let mut second = world.websocket("c").await;
    second
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    assert_eq!(second.message("s").await, 1, "of the new incarnation");
}

#[tokio::test]
async fn a_method_whose_answer_was_lost_is_not_run_again() {
    let world = World::new().await;
    let mut listener = world.polling("l").await;
    listener
        .subscribe("k", "PUB_SUB_COMMANDS", json!({"channel": "news"}))
        .await;
    let mut first = world.websocket("c").await;
    let send = |n: u64| json!({"channel": "news", "type": "t", "data": n});
    first.invoke("i", "PUB_SUB_COMMAND", send(1)).await;
    drop(first);
    let mut second = world.websocket("c").await;
    let again = second.invoke("i", "PUB_SUB_COMMAND", send(1)).await;
    assert_eq!(again, ("MET_RES".to_owned(), json!({"id": "i", "result": null})));
    second.invoke("j", "PUB_SUB_COMMAND", send(2)).await;
    for n in 1..=2 {
        assert_eq!(listener.event().await.1["data"]["data"], n);
    }
}

const MESSAGES: u64 = 300;

#[tokio::test]
async fn clients_that_flap_lose_nothing_and_keep_the_order() {
    let options = Options {
        confirm_after: Duration::from_millis(20),
        tick: Duration::from_millis(10),
        ..Options::default()
    };
    let world = World::with(options).await;
    // The reader is first known to the server: what is published before is not for it.
    drop(reader(&world).await);
    let publish = async {
        for n in 0..MESSAGES {
            world.publish("news", json!(n)).await;
        }
    };
    let read = async {
        let mut next = 0;
        let mut round = 0;
        while next < MESSAGES {
            round += 1;
            match round % 2 {
                0 => read_some_by_websocket(&world, round % 7, &mut next).await,
                _ => read_some_by_polling(&world, round % 3, &mut next).await,
            }
        }
        assert_eq!(next, MESSAGES);
    };
    tokio::join!(publish, read);
}

async fn reader(world: &World) -> Ws {
    let mut client = world.websocket("c").await;
    client
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    client
}

/// A message may come again, but none may be missing.
fn note(got: u64, next: &mut u64) {
    assert!(got <= *next, "{got} came after {next}: something is lost");
    *next = (*next).max(got + 1);
}

/// Some messages and a confirmation, if one is asked for among them; then the connection is gone.
async fn read_some_by_websocket(world: &World, messages: u64, next: &mut u64) {
    let mut client = reader(world).await;
    for _ in 0..messages {
        match client.raw().await.as_str() {
            "2" => return client.send("3").await,
            packet => note(payload(parsed(packet), "s").as_u64().unwrap(), next),
        }
    }
}

/// Some answers; only the last is not confirmed by a request after it.
async fn read_some_by_polling(world: &World, answers: u64, next: &mut u64) {
    let client = world.polling("c").await;
    let options = json!({"channel": "news"});
    let subscribe = json!({"id": "s", "name": "PUB_SUB_MESSAGES", "options": options});
    client.say("SUB_ON", subscribe).await;
    for _ in 0..answers + 2 {
        if *next == MESSAGES {
            return;
        }
        for packet in client.poll().await.1.split(SEPARATOR) {
            if packet != "2" && parsed(packet) != ready("s") {
                note(payload(parsed(packet), "s").as_u64().unwrap(), next);
            }
        }
    }
}
