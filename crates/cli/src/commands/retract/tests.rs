use client::stub::{Answer, Stub};
use tokio::io::BufReader;

use super::{BATCH, RetractArgs, read, run};
use crate::commands::tests::Captured;

fn ids(count: usize) -> RetractArgs {
    RetractArgs {
        ids: (0..count).map(|id| id.to_string()).collect(),
    }
}

fn none() -> Answer {
    Answer::json(
        404,
        r#"{"meta":{},"errors":[{"status":404,"title":"Not Found","detail":"none"}]}"#,
    )
}

#[tokio::test]
async fn many_ids_go_in_batches_and_the_status_tells_how_it_went() {
    let all = r#"{"meta":{},"data":{"retracted":1000,"not_retracted":[]}}"#;
    let stub = Stub::play(vec![
        Answer::json(200, all),
        none(),
        none(),
        Answer::json(200, all),
    ])
    .await;
    let captured = Captured::default();
    assert_eq!(
        captured.exit(run(ids(BATCH + 2), &captured.connection(&stub, true)).await),
        3
    );
    assert_eq!(
        captured.results(),
        "{\"retracted\":1000,\"not_retracted\":[\"1000\",\"1001\"]}\n"
    );
    assert_eq!(
        captured.exit(run(ids(1), &captured.connection(&stub, false)).await),
        1
    );
    assert_eq!(captured.notes(), "not retracted: 0\n");
    assert_eq!(
        captured.exit(run(ids(1000), &captured.connection(&stub, false)).await),
        0
    );
    assert_eq!(
        stub.requests()[1].body,
        br#"{"messages":[{"id":"1000"},{"id":"1001"}]}"#
    );
}

#[tokio::test]
async fn other_refusals_stop_it() {
    let stub = Stub::play(vec![Answer::json(
        401,
        r#"{"meta":{},"errors":[{"status":401,"title":"Unauthorized"}]}"#,
    )])
    .await;
    let captured = Captured::default();
    assert_eq!(
        captured.exit(run(ids(1), &captured.connection(&stub, false)).await),
        1
    );
    assert!(
        captured
            .notes()
            .starts_with("error: stopped after 0 retracted: Unauthorized (HTTP 401)"),
        "{}",
        captured.notes()
    );
}

#[tokio::test]
async fn standard_input_has_an_id_a_line() {
    assert_eq!(
        read(BufReader::new(&b"a\r\n\n b \nc"[..])).await.unwrap(),
        ["a", "b", "c"]
    );
}

#[tokio::test]
async fn what_is_too_many_for_the_app_goes_in_smaller_requests() {
    let too_many =
        r#"{"meta":{},"errors":[{"status":413,"title":"Payload Too Large","detail":"at most 2"}]}"#;
    let one = r#"{"meta":{},"data":{"retracted":1,"not_retracted":[]}}"#;
    let answers = [(413, too_many), (200, one), (200, one), (200, one)];
    let answers = answers.map(|(status, body)| Answer::json(status, body));
    let stub = Stub::play(answers.into()).await;
    let captured = Captured::default();
    assert_eq!(
        captured.exit(run(ids(3), &captured.connection(&stub, true)).await),
        0
    );
    assert_eq!(captured.results(), "{\"retracted\":3,\"not_retracted\":[]}\n");
    assert_eq!(stub.requests()[3].body, br#"{"messages":[{"id":"2"}]}"#);
}
