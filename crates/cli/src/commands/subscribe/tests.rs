use std::future::pending;
use std::time::Duration;

use client::Backoff;
use client::stub::{Answer, Stub};

use super::follow;
use crate::commands::ClientCommand;
use crate::commands::tests::{Captured, parse};

const QUICK: Backoff = Backoff {
    first: Duration::from_millis(1),
    max: Duration::from_millis(5),
};

fn message(seq: u64, payload: &str) -> String {
    format!(
        "id: k-{seq}\ndata: {{\"messageId\":\"message:{seq}\",\"timestamp\":1500000000000,\"message\":{payload},\ndata: \"publisherId\":\"cms\",\"subtopic\":\"news.se\",\"headers\":{{\"lang\":\"sv\",\"n\":\"2\"}},\"seq\":{seq}}}\n\n"
    )
}

async fn subscribe(
    stub: &Stub,
    captured: &Captured,
    json: bool,
    words: &[&str],
    stop: impl Future<Output = ()>,
) -> u8 {
    let words: Vec<_> = ["subscribe", "nyheter"].iter().chain(words).copied().collect();
    let ClientCommand::Subscribe(call) = parse(&words).unwrap() else {
        panic!("{words:?}")
    };
    captured.exit(follow(call.args, &captured.connection(stub, json), QUICK, stop).await)
}

#[tokio::test]
async fn json_is_one_envelope_a_line_and_survives_reconnecting() {
    let stub = Stub::play(vec![
        Answer::cut_stream(&format!("{}{}", message(1, "1.50"), message(2, "\"två\""))),
        Answer::stream(&format!(
            "{}{}{}",
            message(2, "\"två\""),
            message(3, "null"),
            message(4, "4")
        )),
    ])
    .await;
    let captured = Captured::default();
    assert_eq!(
        subscribe(
            &stub,
            &captured,
            true,
            &["--since", "all", "--count", "3"],
            pending()
        )
        .await,
        0
    );
    let results = captured.results();
    let messages: Vec<serde_json::Value> = results
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(messages.len(), 3, "{results}");
    assert!(
        results.starts_with(
            r#"{"messageId":"message:1","timestamp":1500000000000,"message":1.50, "publisherId""#
        )
    );
    assert_eq!(
        messages
            .iter()
            .map(|message| message["seq"].as_u64().unwrap())
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(stub.requests()[1].header("last-event-id"), Some("k-2"));
    assert!(
        captured
            .notes()
            .starts_with("reconnecting in 0.0 s: no complete answer"),
        "{}",
        captured.notes()
    );
}

#[tokio::test]
async fn people_see_time_publisher_headers_and_text() {
    let stub = Stub::play(vec![Answer::stream(&format!(
        "{}{}",
        message(1, "\"hej\\u001b\\n\""),
        message(2, "{\"a\": 1}")
    ))])
    .await;
    let captured = Captured::default();
    assert_eq!(
        subscribe(&stub, &captured, false, &["--count", "2"], pending()).await,
        0
    );
    let results = captured.results();
    let lines: Vec<_> = results
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .collect();
    assert!(lines[0].0.starts_with("2017-07-1"), "{results}");
    assert_eq!(lines[0].1, "cms  [news.se]  lang=sv n=2  hej\\u{1b}\\n");
    assert_eq!(lines[1].1, "cms  [news.se]  lang=sv n=2  {\"a\": 1}");
}

#[tokio::test]
async fn gaps_and_ends_go_to_stderr() {
    let stub = Stub::play(vec![Answer::stream(&format!(
        "id: k-0\nevent: gap\ndata: {{\"from\":\"j-5\",\"to\":\"k-0\"}}\n\n{}event: end\ndata: {{\"code\":5914,\"message\":\"shutting down\"}}\n\n",
        message(1, "1")
    ))])
    .await;
    let captured = Captured::default();
    assert_eq!(
        subscribe(&stub, &captured, true, &["--since", "j-5"], pending()).await,
        1
    );
    assert_eq!(captured.results().lines().count(), 1);
    let notes = captured.notes();
    assert!(
        notes.contains("gap: messages after j-5 are no longer in the history; going on after k-0\n"),
        "{notes}"
    );
    assert!(notes.contains("end: shutting down (code 5914)\n"), "{notes}");
    assert!(
        notes.ends_with("error: no more answers (HTTP 418, code 0)\n"),
        "{notes}"
    );
}

#[tokio::test]
async fn a_stop_ends_it_well() {
    let stub = Stub::play(vec![Answer::cut_stream("").hold(Duration::from_secs(30))]).await;
    let captured = Captured::default();
    assert_eq!(
        subscribe(&stub, &captured, true, &[], std::future::ready(())).await,
        0
    );
    assert_eq!(captured.notes(), "");
}
