use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::Value;

use super::{SampleArgs, run};
use crate::commands::tests::Captured;

const NOW: &str = "2026-03-29T12:00:00Z";

fn sample(messages: u64, users: Option<u64>, seed: u64) -> String {
    let captured = Captured::default();
    let args = SampleArgs {
        messages,
        users,
        seed,
        now: Some(NOW.parse().unwrap()),
    };
    assert_eq!(captured.exit(run(args, &captured.output())), 0);
    captured.results()
}

fn documents(text: &str) -> Vec<Value> {
    text.split_terminator("\r\n")
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_seed_always_gives_the_same_bytes_and_another_seed_other_ids() {
    let text = sample(300, None, 7);
    assert_eq!(sample(300, None, 7), text);
    let ids = |text: &str| {
        documents(text)
            .iter()
            .map(|document| document["id"].to_string())
            .collect::<HashSet<_>>()
    };
    assert_eq!(ids(&text).len(), 300);
    assert!(ids(&text).is_disjoint(&ids(&sample(300, None, 8))));
}

#[test]
fn messages_are_what_an_import_takes() {
    let now: Timestamp = NOW.parse().unwrap();
    for document in documents(&sample(2000, Some(50), 1)) {
        for field in [
            "id", "uid", "vid", "created", "expires", "title", "lead", "body", "url", "img", "type",
        ] {
            assert!(
                document[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field}: {document}"
            );
        }
        let time = |field: &str| document[field].as_str().unwrap().parse::<Timestamp>().unwrap();
        assert!(time("created") <= now && time("expires") > now, "{document}");
        assert!(document["prio"].is_u64());
        let clients = document["clients"].as_array().unwrap();
        assert!(!clients.is_empty() && clients.iter().all(|client| ["web", "ios", "android", "atv", "stv"].contains(&client.as_str().unwrap())));
        assert!(!document.to_string().contains("{show}"));
    }
}

#[test]
fn messages_are_as_long_and_as_mixed_as_real_ones() {
    let text = sample(5000, Some(500), 1);
    let average = text.len() / 5000;
    assert!((420..=490).contains(&average), "{average} bytes a message");
    let mut users = HashMap::<String, usize>::new();
    for document in documents(&text) {
        *users.entry(document["uid"].to_string()).or_default() += 1;
    }
    assert_eq!(users.len(), 500);
    assert!(text.contains("Missa inte") && text.contains("Don't miss"));
}
