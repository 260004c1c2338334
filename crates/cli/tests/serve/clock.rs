use crate::http::{publish, request};
use crate::server::{Server, run};

const SERVE: &str = "serve --dev --clock manual --listen 127.0.0.1:0";
const HOUR: i64 = 3_600_000;

/// Moves the clock; where it stands then.
fn advance(server: &Server, body: &str) -> i64 {
    let key = server.key("admin");
    let headers = [("x-api-key", key.as_str())];
    let (status, answer) = request(server, "POST", "/admin/v1/clock/advance", &headers, body);
    assert_eq!(status, 200, "{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["now"].as_i64().unwrap()
}

#[test]
fn a_manual_clock_starts_at_the_wall_clock_stands_and_goes_on_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), SERVE, &[]);
    let began = advance(&server, r#"{"ms":0}"#);
    let modified = std::fs::metadata(folder.path().join("postbell-data/dev.json")).unwrap();
    let modified = modified
        .modified()
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let apart = i64::try_from(modified.as_millis()).unwrap().abs_diff(began);
    assert!(apart < 60_000, "{apart} ms from when the server started");

    assert_eq!(advance(&server, r#"{"ms":3600000,"step":60000}"#), began + HOUR);
    assert_eq!(publish(&server, &server.key("app"), "in an hour"), 200);
    server.signal("KILL");
    drop(server);

    let mut server = Server::start(folder.path(), SERVE, &[]);
    assert_eq!(
        advance(&server, r#"{"ms":0}"#),
        began + HOUR,
        "it stood still meanwhile"
    );
    assert_eq!(
        publish(&server, &server.key("app"), "later"),
        200,
        "the keys are still good"
    );
    server.stop();
}

#[test]
fn the_printed_line_tells_the_time_and_moves_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), SERVE, &[]);
    let mut told = String::new();
    while !told.starts_with("Time stands at ") {
        told = server.next_line();
        assert!(!told.is_empty(), "nothing is told of the clock");
    }
    let now = jiff::Timestamp::from_millisecond(advance(&server, r#"{"ms":0}"#)).unwrap();
    let at = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    assert!(told.contains(&at), "{told} {at}");
    let line = server.next_line();
    assert!(line.contains("/admin/v1/clock/advance"), "{line}");
    assert!(line.contains(r#"-d '{"ms":3600000,"step":60000}'"#), "{line}");
}

#[test]
fn a_manual_clock_is_refused_outside_development_mode() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["serve --clock manual", "config check --clock manual"] {
        let output = run(folder.path(), line);
        assert_eq!(output.status.code(), Some(1), "{line}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.contains("--clock manual works with --dev alone"),
            "{stderr}"
        );
    }
    assert!(!folder.path().join("postbell-data").exists(), "nothing is made");
}

#[test]
fn by_the_wall_clock_nobody_moves_time() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::dev(folder.path());
    let key = server.key("admin");
    let headers = [("x-api-key", key.as_str())];
    let (status, answer) = request(
        &server,
        "POST",
        "/admin/v1/clock/advance",
        &headers,
        r#"{"ms":1}"#,
    );
    assert_eq!(status, 404, "{answer}");
    assert!(!folder.path().join("postbell-data/manual-clock").exists());
}

#[test]
fn a_clock_file_that_holds_something_else_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("postbell-data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("manual-clock"), "noon").unwrap();
    let output = run(folder.path(), SERVE);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("manual-clock") && stderr.contains("holds no time"),
        "{stderr}"
    );
}
