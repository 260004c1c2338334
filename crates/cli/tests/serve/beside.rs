use std::time::Duration;

use crate::http::{open_stream, publish, read_until, request};
use crate::server::{Server, run, stdout, within};

/// api.md 1 and 2: a change is in force on every node within 2 s.
const IN_FORCE: Duration = Duration::from_secs(2);

#[test]
fn a_key_made_or_revoked_beside_the_server_counts_within_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::dev(folder);
    let key = stdout(folder, "key create --preset app --name cms");
    within(IN_FORCE, "the new key works", || {
        publish(&server, &key, "hello") == 200
    });
    let mut stream = open_stream(&server, "/api/messaging/news/events?since=all", &key);

    stdout(folder, "key revoke cms");
    within(IN_FORCE, "the revoked key is refused", || {
        publish(&server, &key, "hello") == 401
    });
    let rest = read_until(&mut stream, "event: end");
    let reason = read_until(&mut stream, "data:");
    assert!(reason.contains("\"code\""), "{rest}{reason}");
}

#[test]
fn an_app_made_changed_and_deleted_beside_the_server_counts_within_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::dev(folder);
    stdout(folder, "app create shop");
    let key = stdout(folder, "key create --app shop --preset app --name cms");
    let path = format!("/shop/{key}/messaging/news");
    let json = [("content-type", "application/json")];
    let status = || request(&server, "POST", &path, &json, "{\"message\":1}").0;
    within(IN_FORCE, "the new app answers", || status() == 200);

    std::fs::write(folder.join("shop.toml"), "[[channels]]\npattern = '*'\n").unwrap();
    stdout(folder, "app set shop --file shop.toml");
    within(IN_FORCE, "a rule that lets nobody in is in force", || {
        status() == 403
    });

    stdout(folder, "app delete shop --yes");
    within(IN_FORCE, "the app is gone", || status() == 404);
}

#[test]
fn a_token_minted_beside_the_server_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::dev(folder.path());
    let token = stdout(folder.path(), "token mint --sub alice");
    assert_eq!(
        request(&server, "GET", "/messages", &[("user-token", &token)], "").0,
        200
    );
    assert_eq!(
        request(&server, "GET", "/messages", &[("user-token", "x.y.z")], "").0,
        401
    );
}

#[test]
fn a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::dev(folder.path());
    let second = run(folder.path(), "serve --dev --listen 127.0.0.1:0");
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(second.stdout, b"", "it never says that it listens");
    let text = String::from_utf8(second.stderr).unwrap();
    let expected = format!(
        "another postbell server (process {}) holds the data folder ./postbell-data",
        server.pid()
    );
    assert!(text.contains(&expected), "{text}");
    assert_eq!(publish(&server, &server.key("app"), "still here"), 200);
}

#[test]
fn a_backup_taken_while_serving_comes_back_and_is_not_restored_under_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = Server::dev(folder);
    let key = server.key("app");
    assert_eq!(publish(&server, &key, "before"), 200);
    let position = |server: &Server| {
        let history = request(
            server,
            "GET",
            "/api/messaging/news/history",
            &[("x-api-key", &key)],
            "",
        )
        .1;
        let history: serde_json::Value = serde_json::from_str(&history).unwrap();
        (
            history["nextSince"].as_str().unwrap().to_owned(),
            history["messages"].as_array().unwrap().len(),
        )
    };
    let (before, _) = position(&server);
    stdout(folder, "backup copy.db");
    assert_eq!(publish(&server, &key, "after"), 200);

    let refused = run(folder, "restore copy.db --force");
    assert_eq!(refused.status.code(), Some(1));
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("holds the data folder"), "{text}");

    server.stop();
    stdout(folder, "restore copy.db --force");
    let server = Server::dev(folder);
    let (after, messages) = position(&server);
    assert_eq!(messages, 1, "what was published after the backup is gone");
    let epoch = |position: &str| position.split('-').next().unwrap().to_owned();
    assert_ne!(
        epoch(&after),
        epoch(&before),
        "readers with old positions are told of the gap"
    );
}
