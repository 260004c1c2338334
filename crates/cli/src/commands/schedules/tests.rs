use client::stub::{Answer, Stub};
use serde_json::{Value, json};

use super::run;
use crate::commands::ClientCommand;
use crate::commands::tests::{Captured, parse};

const STATUS: &str = r#"{"status":"scheduled","messageId":"message:A","errorMessage":null,"channel":"news","nextAt":1798120800000,"occurrences":3,"skipped":1}"#;

async fn schedules(stub: &Stub, captured: &Captured, json: bool, words: &[&str]) -> u8 {
    let words: Vec<_> = ["schedules"].iter().chain(words).copied().collect();
    let ClientCommand::Schedules(call) = parse(&words).unwrap() else {
        panic!("{words:?}")
    };
    captured.exit(run(call.args, &captured.connection(stub, json)).await)
}

/// The columns of each line of a table.
fn cells(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .map(|line| {
            line.split("  ")
                .map(|cell| cell.trim().to_owned())
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect()
}

#[tokio::test]
async fn the_list_tells_when_and_how_each_repeats() {
    let page = json!({"schedules": [
        {"status": "scheduled", "messageId": "message:A", "errorMessage": null, "channel": "news",
         "nextAt": 1_798_120_800_000_i64, "occurrences": 3, "skipped": 1, "message": "Good morning", "headers": {},
         "repeatCron": "0 9 * * MON", "timezone": "Europe/Stockholm", "repeatTimes": 10},
        {"status": "cancelled", "messageId": "message:B", "errorMessage": null, "channel": "news",
         "occurrences": 0, "skipped": 0, "message": {"n": 1}, "headers": {}, "repeatEvery": 90},
    ], "next": "message:B"})
    .to_string();
    let stub = Stub::play(vec![Answer::json(200, &page), Answer::json(200, &page)]).await;
    let captured = Captured::default();
    let words = [
        "list",
        "--channel",
        "news",
        "--limit",
        "2",
        "--after",
        "message:0",
    ];
    assert_eq!(schedules(&stub, &captured, false, &words).await, 0);
    assert_eq!(
        stub.requests()[0].line,
        "GET /api/messaging/scheduled?channel=news&limit=2&after=message%3A0"
    );
    let rows = cells(&captured.results());
    assert_eq!(rows[0][..3], ["ID", "STATUS", "CHANNEL"]);
    assert_eq!(rows[1][4], "0 9 * * MON (Europe/Stockholm), 10 times");
    assert_eq!(rows[1][5..], ["3", "1", "\"Good morning\""]);
    assert_eq!(rows[2][3..], ["-", "every 90s", "0", "0", "{\"n\":1}"]);
    assert_eq!(captured.notes(), "there are more: --after message:B\n");

    let captured = Captured::default();
    assert_eq!(schedules(&stub, &captured, true, &["list"]).await, 0);
    let told: Value = serde_json::from_str(&captured.results()).unwrap();
    assert_eq!(told["schedules"][0]["repeatCron"], "0 9 * * MON");
    assert_eq!(told["schedules"][1]["message"], json!({"n": 1}));
    assert_eq!(told["next"], "message:B");
}

#[tokio::test]
async fn show_tells_what_was_published_and_what_skipped() {
    let occurrences = r#"{"occurrences":[{"n":1,"due":1000,"fired":1001,"seq":7},{"n":2,"due":2000,"fired":null,"seq":null}],"next":2}"#;
    let answers = || vec![Answer::json(200, STATUS), Answer::json(200, occurrences)];
    let stub = Stub::play(answers()).await;
    let captured = Captured::default();
    assert_eq!(
        schedules(&stub, &captured, false, &["show", "message:A"]).await,
        0
    );
    let rows = cells(&captured.results());
    assert_eq!(rows[0], ["schedule", "message:A"]);
    assert_eq!(rows[1], ["status", "scheduled"]);
    assert_eq!(rows[4], ["fired", "3"]);
    let last = &rows[rows.len() - 1];
    assert_eq!(
        (last[0].as_str(), last[2].as_str(), last[3].as_str()),
        ("2", "skipped", "-")
    );
    assert_eq!(captured.notes(), "there are more: --after 2\n");

    let stub = Stub::play(answers()).await;
    let captured = Captured::default();
    assert_eq!(
        schedules(
            &stub,
            &captured,
            true,
            &["show", "message:A", "--after", "5", "--limit", "2"]
        )
        .await,
        0
    );
    assert_eq!(
        stub.requests()[1].line,
        "GET /api/messaging/message%3AA/occurrences?after=5&limit=2"
    );
    let told: Value = serde_json::from_str(&captured.results()).unwrap();
    assert_eq!(told["schedule"]["nextAt"], 1_798_120_800_000_i64);
    assert_eq!(told["occurrences"][1]["fired"], Value::Null);
    assert_eq!(told["next"], 2);
}

#[tokio::test]
async fn cancel_stops_at_the_first_that_cannot_be() {
    let cancelled = r#"{"status":"cancelled","messageId":"message:A","errorMessage":null,"occurrences":4}"#;
    let refused = r#"{"message":"nothing of this id waits","code":5040}"#;
    let stub = Stub::play(vec![Answer::json(200, cancelled), Answer::json(409, refused)]).await;
    let captured = Captured::default();
    let words = ["cancel", "message:A", "message:B", "message:C"];
    assert_eq!(schedules(&stub, &captured, false, &words).await, 1);
    assert_eq!(captured.results(), "message:A cancelled; published before: 4\n");
    assert!(
        captured
            .notes()
            .contains("cannot cancel message:B: nothing of this id waits"),
        "{}",
        captured.notes()
    );
    let requests = stub.requests();
    assert_eq!(requests.len(), 2, "the third is not tried");
    assert_eq!(requests[0].line, "DELETE /api/messaging/message%3AA");
}

#[tokio::test]
async fn an_edit_sends_what_was_given_and_null_for_none() {
    let stub = Stub::play(vec![Answer::json(200, STATUS), Answer::json(200, STATUS)]).await;
    let captured = Captured::default();
    let words = [
        "edit",
        "message:A",
        "--every",
        "none",
        "--cron",
        "0 9 * * MON-FRI",
        "--timezone",
        "Europe/Stockholm",
        "--until",
        "2026-12-24T14:00:00Z",
        "--times",
        "5",
        "--at",
        "none",
        "--message",
        "hi",
        "--header",
        "a=b",
    ];
    assert_eq!(schedules(&stub, &captured, false, &words).await, 0);
    let request = &stub.requests()[0];
    assert_eq!(request.line, "PATCH /api/messaging/message%3AA");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        json!({
            "message": "hi", "headers": {"a": "b"}, "publishAt": null, "repeatEvery": null,
            "repeatExpiresAt": 1_798_120_800_000_i64, "repeatCron": "0 9 * * MON-FRI",
            "timezone": "Europe/Stockholm", "repeatTimes": 5,
        })
    );
    assert_eq!(
        schedules(&stub, &captured, false, &["edit", "message:A", "--every", "5m"]).await,
        0
    );
    assert_eq!(stub.requests()[1].body, br#"{"repeatEvery":300}"#);
    assert_eq!(cells(&captured.results())[0], ["schedule", "message:A"]);
}

#[tokio::test]
async fn an_edit_replaces_all_headers_or_removes_them() {
    let stub = Stub::play(vec![Answer::json(200, STATUS), Answer::json(200, STATUS)]).await;
    let captured = Captured::default();
    let words = ["edit", "message:A", "--header", "a=none", "--header", "b=2"];
    assert_eq!(schedules(&stub, &captured, false, &words).await, 0);
    assert_eq!(stub.requests()[0].body, br#"{"headers":{"a":"none","b":"2"}}"#);
    let words = ["edit", "message:A", "--header", "none"];
    assert_eq!(schedules(&stub, &captured, false, &words).await, 0);
    assert_eq!(stub.requests()[1].body, br#"{"headers":{}}"#);
}

#[test]
fn an_edit_of_nothing_is_wrong_usage() {
    let error = parse(&["schedules", "edit", "message:A"]).unwrap_err();
    assert_eq!(error.kind(), clap::error::ErrorKind::MissingRequiredArgument);
    assert_eq!(error.exit_code(), 2);
}
