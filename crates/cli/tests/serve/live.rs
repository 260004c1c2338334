use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Output, Stdio};

use serde_json::{Value, json};

use crate::http::request;
use crate::server::{Server, postbell, stdout};

/// A command that follows something live, killed when dropped.
struct Follower {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Follower {
    fn start(folder: &Path, server: &Server, credential: (&str, &str), words: &[&str]) -> Self {
        let mut child = postbell(folder)
            .args(words)
            .env("POSTBELL_URL", &server.url)
            .env(credential.0, credential.1)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line of its output, which must be JSON.
    fn next(&mut self) -> Value {
        let line = self.lines.next().expect("another line").unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// The next change of an inbox. `synced` comes whenever what was missed is complete.
    fn next_change(&mut self) -> Value {
        loop {
            let event = self.next();
            if event["event"] != "synced" {
                return event;
            }
        }
    }

    /// What it has told on stderr when it has ended by itself, which must be well.
    fn end(mut self) -> String {
        assert!(self.lines.next().is_none(), "nothing follows");
        let notes = self.notes();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{notes}");
        notes
    }

    /// All that it tells on stderr until it ends.
    fn notes(&mut self) -> String {
        let mut notes = String::new();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut notes).unwrap();
        notes
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server at the address of one that is gone.
fn again(folder: &Path, address: &str) -> Server {
    Server::start(folder, &format!("serve --dev --listen {address}"), &[])
}

fn post(server: &Server, preset: &str, path: &str, body: &Value) {
    let key = server.key(preset);
    let headers = [("x-api-key", key.as_str()), ("content-type", "application/json")];
    let (status, answer) = request(server, "POST", path, &headers, &body.to_string());
    assert_eq!(status, 200, "{answer}");
}

fn publish(server: &Server, fields: &Value) {
    post(server, "app", "/api/messaging/news", fields);
}

fn subscribe(folder: &Path, server: &Server, words: &[&str]) -> Output {
    postbell(folder)
        .args(["subscribe", "news", "--json"])
        .args(words)
        .env("POSTBELL_URL", &server.url)
        .env("POSTBELL_KEY", server.key("app"))
        .output()
        .unwrap()
}

/// The payloads of a command that has ended well.
fn payloads(output: &Output) -> Vec<Value> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    lines
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].take())
        .collect()
}

#[test]
fn subscribe_prints_what_its_selector_subtopic_and_since_say() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::dev(folder);
    for number in 1..=12_u64 {
        let subtopic = if number % 3 == 0 { "sports.ice" } else { "politics" };
        let fields = json!({"message": number, "subtopic": subtopic, "headers": {"n": number}});
        publish(&server, &fields);
    }
    let selected = [
        "--since",
        "all",
        "--selector",
        "n BETWEEN 4 AND 7",
        "--count",
        "4",
    ];
    assert_eq!(payloads(&subscribe(folder, &server, &selected)), [4, 5, 6, 7]);
    let of_subtopic = ["--since", "all", "--subtopic", "sports.*", "--count", "4"];
    assert_eq!(payloads(&subscribe(folder, &server, &of_subtopic)), [3, 6, 9, 12]);
    let both = [
        "--selector",
        "n > 3",
        "--subtopic",
        "sports.*",
        "--since",
        "10m",
        "--count",
        "3",
    ];
    assert_eq!(payloads(&subscribe(folder, &server, &both)), [6, 9, 12]);
    let tenth = ["--since", "9", "--count", "3"];
    assert_eq!(payloads(&subscribe(folder, &server, &tenth)), [10, 11, 12]);
}

#[test]
fn subscribe_tells_what_is_wrong_with_a_bad_filter_and_ends_with_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::dev(folder.path());
    let cases = [
        (
            ["--selector", "lang = 'sv' AND n >"],
            "error: selector: position 20: expected a value after '>', found end (HTTP 400, code 5906)\n",
        ),
        (
            ["--subtopic", "news..x"],
            "error: subtopic: expected a dotted subtopic such as news.dallas or news.* (1 to 255 bytes, no empty \
             part, `*` only for a whole part), found \"news..x\" (HTTP 400, code 5908)\n",
        ),
        (
            ["--since", "yesterday"],
            "error: since: expected a position such as 0123456789abcdef-42, a sequence number, `all` or a \
             duration such as 10m, found \"yesterday\" (HTTP 400, code 5908)\n",
        ),
    ];
    for (words, expected) in cases {
        let output = subscribe(folder.path(), &server, &words);
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
        assert_eq!(output.stdout, b"");
        assert_eq!(output.status.code(), Some(1), "{words:?}");
    }
}

