use bytes::Bytes;
use futures_util::stream;

use super::import::Imported;
use super::list::ListQuery;
use crate::stub::{Answer, Stub};
use crate::{Client, Options};

fn client(stub: &Stub) -> Client {
    Client::new(Options {
        url: stub.url.clone(),
        key: Some("k-1".to_owned()),
        ..Options::default()
    })
    .unwrap()
}

fn body(
    chunks: &[&'static str],
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    stream::iter(
        chunks
            .iter()
            .map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))
            .collect::<Vec<_>>(),
    )
}

#[tokio::test]
async fn an_import_streams_its_body_and_counts() {
    let stub = Stub::play(vec![Answer::json(200, r#"{"meta":{},"data":{"imported":2}}"#)]).await;
    let imported = client(&stub)
        .import(body(&["{\"id\":\"1\"}\r\n", "{\"id\":\"2\"}"]))
        .await
        .unwrap();
    assert_eq!(
        imported,
        Imported {
            imported: 2,
            duplicates: 0,
            duplicate_key: None
        }
    );
    let request = &stub.requests()[0];
    assert_eq!(request.line, "POST /messages/import");
    assert_eq!(
        request.header("content-type"),
        Some("application/json; boundary=NL")
    );
    assert_eq!(request.body, b"{\"id\":\"1\"}\r\n{\"id\":\"2\"}");
}

#[tokio::test]
async fn a_conflict_is_an_outcome_only_with_its_counts() {
    let with = r#"{"meta":{"duplicate_key":"7","imported":1,"duplicates":3},"errors":[{"status":409,"title":"Conflict","detail":"d"}]}"#;
    let without =
        r#"{"meta":{"duplicate_key":"7"},"errors":[{"status":409,"title":"Conflict","detail":"d"}]}"#;
    let stub = Stub::play(vec![Answer::json(409, with), Answer::json(409, without)]).await;
    let imported = client(&stub).import(body(&["x"])).await.unwrap();
    assert_eq!(
        imported,
        Imported {
            imported: 1,
            duplicates: 3,
            duplicate_key: Some("7".to_owned())
        }
    );
    let error = client(&stub).import(body(&["x"])).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().duplicate_key.as_deref(), Some("7"));
}

#[tokio::test]
async fn a_list_is_asked_and_kept_as_it_came() {
    let message = r#"{"id":"1","uid":"u","created":"2014-11-06T13:34:59+01:00","expires":"2032-01-01T01:01:01+01:00","body":"b","clients":["web"],"type":"test","prio":-3,"state":"imported"}"#;
    let stub = Stub::play(vec![Answer::json(
        200,
        &format!(r#"{{"meta":{{}},"data":{{"messages":[{message}]}}}}"#),
    )])
    .await;
    let query = ListQuery {
        client: Some("ios".to_owned()),
        limit: Some(3),
        after: None,
    };
    let messages = client(&stub).list(&query).await.unwrap();
    assert_eq!(serde_json::to_string(&messages[0]).unwrap(), message);
    assert_eq!(stub.requests()[0].line, "GET /messages?client=ios&limit=3");
}

#[tokio::test]
async fn the_other_calls_ask_and_count() {
    let stub = Stub::play(vec![
        Answer::json(204, ""),
        Answer::json(200, r#"{"meta":{},"data":{"deleted":4}}"#),
        Answer::json(200, r#"{"meta":{},"data":{"retracted":1,"not_retracted":["b"]}}"#),
        Answer::json(200, r#"{"meta":{},"data":{"synced":5}}"#),
        Answer::json(200, r#"{"meta":{},"data":{"removed":6}}"#),
    ])
    .await;
    let client = client(&stub);
    client.delete("1:a").await.unwrap();
    assert_eq!(client.delete_all("u/1").await.unwrap(), 4);
    let retracted = client.retract(&["a".to_owned(), "b".to_owned()]).await.unwrap();
    assert_eq!(
        (retracted.retracted, retracted.not_retracted),
        (1, vec!["b".to_owned()])
    );
    assert_eq!(client.sync().await.unwrap(), 5);
    assert_eq!(client.cleanup().await.unwrap(), 6);
    let requests = stub.requests();
    let lines: Vec<_> = requests.iter().map(|request| request.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "DELETE /messages/1%3Aa",
            "DELETE /users/u%2F1/messages",
            "POST /messages/retract",
            "POST /messages/sync",
            "POST /messages/cleanup"
        ]
    );
    assert_eq!(requests[2].body, br#"{"messages":[{"id":"a"},{"id":"b"}]}"#);
}
