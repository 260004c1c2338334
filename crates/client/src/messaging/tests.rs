use serde_json::value::RawValue;

use super::history::HistoryQuery;
use super::publish::Publish;
use crate::stub::{Answer, Stub};
use crate::{Client, Options};

fn client(stub: &Stub) -> Client {
    Client::new(Options {
        url: stub.url.clone(),
        ..Options::default()
    })
    .unwrap()
}

#[tokio::test]
async fn a_publish_sends_its_payload_as_written_and_only_given_fields() {
    let answer = r#"{"errorMessage":null,"messageId":"message:A","status":"scheduled"}"#;
    let stub = Stub::play(vec![
        Answer::json(200, answer),
        Answer::json_with(200, "idempotent-replayed: true\r\n", answer),
    ])
    .await;
    let mut publish = Publish::new(RawValue::from_string("{\"n\":1.10}".to_owned()).unwrap());
    let published = client(&stub).publish("a b", &publish).await.unwrap();
    assert_eq!(
        (published.message_id.as_str(), published.replayed),
        ("message:A", false)
    );
    publish.headers.insert("k".to_owned(), "v".to_owned());
    publish.subtopic = Some("news.se".to_owned());
    publish.idempotency_key = Some("once".to_owned());
    assert!(client(&stub).publish("a b", &publish).await.unwrap().replayed);
    let requests = stub.requests();
    assert_eq!(requests[0].line, "POST /api/messaging/a%20b");
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert_eq!(requests[0].body, br#"{"message":{"n":1.10}}"#);
    assert_eq!(
        requests[1].body,
        br#"{"message":{"n":1.10},"headers":{"k":"v"},"subtopic":"news.se"}"#
    );
    assert_eq!(requests[1].header("idempotency-key"), Some("once"));
}

#[tokio::test]
async fn history_keeps_numbers_as_written_and_tells_gaps() {
    let page = r#"{"messages":[{"messageId":"message:A","timestamp":5,"message":1.10,"publisherId":null,"headers":{"a":"1"},"seq":9,"channel":"c"}],"nextSince":"k-9","gap":{"from":"k-1","to":"k-8"}}"#;
    let stub = Stub::play(vec![Answer::json(200, page)]).await;
    let query = HistoryQuery {
        since: Some("k-1".to_owned()),
        limit: Some(10),
        ..HistoryQuery::default()
    };
    let history = client(&stub).history("c", &query).await.unwrap();
    assert_eq!(history.messages[0].message.get(), "1.10");
    assert_eq!(
        (history.next_since.as_str(), history.gap.unwrap().to.as_str()),
        ("k-9", "k-8")
    );
    assert_eq!(
        stub.requests()[0].line,
        "GET /api/messaging/c/history?since=k-1&limit=10"
    );
}

#[tokio::test]
async fn channels_are_listed_and_deleted_and_schedules_cancelled() {
    let stub = Stub::play(vec![
        Answer::json(
            200,
            r#"{"channels":[{"name":"a","position":"k-1","lastPublishedAt":null}],"next":"a"}"#,
        ),
        Answer::json(200, "true"),
        Answer::json(
            200,
            r#"{"status":"cancelled","messageId":"message:A","errorMessage":null,"occurrences":2}"#,
        ),
    ])
    .await;
    let client = client(&stub);
    let page = client.channels(Some("å"), Some(1)).await.unwrap();
    assert_eq!(
        (page.channels[0].position.as_str(), page.next.as_deref()),
        ("k-1", Some("a"))
    );
    client.delete_channel("a/b").await.unwrap();
    assert_eq!(client.cancel("message:A").await.unwrap().occurrences, Some(2));
    let requests = stub.requests();
    let lines: Vec<_> = requests.iter().map(|request| request.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "GET /api/messaging/channels?after=%C3%A5&limit=1",
            "DELETE /api/messaging/channels/a%2Fb",
            "DELETE /api/messaging/message%3AA"
        ]
    );
}