#[test]
fn subscribe_goes_on_by_itself_when_the_server_stops_or_dies_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = Server::dev(folder);
    let address = server.address().to_owned();
    let words = [
        "subscribe",
        "news",
        "--json",
        "--since",
        "all",
        "--selector",
        "n > 0",
        "--count",
        "40",
    ];
    let key = server.key("app");
    let mut reader = Follower::start(folder, &server, ("POSTBELL_KEY", &key), &words);
    let mut heard = Vec::new();
    for number in 0..=40_u64 {
        match number {
            15 => {
                server.stop();
                server = again(folder, &address);
            }
            // SIGKILL, with messages that the reader may not have yet.
            30 => {
                drop(server);
                server = again(folder, &address);
            }
            _ => {}
        }
        publish(&server, &json!({"message": number, "headers": {"n": number}}));
        // Reads half of what there is, so that both ends meet it in the middle.
        if number % 2 == 1 {
            heard.push(reader.next());
        }
    }
    while heard.len() < 40 {
        heard.push(reader.next());
    }
    let numbers: Vec<u64> = heard.iter().map(|heard| heard["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (2..=41).collect::<Vec<_>>());
    let notes = reader.end();
    assert!(notes.contains("end: "), "{notes}");
    assert!(notes.matches("reconnecting in").count() >= 2, "{notes}");
    assert!(!notes.contains("gap"), "{notes}");
}

#[test]
fn inbox_watch_goes_on_by_itself_when_the_server_stops_or_dies_and_misses_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = Server::dev(folder);
    let address = server.address().to_owned();
    let token = stdout(folder, "token mint --sub ann");
    let import = |server: &Server, id: &str| {
        let document = json!({
            "id": id, "uid": "ann", "created": "2020-01-01T00:00:00Z", "expires": "2090-01-01T00:00:00Z",
            "body": "text", "clients": ["web"], "type": "campaign", "prio": 1,
        });
        post(server, "campaign", "/messages/import", &document);
    };
    let delete = |server: &Server, id: &str| {
        let headers = [("user-token", token.as_str())];
        let path = format!("/messages/{id}");
        assert_eq!(request(server, "DELETE", &path, &headers, "").0, 204);
    };
    import(&server, "a");
    let words = ["inbox", "watch", "--json"];
    let mut watch = Follower::start(folder, &server, ("POSTBELL_TOKEN", &token), &words);
    assert_eq!(change(&watch.next()), ("message".to_owned(), "a".to_owned(), 1));
    assert_eq!(watch.next()["event"], "synced");
    import(&server, "b");
    assert_eq!(
        change(&watch.next_change()),
        ("message".to_owned(), "b".to_owned(), 2)
    );
    server.stop();
    server = again(folder, &address);
    delete(&server, "a");
    assert_eq!(
        change(&watch.next_change()),
        ("removed".to_owned(), "a".to_owned(), 1)
    );
    // SIGKILL.
    drop(server);
    server = again(folder, &address);
    import(&server, "c");
    delete(&server, "b");
    let mut last = [change(&watch.next_change()), change(&watch.next_change())];
    last.sort();
    let names = last
        .each_ref()
        .map(|(event, id, _)| (event.as_str(), id.as_str()));
    assert_eq!(names, [("message", "c"), ("removed", "b")]);
    watch.child.kill().unwrap();
    let notes = watch.notes();
    assert!(notes.matches("reconnecting in").count() >= 2, "{notes}");
}

/// Its name, the message's id, and how many are unread then.
fn change(event: &Value) -> (String, String, u64) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let data = &event["data"];
    (
        text(&event["event"]),
        text(&data["id"]),
        data["unread"].as_u64().unwrap(),
    )
}

#[test]
fn the_handshake_of_the_official_sdk_tells_the_configured_limits() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("POSTBELL_RT__PING_INTERVAL", "7s"),
        ("POSTBELL_RT__PING_TIMEOUT", "8s"),
        ("POSTBELL_RT__MAX_PAYLOAD", "5000"),
    ];
    let server = Server::start(folder.path(), "serve --dev --listen 127.0.0.1:0", &variables);
    let path = "/default/?EIO=4&transport=polling";
    let (status, answer) = request(&server, "GET", path, &[], "");
    assert_eq!(status, 200, "{answer}");
    let open: Value = serde_json::from_str(answer.strip_prefix('0').unwrap()).unwrap();
    assert_eq!(
        (&open["pingInterval"], &open["pingTimeout"], &open["maxPayload"]),
        (&json!(7_000), &json!(8_000), &json!(5_000))
    );
}
