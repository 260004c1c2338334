//! `GET /messages`.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use testkit::server::Server;

use super::support::*;

/// A server with these messages, and a token of the user `u`.
async fn start(documents: &[serde_json::Value]) -> (Server, String) {
    let server = Server::start().await;
    let app = server.default_app().await;
    let key = app.key("campaign", "import").await;
    imported(&server, &key, documents).await;
    let token = app.token("u").await;
    (server, token)
}

#[tokio::test]
async fn the_best_come_first_by_prio_then_created_then_id() {
    let at = |id: &str, prio: i64, created: &str| {
        with(document(id, "u"), json!({"prio": prio, "created": created}))
    };
    let (server, token) = start(&[
        at("d", 1, "2026-03-01T11:00:00Z"),
        at("b", 5, "2026-03-01T10:00:00Z"),
        at("a", -7, "2026-03-01T11:59:59Z"),
        at("e", 1, "2026-03-01T11:30:00Z"),
        // The same instant as that of d.
        at("c", 1, "2026-03-01T12:00:00+01:00"),
    ])
    .await;
    assert_eq!(listed(&server, &token, "").await, ["b", "e", "c", "d", "a"]);
    server.stop().await;
}

#[tokio::test]
async fn five_are_shown_unless_a_limit_says_otherwise_and_pages_follow_each_other() {
    let documents: Vec<_> = (0..12).map(|at| document(&format!("m{at:02}"), "u")).collect();
    let (server, token) = start(&documents).await;
    assert_eq!(
        listed(&server, &token, "").await,
        ["m00", "m01", "m02", "m03", "m04"]
    );
    assert_eq!(listed(&server, &token, "?limit=1").await, ["m00"]);
    assert_eq!(listed(&server, &token, "?limit=1000").await.len(), 12);
    assert_eq!(
        listed(&server, &token, "?after=m04").await,
        ["m05", "m06", "m07", "m08", "m09"]
    );
    assert_eq!(
        listed(&server, &token, "?limit=3&after=m09").await,
        ["m10", "m11"]
    );
    assert!(listed(&server, &token, "?after=m11").await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn only_messages_for_the_client_are_shown_and_web_is_the_default() {
    let (server, token) = start(&[
        with(document("a", "u"), json!({"clients": ["web", "ios"]})),
        with(document("b", "u"), json!({"clients": ["ios", "stv"]})),
        document("other", "v"),
    ])
    .await;
    assert_eq!(listed(&server, &token, "").await, ["a"]);
    assert_eq!(listed(&server, &token, "?client=ios").await, ["a", "b"]);
    assert_eq!(listed(&server, &token, "?client=stv").await, ["b"]);
    assert!(listed(&server, &token, "?client=atv").await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_message_is_shown_from_its_creation_until_it_expires() {
    let times = json!({"created": "2026-03-01T12:00:10Z", "expires": "2026-03-01T13:00:20+01:00"});
    let (server, token) = start(&[with(document("a", "u"), times)]).await;
    assert!(listed(&server, &token, "").await.is_empty());
    server.clock.advance(Duration::from_millis(9_999));
    assert!(listed(&server, &token, "").await.is_empty());
    server.clock.advance(Duration::from_millis(1));
    assert_eq!(listed(&server, &token, "").await, ["a"]);
    server.clock.advance(Duration::from_millis(9_999));
    assert_eq!(listed(&server, &token, "").await, ["a"]);
    server.clock.advance(Duration::from_millis(1));
    assert!(listed(&server, &token, "").await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn bad_parameters_are_told() {
    let (server, token) = start(&[]).await;
    let unknown = "client: expected one of web, ios, android, atv, stv, found";
    for (query, expected) in [
        ("?client=tv", format!("{unknown} \"tv\"")),
        ("?client=", format!("{unknown} \"\"")),
        ("?client=Web", format!("{unknown} \"Web\"")),
        ("?limit=0", "limit: expected 1 to 1000, found 0".to_owned()),
        ("?limit=1001", "limit: expected 1 to 1000, found 1001".to_owned()),
        (
            "?limit=-1",
            "limit: expected a whole number from 1, found \"-1\"".to_owned(),
        ),
        (
            "?limit=ten",
            "limit: expected a whole number from 1, found \"ten\"".to_owned(),
        ),
        (
            "?limit=",
            "limit: expected a whole number from 1, found \"\"".to_owned(),
        ),
        ("?after=sync", "message id: \"sync\" is reserved".to_owned()),
        (
            "?after=a%20b",
            "message id: expected 1 to 128 of A-Z a-z 0-9 . _ : -, found \"a b\"".to_owned(),
        ),
    ] {
        let failure = get(&server, &format!("/messages{query}"))
            .token(&token)
            .failure()
            .await;
        assert_eq!(failure, (400, expected), "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn client_types_and_limits_are_the_apps_own() {
    let server = Server::start().await;
    let app = server
        .create_app_with("tv", |settings| {
            settings.inbox.clients = model::inbox::ClientTypes::new(&["tv".to_owned()]).unwrap();
            settings.limits.inbox_list = 2;
        })
        .await;
    let key = app.key("campaign", "import").await;
    let body = with(document("a", "u"), json!({"clients": ["tv"]})).to_string();
    let path = format!("/tv/{key}/messages");
    let call = post(&server, &format!("{path}/import")).header("content-type", "application/json");
    assert_eq!(call.body(body).data().await, json!({"imported": 1}));
    let token = app.token("u").await;
    // A user's token counts, not the key of the path.
    let list = get(&server, &format!("{path}?client=tv&limit=2"))
        .token(&token)
        .data()
        .await;
    assert_eq!(list["messages"][0]["id"], "a");
    let failure = get(&server, &format!("{path}?client=tv&limit=3"))
        .token(&token)
        .failure()
        .await;
    assert_eq!(failure, (400, "limit: expected 1 to 2, found 3".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn a_head_request_is_told_the_length_of_the_list_and_gets_no_body() {
    let (server, token) = start(&[document("m0", "u")]).await;
    let call = |method| Call::new(&server, method, "/messages").token(&token);
    let head = call(Method::HEAD).response().await;
    let told = head.headers()["content-length"].to_str().unwrap().to_owned();
    assert_eq!(head.headers()["content-type"], "application/json; charset=utf-8");
    assert_eq!(
        (head.status().as_u16(), head.text().await.unwrap()),
        (200, String::new())
    );
    let (_, list) = call(Method::GET).text().await;
    assert_eq!(told, list.len().to_string());
    server.stop().await;
}
