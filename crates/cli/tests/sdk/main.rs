//! The official Backendless SDK, unmodified, against `postbell serve` (api.md 3.6, Backendless RT): each
//! test runs a scenario of `client/scenarios.cjs` with Node.js.
//!
//! The SDK is installed once from the npm registry into the target folder, as `client/package-lock.json`
//! says; that takes `node` and `npm`, which `./test` installs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../serve/server.rs"]
#[expect(dead_code, reason = "not everything of it is used here")]
mod server;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::json;
use server::{Server, stdout};
use tempfile::TempDir;

/// The rules of the scenarios with users, and `open` for anyone.
const RULES: &str = r#"
[[apps.default.channels]]
pattern = "ann"
publish = ["user:ann"]
subscribe = ["user:ann"]
[[apps.default.channels]]
pattern = "both"
publish = ["authenticated"]
subscribe = ["user:ann", "user:bob"]
[[apps.default.channels]]
pattern = "open"
publish = ["anyone"]
subscribe = ["anyone"]
[apps.default.jwt]
secret = "a secret that these tests alone may use, long enough"
"#;

/// The folder with the installed SDK.
fn sdk() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let lock = fs::read(sources().join("package-lock.json")).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk");
        let installed = folder.join("installed");
        if fs::read(&installed).is_ok_and(|installed| installed == lock) {
            return folder;
        }
        fs::create_dir_all(&folder).unwrap();
        for name in ["package.json", "package-lock.json", ".npmrc"] {
            fs::copy(sources().join(name), folder.join(name)).unwrap();
        }
        let done = Command::new("npm").arg("ci").current_dir(&folder).output();
        let done = done.expect("npm is there: ./test installs it");
        assert!(
            done.status.success(),
            "npm ci: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        fs::write(installed, lock).unwrap();
        folder
    })
}

fn sources() -> PathBuf {
    let package =
        std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&package).join("tests/sdk/client")
}

/// Runs a scenario; when it asks for something, the server is stopped in that way and started again.
fn run(scenario: &str) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("rules.toml"), RULES).unwrap();
    let line = "serve --dev --config rules.toml --listen 127.0.0.1:";
    let mut server = Server::start(folder.path(), &format!("{line}0"), &[]);
    let token = |user: &str| {
        stdout(
            folder.path(),
            &format!("token mint --config rules.toml --sub {user}"),
        )
    };
    let input = json!({
        "url": server.url,
        "key": server.key("app"),
        "admin": server.key("admin"),
        "tokens": {"ann": token("ann"), "bob": token("bob")},
    });
    let mut node = Command::new("node")
        .arg(sources().join("scenarios.cjs"))
        .arg(scenario)
        .env("SDK_FOLDER", sdk())
        .env("SDK_INPUT", input.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node is there: ./test installs it");
    let mut told = node.stdin.take().unwrap();
    let again = format!("{line}{}", server.address().rsplit(':').next().unwrap());
    for asked in BufReader::new(node.stdout.take().unwrap()).lines() {
        match asked.unwrap().as_str() {
            "restart" => server.stop(),
            "kill" => drop(server),
            _ => continue,
        }
        server = Server::start(folder.path(), &again, &[]);
        writeln!(told, "done").unwrap();
    }
    let done = node.wait_with_output().unwrap();
    assert!(
        done.status.success(),
        "{scenario}: {}\nthe server's log: {}",
        String::from_utf8_lossy(&done.stderr),
        server.stderr()
    );
}

#[test]
fn publishing_with_headers_and_options_status_and_cancel() {
    run("publishing");
}

#[test]
fn listeners_with_selectors_get_what_matches() {
    run("selectors");
}

#[test]
fn commands_reach_every_listener() {
    run("commands");
}

#[test]
fn users_are_listed_and_told() {
    run("users");
}

#[test]
fn user_tokens_are_set_changed_and_refused() {
    run("tokens");
}

#[test]
fn a_bad_key_is_told_once() {
    run("refused");
}

#[test]
fn a_restarted_server_is_found_again() {
    run("restart");
}

#[test]
fn a_cut_connection_loses_nothing() {
    run("reconnect");
}

#[test]
fn a_client_without_key_goes_by_its_domain() {
    run("domain");
}

#[test]
fn a_deleted_channel_ends_its_listeners() {
    run("deleting");
}
