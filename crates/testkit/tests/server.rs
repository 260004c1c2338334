//! The kit itself.

use std::collections::VecDeque;
use std::time::Duration;

use postbell_testkit::server::Server;
use postbell_testkit::sse::{Event, Parser};

#[tokio::test]
async fn a_server_answers_and_starts_again_on_the_same_data() {
    let server = Server::start().await;
    server.create_app("shop").await;
    server.clock.advance(Duration::from_secs(60));
    let server = server.restart().await;
    let health = server.http.get(server.url("/healthz")).send().await.unwrap();
    assert_eq!(health.status(), 200);
    let ready = server.http.get(server.url("/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    let id = "shop".parse().unwrap();
    assert!(
        server.store.app(&id).await.unwrap().is_some(),
        "the app is still there"
    );
    server.stop().await;
}

#[test]
fn a_block_with_an_id_alone_sets_the_last_id_and_dispatches_nothing() {
    let (mut parser, mut events) = (Parser::default(), VecDeque::new());
    parser.feed(b":\nid: 7\n\n", &mut events);
    assert_eq!(events, []);
    parser.feed(b"event: gap\ndata: a\ndata:  b\n\n", &mut events);
    let event = Event {
        name: "gap".into(),
        data: "a\n b".into(),
        id: "7".into(),
    };
    assert_eq!(events, [event]);
}
