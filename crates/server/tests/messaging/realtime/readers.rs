use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use testkit::server::Server;
use testkit::soon;
use tokio_tungstenite::tungstenite::Message;

use super::Client;
use crate::support::World;

/// At 50 kB each more than all buffers between server and client hold.
const MESSAGES: u64 = 120;

/// With beats so short that a test can wait for them.
async fn quick(stall: Duration) -> World {
    let mut settings = postbell_server::Settings::default();
    settings.realtime.beat = Duration::from_millis(50);
    settings.realtime.position = Duration::from_millis(150);
    settings.realtime.ping = Duration::from_millis(250);
    settings.realtime.stall = stall;
    World::of(Server::builder().settings(settings).start().await).await
}

#[tokio::test]
async fn a_reader_that_comes_back_goes_on_where_it_was() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news").await;
    world.publish("news", json!(1)).await;
    let seen = client.hear().await["position"].clone();
    drop(client);
    world.publish("news", json!(2)).await;
    let mut client = Client::new(&world).await;
    let ready = client
        .subscribe_with(json!({"id": "a", "channel": "news", "since": seen}))
        .await;
    assert_eq!(json!(ready), seen);
    assert_eq!(client.message().await, ("a".to_owned(), json!(2)));
    client
        .subscribe_with(json!({"id": "b", "channel": "news", "since": 1}))
        .await;
    assert_eq!(client.message().await, ("b".to_owned(), json!(2)));
    client
        .subscribe_with(json!({"id": "c", "channel": "news", "since": "all"}))
        .await;
    assert_eq!(client.message().await, ("c".to_owned(), json!(1)));
    assert_eq!(client.message().await, ("c".to_owned(), json!(2)));
    let ready = client.subscribe("d", "news").await;
    assert!(ready.ends_with("-2"), "{ready}");
}

#[tokio::test]
async fn a_position_that_is_lost_is_answered_by_a_gap_and_what_there_is() {
    let world = World::new().await;
    world.publish("news", json!(1)).await;
    let mut client = Client::new(&world).await;
    let lost = "0123456789abcdef-7";
    let ready = client
        .subscribe_with(json!({"id": "a", "channel": "news", "since": lost}))
        .await;
    let gap = client.hear().await;
    assert_eq!(gap, json!({"op": "gap", "id": "a", "from": lost, "to": ready}));
    assert_eq!(client.message().await, ("a".to_owned(), json!(1)));
}

