use futures_util::SinkExt as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{Client, error_of};
use crate::support::World;

/// Another client is served as if nothing had happened.
async fn assert_all_is_well(world: &World) {
    let mut client = Client::new(world).await;
    client.subscribe("well", "well").await;
    world.publish("well", json!("well")).await;
    assert_eq!(client.message().await, ("well".to_owned(), json!("well")));
}

fn frame(bytes: impl Into<Vec<u8>>, kind: Data, is_final: bool) -> Message {
    Message::Frame(Frame::message(bytes.into(), OpCode::Data(kind), is_final))
}

#[tokio::test]
async fn what_is_no_request_is_answered_by_an_error_and_the_connection_goes_on() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    let deep = "[".repeat(50_000);
    let cases = [
        ("", 5901),
        ("hello", 5901),
        ("[]", 5901),
        (r#"["subscribe","a","news"]"#, 5901),
        ("null", 5901),
        ("7", 5901),
        ("{} {}", 5901),
        (r#"{"op":"subscribe","id":"a""#, 5901),
        (deep.as_str(), 5901),
        ("{}", 5908),
        (r#"{"op":null}"#, 5908),
        (r#"{"op":"dance"}"#, 5908),
        (r#"{"op":["subscribe"]}"#, 5908),
        (r#"{"op":"subscribe","channel":"news"}"#, 5908),
        (r#"{"op":"publish","channel":"news","message":1}"#, 5908),
        (r#"{"op":"unsubscribe"}"#, 5908),
        (r#"{"op":"subscribe","channel":"news","id":{}}"#, 5908),
        (r#"{"op":"subscribe","channel":"news","id":""}"#, 5908),
    ];
    for (text, code) in cases {
        client.send(Message::text(text)).await;
        let shown: String = text.chars().take(60).collect();
        assert_eq!(error_of(&client.hear().await, &json!(null)), code, "{shown}");
    }
    client.send(Message::binary(br#"{"op":"auth"}"#.to_vec())).await;
    assert_eq!(error_of(&client.hear().await, &json!(null)), 5901);
    assert_eq!(
        client.error(json!({"op": "Subscribe", "id": 3}), json!(3)).await,
        5908
    );
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let publish = format!(r#"{{"op":"publish","id":"p","channel":"news","message":{nested}}}"#);
    client.send(Message::text(publish)).await;
    assert_eq!(error_of(&client.hear().await, &json!("p")), 5901);
    client.subscribe("a", "news").await;
    world.publish("news", json!(1)).await;
    assert_eq!(client.message().await, ("a".to_owned(), json!(1)));
}

#[tokio::test]
async fn a_message_over_the_limit_is_told_and_closes_the_connection_with_1009() {
    let server = testkit::server::Server::builder().app(|settings| settings.limits.publish_bytes = 10_000);
    let world = World::of(server.start().await).await;
    let mut client = Client::new(&world).await;
    let payload = "x".repeat(9_900);
    let publish = json!({"op": "publish", "id": "p", "channel": "news", "message": payload});
    assert_eq!(client.ask(publish).await["op"], "ok");
    client.send(Message::text("x".repeat(14_097))).await;
    assert_eq!(error_of(&client.hear().await, &json!(null)), 5910);
    let (code, reason) = client.closed().await;
    assert_eq!(
        (code, reason.as_str()),
        (1009, "the message is larger than this server takes")
    );
    let mut client = Client::new(&world).await;
    for part in 0..20 {
        let kind = if part == 0 { Data::Text } else { Data::Continue };
        if client
            .0
            .send(frame(vec![b'x'; 1_000], kind, false))
            .await
            .is_err()
        {
            break;
        }
    }
    assert_eq!(error_of(&client.hear().await, &json!(null)), 5910);
    assert_eq!(client.closed().await.0, 1009);
    assert_all_is_well(&world).await;
}

#[tokio::test]
async fn a_bad_frame_of_any_kind_is_told_and_closes_its_own_connection_alone() {
    let world = World::new().await;
    let mut bystander = Client::new(&world).await;
    bystander.subscribe("a", "news").await;
    for bad in testkit::frames::bad() {
        let mut client = Client::new(&world).await;
        client.subscribe("a", "news").await;
        client.0.get_mut().write_all(&bad.bytes).await.unwrap();
        let told = match bad.code {
            1009 => 5910,
            1007 => 5901,
            _ => 5908,
        };
        assert_eq!(error_of(&client.hear().await, &json!(null)), told, "{}", bad.what);
        let (code, reason) = client.closed().await;
        assert_eq!(code, bad.code, "{}", bad.what);
        assert!(!reason.is_empty(), "{}", bad.what);
    }
    world.publish("news", json!(1)).await;
    assert_eq!(bystander.message().await, ("a".to_owned(), json!(1)));
    assert_all_is_well(&world).await;
}

#[tokio::test]
async fn a_message_in_many_frames_with_pings_between_them_is_one_message() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    client.send(frame(r#"{"op":"subsc"#, Data::Text, false)).await;
    client.send(Message::Ping("now".into())).await;
    client
        .send(frame(r#"ribe","id":"a","#, Data::Continue, false))
        .await;
    client
        .send(frame(r#""channel":"news"}"#, Data::Continue, true))
        .await;
    assert_eq!(client.next().await, Message::Pong("now".into()));
    assert_eq!(client.hear().await["op"], "ready");
}

#[tokio::test]
async fn a_close_is_answered_by_its_own_code() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news").await;
    let close = tokio_tungstenite::tungstenite::protocol::CloseFrame {
        code: 4_321.into(),
        reason: "enough".into(),
    };
    client.send(Message::Close(Some(close))).await;
    assert_eq!(client.closed().await.0, 4_321);
    assert_all_is_well(&world).await;
}
