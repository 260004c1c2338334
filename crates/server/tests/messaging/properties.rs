use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::value::RawValue;

use crate::support::World;

/// JSON text as a publisher may write it, white space and odd numbers included.
fn json_text() -> impl Strategy<Value = String> {
    let string = prop::string::string_regex("[a-zå\u{1F600} ]{0,8}").unwrap();
    let quoted = string
        .prop_map(|text| serde_json::to_string(&text).unwrap())
        .boxed();
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("\"\\u00e5\\n\\/\"".to_owned()),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?",
        quoted.clone(),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let pair = (quoted.clone(), inner.clone()).prop_map(|(name, value)| format!("{name} : {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(" ,\n "))),
            prop::collection::vec(pair, 0..4).prop_map(|pairs| format!("{{{}}}", pairs.join(",\t"))),
        ]
    })
}

fn field() -> impl Strategy<Value = (String, String)> {
    let names = [
        "message",
        "publisherId",
        "headers",
        "subtopic",
        "publishAt",
        "repeatEvery",
        "repeatExpiresAt",
        "repeatCron",
        "timezone",
        "repeatTimes",
        "publishPolicy",
        "pushBroadcast",
        "templateValues",
        "query",
        "x",
    ];
    (
        prop::sample::select(names.to_vec()).prop_map(str::to_owned),
        json_text(),
    )
}

/// Runs a property over one server: starting one a case would take too long.
fn check<S: Strategy>(
    cases: u32,
    strategy: S,
    test: impl AsyncFn(&World, S::Value) -> Result<(), TestCaseError>,
) where
    S::Value: std::fmt::Debug,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = runtime.block_on(World::new());
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&strategy, |value| runtime.block_on(test(&world, value)))
        .unwrap();
}

#[derive(serde::Deserialize)]
struct History<'a> {
    #[serde(borrow)]
    messages: Vec<Envelope<'a>>,
}

#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
}

#[test]
fn a_message_comes_out_as_it_was_written() {
    check(
        150,
        json_text().prop_filter("null is no message", |text| text != "null"),
        async |world, text| {
            let seq = send_and_find(world, &text).await;
            let path = format!("/api/messaging/news/history?since={}&limit=1", seq - 1);
            let answer = world.get(&path).await;
            let history: History<'_> = serde_json::from_str(&answer.text).unwrap();
            // Equal to the last digit and escape; line breaks between values are spaces.
            prop_assert_eq!(history.messages[0].message.get(), text.replace('\n', " "));
            Ok(())
        },
    );
}

async fn send_and_find(world: &World, payload: &str) -> u64 {
    let id = world
        .post("news", format!("{{\"message\":{payload}}}"))
        .await
        .message_id();
    world.get(&format!("/api/messaging/{id}")).await.json()["seq"]
        .as_u64()
        .unwrap()
}

#[test]
fn no_body_makes_the_server_fail() {
    let fields = prop::collection::vec(field(), 0..6).prop_map(|fields| {
        let fields: Vec<String> = fields
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(",")).into_bytes()
    });
    let bytes = prop::collection::vec(any::<u8>(), 0..60);
    // A good body with one byte changed.
    let damaged = (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| {
        let mut body = br#"{"message":{"a":[1,"\u00e5"]},"headers":{"h":20},"publishAt":0}"#.to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        body
    });
    check(
        300,
        prop_oneof![fields, bytes, damaged],
        async |world, body: Vec<u8>| {
            let answer = world.post("news", body).await;
            match answer.status {
                200 => prop_assert!(answer.json()["messageId"].is_string()),
                400 => {
                    let code = answer.error().1;
                    let known = [5003, 5030, 5901, 5902, 5904, 5905, 5908];
                    prop_assert!(known.contains(&code), "{}", answer.text);
                }
                // A schedule with a key that may not schedule.
                403 => prop_assert_eq!(answer.error().1, 5007),
                status => prop_assert!(false, "{status}: {}", answer.text),
            }
            Ok(())
        },
    );
}