#[tokio::test]
async fn a_reader_cut_off_again_and_again_gets_every_message_once_and_in_order() {
    let world = World::new().await;
    let (mut seen, mut since) = (Vec::new(), json!("all"));
    for round in 0..20_i64 {
        for number in 0..10 {
            world.publish("news", json!(round * 10 + number)).await;
        }
        let mut client = Client::new(&world).await;
        client
            .subscribe_with(json!({"id": "a", "channel": "news", "since": since}))
            .await;
        // Ever other numbers of messages are read before it breaks off.
        for _ in 0..1 + round * 7 % 11 {
            if seen.len() as i64 == (round + 1) * 10 {
                break;
            }
            let message = client.hear().await;
            since = message["position"].clone();
            seen.push(message["message"].as_i64().unwrap());
        }
    }
    let mut client = Client::new(&world).await;
    client
        .subscribe_with(json!({"id": "a", "channel": "news", "since": since}))
        .await;
    while seen.len() < 200 {
        seen.push(client.message().await.1.as_i64().unwrap());
    }
    assert_eq!(seen, (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn positions_and_pings_come_at_their_intervals() {
    let world = quick(Duration::from_secs(30)).await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news").await;
    world.publish("news", json!(1)).await;
    let seen = client.hear().await["position"].clone();
    let (mut pings, mut positions) = (0, 0);
    while pings < 2 || positions < 4 {
        match client.next().await {
            Message::Ping(_) => pings += 1,
            Message::Text(text) => {
                let position: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(position, json!({"op": "position", "id": "a", "position": seen}));
                positions += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(positions >= pings, "{positions} positions, {pings} pings");
}

#[tokio::test]
async fn a_client_that_answers_no_pings_is_closed() {
    let world = quick(Duration::from_secs(30)).await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news").await;
    assert_eq!(world.server.engine.open_streams(), 1);
    // A client that is not polled answers nothing.
    soon("the end of the dead client's subscription", async {
        while world.server.engine.open_streams() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_stops_reading_slows_nobody_and_gets_everything_when_it_reads_on() {
    // However slow the machine is, the client is not closed for it.
    let hour = Duration::from_secs(3_600);
    let mut settings = postbell_server::Settings::default();
    settings.realtime.stall = hour;
    let server = Server::builder().settings(settings);
    let server = server.serve(move |options| options.write_stall_timeout = hour);
    let world = World::of(server.start().await).await;
    let mut slow = Client::small(&world).await;
    slow.subscribe("a", "news").await;
    let mut quick = Client::new(&world).await;
    quick.subscribe("a", "news").await;
    let payload = "x".repeat(50_000);
    for number in 0..MESSAGES {
        world.publish("news", json!([number, payload])).await;
        assert_eq!(quick.message().await.1[0], number);
    }
    for number in 0..MESSAGES {
        assert_eq!(slow.message().await.1[0], number);
    }
}

#[tokio::test]
async fn a_client_that_takes_no_bytes_is_closed_and_resumes_without_loss() {
    let world = quick(Duration::from_millis(300)).await;
    let mut slow = Client::small(&world).await;
    let since = slow.subscribe("a", "news").await;
    let payload = "x".repeat(50_000);
    for number in 0..MESSAGES {
        world.publish("news", json!([number, payload])).await;
    }
    soon("the end of the slow client", async {
        while world.server.engine.open_streams() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let (mut seen, mut since) = (0, json!(since));
    // What had been sent is still there to be read; whether all of it is not promised.
    while let Some(Ok(message)) = soon("what was sent", slow.0.next()).await {
        let Message::Text(text) = message else { continue };
        let message: Value = serde_json::from_str(&text).unwrap();
        if message["op"] == "message" {
            assert_eq!(message["message"][0], seen);
            seen += 1;
            since = message["position"].clone();
        }
    }
    assert!(seen < MESSAGES);
    let mut again = Client::new(&world).await;
    again
        .say(json!({"op": "subscribe", "id": "a", "channel": "news", "since": since}))
        .await;
    while seen < MESSAGES {
        let message = again.hear().await;
        if message["op"] == "message" {
            assert_eq!(message["message"][0], seen);
            seen += 1;
        }
    }
}

#[tokio::test]
async fn a_stop_ends_subscriptions_with_a_reason_and_closes_with_1001() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news").await;
    let mut idle = Client::new(&world).await;
    world.publish("news", json!(1)).await;
    let since = client.hear().await["position"].clone();
    let World { server, admin, key } = world;
    let farewell = async {
        let end = client.hear().await;
        assert_eq!(
            (&end["op"], &end["id"], &end["code"]),
            (&json!("end"), &json!("a"), &json!(5914))
        );
        let closed = (1001, "the server is shutting down".to_owned());
        assert_eq!(client.closed().await, closed);
        assert_eq!(idle.closed().await, closed);
    };
    let (server, ()) = tokio::join!(server.restart(), farewell);
    let world = World { server, admin, key };
    world.publish("news", json!(2)).await;
    let mut client = Client::new(&world).await;
    client
        .subscribe_with(json!({"id": "a", "channel": "news", "since": since}))
        .await;
    assert_eq!(client.message().await, ("a".to_owned(), json!(2)));
}

#[tokio::test]
async fn a_stop_answers_every_publish_that_it_lets_through() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    for number in 0..100 {
        let publish = json!({"op": "publish", "id": number, "channel": "news", "message": number});
        client.say(publish).await;
    }
    let first = client.hear().await;
    let World { server, admin, key } = world;
    let answers = async {
        let mut published = u64::from(first["op"] == "ok");
        loop {
            match client.next().await {
                Message::Text(text) => published += u64::from(text.contains(r#""op":"ok""#)),
                Message::Ping(_) => {}
                Message::Close(_) => return published,
                other => panic!("{other:?}"),
            }
        }
    };
    let (server, published) = tokio::join!(server.restart(), answers);
    let world = World { server, admin, key };
    assert_eq!(world.payloads("news").await.len() as u64, published);
    assert!(published > 0);
}
