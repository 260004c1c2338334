use client::stub::{Answer, Stub};
use proptest::prelude::*;

use super::{Limits, import, shift_line};
use crate::commands::tests::Captured;

const TWO: Limits = Limits {
    documents: 2,
    bytes: 1000,
};

fn imported(count: u64) -> Answer {
    Answer::json(200, &format!(r#"{{"meta":{{}},"data":{{"imported":{count}}}}}"#))
}

fn refused(status: u16, headers: &str, detail: &str) -> Answer {
    let body = format!(r#"{{"meta":{{}},"errors":[{{"status":{status},"title":"T","detail":"{detail}"}}]}}"#);
    Answer::json_with(status, headers, &body)
}

fn conflict(imported: u64, duplicates: u64, key: &str) -> Answer {
    let body = format!(
        r#"{{"meta":{{"duplicate_key":"{key}","imported":{imported},"duplicates":{duplicates}}},"errors":[{{"status":409,"title":"Conflict","detail":"d"}}]}}"#
    );
    Answer::json(409, &body)
}

fn bodies(stub: &Stub) -> Vec<String> {
    let requests = stub.requests();
    let body = |request: &client::stub::Request| String::from_utf8(request.body.clone()).unwrap();
    requests.iter().map(body).collect()
}

async fn run(stub: &Stub, captured: &Captured, json: bool, file: &str) -> u8 {
    captured.exit(import(file.as_bytes(), None, TWO, &captured.connection(stub, json)).await)
}

#[tokio::test]
async fn a_long_file_goes_in_several_requests() {
    let stub = Stub::play(vec![imported(2), imported(2), imported(1)]).await;
    let captured = Captured::default();
    assert_eq!(
        run(&stub, &captured, true, "{1}\r\n{2}\r\n{3}\r\n\r\n{4}\r\n{5}").await,
        0
    );
    assert_eq!(
        captured.results(),
        "{\"imported\":5,\"duplicates\":0,\"requests\":3,\"duplicate_key\":null}\n"
    );
    assert_eq!(bodies(&stub), ["{1}\r\n{2}\r\n", "{3}\r\n\r\n{4}\r\n", "{5}"]);
}

#[tokio::test]
async fn duplicates_are_counted_over_all_requests_and_give_status_3() {
    let stub = Stub::play(vec![imported(2), conflict(1, 1, "c1-4"), conflict(0, 1, "c1-5")]).await;
    let captured = Captured::default();
    assert_eq!(run(&stub, &captured, false, "{1}\n{2}\n{3}\n{4}\n{5}\n").await, 3);
    assert_eq!(
        captured.results(),
        "imported 3, 2 duplicates (the first is c1-4), 3 requests\n"
    );
    assert_eq!(captured.notes(), "");
}

#[tokio::test]
async fn a_bad_line_is_named_as_the_file_counts_and_stops_the_import() {
    let stub = Stub::play(vec![
        imported(2),
        refused(400, "", "line 3: uid: expected a string"),
        imported(9),
    ])
    .await;
    let captured = Captured::default();
    assert_eq!(run(&stub, &captured, true, "{1}\n{2}\n\n{3}\n{4\n{5}\n").await, 1);
    assert_eq!(
        captured.results(),
        "{\"imported\":2,\"duplicates\":0,\"requests\":2,\"duplicate_key\":null}\n"
    );
    assert_eq!(
        captured.notes(),
        "error: nothing of lines 4 to 5 is in; lines 1 to 3 are in (2 imported, 0 duplicates): line 6: uid: expected a string (HTTP 400)\n"
    );
    assert_eq!(stub.requests().len(), 2);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_a_broken_one_is_not() {
    let busy = || refused(503, "retry-after: 0\r\n", "busy");
    let stub = Stub::play(vec![busy(), busy(), imported(1)]).await;
    let captured = Captured::default();
    assert_eq!(run(&stub, &captured, false, "{1}\n").await, 0);
    assert_eq!(captured.results(), "imported 1, 1 request\n");
    assert!(stub.requests().iter().all(|request| request.body == b"{1}\n"));

    let stub = Stub::play((0..9).map(|_| busy()).collect()).await;
    assert_eq!(run(&stub, &Captured::default(), false, "{1}\n").await, 1);
    assert_eq!(stub.requests().len(), 6);

    let stub = Stub::play(vec![Answer::nothing(), imported(1)]).await;
    let captured = Captured::default();
    assert_eq!(run(&stub, &captured, false, "{1}\n").await, 1);
    assert!(
        captured
            .notes()
            .contains("some of lines 1 to 1 may be in (import the file again"),
        "{}",
        captured.notes()
    );
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn a_line_over_the_limit_stops_it_with_its_number() {
    let stub = Stub::play(vec![imported(2)]).await;
    let captured = Captured::default();
    let file = format!("{{1}}\n{{2}}\n{}\n", "x".repeat(2000));
    assert_eq!(run(&stub, &captured, false, &file).await, 1);
    assert!(
        captured.notes().contains("lines 1 to 2 are in")
            && captured.notes().contains("line 3 is longer than 1000 bytes")
    );
}

#[tokio::test]
async fn an_empty_file_sends_nothing_and_says_so() {
    let stub = Stub::play(vec![]).await;
    let captured = Captured::default();
    assert_eq!(run(&stub, &captured, false, "\r\n\n").await, 0);
    assert_eq!(captured.results(), "imported 0, 0 requests\n");
    assert_eq!(captured.notes(), "note: the file holds no messages\n");
    assert!(stub.requests().is_empty());
}

#[test]
fn only_the_first_line_number_is_shifted() {
    assert_eq!(
        shift_line("line 1: bad at line 1 column 7", 25_000),
        "line 25001: bad at line 1 column 7"
    );
    assert_eq!(shift_line("headline x, line 2", 3), "headline x, line 5");
    assert_eq!(
        shift_line("no number in this line ", 3),
        "no number in this line "
    );
}

proptest! {
    #[test]
    fn shifting_takes_any_text(text in "(line |[0-9]|å| ){0,12}", offset in any::<u64>()) {
        shift_line(&text, offset);
    }
}

#[tokio::test]
async fn what_is_too_large_for_the_app_goes_in_smaller_requests() {
    let too_large = || refused(413, "", "expected at most 1 messages, found 2");
    let stub = Stub::play(vec![too_large(), imported(1), imported(1), imported(1)]).await;
    let captured = Captured::default();
    assert_eq!(run(&stub, &captured, true, "{1}\n{2}\n{3}\n").await, 0);
    assert_eq!(
        captured.results(),
        "{\"imported\":3,\"duplicates\":0,\"requests\":3,\"duplicate_key\":null}\n"
    );
    assert_eq!(bodies(&stub), ["{1}\n{2}\n", "{1}\n", "{2}\n", "{3}\n"]);
}

#[tokio::test]
async fn one_line_that_is_too_large_is_refused() {
    let stub = Stub::play(vec![refused(413, "", "expected at most 9 bytes, found 12")]).await;
    let captured = Captured::default();
    assert_eq!(run(&stub, &captured, false, "{1}\n").await, 1);
}
