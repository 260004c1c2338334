use std::path::Path;

use serde_json::{Value, json};

use crate::http::request;
use crate::server::{Server, postbell};

/// Runs a command of the client with the key `client`; its stdout. It must succeed.
fn client(folder: &Path, server: &Server, words: &[&str]) -> String {
    let output = postbell(folder)
        .args(words)
        .env("POSTBELL_URL", &server.url)
        .env("POSTBELL_KEY", server.key("client"))
        .env("TZ", "Europe/Stockholm")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn shown(folder: &Path, server: &Server, id: &str) -> Value {
    serde_json::from_str(&client(folder, server, &["schedules", "show", id, "--json"])).unwrap()
}

fn advance(server: &Server, minutes: i64) {
    let key = server.key("admin");
    let body = json!({"ms": minutes * 60_000, "step": 60_000}).to_string();
    let headers = [("x-api-key", key.as_str())];
    let (status, answer) = request(server, "POST", "/admin/v1/clock/advance", &headers, &body);
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_schedule_is_made_listed_shown_changed_and_cancelled_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder, "serve --dev --clock manual --listen 127.0.0.1:0", &[]);
    let id = client(folder, &server, &["publish", "news", "tick", "--every", "1m"]);
    let id = id.trim_end();
    advance(&server, 3);
    let told = shown(folder, &server, id);
    assert_eq!(told["schedule"]["status"], "scheduled");
    let occurrences = told["occurrences"].as_array().unwrap();
    let first = occurrences[0]["due"].as_i64().unwrap();
    let expected: Vec<_> = (0..4)
        .map(|n| json!({"n": n + 1, "due": first + n * 60_000, "fired": first + n * 60_000, "seq": n + 1}))
        .collect();
    assert_eq!(*occurrences, expected);

    client(folder, &server, &["schedules", "edit", id, "--every", "2m"]);
    advance(&server, 2);
    assert_eq!(
        shown(folder, &server, id)["occurrences"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    let list = client(folder, &server, &["schedules", "list", "--channel", "news"]);
    let row = list.lines().find(|line| line.contains(id)).unwrap();
    assert!(row.contains("every 2m") && row.contains("scheduled"), "{list}");

    let cancelled = client(folder, &server, &["schedules", "cancel", id]);
    assert_eq!(cancelled, format!("{id} cancelled; published before: 5\n"));
    advance(&server, 60);
    let told = shown(folder, &server, id);
    assert_eq!(told["schedule"]["status"], "cancelled");
    assert_eq!(told["occurrences"].as_array().unwrap().len(), 5);
}

#[test]
fn a_dry_run_tells_the_mondays_in_the_local_zone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::dev(folder);
    let words = [
        "publish",
        "team",
        "Weekly report, please",
        "--cron",
        "0 9 * * MON",
    ];
    let words = [&words[..], &["--timezone", "Europe/Stockholm", "--dry-run"]].concat();
    let told = client(folder, &server, &words);
    assert_eq!(told.lines().count(), 10, "{told}");
    for line in told.lines() {
        assert!(
            line.starts_with("Mon ") && line.contains(" 09:00:00 +0"),
            "{line}"
        );
    }
    let list = client(folder, &server, &["schedules", "list", "--json"]);
    assert_eq!(list, "{\"schedules\":[],\"next\":null}\n");
}
