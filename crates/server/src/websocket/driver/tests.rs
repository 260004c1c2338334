use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::messaging::events::heartbeats::Heartbeats;

const BEAT: Duration = Duration::from_secs(5);

/// Says everything back; on `flood` it sends without end.
struct Echo {
    floods: bool,
    ending: Arc<AtomicBool>,
}

impl Session for Echo {
    fn text(&mut self, text: String, output: &mut Output) {
        self.floods = text == "flood";
        let (head, tail) = text.as_bytes().split_at(text.len() / 2);
        output.text(&[head, tail]);
    }

    fn binary(&mut self, length: u64, output: &mut Output) {
        output.text(&[length.to_string().as_bytes()]);
    }

    fn violated(&mut self, code: CloseCode, reason: &str, output: &mut Output) {
        output.text(&[format!("{} {reason}", code.0).as_bytes()]);
    }

    fn fill(&mut self, _: &mut Context<'_>, output: &mut Output) {
        if self.floods {
            output.text(&[&[b'x'; 1_000]]);
        }
    }

    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    fn end(&mut self, output: &mut Output) {
        output.close(CloseCode::GOING_AWAY, "it is late");
    }
}

struct Connection {
    client: DuplexStream,
    task: JoinHandle<()>,
    ending: Arc<AtomicBool>,
    heartbeats: Arc<Heartbeats>,
}

fn connect(buffer: usize) -> Connection {
    let (server, client) = duplex(buffer);
    let heartbeats = Arc::new(Heartbeats::every(BEAT));
    let ending = Arc::new(AtomicBool::new(false));
    let limits = Limits {
        beat: BEAT,
        ping: Duration::from_secs(25),
        stall: Duration::from_secs(30),
    };
    let session = Echo {
        floods: false,
        ending: Arc::clone(&ending),
    };
    let transport = Transport::new(server, 100_000);
    let driver = Driver::new(transport, session, Arc::new(limits), heartbeats.join());
    Connection {
        client,
        task: tokio::spawn(driver),
        ending,
        heartbeats,
    }
}

async fn websocket(client: DuplexStream) -> WebSocketStream<DuplexStream> {
    WebSocketStream::from_raw_socket(client, Role::Client, None).await
}

#[tokio::test]
async fn a_client_of_another_make_gets_its_messages_back_whatever_their_size() {
    let connection = connect(1_000);
    let mut client = websocket(connection.client).await;
    for length in [0, 1, 125, 126, 5_000, 65_535, 65_536, 100_000] {
        let text: String = "äx".chars().cycle().take(length * 2 / 3).collect();
        client.send(Message::text(text.clone())).await.unwrap();
        assert_eq!(
            client.next().await.unwrap().unwrap(),
            Message::text(text),
            "{length}"
        );
    }
    client.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Message::text("3"));
    client.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(
        client.next().await.unwrap().unwrap(),
        Message::Pong("are you there".into())
    );
    client.close(None).await.unwrap();
    assert!(client.next().await.unwrap().unwrap().is_close());
    assert!(client.next().await.is_none());
    connection.task.await.unwrap();
}

#[tokio::test]
async fn many_messages_in_one_write_are_all_answered_in_order() {
    let connection = connect(1_000_000);
    let mut client = websocket(connection.client).await;
    for number in 0..1_000 {
        client.feed(Message::text(number.to_string())).await.unwrap();
    }
    client.flush().await.unwrap();
    for number in 0..1_000 {
        assert_eq!(
            client.next().await.unwrap().unwrap(),
            Message::text(number.to_string())
        );
    }
}

#[tokio::test]
async fn a_violation_is_told_and_then_the_connection_closed_with_its_code() {
    let mut connection = connect(1_000);
    connection
        .client
        .write_all(&[0x81, 0x81, 0, 0, 0, 0, 0xff])
        .await
        .unwrap();
    let mut client = websocket(connection.client).await;
    let told = client.next().await.unwrap().unwrap();
    assert_eq!(told, Message::text("1007 the text of a message is not UTF-8"));
    let Message::Close(Some(close)) = client.next().await.unwrap().unwrap() else {
        panic!("expected a close frame");
    };
    assert_eq!(u16::from(close.code), 1007);
    assert_eq!(close.reason, "the text of a message is not UTF-8");
    assert!(client.next().await.is_none());
    connection.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_server_pings_and_ends_a_connection_whose_peer_is_dead() {
    let mut connection = connect(1_000);
    let mut frame = [0; 2];
    let start = tokio::time::Instant::now();
    connection.client.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame, [0x89, 0]);
    let first = start.elapsed();
    assert!(first <= Duration::from_secs(25), "{first:?}");
    // A pong keeps it alive for two more pings, silence does not.
    connection
        .client
        .write_all(&[0x8a, 0x80, 0, 0, 0, 0])
        .await
        .unwrap();
    connection.client.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame, [0x89, 0]);
    assert_eq!(
        connection.client.read(&mut frame).await.unwrap(),
        0,
        "it is closed"
    );
    let lived = start.elapsed() - first;
    assert!(
        lived.abs_diff(Duration::from_secs(50)) < Duration::from_secs(1),
        "{lived:?}"
    );
    connection.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_no_bytes_is_closed_after_the_time_for_it() {
    let connection = connect(10_000);
    let mut client = websocket(connection.client).await;
    client.send(Message::text("flood")).await.unwrap();
    let start = tokio::time::Instant::now();
    connection.task.await.unwrap();
    let lived = start.elapsed();
    assert!(
        lived >= Duration::from_secs(30) && lived <= Duration::from_secs(40),
        "{lived:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_bytes_slowly_is_not_closed() {
    let connection = connect(10_000);
    let mut client = websocket(connection.client).await;
    client.send(Message::text("flood")).await.unwrap();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(20)).await;
        for _ in 0..20 {
            client.next().await.unwrap().unwrap();
        }
    }
    assert!(!connection.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn the_server_closes_with_a_code_and_does_not_wait_for_ever_for_the_answer() {
    let connection = connect(1_000);
    let mut client = websocket(connection.client).await;
    client.send(Message::text("x")).await.unwrap();
    client.next().await.unwrap().unwrap();
    connection.ending.store(true, Ordering::Relaxed);
    connection.heartbeats.beat_all();
    let start = tokio::time::Instant::now();
    connection.task.await.unwrap();
    assert!(start.elapsed() <= CLOSE_TIMEOUT);
    let Message::Close(Some(close)) = client.next().await.unwrap().unwrap() else {
        panic!("expected a close frame");
    };
    assert_eq!(
        (u16::from(close.code), close.reason.as_str()),
        (1001, "it is late")
    );
}

#[tokio::test]
async fn a_peer_that_just_goes_away_ends_the_task() {
    let connection = connect(1_000);
    drop(connection.client);
    connection.task.await.unwrap();
    let connection = connect(1_000);
    let mut client = websocket(connection.client).await;
    client.send(Message::text("flood")).await.unwrap();
    drop(client);
    connection.task.await.unwrap();
}
