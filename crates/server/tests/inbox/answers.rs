//! What answers look like, to the byte.

use http::StatusCode;
use serde_json::json;
use testkit::server::Server;

use super::support::*;

#[tokio::test]
async fn a_list_shows_messages_with_the_fields_of_the_contract_in_its_order() {
    let server = Server::start().await;
    let app = server.default_app().await;
    let key = app.key("campaign", "import").await;
    let full = with(
        document("123", "456"),
        json!({
            "vid": "3003060", "title": "Kolla på Hellenius hörna", "lead": "Svensk talkshow…",
            "url": "https://www.example.com/konto", "img": "https://img.example.com/1.jpg",
            "clients": ["web", "ios"], "prio": 36, "state": "deleted", "read": true, "more": 1,
        }),
    );
    imported(&server, &key, &[full, document("124", "456")]).await;
    let response = get(&server, "/messages?client=web&limit=2")
        .token(&app.token("456").await)
        .response()
        .await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()["content-type"],
        "application/json; charset=utf-8"
    );
    insta::assert_snapshot!(response.text().await.unwrap(), @r#"{"meta":{"endpoint":"/messages","forwarded_for":"","request_id":"request-1","timestamp":"2026-03-01T12:00:00.000000000Z"},"data":{"messages":[{"id":"123","uid":"456","vid":"3003060","created":"2026-03-01T13:00:00+01:00","expires":"2026-03-02T13:00:00+01:00","title":"Kolla på Hellenius hörna","lead":"Svensk talkshow…","body":"Svensk talkshow med David Hellenius.","url":"https://www.example.com/konto","img":"https://img.example.com/1.jpg","clients":["web","ios"],"type":"campaign","prio":36,"state":"imported"},{"id":"124","uid":"456","created":"2026-03-01T13:00:00+01:00","expires":"2026-03-02T13:00:00+01:00","body":"Svensk talkshow med David Hellenius.","clients":["web"],"type":"campaign","prio":35,"state":"imported"}]}}"#);
    server.stop().await;
}

