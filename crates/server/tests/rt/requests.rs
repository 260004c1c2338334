use futures_util::future::Either;
use postbell_server::rt::options::Options;
use serde_json::{Value, json};
use testkit::server::Server;
use testkit::soon;

use crate::support::World;

async fn asked(server: &Server, method: reqwest::Method, path: &str) -> (u16, u64) {
    let request = server.http.request(method, server.url(path)).send();
    let response = soon("an answer", request).await.unwrap();
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert!(!body["message"].as_str().unwrap().is_empty());
    (status, body["code"].as_u64().unwrap())
}

#[tokio::test]
async fn requests_that_are_no_handshake_are_refused_with_the_codes_of_engine_io() {
    let world = World::new().await;
    let (get, post) = (reqwest::Method::GET, reqwest::Method::POST);
    let other = world.server.create_app("shop").await;
    let session = world.polling("c").await;
    let cases = [
        (&get, "/default/?EIO=3&transport=polling".to_owned(), (400, 5)),
        (&get, "/default/?EIO=&transport=polling".to_owned(), (400, 5)),
        (&get, "/default/?EIO=4".to_owned(), (400, 0)),
        (&get, "/default/?EIO=4&transport=tea".to_owned(), (400, 0)),
        (
            &get,
            "/default/?EIO=4&transport=polling&sid=none".to_owned(),
            (400, 1),
        ),
        (&post, "/default/?EIO=4&transport=polling".to_owned(), (400, 2)),
        (
            &reqwest::Method::PUT,
            "/default?EIO=4&transport=polling".to_owned(),
            (400, 2),
        ),
        (
            &get,
            format!("/{}/?EIO=4&transport=polling&sid={}", other.id, session.sid),
            (400, 1),
        ),
        (
            &reqwest::Method::DELETE,
            format!("/default/?EIO=4&transport=polling&sid={}", session.sid),
            (400, 3),
        ),
        (&get, "/nobody/?EIO=4&transport=polling".to_owned(), (404, 5909)),
        (
            &get,
            "/default/?EIO=4&transport=websocket".to_owned(),
            (426, 5908),
        ),
        // Not Backendless RT at all.
        (&get, "/default/?transport=polling".to_owned(), (404, 5909)),
        (
            &get,
            "/default/key/?EIO=4&transport=polling".to_owned(),
            (404, 5909),
        ),
    ];
    for (method, path, expected) in cases {
        assert_eq!(
            asked(&world.server, method.clone(), &path).await,
            expected,
            "{method} {path}"
        );
    }
    let health = world
        .server
        .http
        .get(world.server.url("/healthz?EIO=4&transport=polling"));
    assert_eq!(
        health.send().await.unwrap().status(),
        200,
        "reserved segments are no apps"
    );
}

#[tokio::test]
async fn info_names_the_url_that_clients_connect_to() {
    let world = World::new().await;
    let path = format!("/default/{}/info", world.key);
    let info: Value = world
        .server
        .http
        .get(world.server.url(&path))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let url = format!("http://{}", world.server.address);
    assert_eq!(
        info,
        json!({"appId": "default", "apiKey": world.key, "rtURL": url})
    );
}

#[tokio::test]
async fn pages_of_an_allowed_origin_may_poll() {
    let world = World::new().await;
    world
        .app
        .set(|settings| settings.cors.origins = vec!["https://a.example".into()])
        .await;
    let path = world.server.url("/default/?EIO=4&transport=polling");
    for (origin, allowed) in [("https://a.example", true), ("https://b.example", false)] {
        let response = world
            .server
            .http
            .get(&path)
            .header("Origin", origin)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let header = response.headers().get("access-control-allow-origin");
        assert_eq!(header.is_some_and(|header| header == origin), allowed, "{origin}");
        let preflight = world.server.http.request(reqwest::Method::OPTIONS, &path);
        let preflight = preflight
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST");
        assert_eq!(preflight.send().await.unwrap().status().is_success(), allowed);
    }
    let websocket = |origin: &'static str| {
        let path = world.server.url("/default/?EIO=4&transport=websocket");
        world
            .server
            .http
            .get(path)
            .header("Origin", origin)
            .header("Connection", "upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .send()
    };
    assert_eq!(websocket("https://a.example").await.unwrap().status(), 101);
    assert_eq!(websocket("https://b.example").await.unwrap().status(), 403);
}

#[tokio::test]
async fn sessions_and_their_subscriptions_are_bounded() {
    let world = World::with(Options {
        max_sessions: 2,
        ..Options::default()
    })
    .await;
    world
        .app
        .set(|settings| settings.limits.connection_subscriptions = 2)
        .await;
    let mut first = world.polling("a").await;
    let _second = world.polling("b").await;
    let path = "/default/?EIO=4&transport=polling";
    assert_eq!(
        asked(&world.server, reqwest::Method::GET, path).await,
        (503, 5914)
    );
    for n in ["1", "2"] {
        first
            .subscribe(n, "PUB_SUB_MESSAGES", json!({"channel": "news"}))
            .await;
    }
    assert_eq!(
        first
            .refused("3", "PUB_SUB_USERS", json!({"channel": "news"}))
            .await,
        5913
    );
    first.send("41/default,").await;
    let mut third = world.polling("c").await;
    third
        .subscribe("1", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let world = World::with(Options {
        max_payload: 10_000,
        ..Options::default()
    })
    .await;
    let client = world.polling("c").await;
    let (status, _) = client.post("4".repeat(10_001)).await;
    assert_eq!(status, 413);
    world.still_serves().await;
}

#[tokio::test]
async fn stopping_closes_sessions_so_that_their_clients_come_back() {
    let world = World::new().await;
    let polling = world.polling("a").await;
    let mut ws = world.websocket("b").await;
    ws.subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    let held = tokio::spawn(world.server.http.get(polling.url()).send());
    ws.invoke("i", "SET_USER_TOKEN", json!({"userToken": null})).await;
    let World { server, .. } = &world;
    let url = polling.url();
    drop(polling);
    server.engine.end_streams();
    assert_eq!(
        ws.closed().await,
        1001,
        "not an error of the subscription, which the SDK would forget"
    );
    let answer = soon("the held poll", held).await.unwrap().unwrap();
    let status = answer.status().as_u16();
    assert!((status, answer.text().await.unwrap().as_str()) == (200, "1") || status == 400);
    let (status, _) = asked(
        server,
        reqwest::Method::GET,
        url.split_once(&server.address.to_string()).unwrap().1,
    )
    .await;
    assert_eq!(status, 400);
    let path = "/default/?EIO=4&transport=polling";
    assert_eq!(asked(server, reqwest::Method::GET, path).await, (503, 5914));
    world.server.stop().await;
}

#[tokio::test]
async fn a_second_poll_takes_the_turn_of_the_first() {
    let world = World::new().await;
    let mut client = world.polling("c").await;
    client
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    let poll = || async {
        let answer = world.server.http.get(client.url()).send().await.unwrap();
        answer.text().await.unwrap()
    };
    let (first, second) = (Box::pin(poll()), Box::pin(poll()));
    // Whichever comes second takes the turn; the other is let go at once.
    let (let_go, waiting) = match futures_util::future::select(first, second).await {
        Either::Left((text, other)) | Either::Right((text, other)) => (text, other),
    };
    assert_eq!(let_go, "6");
    world.publish("news", json!(1)).await;
    let news = waiting.await;
    assert!(news.contains("SUB_RES"), "{news}");
}
