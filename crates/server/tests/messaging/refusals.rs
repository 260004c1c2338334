use std::time::Duration;

use http_body_util::StreamBody;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::clock::START;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{World, send};

#[tokio::test]
async fn each_wrong_body_has_its_code_and_a_text_that_names_the_field() {
    let world = World::new().await;
    let now = START.0;
    let many = (0..65)
        .map(|n| format!("\"h{n}\":1"))
        .collect::<Vec<_>>()
        .join(",");
    let large = "x".repeat(8 * 1024 + 1);
    let cases: Vec<(String, u64, &str)> = vec![
        ("".into(), 5901, "found nothing at line 1 column 1"),
        ("nothing".into(), 5901, "line 1 column 2"),
        ("\n [1]".into(), 5901, "found an array at line 2 column 2"),
        ("{\"message\":1,\n\"a\" 2}".into(), 5901, "line 2 column 5"),
        ("{}".into(), 5902, "message"),
        (
            r#"{"message":null}"#.into(),
            5902,
            "message: expected any JSON value but null, found null",
        ),
        (r#"{"message":1,"headers":[]}"#.into(), 5904, "headers"),
        (r#"{"message":1,"headers":{"deep":{}}}"#.into(), 5904, "\"deep\""),
        (
            r#"{"message":1,"headers":{"":1}}"#.into(),
            5904,
            "headers: expected a name",
        ),
        (format!(r#"{{"message":1,"headers":{{{many}}}}}"#), 5904, "64"),
        (
            format!(r#"{{"message":1,"headers":{{"a":"{large}"}}}}"#),
            5904,
            "8192",
        ),
        (r#"{"message":1,"publisherId":7}"#.into(), 5908, "publisherId"),
        (r#"{"message":1,"subtopic":7}"#.into(), 5908, "subtopic"),
        (r#"{"message":1,"subtopic":"a..b"}"#.into(), 5908, "subtopic"),
        (
            r#"{"message":1,"publishPolicy":"NOW"}"#.into(),
            5908,
            "publishPolicy",
        ),
        (r#"{"message":1,"publishAt":"soon"}"#.into(), 5030, "publishAt"),
        (r#"{"message":1,"publishAt":1.5}"#.into(), 5030, "publishAt"),
        (r#"{"message":1,"publishAt":-1}"#.into(), 5030, "publishAt"),
        (
            format!(r#"{{"message":1,"publishAt":{}}}"#, now - 60_001),
            5030,
            "publishAt",
        ),
        (
            format!(r#"{{"message":1,"publishAt":{}}}"#, now + 3_653 * 86_400_000),
            5030,
            "publishAt",
        ),
        (
            r#"{"message":1,"publishAt":99999999999999999999}"#.into(),
            5030,
            "publishAt",
        ),
        (
            r#"{"message":1,"repeatExpiresAt":"x"}"#.into(),
            5003,
            "repeatExpiresAt",
        ),
        (
            r#"{"message":1,"repeatExpiresAt":-1}"#.into(),
            5003,
            "repeatExpiresAt",
        ),
        (
            format!(r#"{{"message":1,"repeatExpiresAt":{}}}"#, now + 1),
            5003,
            "repeatExpiresAt",
        ),
        (
            format!(r#"{{"message":1,"repeatEvery":1,"repeatExpiresAt":{now}}}"#),
            5003,
            "repeatExpiresAt",
        ),
        (r#"{"message":1,"repeatEvery":-1}"#.into(), 5905, "repeatEvery"),
        (r#"{"message":1,"repeatEvery":"1"}"#.into(), 5905, "repeatEvery"),
        (r#"{"message":1,"repeatTimes":1}"#.into(), 5905, "repeatTimes"),
        (
            r#"{"message":1,"repeatEvery":1,"repeatTimes":0}"#.into(),
            5905,
            "repeatTimes",
        ),
        (r#"{"message":1,"repeatCron":"* *"}"#.into(), 5905, "repeatCron"),
        (
            r#"{"message":1,"repeatCron":"* * * * *","repeatEvery":1}"#.into(),
            5905,
            "repeatCron",
        ),
        (
            r#"{"message":1,"repeatCron":"* * * * *","timezone":"Mars/Base"}"#.into(),
            5905,
            "timezone",
        ),
        (r#"{"message":1,"timezone":"UTC"}"#.into(), 5905, "timezone"),
    ];
    for (body, code, named) in cases {
        let short: String = body.chars().take(80).collect();
        let answer = world.post("news", body).await;
        assert_eq!(answer.error(), (400, code), "{short}: {}", answer.text);
        assert!(
            answer.message().contains(named),
            "{short}: {} does not name {named}",
            answer.text
        );
    }
    assert_eq!(
        world.payloads("news").await,
        Vec::<Value>::new(),
        "nothing was published"
    );
}

#[tokio::test]
async fn another_content_type_is_415() {
    let world = World::new().await;
    let posting = |kind: Option<&str>| {
        let request = world
            .request(Method::POST, "/api/messaging/news", &world.key)
            .body(r#"{"message":1}"#);
        match kind {
            Some(kind) => request.header("Content-Type", kind),
            None => request,
        }
    };
    for kind in [
        None,
        Some("text/plain"),
        Some("application/jsonp"),
        Some("application/x-ndjson"),
    ] {
        let answer = send(posting(kind)).await;
        assert_eq!(answer.error(), (415, 5911), "{kind:?}");
        assert!(answer.message().contains("application/json"));
    }
    for kind in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;x=y",
    ] {
        send(posting(Some(kind))).await.message_id();
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_whether_its_length_is_told_or_not() {
    let world = World::new().await;
    let body = |bytes: usize| {
        let around = r#"{"message":""}"#.len();
        format!(r#"{{"message":"{}"}}"#, "x".repeat(bytes - around))
    };
    let limit = 256 * 1024;
    world.post("news", body(limit)).await.message_id();
    let answer = world.post("news", body(limit + 1)).await;
    assert_eq!(answer.error(), (413, 5910));
    assert!(answer.message().contains("262144"), "{}", answer.text);

    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(body(limit + 1))]);
    assert_eq!(
        world
            .post("news", reqwest::Body::wrap_stream(pieces))
            .await
            .error(),
        (413, 5910)
    );
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(body(limit))]);
    world
        .post("news", reqwest::Body::wrap_stream(pieces))
        .await
        .message_id();

    world
        .server
        .default_app()
        .await
        .set(|settings| settings.limits.publish_bytes = 100)
        .await;
    assert_eq!(world.post("news", body(101)).await.error(), (413, 5910));
    world.post("news", body(100)).await.message_id();
}

#[tokio::test]
async fn bad_channel_names_are_5903() {
    let world = World::new().await;
    let long = "x".repeat(256);
    let names = [
        "a%2Fb",
        "a%3Fb",
        "a%23b",
        "a%00",
        "a%0Ab",
        "%FF",
        "%C3",
        "channels",
        "push",
        "pushtemplates",
        "email",
        "registrations",
        "scheduled",
        &long,
    ];
    for name in names {
        let answer = world.post(name, r#"{"message":1}"#).await;
        assert_eq!(answer.error(), (400, 5903), "{name}: {}", answer.text);
        assert!(answer.message().contains("channel name"), "{}", answer.text);
    }
    let longest = "x".repeat(255);
    for name in [
        "a%20b",
        "%C3%A5",
        "a:b",
        "a+b",
        "...",
        "message:1",
        "Channels",
        &longest,
    ] {
        world.post(name, r#"{"message":1}"#).await.message_id();
    }
    let listed = send(world.request(Method::GET, "/api/messaging/channels", &world.admin))
        .await
        .json();
    let names: Vec<&str> = listed["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| channel["name"].as_str().unwrap())
        .collect();
    for name in ["a b", "å", "a:b", "a+b", "...", "message:1", "Channels"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
}

#[tokio::test]
async fn dots_are_no_channel_names_however_they_are_written() {
    let world = World::new().await;
    // URL libraries resolve dots, so the request is written by hand.
    for name in [".", "..", "%2E", "%2e%2E"] {
        let head = format!(
            "POST /api/messaging/{name} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{{\"message\":1}}",
            world.key
        );
        let mut socket = TcpStream::connect(world.server.address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        testkit::soon("an answer", socket.read_to_string(&mut answer))
            .await
            .unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"code\":5903"),
            "{name}: {answer}"
        );
    }
}

#[tokio::test]
async fn one_channel_more_than_the_app_may_have_is_429() {
    let world = World::new().await;
    world.publish("one", json!(1)).await;
    world
        .server
        .default_app()
        .await
        .set(|settings| settings.limits.channels = 1)
        .await;
    let answer = world.post("two", r#"{"message":1}"#).await;
    assert_eq!(answer.error(), (429, 5913));
    assert!(answer.message().contains("channels"));
    world.publish("one", json!(2)).await;
    // It always exists.
    world.publish("default", json!(3)).await;
}

#[tokio::test]
async fn a_stranger_is_refused_before_the_body_is_read() {
    let world = World::new().await;
    // A body that never comes to its end.
    let never = futures_util::stream::pending::<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>();
    let request = world
        .server
        .http
        .post(world.server.url("/api/messaging/news"))
        .header("Content-Type", "application/json")
        .body(reqwest::Body::wrap(StreamBody::new(never)));
    assert_eq!(
        send(request.timeout(Duration::from_secs(5))).await.error(),
        (401, 2002)
    );
}
