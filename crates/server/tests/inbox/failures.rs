//! What the inbox answers when the store fails.

use serde_json::{Value, json};
use testkit::faults::Fault;
use testkit::server::Server;

use super::support::*;

/// Every call that reads or writes the store, with a good credential.
async fn calls(server: &Server) -> Vec<(&'static str, Call)> {
    let app = server.default_app().await;
    let (key, token) = (app.key("admin", "admin").await, app.token("u").await);
    let retract = post(server, "/messages/retract").header("content-type", "application/json");
    vec![
        ("list", get(server, "/messages").token(&token)),
        ("delete", delete(server, "/messages/a").token(&token)),
        ("import", import(server, &key, document("b", "u").to_string())),
        ("retract", retract.key(&key).body(r#"{"messages":[{"id":"a"}]}"#)),
        ("sync", post(server, "/messages/sync").key(&key)),
        ("cleanup", post(server, "/messages/cleanup").key(&key)),
        ("show", get(server, "/messages/a").key(&key)),
        ("delete all", delete(server, "/users/u/messages").key(&key)),
    ]
}

/// A server whose store fails, with a message `a` of the user `u` in it.
async fn start(fault: Fault) -> Server {
    let server = Server::builder().app(|settings| settings.sync.url = Some("http://127.0.0.1:9/".to_owned()));
    let server = server.start().await;
    let key = server.default_app().await.key("campaign", "import").await;
    imported(&server, &key, &[document("a", "u")]).await;
    server.faults.fail(fault);
    server
}

#[tokio::test]
async fn an_error_of_the_store_is_500_and_says_nothing_of_the_inside() {
    let server = start(Fault::Broken).await;
    for (name, call) in calls(&server).await {
        let (status, body) = call.json().await;
        assert_eq!(status, 500, "{name}: {body}");
        let expected = json!([{"status": 500, "title": "Internal Server Error", "detail": "an error inside the server"}]);
        assert_eq!(body["errors"], expected, "{name}");
        assert_eq!(body["meta"]["request_id"], REQUEST_ID, "{name}");
        assert_eq!(body.get("data"), None, "{name}");
    }
    server.faults.fail(Fault::None);
    let key = server.default_app().await.key("admin", "admin").await;
    assert_eq!(state(&server, &key, "a").await.as_deref(), Some("imported"));
    assert_eq!(state(&server, &key, "b").await, None);
    server.stop().await;
}

#[tokio::test]
async fn a_store_that_takes_nothing_now_is_503_with_a_time_to_wait() {
    let server = start(Fault::Unavailable).await;
    for (name, call) in calls(&server).await {
        let response = call.response().await;
        assert_eq!(response.status().as_u16(), 503, "{name}");
        assert_eq!(response.headers()["retry-after"], "1", "{name}");
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(
            body["errors"][0]["detail"], "not now: the queue is full",
            "{name}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn an_import_whose_outcome_is_unknown_is_503_and_completes_when_it_comes_again() {
    let server = start(Fault::Unknown).await;
    let key = server.default_app().await.key("admin", "admin").await;
    let body = documents(3, "v");
    let failure = import(&server, &key, body.clone()).failure().await;
    let expected = "the store failed at commit, the outcome is unknown; send the same request again";
    assert_eq!(failure, (503, expected.to_owned()));
    server.faults.fail(Fault::None);
    let (status, again) = import(&server, &key, body).json().await;
    assert_eq!(status, 409);
    let meta = &again["meta"];
    assert_eq!((&meta["imported"], &meta["duplicates"]), (&json!(0), &json!(3)));
    assert_eq!(counted_away(&server, &key, "v").await, 3);
    server.stop().await;
}
