use std::time::Duration;

use super::{Backoff, Notice, Subscription};
use crate::messaging::events::EventsQuery;
use crate::stub::{Answer, Stub};
use crate::{Client, Error, Options};

const QUICK: Backoff = Backoff {
    first: Duration::from_millis(1),
    max: Duration::from_millis(5),
};

fn message(epoch: &str, seq: u64) -> String {
    format!(
        "id: {epoch}-{seq}\nevent: message\ndata: {{\"messageId\":\"message:{seq}\",\"timestamp\":{seq},\"message\":{seq}.50,\"headers\":{{}},\"seq\":{seq}}}\n\n"
    )
}

fn subscribe(stub: &Stub, since: Option<&str>) -> Subscription {
    let client = Client::new(Options {
        url: stub.url.clone(),
        ..Options::default()
    })
    .unwrap();
    client.subscribe(
        "nyheter",
        EventsQuery {
            since: since.map(str::to_owned),
            ..EventsQuery::default()
        },
        QUICK,
    )
}

/// Reads until the stub has no more answers, which ends a subscription; gives one word a notice.
async fn play(subscription: &mut Subscription) -> (Vec<String>, Error) {
    let mut notices = Vec::new();
    loop {
        match subscription.next().await {
            Ok(Notice::Message(message)) => {
                notices.push(format!("{}={}", message.position, message.envelope.message))
            }
            Ok(Notice::Gap(gap)) => notices.push(format!("gap {}..{}", gap.from, gap.to)),
            Ok(Notice::End(end)) => notices.push(format!("end {}", end.code)),
            Ok(Notice::Reconnecting { .. }) => notices.push("again".to_owned()),
            Err(error) => return (notices, error),
        }
    }
}

#[tokio::test]
async fn reconnects_from_the_last_position_without_loss_or_repeat() {
    let stub = Stub::play(vec![
        Answer::cut_stream(&format!("{}{}id: k-3\nda", message("k", 1), message("k", 2))),
        Answer::nothing(),
        Answer::json(503, r#"{"message":"starting","code":5914}"#),
        // A server may repeat; at least once is what it promises.
        Answer::stream(&format!(
            "{}{}: beat\nid: k-9\n\n",
            message("k", 2),
            message("k", 3)
        )),
        Answer::stream(&message("k", 10)),
    ])
    .await;
    let (notices, error) = play(&mut subscribe(&stub, Some("all"))).await;
    assert_eq!(
        notices,
        [
            "k-1=1.50",
            "k-2=2.50",
            "again",
            "again",
            "again",
            "k-3=3.50",
            "again",
            "k-10=10.50",
            "again"
        ]
    );
    assert_eq!(error.refusal().unwrap().status, 418);
    let requests = stub.requests();
    assert_eq!(requests[0].line, "GET /api/messaging/nyheter/events?since=all");
    assert_eq!(requests[0].header("last-event-id"), None);
    let resumed: Vec<_> = requests[1..]
        .iter()
        .map(|request| (request.line.as_str(), request.header("last-event-id").unwrap()))
        .collect();
    let line = "GET /api/messaging/nyheter/events";
    assert_eq!(
        resumed,
        [
            (line, "k-2"),
            (line, "k-2"),
            (line, "k-2"),
            (line, "k-9"),
            (line, "k-10")
        ]
    );
}

#[tokio::test]
async fn a_new_epoch_counts_from_one_again() {
    let gap = "id: n-0\nevent: gap\ndata: {\"from\":\"k-7\",\"to\":\"n-0\"}\n\n";
    let end = "event: end\ndata: {\"code\":5909,\"message\":\"the channel was deleted\"}\n\n";
    let stub = Stub::play(vec![
        Answer::stream(&format!("{}{end}", message("k", 7))),
        Answer::stream(&format!("{gap}{}", message("n", 1))),
    ])
    .await;
    let (notices, _) = play(&mut subscribe(&stub, None)).await;
    assert_eq!(
        notices,
        [
            "k-7=7.50",
            "end 5909",
            "again",
            "gap k-7..n-0",
            "n-1=1.50",
            "again"
        ]
    );
}

#[tokio::test]
async fn a_reader_without_position_goes_back_to_where_it_began() {
    let stub = Stub::play(vec![Answer::stream(""), Answer::stream("")]).await;
    let (notices, _) = play(&mut subscribe(&stub, None)).await;
    assert_eq!(notices, ["again", "again"]);
    assert_eq!(stub.requests()[0].line, "GET /api/messaging/nyheter/events");
    assert_eq!(
        stub.requests()[1].line,
        "GET /api/messaging/nyheter/events?since=2s"
    );

    let stub = Stub::play(vec![Answer::stream("")]).await;
    play(&mut subscribe(&stub, Some("10m"))).await;
    assert_eq!(
        stub.requests()[1].line,
        "GET /api/messaging/nyheter/events?since=602s"
    );

    let stub = Stub::play(vec![Answer::stream("")]).await;
    play(&mut subscribe(&stub, Some("k-4"))).await;
    assert_eq!(
        stub.requests()[1].line,
        "GET /api/messaging/nyheter/events?since=k-4"
    );
}

#[tokio::test]
async fn the_first_connection_fails_at_once() {
    let stub = Stub::play(vec![Answer::nothing()]).await;
    let (notices, error) = play(&mut subscribe(&stub, None)).await;
    assert!(notices.is_empty());
    assert!(matches!(error, Error::Transport { .. }));
}

#[tokio::test]
async fn a_revoked_reader_is_told_and_stops() {
    let stub = Stub::play(vec![
        Answer::stream("event: end\ndata: {\"code\":2002,\"message\":\"the key was revoked\"}\n\n"),
        Answer::json(401, r#"{"message":"the key was revoked","code":2002}"#),
    ])
    .await;
    let (notices, error) = play(&mut subscribe(&stub, None)).await;
    assert_eq!(notices, ["end 2002", "again"]);
    assert_eq!(error.refusal().unwrap().code, Some(2002));
}

#[tokio::test]
async fn delays_double_up_to_their_bound_and_obey_the_server() {
    let stub = Stub::play(vec![
        Answer::stream("retry: 40\n\n"),
        Answer::nothing(),
        Answer::nothing(),
        Answer::json_with(503, "retry-after: 1\r\n", r#"{"message":"starting","code":5914}"#),
    ])
    .await;
    let mut subscription = subscribe(&stub, None);
    let mut delays = Vec::new();
    while let Ok(Notice::Reconnecting { after, .. }) = subscription.next().await {
        delays.push(after.as_millis());
    }
    assert_eq!(delays, [40, 2, 4, 1000]);
}
