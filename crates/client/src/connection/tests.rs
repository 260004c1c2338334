use std::time::Duration;

use crate::stub::{Answer, Stub};
use crate::{Client, Error, Options};

fn options(stub: &Stub) -> Options {
    Options {
        url: stub.url.clone(),
        timeout: Duration::from_secs(5),
        ..Options::default()
    }
}

fn unknown() -> Answer {
    Answer::json(200, r#"{"status":"unknown","messageId":"m","errorMessage":null}"#)
}

#[tokio::test]
async fn the_default_app_uses_plain_routes_and_both_headers() {
    let stub = Stub::play(vec![unknown()]).await;
    let options = Options {
        key: Some("cms-1".to_owned()),
        token: Some("t.o.k".to_owned()),
        ..options(&stub)
    };
    Client::new(options).unwrap().status("message:A").await.unwrap();
    let request = &stub.requests()[0];
    assert_eq!(request.line, "GET /api/messaging/message%3AA");
    assert_eq!(request.header("x-api-key"), Some("cms-1"));
    assert_eq!(request.header("authorization"), Some("Bearer t.o.k"));
}

#[tokio::test]
async fn another_app_uses_the_classic_prefix_and_no_url_carries_the_key() {
    let shown = r#"{"meta":{},"data":{"message":{"id":"1","uid":"2","created":"c","expires":"e","body":"b","clients":["web"],"type":"t","prio":1}}}"#;
    let stub = Stub::play(vec![unknown(), Answer::json(200, shown)]).await;
    let client = Client::new(Options {
        key: Some("cms-1".to_owned()),
        app: "shop".to_owned(),
        ..options(&stub)
    })
    .unwrap();
    client.status("x").await.unwrap();
    client.show("1").await.unwrap();
    let requests = stub.requests();
    assert_eq!(requests[0].line, "GET /shop/undefined/messaging/x");
    assert_eq!(requests[1].line, "GET /shop/undefined/messages/1");
    assert_eq!(requests[1].header("x-api-key"), Some("cms-1"));
}

#[tokio::test]
async fn both_error_families_and_the_headers_of_a_refusal_are_read() {
    let stub = Stub::play(vec![
        Answer::json_with(
            503,
            "retry-after: 7\r\nx-request-id: r-1\r\n",
            r#"{"message":"overloaded","code":5914}"#,
        ),
        Answer::json(
            404,
            r#"{"meta":{},"errors":[{"status":404,"title":"Not Found","detail":"no message `9`"}]}"#,
        ),
        Answer::json_with(301, "location: https://elsewhere/\r\n", ""),
    ])
    .await;
    let client = Client::new(options(&stub)).unwrap();
    let error = client.status("x").await.unwrap_err();
    assert!(error.is_temporary());
    let refusal = error.refusal().unwrap();
    assert_eq!(
        (refusal.code, refusal.retry_after),
        (Some(5914), Some(Duration::from_secs(7)))
    );
    assert_eq!(refusal.request_id.as_deref(), Some("r-1"));
    let error = client.show("9").await.unwrap_err();
    assert!(!error.is_temporary());
    assert_eq!(error.to_string(), "no message `9` (HTTP 404)");
    let error = client.show("9").await.unwrap_err();
    assert!(error.to_string().contains("redirects"), "{error}");
}

#[tokio::test]
async fn a_dead_server_and_a_foreign_answer_are_told_apart() {
    let stub = Stub::play(vec![Answer::nothing(), Answer::json(200, "<html>")]).await;
    let client = Client::new(options(&stub)).unwrap();
    assert!(matches!(client.status("x").await, Err(Error::Transport { .. })));
    assert!(matches!(
        client.status("x").await,
        Err(Error::Decode { call: "status", .. })
    ));
}

#[test]
fn unusable_options_are_refused_with_their_name() {
    let cases = [
        (
            Options {
                url: "ftp://host".to_owned(),
                ..Options::default()
            },
            "url",
        ),
        (
            Options {
                url: "host:8000".to_owned(),
                ..Options::default()
            },
            "url",
        ),
        (
            Options {
                url: "http://user:pass@host".to_owned(),
                ..Options::default()
            },
            "url",
        ),
        (
            Options {
                app: "a/b".to_owned(),
                ..Options::default()
            },
            "app",
        ),
        (
            Options {
                key: Some("a\nb".to_owned()),
                ..Options::default()
            },
            "key",
        ),
    ];
    for (options, field) in cases {
        let Err(Error::Argument { name, found, .. }) = Client::new(options) else {
            panic!("{field} was taken")
        };
        assert_eq!(name, field);
        assert!(!found.contains("a\nb"));
    }
    let missing = Options {
        ca_file: Some("/no/such/file.pem".into()),
        ..Options::default()
    };
    assert!(matches!(Client::new(missing), Err(Error::File { .. })));
}

#[test]
fn debug_output_hides_secrets() {
    let options = Options {
        key: Some("secret-key".to_owned()),
        token: Some("secret-token".to_owned()),
        ..Options::default()
    };
    let client = Client::new(options.clone()).unwrap();
    let shown = format!("{options:?} {client:?}");
    assert!(
        !shown.contains("secret-key") && !shown.contains("secret-token"),
        "{shown}"
    );
}
