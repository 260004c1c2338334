use client::stub::{Answer, Stub};

use super::{payload, read, run};
use crate::commands::ClientCommand;
use crate::commands::tests::{Captured, parse};

const DONE: &str = r#"{"errorMessage":null,"messageId":"message:A","status":"scheduled"}"#;

async fn publish(stub: &Stub, captured: &Captured, json: bool, words: &[&str]) -> u8 {
    let words: Vec<_> = ["publish"].iter().chain(words).copied().collect();
    let ClientCommand::Publish(call) = parse(&words).unwrap() else {
        panic!("{words:?}")
    };
    captured.exit(run(call.args, &captured.connection(stub, json)).await)
}

#[tokio::test]
async fn text_goes_as_a_string_and_raw_json_as_written() {
    let stub = Stub::play(vec![Answer::json(200, DONE), Answer::json(200, DONE)]).await;
    let captured = Captured::default();
    let words = [
        "c",
        "{\"n\": 1}",
        "--header",
        "a=b=c",
        "--publisher",
        "p",
        "--subtopic",
        "x.y",
    ];
    assert_eq!(publish(&stub, &captured, false, &words).await, 0);
    assert_eq!(
        publish(&stub, &captured, true, &["c", "{\"n\": 1.0}", "--raw"]).await,
        0
    );
    let requests = stub.requests();
    let first = r#"{"message":"{\"n\": 1}","publisherId":"p","headers":{"a":"b=c"},"subtopic":"x.y"}"#;
    assert_eq!(String::from_utf8_lossy(&requests[0].body), first);
    assert_eq!(requests[1].body, br#"{"message":{"n": 1.0}}"#);
    let json = r#"{"messageId":"message:A","status":"scheduled","errorMessage":null,"replayed":false}"#;
    assert_eq!(captured.results(), format!("message:A\n{json}\n"));
}

#[tokio::test]
async fn times_and_repetitions_go_as_the_fields_of_the_contract() {
    let stub = Stub::play(vec![Answer::json(200, DONE), Answer::json(200, DONE)]).await;
    let captured = Captured::default();
    let words = [
        "c",
        "x",
        "--at",
        "2026-12-24T15:00:00+01:00",
        "--every",
        "10m",
        "--until",
        "1798207200000",
        "--times",
        "5",
    ];
    assert_eq!(publish(&stub, &captured, false, &words).await, 0);
    let words = [
        "c",
        "x",
        "--cron",
        "0 9 * * MON",
        "--timezone",
        "Europe/Stockholm",
    ];
    assert_eq!(publish(&stub, &captured, false, &words).await, 0);
    let requests = stub.requests();
    let first = r#"{"message":"x","publishAt":1798120800000,"repeatEvery":600,"repeatExpiresAt":1798207200000,"repeatTimes":5}"#;
    assert_eq!(String::from_utf8_lossy(&requests[0].body), first);
    let second = r#"{"message":"x","repeatCron":"0 9 * * MON","timezone":"Europe/Stockholm"}"#;
    assert_eq!(String::from_utf8_lossy(&requests[1].body), second);
}

#[tokio::test]
async fn a_dry_run_prints_the_times_and_publishes_nothing() {
    let told = r#"{"occurrences":[1798120800000,1798121400000]}"#;
    let stub = Stub::play(vec![Answer::json(200, told), Answer::json(200, told)]).await;
    let captured = Captured::default();
    let words = ["c", "x", "--every", "10m", "--dry-run"];
    assert_eq!(publish(&stub, &captured, true, &words).await, 0);
    assert_eq!(captured.results(), format!("{told}\n"));
    assert_eq!(stub.requests()[0].line, "POST /api/messaging/c?dryRun=true");
    let captured = Captured::default();
    assert_eq!(publish(&stub, &captured, false, &words).await, 0);
    assert_eq!(captured.results().lines().count(), 2);
    assert!(captured.results().contains("2026-12-2"), "{}", captured.results());
}

#[tokio::test]
async fn a_failed_message_is_a_failure() {
    let failed = r#"{"errorMessage":"no push provider","messageId":"message:A","status":"failed"}"#;
    let stub = Stub::play(vec![Answer::json(200, failed)]).await;
    let captured = Captured::default();
    assert_eq!(publish(&stub, &captured, false, &["c", "x"]).await, 1);
    assert_eq!(captured.notes(), "error: not published: no push provider\n");
}

#[tokio::test]
async fn nothing_is_sent_for_bad_input() {
    let stub = Stub::play(vec![]).await;
    let captured = Captured::default();
    assert_eq!(publish(&stub, &captured, false, &["c", "{", "--raw"]).await, 1);
    assert_eq!(
        publish(
            &stub,
            &captured,
            false,
            &["c", "x", "--header", "a=1", "--header", "a=2"]
        )
        .await,
        1
    );
    assert!(
        captured.notes().contains("MESSAGE is not JSON")
            && captured.notes().contains("--header a is given twice")
    );
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn standard_input_loses_its_last_line_end_only() {
    assert_eq!(read(&b"a\nb\r\n"[..]).await.unwrap(), "a\nb");
    assert_eq!(read(&b"a\n\n"[..]).await.unwrap(), "a\n");
    assert!(
        read(&b"\xff"[..])
            .await
            .unwrap_err()
            .to_string()
            .contains("UTF-8")
    );
    assert!(
        read(tokio::io::repeat(b'x'))
            .await
            .unwrap_err()
            .to_string()
            .contains("16 MiB")
    );
    assert_eq!(payload("a\"b".to_owned(), false).unwrap().get(), r#""a\"b""#);
}
