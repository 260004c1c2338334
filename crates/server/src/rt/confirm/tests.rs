use super::*;

fn options() -> Options {
    Options {
        window: 1_000,
        ..Options::default()
    }
}

#[test]
fn a_pong_confirms_what_was_sent_before_its_ping() {
    let now = Instant::now();
    let mut confirm = Confirm::new(now);
    let options = options();
    assert!(
        !confirm.take_ping(Transport::WebSocket, &options),
        "nothing was sent"
    );
    confirm.sent(600, now);
    assert!(confirm.take_ping(Transport::WebSocket, &options));
    confirm.sent(600, now);
    assert!(
        !confirm.take_ping(Transport::WebSocket, &options),
        "one ping at a time"
    );
    assert!(confirm.is_full(Transport::WebSocket, 0, &options));
    assert!(
        !confirm.is_full(Transport::Polling, 0, &options),
        "polling clients ask"
    );
    assert!(confirm.pong());
    assert!(!confirm.is_full(Transport::WebSocket, 0, &options));
    assert!(confirm.is_full(Transport::WebSocket, 400, &options));
    assert!(!confirm.pong(), "a pong that nobody asked for confirms nothing");
    assert!(!confirm.is_full(Transport::WebSocket, 0, &options));
}

#[test]
fn a_websocket_is_asked_soon_for_what_it_was_sent_and_everyone_at_every_interval() {
    let start = Instant::now();
    let options = options();
    let after = |seconds: u64| start + Duration::from_secs(seconds);
    let mut confirm = Confirm::new(start);
    assert_eq!(
        confirm.look(after(24), Transport::WebSocket, &options),
        Looked::Fine
    );
    confirm.sent(10, after(5));
    assert_eq!(
        confirm.look(after(6), Transport::WebSocket, &options),
        Looked::Fine
    );
    assert_eq!(confirm.look(after(8), Transport::Polling, &options), Looked::Fine);
    assert_eq!(
        confirm.look(after(8), Transport::WebSocket, &options),
        Looked::PingDue
    );
    assert!(confirm.take_ping(Transport::WebSocket, &options));

    let mut idle = Confirm::new(start);
    assert_eq!(
        idle.look(after(25), Transport::Polling, &options),
        Looked::PingDue
    );
}

#[test]
fn a_client_that_answers_no_ping_or_fetches_none_is_dead() {
    let start = Instant::now();
    let options = options();
    let after = |seconds: u64| start + Duration::from_secs(seconds);
    let mut confirm = Confirm::new(start);
    assert_eq!(
        confirm.look(after(25), Transport::Polling, &options),
        Looked::PingDue
    );
    assert_eq!(
        confirm.look(after(50), Transport::Polling, &options),
        Looked::PingDue
    );
    assert_eq!(
        confirm.look(after(56), Transport::Polling, &options),
        Looked::Dead
    );

    let mut asked = Confirm::new(start);
    asked.look(after(25), Transport::WebSocket, &options);
    assert!(asked.take_ping(Transport::WebSocket, &options));
    assert_eq!(asked.look(start, Transport::WebSocket, &options), Looked::Fine);
    let late = Instant::now() + Duration::from_secs(31);
    assert_eq!(asked.look(late, Transport::WebSocket, &options), Looked::Dead);
}
