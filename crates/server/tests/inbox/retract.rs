//! `POST /messages/retract`.

use serde_json::{Value, json};
use testkit::server::Server;

use super::support::*;

fn retract(server: &Server, key: &str, body: &str) -> Call {
    post(server, "/messages/retract")
        .key(key)
        .header("content-type", "application/json")
        .body(body.to_owned())
}

async fn start(documents: &[Value]) -> (Server, String) {
    let server = Server::start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    imported(&server, &key, documents).await;
    (server, key)
}

#[tokio::test]
async fn imported_messages_are_retracted_and_the_others_are_named_in_their_order() {
    let (server, key) = start(&[document("a", "u"), document("b", "u"), document("c", "v")]).await;
    assert_eq!(counted_away(&server, &key, "v").await, 1);
    let body = r#"{"messages":[{"id":"z"},{"id":"a"},{"id":"c","more":1},{"id":"a"}],"more":2}"#;
    let data = retract(&server, &key, body).data().await;
    assert_eq!(data, json!({"retracted": 1, "not_retracted": ["z", "c", "a"]}));
    assert_eq!(state(&server, &key, "a").await.as_deref(), Some("retracted"));
    assert_eq!(state(&server, &key, "b").await.as_deref(), Some("imported"));
    assert_eq!(state(&server, &key, "c").await.as_deref(), Some("deleted"));
    let token = server.default_app().await.token("u").await;
    assert_eq!(listed(&server, &token, "").await, ["b"]);
    let (status, _) = retract(&server, &key, r#"{"messages":[{"id":"a"}]}"#)
        .failure()
        .await;
    assert_eq!(status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_bad_body_is_told_with_its_place_and_retracts_nothing() {
    let (server, key) = start(&[document("a", "u")]).await;
    for (body, expected) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        (
            "{\"messages\":[{\"id\":\"a\"}\n",
            "messages: EOF while parsing a list at line 2 column 0",
        ),
        (
            "[]",
            "invalid type: sequence, expected an object at line 1 column 0",
        ),
        (
            r#"{"messages":[["a"]]}"#,
            "messages[0]: invalid type: sequence, expected an object at line 1 column 13",
        ),
        ("{}", "missing field `messages` at line 1 column 2"),
        (
            r#"{"messages":[]}"#,
            "messages: expected at least one, found none",
        ),
        (
            r#"{"messages":[{"id":"a"},{"uid":"a"}]}"#,
            "messages[1]: missing field `id` at line 1 column 35",
        ),
        (
            r#"{"messages":[{"id":"a"},{"id":1}]}"#,
            "messages[1].id: invalid type: integer `1`, expected a string at line 1 column 31",
        ),
        (
            r#"{"messages":[{"id":"a"},{"id":"a b"}]}"#,
            "messages[1].id: expected 1 to 128 of A-Z a-z 0-9 . _ : -, found \"a b\"",
        ),
        (
            r#"{"messages":[{"id":"sync"}]}"#,
            "messages[0].id: \"sync\" is reserved",
        ),
        (
            r#"{"messages":[{"id":"a"}]} x"#,
            "trailing characters at line 1 column 27",
        ),
    ] {
        assert_eq!(
            retract(&server, &key, body).failure().await,
            (400, expected.to_owned()),
            "{body}"
        );
    }
    let call = post(&server, "/messages/retract")
        .key(&key)
        .body(r#"{"messages":[{"id":"a"}]}"#);
    assert_eq!(
        call.failure().await,
        (
            400,
            "Content-Type: expected application/json, found none".to_owned()
        )
    );
    assert_eq!(state(&server, &key, "a").await.as_deref(), Some("imported"));
    server.stop().await;
}

#[tokio::test]
async fn too_many_ids_and_too_many_bytes_are_413() {
    let server = Server::builder()
        .app(|settings| settings.limits.retract_ids = 2)
        .start()
        .await;
    let key = server.default_app().await.key("admin", "admin").await;
    let three = r#"{"messages":[{"id":"a"},{"id":"b"},{"id":"c"}]}"#;
    let expected = "messages of a retract: at most 2, found more";
    assert_eq!(
        retract(&server, &key, three).failure().await,
        (413, expected.to_owned())
    );
    let long = format!(r#"{{"messages":[{{"id":"a"}}]{}}}"#, " ".repeat(600));
    let expected = "at most 512 bytes in one retract, found more; send it in several requests";
    assert_eq!(
        retract(&server, &key, &long).failure().await,
        (413, expected.to_owned())
    );
    server.stop().await;
}

#[tokio::test]
async fn as_many_ids_as_an_import_has_messages_are_retracted_at_once() {
    let server = Server::start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    let ids: Vec<Value> = (0..25_000)
        .map(|at| json!({"id": format!("{at:0>128}")}))
        .collect();
    imported(
        &server,
        &key,
        &[document(ids[24_999]["id"].as_str().unwrap(), "u")],
    )
    .await;
    let data = retract(&server, &key, &json!({"messages": ids}).to_string())
        .data()
        .await;
    assert_eq!(data["retracted"], 1);
    assert_eq!(data["not_retracted"].as_array().unwrap().len(), 24_999);
    server.stop().await;
}
