use super::*;
use crate::Options;
use crate::stub::{Answer, Stub};

const QUICK: Backoff = Backoff {
    first: Duration::from_millis(1),
    max: Duration::from_millis(5),
};

const MESSAGE: &str = r#"{"id":"1","uid":"u","created":"2014-11-06T13:34:59+01:00","expires":"2032-01-01T01:01:01+01:00","body":"b","clients":["web"],"type":"test","prio":35,"state":"imported","unread":2}"#;

fn event(id: &str, name: &str, data: &str) -> String {
    format!("id: {id}\nevent: {name}\ndata: {data}\n\n")
}

fn client(stub: &Stub) -> Client {
    Client::new(Options {
        url: stub.url.clone(),
        token: Some("t".to_owned()),
        ..Options::default()
    })
    .unwrap()
}

async fn happening(watch: &mut Watch) -> Happening {
    match watch.next().await.unwrap() {
        Notice::Event(event) => event.what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn events_are_read_and_a_break_goes_on_behind_the_last_one() {
    let counts = Counts { unread: 2, total: 3 };
    let first = [
        event("0-0-0", "message", MESSAGE),
        event("0-5-1", "synced", r#"{"unread":2,"total":3}"#),
        event("0-5-1", "news", "{}"),
        ":\nid: 0-6-1\n\n".to_owned(),
    ];
    let second = [
        event("0-7-1", "read", r#"{"id":"1","unread":1}"#),
        event("0-8-1", "removed", r#"{"id":"1","reason":"expired","unread":0}"#),
        event("0-8-1", "reset", r#"{"unread":2,"total":3}"#),
        "event: end\ndata: {\"code\":3064,\"message\":\"over\"}\n\n".to_owned(),
    ];
    let stub = Stub::play(vec![
        Answer::cut_stream(&first.concat()),
        Answer::json(
            503,
            r#"{"meta":{},"errors":[{"status":503,"title":"t","detail":"later"}]}"#,
        ),
        Answer::stream(&second.concat()),
        Answer::json(
            401,
            r#"{"meta":{},"errors":[{"status":401,"title":"t","detail":"no"}]}"#,
        ),
    ])
    .await;
    let query = WatchQuery {
        client: Some("ios".to_owned()),
        limit: Some(7),
        last_event_id: None,
    };
    let mut watch = client(&stub).watch(query, QUICK);
    let Happening::Message(shown) = happening(&mut watch).await else {
        panic!("a message comes first")
    };
    assert_eq!(
        (shown.message.id.as_str(), shown.message.prio, shown.unread),
        ("1", 35, 2)
    );
    assert_eq!(happening(&mut watch).await, Happening::Synced(counts));
    for _ in 0..2 {
        assert!(matches!(
            watch.next().await.unwrap(),
            Notice::Reconnecting { reason: Some(_), .. }
        ));
    }
    let read = Read {
        id: "1".to_owned(),
        unread: 1,
    };
    assert_eq!(happening(&mut watch).await, Happening::Read(read));
    let removed = Removed {
        id: "1".to_owned(),
        reason: "expired".to_owned(),
        unread: 0,
    };
    assert_eq!(happening(&mut watch).await, Happening::Removed(removed));
    assert_eq!(happening(&mut watch).await, Happening::Reset(counts));
    let Notice::End(end) = watch.next().await.unwrap() else {
        panic!("an end comes last")
    };
    assert_eq!((end.code, end.message.as_str()), (3064, "over"));
    assert!(matches!(
        watch.next().await.unwrap(),
        Notice::Reconnecting { reason: None, .. }
    ));
    let refused = watch.next().await.unwrap_err();
    assert_eq!(refused.refusal().unwrap().status, 401);

    let requests = stub.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.line == "GET /messages/stream?client=ios&limit=7")
    );
    let cursors: Vec<_> = requests
        .iter()
        .map(|request| request.header("last-event-id"))
        .collect();
    assert_eq!(cursors, [None, Some("0-6-1"), Some("0-6-1"), Some("0-8-1")]);
}

#[tokio::test]
async fn a_first_connection_that_fails_is_an_error() {
    let stub = Stub::play(vec![Answer::json(
        503,
        r#"{"meta":{},"errors":[{"status":503,"title":"t","detail":"later"}]}"#,
    )])
    .await;
    let mut watch = client(&stub).watch(WatchQuery::default(), QUICK);
    assert!(watch.next().await.is_err());
}
