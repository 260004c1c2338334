use reqwest::Method;
use testkit::server::Server;
use testkit::soon;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Client;
use crate::support::{World, send};

async fn connect(world: &World, path: &str, headers: &[(&'static str, &str)]) -> Result<(), (u16, u64)> {
    Client::try_connect(&world.server, path, headers).await.map(drop)
}

#[tokio::test]
async fn every_way_to_name_the_app_and_to_give_a_credential_works() {
    let world = World::new().await;
    let app = world.server.create_app("shop").await;
    let key = app.key("site", "subscribe").await;
    let token = app.token("ann").await;
    let mut client = Client::try_connect(&world.server, &format!("/shop/{key}/realtime"), &[])
        .await
        .unwrap();
    client.subscribe("a", "news").await;
    let with_token = format!("/shop/x/realtime?token={token}");
    let mut client = Client::try_connect(&world.server, &with_token, &[])
        .await
        .unwrap();
    client.subscribe("a", "news").await;
    let with_key = format!("/api/realtime?key={}", world.key);
    let mut client = Client::try_connect(&world.server, &with_key, &[]).await.unwrap();
    client.subscribe("a", "news").await;
}

#[tokio::test]
async fn a_bad_credential_and_an_unknown_app_are_refused_over_http() {
    let world = World::new().await;
    let refused = connect(&world, "/api/realtime", &[("x-api-key", "nobody-0123")]).await;
    assert_eq!(refused, Err((401, 2002)));
    let refused = connect(&world, "/api/realtime?token=x.y.z", &[("x-api-key", &world.key)]).await;
    assert_eq!(refused, Err((401, 3064)));
    let path = format!("/nowhere/{}/realtime", world.key);
    assert_eq!(connect(&world, &path, &[]).await, Err((404, 5909)));
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_unless_the_app_allows_them() {
    let server =
        Server::builder().app(|settings| settings.cors.origins = vec!["https://good.example".into()]);
    let world = World::of(server.start().await).await;
    let own = format!("http://{}", world.server.address);
    let key = ("x-api-key", world.key.as_str());
    for allowed in ["https://good.example", &own] {
        let connected = connect(&world, "/api/realtime", &[key, ("origin", allowed)]).await;
        assert_eq!(connected, Ok(()), "{allowed}");
    }
    for refused in [
        "https://bad.example",
        "null",
        "http://good.example",
        "https://good.example.bad.example",
    ] {
        let connected = connect(&world, "/api/realtime", &[key, ("origin", refused)]).await;
        assert_eq!(connected, Err((403, 5007)), "{refused}");
    }
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_told_what_was_expected() {
    let world = World::new().await;
    let answer = world.get("/api/realtime").await;
    assert_eq!(answer.error(), (426, 5908));
    assert_eq!(answer.headers["upgrade"], "websocket");
    let request = || world.request(Method::GET, "/api/realtime", &world.key);
    let upgrade = || {
        request()
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
    };
    let answer = send(upgrade()).await;
    assert_eq!(answer.error(), (400, 5908));
    let answer = send(
        upgrade()
            .header("sec-websocket-key", "x")
            .header("sec-websocket-version", "8"),
    )
    .await;
    assert_eq!(answer.error(), (426, 5908));
    assert_eq!(answer.headers["sec-websocket-version"], "13");
    let answer = send(world.request(Method::POST, "/api/realtime", &world.key)).await;
    assert_eq!(answer.error(), (405, 5918));
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;

/// A frame of HTTP/2 on stream `stream` (RFC 9113, 4.1).
fn http2(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The kind and the payload of the next frame.
async fn next_http2(socket: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 9];
    soon("a frame", socket.read_exact(&mut head)).await.unwrap();
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    soon("a payload", socket.read_exact(&mut payload)).await.unwrap();
    (head[3], payload)
}

#[tokio::test]
async fn a_websocket_goes_over_a_stream_of_http_2_as_well() {
    let world = World::new().await;
    let mut socket = TcpStream::connect(world.server.address).await.unwrap();
    let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    hello.extend(http2(SETTINGS, 0, 0, &[]));
    let mut headers = Vec::new();
    let path = format!("/api/realtime?key={}", world.key);
    for (name, value) in [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":authority", "localhost"),
        (":path", path.as_str()),
        ("sec-websocket-version", "13"),
    ] {
        // A literal that is not indexed, with a new name (RFC 7541, 6.2.2).
        headers.extend([0, u8::try_from(name.len()).unwrap()]);
        headers.extend(name.as_bytes());
        headers.push(u8::try_from(value.len()).unwrap());
        headers.extend(value.as_bytes());
    }
    let (kind, settings) = {
        socket.write_all(&hello).await.unwrap();
        next_http2(&mut socket).await
    };
    assert_eq!(kind, SETTINGS);
    let connect_protocol = [0, 8, 0, 0, 0, 1];
    assert!(settings.chunks(6).any(|setting| setting == connect_protocol));
    socket.write_all(&http2(SETTINGS, 1, 0, &[])).await.unwrap();
    socket.write_all(&http2(HEADERS, 4, 1, &headers)).await.unwrap();
    let text = br#"{"op":"subscribe","id":"a","channel":"news"}"#;
    let mut message = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
    message.extend(text);
    socket.write_all(&http2(DATA, 0, 1, &message)).await.unwrap();
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains(r#""position":"0"}"#) {
        match next_http2(&mut socket).await {
            // `:status: 200` of the static table (RFC 7541, A).
            (HEADERS, block) => assert_eq!(block[0], 0x88),
            (DATA, payload) => heard.extend(payload),
            _ => {}
        }
    }
    assert_eq!(&heard[2..], br#"{"op":"ready","id":"a","position":"0"}"#);
}
