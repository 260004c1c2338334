use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::http::{publish, request};
use crate::server::{Server, run, stdout};

#[test]
fn the_first_line_tells_the_address_and_dev_json_has_all_for_scripts() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::dev(folder.path());
    assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    assert_eq!(request(&server, "GET", "/healthz", &[], "").0, 200);
    assert_eq!(request(&server, "GET", "/readyz", &[], "").0, 200);

    let json = server.dev_json();
    let names =
        |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names(&json), ["app", "jwt_secret", "keys", "url"]);
    assert_eq!(
        names(&json["keys"]),
        ["admin", "app", "campaign", "client", "scheduler"]
    );
    assert_eq!(json["url"], *server.url);
    assert_eq!(json["app"], "default");
    assert_eq!(json["jwt_secret"].as_str().unwrap().len(), 64);
    let mode = |name: &str| {
        let path = folder.path().join("postbell-data").join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("dev.json"), 0o600);
    assert_eq!(mode(""), 0o700);
}

#[test]
fn keys_and_secret_are_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Server::dev(folder.path());
    let before = first.dev_json();
    first.stop();
    let mut second = Server::dev(folder.path());
    let after = second.dev_json();
    assert_eq!(after["keys"], before["keys"]);
    assert_eq!(after["jwt_secret"], before["jwt_secret"]);
    assert_eq!(after["url"], *second.url, "the port is another one");
    assert_eq!(
        publish(&second, before["keys"]["app"].as_str().unwrap(), "again"),
        200
    );
    let listed = stdout(folder.path(), "key list");
    assert_eq!(listed.lines().count(), 6, "{listed}");
    second.stop();
}

#[test]
fn the_three_printed_lines_work_when_pasted() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("curl is not installed: nothing to paste into");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::dev(folder.path());
    let mut lines = Vec::new();
    while lines.len() < 3 {
        let line = server.next_line();
        assert!(!line.is_empty(), "fewer than three lines: {lines:?}");
        if let Some(curl) = line.strip_prefix("  ").filter(|line| line.starts_with("curl ")) {
            lines.push(curl.trim_end().to_owned());
        }
    }
    let paste = |line: &str| {
        let output = Command::new("sh").args(["-c", line]).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let published = paste(&lines[0]);
    assert!(published.contains("\"messageId\":\"message:"), "{published}");

    let live = format!("exec {}", lines[1]);
    let mut reader = Command::new("sh")
        .args(["-c", &live])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let events = BufReader::new(reader.stdout.take().unwrap());
    let event = events
        .lines()
        .map(Result::unwrap)
        .find(|line| line.contains("Hello there"));
    reader.kill().unwrap();
    reader.wait().unwrap();
    assert!(event.is_some(), "the reader gets what was published");

    let listed = paste(&lines[2]);
    assert!(listed.contains("\"imported\":1"), "{listed}");
    assert!(listed.contains("\"body\":\"A first message\""), "{listed}");
}

#[test]
fn an_address_off_the_loopback_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), "serve --dev --listen 0.0.0.0:0");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: listen: --dev listens on the loopback only (127.0.0.1 or [::1]), found 0.0.0.0:0 (--listen)\n"
    );
    assert!(!folder.path().join("postbell-data").exists(), "nothing is made");
}

#[test]
fn any_browser_origin_may_call() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::dev(folder.path());
    let origin = [
        ("origin", "http://localhost:3000"),
        ("access-control-request-method", "POST"),
    ];
    let (status, _) = request(&server, "OPTIONS", "/api/messaging/news", &origin, "");
    assert!(status == 200 || status == 204, "{status}");
}

#[test]
fn the_shell_lines_of_readme_and_demo_read_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::dev(folder.path());
    for (text, function) in [
        (include_str!("../../../../README.md"), "dev"),
        (include_str!("../../../../demo"), "key"),
    ] {
        let lines: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with(&format!("{function}() {{")))
            .collect();
        assert!(!lines.is_empty(), "{function}() is defined");
        for line in lines {
            for preset in ["app", "campaign"] {
                let script = format!("data=postbell-data\n{line}\n{function} {preset}");
                let told = Command::new("sh")
                    .args(["-c", &script])
                    .current_dir(folder.path())
                    .output()
                    .unwrap();
                let told = String::from_utf8(told.stdout).unwrap();
                assert_eq!(told.trim_end_matches('\n'), server.key(preset), "{line}");
            }
        }
    }
}
