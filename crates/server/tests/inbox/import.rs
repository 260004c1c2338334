//! `POST /messages/import`: what gets in.

use futures_util::future::join_all;
use serde_json::json;
use testkit::server::Server;

use super::support::*;

async fn start() -> (Server, String) {
    let server = Server::start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    (server, key)
}

#[tokio::test]
async fn content_types_of_json_lines_are_taken_with_any_parameters_and_no_others() {
    let (server, key) = start().await;
    let call = |id: &str, content_type: Option<&str>| {
        let call = post(&server, "/messages/import")
            .key(&key)
            .body(document(id, "u").to_string());
        match content_type {
            Some(content_type) => call.header("content-type", content_type),
            None => call,
        }
    };
    let good = [
        "application/json",
        "application/json; boundary=NL",
        "application/json;charset=utf-8",
        "Application/X-NDJSON",
    ];
    for (at, content_type) in good.iter().enumerate() {
        let data = call(&format!("m{at}"), Some(content_type)).data().await;
        assert_eq!(data, json!({"imported": 1}), "{content_type}");
    }
    let expected = "Content-Type: expected application/json or application/x-ndjson, found";
    for (content_type, found) in [
        (Some("text/plain"), "\"text/plain\""),
        (Some("application/jsonl"), "\"application/jsonl\""),
        (None, "none"),
    ] {
        assert_eq!(
            call("x", content_type).failure().await,
            (400, format!("{expected} {found}"))
        );
    }
    assert_eq!(state(&server, &key, "x").await, None);
    server.stop().await;
}

#[tokio::test]
async fn a_body_without_a_message_imports_none() {
    let (server, key) = start().await;
    for body in ["", "\r\n\r\n", "\u{FEFF}"] {
        assert_eq!(import(&server, &key, body).data().await, json!({"imported": 0}));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_bad_last_line_of_many_imports_nothing() {
    let (server, key) = start().await;
    let mut body = documents(3_000, "u");
    body.push_str(&with(document("last", "u"), json!({"expires": "tomorrow"})).to_string());
    let failure = import(&server, &key, body).failure().await;
    let expected = "line 3001: expires: expected an RFC 3339 date-time such as 2014-11-06T13:34:59+01:00, found \"tomorrow\"";
    assert_eq!(failure, (400, expected.to_owned()));
    assert_eq!(counted_away(&server, &key, "u").await, 0);
    server.stop().await;
}

#[tokio::test]
async fn new_messages_are_imported_beside_duplicates_of_the_body_and_of_the_store() {
    let (server, key) = start().await;
    imported(&server, &key, &[document("old", "u")]).await;
    let lines: Vec<String> = [
        document("a", "u"),
        with(document("a", "v"), json!({"body": "second"})),
        with(document("old", "v"), json!({"body": "second"})),
        document("b", "u"),
        document("b", "u"),
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    let (status, body) = import(&server, &key, lines.join("\n")).json().await;
    assert_eq!(status, 409);
    assert_eq!(body["meta"]["duplicate_key"], "a");
    assert_eq!(body["meta"]["imported"], 2);
    assert_eq!(body["meta"]["duplicates"], 3);
    assert_eq!(body["errors"][0]["title"], "Conflict");
    // The first of an id counts.
    assert_eq!(counted_away(&server, &key, "v").await, 0);
    assert_eq!(counted_away(&server, &key, "u").await, 3);
    server.stop().await;
}

#[tokio::test]
async fn as_many_messages_as_the_limit_are_imported_and_one_more_is_too_many() {
    let (server, key) = start().await;
    let mut body = documents(25_000, "u");
    let last = document("one-more", "u").to_string();
    let failure = import(&server, &key, format!("{body}{last}")).failure().await;
    let expected =
        "line 25001: at most 25000 messages in one import, found more; send them in several requests";
    assert_eq!(failure, (413, expected.to_owned()));
    assert_eq!(counted_away(&server, &key, "u").await, 0);
    body.push_str("\r\n");
    assert_eq!(
        import(&server, &key, body.clone()).data().await,
        json!({"imported": 25_000})
    );
    let (status, again) = import(&server, &key, body).json().await;
    assert_eq!((status, &again["meta"]["duplicates"]), (409, &json!(25_000)));
    assert_eq!(again["meta"]["duplicate_key"], "m0");
    assert_eq!(counted_away(&server, &key, "u").await, 25_000);
    server.stop().await;
}

#[tokio::test]
async fn the_same_file_from_four_clients_at_once_is_in_exactly_once() {
    let (server, key) = start().await;
    let body = documents(2_000, "u");
    let answers = join_all((0..4).map(|_| import(&server, &key, body.clone()).json())).await;
    let mut imported = 0;
    for (status, answer) in answers {
        let (new, old) = match status {
            200 => (answer["data"]["imported"].as_u64().unwrap(), 0),
            409 => (
                answer["meta"]["imported"].as_u64().unwrap(),
                answer["meta"]["duplicates"].as_u64().unwrap(),
            ),
            _ => panic!("{status}: {answer}"),
        };
        assert_eq!(new + old, 2_000);
        imported += new;
    }
    assert_eq!(imported, 2_000);
    assert_eq!(counted_away(&server, &key, "u").await, 2_000);
    server.stop().await;
}

#[tokio::test]
async fn an_imported_message_keeps_every_field() {
    let (server, key) = start().await;
    let given = with(
        document("a:b.c_d-e", "användare"),
        json!({
            "vid": "v", "title": "\"å\"\n\u{1F600}", "lead": "", "url": "u", "img": "i", "prio": i64::MIN,
            "created": "2014-11-06t13:34:59.123456789-00:30", "clients": ["stv", "web"],
        }),
    );
    imported(&server, &key, std::slice::from_ref(&given)).await;
    let shown = get(&server, "/messages/a:b.c_d-e").key(&key).data().await;
    assert_eq!(shown["message"], with(given, json!({"state": "imported"})));
    server.stop().await;
}

#[tokio::test]
async fn an_id_is_free_again_after_cleanup_and_each_app_has_its_own() {
    let (server, key) = start().await;
    let other = server.create_app("other").await.key("admin", "admin").await;
    imported(&server, &key, &[document("a", "u")]).await;
    let body = document("a", "u").to_string();
    let call =
        post(&server, &format!("/other/{other}/messages/import")).header("content-type", "application/json");
    assert_eq!(call.body(body).data().await, json!({"imported": 1}));
    assert_eq!(counted_away(&server, &key, "u").await, 1);
    let there = get(&server, &format!("/other/{other}/messages/a")).data().await;
    assert_eq!(there["message"]["state"], "imported");
    // The key of one app opens no other.
    let (status, _) = get(&server, &format!("/other/{key}/messages/a")).failure().await;
    assert_eq!(status, 401);
    server.stop().await;
}