#[tokio::test]
async fn every_other_answer_has_its_data_and_no_more() {
    let server = Server::start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    let document = document("1", "2");
    let text = async |call: Call| {
        let (status, text) = call.key(&key).text().await;
        format!("{status} {}", text.replace(",\"forwarded_for\":\"\",\"request_id\":\"request-1\",\"timestamp\":\"2026-03-01T12:00:00.000000000Z\"", ""))
    };
    insta::assert_snapshot!(text(import(&server, &key, document.to_string())).await,
        @r#"200 {"meta":{"endpoint":"/messages/import"},"data":{"imported":1}}"#);
    insta::assert_snapshot!(text(import(&server, &key, document.to_string())).await,
        @r#"409 {"meta":{"duplicate_key":"1","imported":0,"duplicates":1,"endpoint":"/messages/import"},"errors":[{"status":409,"title":"Conflict","detail":"1 of 1 messages have an id that was there before, the first is \"1\"; the 0 new ones were imported"}]}"#);
    insta::assert_snapshot!(text(get(&server, "/messages/1")).await,
        @r#"200 {"meta":{"endpoint":"/messages/1"},"data":{"message":{"id":"1","uid":"2","created":"2026-03-01T13:00:00+01:00","expires":"2026-03-02T13:00:00+01:00","body":"Svensk talkshow med David Hellenius.","clients":["web"],"type":"campaign","prio":35,"state":"imported"}}}"#);
    let retract = || post(&server, "/messages/retract").header("content-type", "application/json");
    insta::assert_snapshot!(text(retract().body(r#"{"messages":[{"id":"1"},{"id":"9"}]}"#)).await,
        @r#"200 {"meta":{"endpoint":"/messages/retract"},"data":{"retracted":1,"not_retracted":["9"]}}"#);
    insta::assert_snapshot!(text(retract().body(r#"{"messages":[{"id":"9"}]}"#)).await,
        @r#"404 {"meta":{"endpoint":"/messages/retract"},"errors":[{"status":404,"title":"Not Found","detail":"there is no such imported message among those named"}]}"#);
    insta::assert_snapshot!(text(delete(&server, "/users/2/messages")).await,
        @r#"200 {"meta":{"endpoint":"/users/2/messages"},"data":{"deleted":0}}"#);
    insta::assert_snapshot!(text(post(&server, "/messages/cleanup")).await,
        @r#"200 {"meta":{"endpoint":"/messages/cleanup"},"data":{"removed":1}}"#);
    insta::assert_snapshot!(text(post(&server, "/messages/sync")).await,
        @r#"503 {"meta":{"endpoint":"/messages/sync"},"errors":[{"status":503,"title":"Service Unavailable","detail":"sync is disabled: no sync URL is configured"}]}"#);
    insta::assert_snapshot!(text(import(&server, &key, "{}")).await,
        @r#"400 {"meta":{"endpoint":"/messages/import"},"errors":[{"status":400,"title":"Bad Request","detail":"line 1: id: missing"}]}"#);
    server.stop().await;
}

#[tokio::test]
async fn a_deletion_answers_204_without_a_body() {
    let server = Server::start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    imported(&server, &key, &[document("1", "2")]).await;
    let response = delete(&server, "/messages/1").key(&key).response().await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers().get("content-type"), None);
    assert_eq!(response.headers()["x-request-id"], REQUEST_ID);
    assert_eq!(response.text().await.unwrap(), "");
    server.stop().await;
}

#[tokio::test]
async fn the_endpoint_carries_neither_the_classic_prefix_nor_the_query() {
    let server = Server::start().await;
    let key = server.create_app("Shop").await.key("admin", "admin").await;
    let path = format!("/Shop/{key}/messages/7?key={key}");
    let (status, body) = get(&server, &path).json().await;
    assert_eq!((status, &body["meta"]["endpoint"]), (404, &json!("/messages/7")));
    assert!(!body.to_string().contains(&key));
    server.stop().await;
}

#[tokio::test]
async fn forwarded_for_is_told_only_where_a_trusted_proxy_says_it() {
    for (trusted, expected) in [(true, "203.0.113.9, 10.0.0.1"), (false, "")] {
        let server = Server::builder().serve(move |options| {
            if trusted {
                options.trusted_proxies = ["127.0.0.1".parse().unwrap()].into_iter().collect();
            }
        });
        let server = server.start().await;
        let call = get(&server, "/messages").header("x-forwarded-for", "203.0.113.9, 10.0.0.1");
        let (status, body) = call.json().await;
        assert_eq!((status, &body["meta"]["forwarded_for"]), (401, &json!(expected)));
        server.stop().await;
    }
}

#[tokio::test]
async fn a_request_id_that_is_absent_or_too_long_is_made() {
    let server = Server::start().await;
    for given in [None, Some("x".repeat(129))] {
        let mut request = server.http.get(server.url("/messages"));
        if let Some(given) = given {
            request = request.header("x-request-id", given);
        }
        let response = request.send().await.unwrap();
        let header = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(body["meta"]["request_id"], json!(header));
        assert_eq!(header.parse::<uuid::Uuid>().unwrap().to_string(), header);
    }
    server.stop().await;
}

#[tokio::test]
async fn plain_http_is_refused_with_403_where_https_is_required() {
    let server = Server::builder().serve(|options| {
        options.require_https = true;
        options.trusted_proxies = ["127.0.0.1".parse().unwrap()].into_iter().collect();
    });
    let server = server.start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    for call in [
        post(&server, "/messages/cleanup"),
        get(&server, "/messages"),
        import(&server, &key, ""),
    ] {
        let (status, body) = call.key(&key).json().await;
        assert_eq!(status, 403, "{body}");
        assert_eq!(
            body["errors"],
            json!([{"status": 403, "title": "Forbidden", "detail": "this server takes requests over HTTPS only"}])
        );
    }
    let behind_proxy = post(&server, "/messages/cleanup")
        .key(&key)
        .header("x-forwarded-proto", "https");
    assert_eq!(behind_proxy.data().await, json!({"removed": 0}));
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_same_shape() {
    let server = Server::start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    for (call, expected) in [
        (
            get(&server, "/nobody/some-key-123/messages"),
            (404, "there is no such app"),
        ),
        (get(&server, "/messages/1/2/3"), (404, "there is no such route")),
        (
            Call::new(&server, reqwest::Method::PUT, "/messages"),
            (405, "PUT is not a method of this path"),
        ),
        (
            get(&server, "/users/1/messages"),
            (405, "GET is not a method of this path"),
        ),
        (get(&server, "/messages/none"), (404, "there is no such message")),
        (
            delete(&server, "/messages/none"),
            (404, "there is no such message"),
        ),
    ] {
        let (status, detail) = call.key(&key).failure().await;
        assert_eq!((status, detail.as_str()), expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_word_that_is_a_route_is_a_bad_id() {
    let server = Server::start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    for word in ["sync", "cleanup", "import", "retract", "stream", "count"] {
        let (status, detail) = delete(&server, &format!("/messages/{word}"))
            .key(&key)
            .failure()
            .await;
        assert_eq!(
            (status, detail),
            (400, format!("message id: {word:?} is reserved"))
        );
    }
    for id in ["%FF", "a%20b", "a%2Fb", &"x".repeat(129)] {
        for call in [
            get(&server, &format!("/messages/{id}")),
            delete(&server, &format!("/messages/{id}")),
        ] {
            let (status, detail) = call.key(&key).failure().await;
            assert_eq!(status, 400);
            assert!(
                detail.starts_with("message id: expected 1 to 128 of A-Z a-z 0-9 . _ : -, found "),
                "{detail}"
            );
        }
    }
    server.stop().await;
}
