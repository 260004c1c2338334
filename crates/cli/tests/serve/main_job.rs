use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::server::{Server, postbell, run, stdout};

#[test]
fn a_campaign_file_is_imported_and_read_back_by_its_users() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::dev(folder);
    let url = &server.url;
    std::fs::write(folder.join("campaign.key"), server.key("campaign")).unwrap();
    let campaign = stdout(folder, "sample-campaign --messages 500 --users 20");
    std::fs::write(folder.join("campaign.ndjson"), format!("{campaign}\r\n")).unwrap();

    let import = format!("import campaign.ndjson --key-file campaign.key --json --url {url}");
    let summary: Value = serde_json::from_str(&stdout(folder, &import)).unwrap();
    assert_eq!(
        (&summary["imported"], &summary["duplicates"]),
        (&500.into(), &0.into())
    );
    let again = run(folder, &import);
    assert_eq!(again.status.code(), Some(3), "the exit code tells of duplicates");

    let message: Value = serde_json::from_str(campaign.lines().next().unwrap()).unwrap();
    let user = message["uid"].as_str().unwrap();
    let token = stdout(folder, &format!("token mint --sub {user}"));
    std::fs::write(folder.join("user.token"), token).unwrap();
    let client = message["clients"][0].as_str().unwrap();
    let list =
        format!("inbox list --client {client} --limit 1000 --token-file user.token --json --url {url}");
    let listed = stdout(folder, &list);
    assert!(!listed.is_empty());
    for line in listed.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let messages = value
            .as_array()
            .cloned()
            .or_else(|| value["messages"].as_array().cloned());
        for message in messages.unwrap_or_else(|| vec![value]) {
            assert_eq!(message["uid"], user);
        }
    }
}

#[test]
fn what_is_published_is_read_live_by_another_command() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::dev(folder);
    std::fs::write(folder.join("app.key"), server.key("app")).unwrap();
    let url = &server.url;
    let id = stdout(
        folder,
        &format!("publish news first --key-file app.key --url {url}"),
    );
    let subscribe = format!("subscribe news --since all --json --key-file app.key --url {url}");
    let mut reader = postbell(folder)
        .args(subscribe.split(' '))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(reader.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let first: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert_eq!(
        (&first["message"], &first["messageId"]),
        (&"first".into(), &id.as_str().into())
    );
    stdout(
        folder,
        &format!("publish news second --key-file app.key --url {url}"),
    );
    let second: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert_eq!(second["message"], "second");
    reader.kill().unwrap();
    reader.wait().unwrap();
}
