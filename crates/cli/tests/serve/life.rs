use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::http::{open_stream, publish, read_until, request};
use crate::server::{Server, stdout, within};

#[test]
fn a_stop_ends_open_streams_with_a_reason_and_exits_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::dev(folder.path());
    let key = server.key("app");
    assert_eq!(publish(&server, &key, "hello"), 200);
    let mut stream = open_stream(&server, "/api/messaging/news/events?since=all", &key);
    server.signal("TERM");
    read_until(&mut stream, "event: end");
    let reason = read_until(&mut stream, "data:");
    assert!(reason.contains("shutting down"), "{reason}");
    assert_eq!(server.wait().code(), Some(0), "{}", server.stderr());
}

#[test]
fn ctrl_c_stops_too_and_a_hang_up_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::dev(folder.path());
    server.signal("HUP");
    within(Duration::from_secs(5), "the hang-up is logged", || {
        server.stderr().contains("SIGHUP")
    });
    assert_eq!(request(&server, "GET", "/healthz", &[], "").0, 200);
    server.signal("INT");
    assert_eq!(server.wait().code(), Some(0), "{}", server.stderr());
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::dev(folder.path());
    let key = server.key("app");
    for number in 0..10 {
        assert_eq!(publish(&server, &key, &format!("message {number}")), 200);
    }
    server.stop();
    let server = Server::dev(folder.path());
    let (_, history) = request(
        &server,
        "GET",
        "/api/messaging/news/history",
        &[("x-api-key", &key)],
        "",
    );
    let history: serde_json::Value = serde_json::from_str(&history).unwrap();
    let messages: Vec<_> = history["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["message"].clone())
        .collect();
    let expected: Vec<_> = (0..10)
        .map(|number| serde_json::json!(format!("message {number}")))
        .collect();
    assert_eq!(messages, expected);
}

/// A request whose body never ends, taken by the server.
fn endless_request(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!(
        "POST /messages/import HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\ncontent-type: application/json\r\n\
         content-length: 1000\r\nexpect: 100-continue\r\n\r\n",
        server.key("campaign")
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server asks for the body once the handler reads it.
    let mut asked = [0; 12];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    stream
}

#[test]
fn a_second_signal_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::dev(folder.path());
    let _stream = endless_request(&server);
    server.signal("TERM");
    within(Duration::from_secs(5), "the stop has begun", || {
        server.stderr().contains("stopping")
    });
    let start = std::time::Instant::now();
    within(Duration::from_secs(3), "the second signal ends it", || {
        server.signal("TERM");
        server.stderr().contains("SIGTERM a second time")
    });
    assert_eq!(server.wait().code(), Some(1), "{}", server.stderr());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_signal_that_reaches_it_twice_at_once_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("POSTBELL_SERVER__STOP_TIMEOUT", "100ms")];
    let mut server = Server::start(folder.path(), "serve --dev --listen 127.0.0.1:0", &variables);
    let _stream = endless_request(&server);
    server.signal("INT");
    within(Duration::from_secs(5), "the stop has begun", || {
        server.stderr().contains("stopping")
    });
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.stderr());
}

#[test]
fn a_request_that_never_ends_does_not_hold_the_stop_up_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("POSTBELL_SERVER__STOP_TIMEOUT", "500ms")];
    let mut server = Server::start(folder.path(), "serve --dev --listen 127.0.0.1:0", &variables);
    let _stream = endless_request(&server);
    server.stop();
    assert!(
        server.stderr().contains("closing their connections"),
        "{}",
        server.stderr()
    );
}

#[test]
fn without_tls_every_request_is_refused_and_the_log_warns() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), "serve --listen 127.0.0.1:0", &[]);
    assert_eq!(request(&server, "GET", "/healthz", &[], "").0, 200);
    assert_eq!(request(&server, "GET", "/messages", &[], "").0, 403);
    assert!(
        server
            .stderr()
            .contains("every request will be answered with 403"),
        "{}",
        server.stderr()
    );
    server.stop();

    let plain = [("POSTBELL_REQUIRE_HTTPS", "false")];
    let server = Server::start(folder.path(), "serve --listen 127.0.0.1:0", &plain);
    assert_eq!(request(&server, "GET", "/messages", &[], "").0, 401);
    assert!(!server.stderr().contains("403"), "{}", server.stderr());
    assert!(!folder.path().join("postbell-data/dev.json").exists());
}

#[test]
fn settings_of_apps_are_written_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let toml = "listen = ['127.0.0.1:0']\n[apps.shop.sync]\nbatch = 7\n";
    std::fs::write(folder.join("postbell.toml"), toml).unwrap();
    let variables = [
        ("POSTBELL_CONFIG", "postbell.toml"),
        ("POSTBELL_SYNC_URL", "http://127.0.0.1:9/pmserviceSync"),
        ("POSTBELL_SYNC_TIMER", "off"),
    ];
    let mut server = Server::start(folder, "serve", &variables);
    let show = |app: &str| -> serde_json::Value {
        serde_json::from_str(&stdout(folder, &format!("app show {app} --json"))).unwrap()
    };
    assert_eq!(show("shop")["settings"]["sync"]["batch"], 7);
    let sync = show("default")["settings"]["sync"].clone();
    assert_eq!(
        (&sync["url"], &sync["timer"]),
        (&"http://127.0.0.1:9/pmserviceSync".into(), &"off".into())
    );
    server.stop();
}

#[test]
fn several_addresses_are_told_one_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let line = "serve --dev --listen 127.0.0.1:0 --listen 127.0.0.1:0";
    let mut server = Server::start(folder.path(), line, &[]);
    let second = server.next_line();
    let second = second.strip_prefix("listening on http://").unwrap().trim_end();
    assert_ne!(second, server.address());
    assert!(TcpStream::connect(second).is_ok());
}

#[test]
fn the_log_can_be_json() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("POSTBELL_LOG__FORMAT", "json")];
    let mut server = Server::start(folder.path(), "serve --dev --listen 127.0.0.1:0", &variables);
    server.stop();
    let log = server.stderr();
    let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(last["message"], "stopped");
    let key = server.key("admin");
    assert!(!log.contains(&key), "keys never appear in logs");
}
