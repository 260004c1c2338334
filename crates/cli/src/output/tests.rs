use anyhow::Context as _;
use client::stub::{Answer, Stub};
use client::{Client, Options};

use super::{describe, plain, table};

#[test]
fn foreign_text_cannot_drive_the_terminal() {
    assert_eq!(plain("a\u{1b}[2Jb\nc\td\r"), "a\\u{1b}[2Jb\\nc d");
}

#[test]
fn columns_line_up_and_rows_end_with_their_text() {
    let rows = [
        vec!["id".to_owned(), "x".to_owned()],
        vec!["åäö".to_owned(), String::new()],
    ];
    assert_eq!(table(&rows), "id   x\nåäö\n");
}

#[tokio::test]
async fn refusals_come_with_advice() {
    let cases = [
        (
            Answer::json(401, r#"{"message":"unknown key","code":2002}"#),
            "unknown key (HTTP 401, code 2002); give a valid key",
        ),
        (
            Answer::json(401, r#"{"message":"expired","code":3064}"#),
            "give a valid token",
        ),
        (
            Answer::json(403, r#"{"message":"no","code":5007}"#),
            "with that permission",
        ),
        (Answer::json(404, r#"{"message":"no","code":5909}"#), "--app"),
        (
            Answer::json_with(503, "retry-after: 4\r\n", r#"{"message":"busy","code":5914}"#),
            "try again in 4 s",
        ),
        (
            Answer::json_with(500, "x-request-id: r-7\r\n", r#"{"message":"no","code":5919}"#),
            "request r-7",
        ),
        (
            Answer::json(
                401,
                r#"{"meta":{},"errors":[{"status":401,"title":"Unauthorized"}]}"#,
            ),
            "POSTBELL_KEY",
        ),
    ];
    for (answer, expected) in cases {
        let text = told(answer).await;
        assert!(
            text.starts_with("while testing: ") && text.contains(expected),
            "{text}"
        );
        assert_eq!(text.matches("HTTP").count(), 1, "{text}");
    }
}

#[tokio::test]
async fn what_trying_again_does_not_mend_comes_without_that_advice() {
    let answer = Answer::json_with(
        503,
        "x-request-id: r-7\r\n",
        r#"{"meta":{},"errors":[{"status":503,"title":"Service Unavailable","detail":"sync is disabled"}]}"#,
    );
    assert_eq!(told(answer).await, "while testing: sync is disabled (HTTP 503)");
}

/// What is printed about a call that is answered so.
async fn told(answer: Answer) -> String {
    let stub = Stub::play(vec![answer]).await;
    let client = Client::new(Options {
        url: stub.url.clone(),
        ..Options::default()
    })
    .unwrap();
    let error = client.status("x").await.context("while testing").unwrap_err();
    describe(&error)
}
