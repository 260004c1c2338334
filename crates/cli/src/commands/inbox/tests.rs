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

#[tokio::test]
async fn a_count_and_a_read_mark() {
    let stub = Stub::play(vec![
        Answer::json(200, r#"{"meta":{},"data":{"unread":3,"total":7}}"#),
        Answer::json(200, r#"{"meta":{},"data":{"unread":3,"total":7}}"#),
        Answer::json(204, ""),
        Answer::json(204, ""),
    ])
    .await;
    let captured = Captured::default();
    assert_eq!(inbox(&stub, &captured, false, &["count"]).await, 0);
    assert_eq!(
        inbox(&stub, &captured, true, &["count", "--client", "ios"]).await,
        0
    );
    assert_eq!(inbox(&stub, &captured, false, &["read", "c1:1"]).await, 0);
    assert_eq!(inbox(&stub, &captured, true, &["read", "c1:1"]).await, 0);
    assert_eq!(
        captured.results(),
        "3 unread of 7\n{\"unread\":3,\"total\":7}\nread c1:1\n{\"read\":1}\n"
    );
    let lines: Vec<_> = stub.requests().into_iter().map(|request| request.line).collect();
    assert_eq!(
        lines,
        [
            "GET /messages/count",
            "GET /messages/count?client=ios",
            "POST /messages/c1%3A1/read",
            "POST /messages/c1%3A1/read"
        ]
    );
}

#[tokio::test]
async fn a_live_inbox_is_a_line_an_event_and_goes_on_after_a_break() {
    let shown = MESSAGE.replacen('}', ",\"unread\":1}", 1);
    let first = format!(
        "id: 0-0-0\nevent: message\ndata: {shown}\n\nid: 0-5-1\nevent: synced\ndata: {{\"unread\":1,\"total\":1}}\n\n"
    );
    let second = "id: 0-6-1\nevent: read\ndata: {\"id\":\"c1-1\",\"unread\":0}\n\n\
                  id: 0-7-1\nevent: removed\ndata: {\"id\":\"c1-1\",\"reason\":\"expired\",\"unread\":0}\n\n";
    let play = || Stub::play(vec![Answer::cut_stream(&first), Answer::stream(second)]);
    let quick = client::Backoff {
        first: std::time::Duration::from_millis(1),
        max: std::time::Duration::from_millis(5),
    };
    let watch = async |stub: &Stub, captured: &Captured, json: bool| {
        let words = [
            "inbox", "watch", "--limit", "9", "--since", "0-4-1", "--count", "4",
        ];
        let ClientCommand::Inbox(call) = parse(&words).unwrap() else {
            panic!("{words:?}")
        };
        let super::InboxCommand::Watch(args) = call.args.command else {
            panic!("{words:?}")
        };
        let connection = captured.connection(stub, json);
        captured.exit(super::watch::follow(args, &connection, quick, std::future::pending()).await)
    };
    let (stub, captured) = (play().await, Captured::default());
    assert_eq!(watch(&stub, &captured, false).await, 0);
    assert_eq!(
        captured.results(),
        "message  c1-1  Hej\\u{7}\nsynced  1 unread of 1\nread  c1-1  0 unread\nremoved  c1-1  expired  0 unread\n"
    );
    assert!(
        captured.notes().starts_with("reconnecting in 0.0 s: "),
        "{}",
        captured.notes()
    );
    let cursors = stub.requests();
    let cursors: Vec<_> = cursors
        .iter()
        .map(|request| request.header("last-event-id"))
        .collect();
    assert_eq!(cursors, [Some("0-4-1"), Some("0-5-1")]);

    let (stub, captured) = (play().await, Captured::default());
    assert_eq!(watch(&stub, &captured, true).await, 0);
    let expected = format!(
        "{{\"event\":\"message\",\"cursor\":\"0-0-0\",\"data\":{shown}}}\n\
         {{\"event\":\"synced\",\"cursor\":\"0-5-1\",\"data\":{{\"unread\":1,\"total\":1}}}}\n\
         {{\"event\":\"read\",\"cursor\":\"0-6-1\",\"data\":{{\"id\":\"c1-1\",\"unread\":0}}}}\n\
         {{\"event\":\"removed\",\"cursor\":\"0-7-1\",\"data\":{{\"id\":\"c1-1\",\"reason\":\"expired\",\"unread\":0}}}}\n"
    );
    assert_eq!(captured.results(), expected);
}
