use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use engine::system::SystemClock;
use model::time::{Clock as _, UnixMillis};
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

    let now = SystemClock.now();
    let documents: Vec<Value> = campaign
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let user = documents[0]["uid"].as_str().unwrap();
    let token = stdout(folder, &format!("token mint --sub {user}"));
    std::fs::write(folder.join("user.token"), token).unwrap();
    let mut shown = 0;
    for client in ["web", "ios", "android", "atv", "stv"] {
        let list =
            format!("inbox list --client {client} --limit 1000 --token-file user.token --json --url {url}");
        let listed: Value = serde_json::from_str(&stdout(folder, &list)).unwrap();
        let expected = documents.iter().filter(|document| {
            document["uid"] == user
                && document["clients"].as_array().unwrap().contains(&client.into())
                && at(&document["created"]) <= now
                && at(&document["expires"]) > now
        });
        assert_eq!(
            ids(listed["messages"].as_array().unwrap().iter()),
            ids(expected),
            "{user} on {client}"
        );
        shown += listed["messages"].as_array().unwrap().len();
    }
    assert!(shown > 0, "{user} has messages");
}

fn at(value: &Value) -> UnixMillis {
    UnixMillis::parse(value.as_str().unwrap()).unwrap()
}

fn ids<'a>(messages: impl Iterator<Item = &'a Value>) -> BTreeSet<&'a str> {
    messages.map(|message| message["id"].as_str().unwrap()).collect()
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
