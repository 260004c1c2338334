use client::stub::{Answer, Stub};

use super::run;
use crate::commands::ClientCommand;
use crate::commands::tests::{Captured, parse};

const MESSAGE: &str = r#"{"id":"c1-1","uid":"u","created":"2014-11-06T13:34:59+01:00","expires":"2032-01-01T01:01:01+01:00","title":"Hej\u0007","body":"b","clients":["web","ios"],"type":"test","prio":35,"state":"imported"}"#;

async fn inbox(stub: &Stub, captured: &Captured, json: bool, words: &[&str]) -> u8 {
    let words: Vec<_> = ["inbox"].iter().chain(words).copied().collect();
    let ClientCommand::Inbox(call) = parse(&words).unwrap() else {
        panic!("{words:?}")
    };
    captured.exit(run(call.args, &captured.connection(stub, json)).await)
}

#[tokio::test]
async fn a_list_is_a_table_or_json() {
    let answer = Answer::json(
        200,
        &format!(r#"{{"meta":{{}},"data":{{"messages":[{MESSAGE}]}}}}"#),
    );
    let empty = Answer::json(200, r#"{"meta":{},"data":{"messages":[]}}"#);
    let stub = Stub::play(vec![answer.clone(), answer, empty]).await;
    let captured = Captured::default();
    assert_eq!(
        inbox(
            &stub,
            &captured,
            true,
            &["list", "--client", "ios", "--limit", "3", "--after", "c1-0"]
        )
        .await,
        0
    );
    assert_eq!(
        stub.requests()[0].line,
        "GET /messages?client=ios&limit=3&after=c1-0"
    );
    assert_eq!(captured.results(), format!("{{\"messages\":[{MESSAGE}]}}\n"));
    let captured = Captured::default();
    assert_eq!(inbox(&stub, &captured, false, &["list"]).await, 0);
    let results = captured.results();
    assert!(results.starts_with("ID    PRIO  TYPE  CREATED"), "{results}");
    assert!(
        results.ends_with("2032-01-01T01:01:01+01:00  Hej\\u{7}\n"),
        "{results}"
    );
    let captured = Captured::default();
    assert_eq!(inbox(&stub, &captured, false, &["list"]).await, 0);
    assert_eq!(
        (captured.results(), captured.notes()),
        (String::new(), "no messages\n".to_owned())
    );
}

#[tokio::test]
async fn show_and_both_deletions() {
    let stub = Stub::play(vec![
        Answer::json(200, &format!(r#"{{"meta":{{}},"data":{{"message":{MESSAGE}}}}}"#)),
        Answer::json(204, ""),
        Answer::json(200, r#"{"meta":{},"data":{"deleted":7}}"#),
        Answer::json(
            404,
            r#"{"meta":{},"errors":[{"status":404,"title":"Not Found","detail":"no message `x`"}]}"#,
        ),
    ])
    .await;
    let captured = Captured::default();
    assert_eq!(inbox(&stub, &captured, false, &["show", "c1-1"]).await, 0);
    assert!(
        captured.results().contains("clients  web ios\n"),
        "{}",
        captured.results()
    );
    assert_eq!(inbox(&stub, &captured, true, &["delete", "c1-1"]).await, 0);
    assert_eq!(inbox(&stub, &captured, true, &["delete-all", "u"]).await, 0);
    assert!(
        captured.results().ends_with("{\"deleted\":1}\n{\"deleted\":7}\n"),
        "{}",
        captured.results()
    );
    assert_eq!(inbox(&stub, &captured, false, &["show", "x"]).await, 1);
    assert_eq!(captured.notes(), "error: no message `x` (HTTP 404)\n");
}
