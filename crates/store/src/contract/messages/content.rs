use std::sync::Arc;

use model::headers::Headers;
use model::json::JsonText;
use model::message::{Content, Echo, PublishPolicy};
use model::time::UnixMillis;

use super::{appending, content, publish_one, read};
use crate::Store;
use crate::contract::fixtures::new_app;
use crate::messages::Append;

/// Publishes the contents and reads them back.
async fn round_trip(store: &dyn Store, contents: Vec<Content>) {
    let app = new_app(store, "shop").await;
    for content in &contents {
        let append = Append {
            content: Arc::new(content.clone()),
            ..appending(app, "news", 0)
        };
        assert_eq!(*publish_one(store, append).await.content, *content);
    }
    let page = read(store, app, "news", 0, 100).await;
    assert_eq!(page.messages.len(), contents.len());
    for (message, content) in page.messages.iter().zip(&contents) {
        assert_eq!(*message.content, *content);
        assert_eq!(message.content.payload.as_str(), content.payload.as_str());
    }
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Headers::new(pairs, 64, 8_192).unwrap()
}

pub async fn payloads_come_back_as_written_to_the_digit(store: &dyn Store) {
    let payloads = [
        "1.0",
        "1e5",
        "-0",
        "12345678901234567890",
        "0.1000000000000000055511151231257827",
        "1E400",
        "\"\"",
        "false",
        "[]",
        r#"{"b":1,"a":[1.0,2.50],"b":2}"#,
        r#""\u00e5 å \ud83d\ude00 😀 \u0000 \\ \" ""#,
        r#"{ "spaced" : [ 1 , 2 ] }"#,
    ];
    round_trip(store, payloads.iter().map(|payload| content(payload)).collect()).await;
}

pub async fn every_field_comes_back(store: &dyn Store) {
    let json = |text: &str| Some(JsonText::from_checked(text));
    let whole = Content {
        publisher_id: Some("café ☕ '\"; DROP TABLE log".into()),
        subtopic: Some("news.dallas.sports".parse().unwrap()),
        headers: headers(&[
            ("z", "1"),
            ("a", "é"),
            ("m", ""),
            ("ios-alert", "\u{0}\"x\"\n"),
            ("B", "😀"),
        ]),
        publish_policy: Some(PublishPolicy::Both),
        echo: Some(Box::new(Echo {
            push_singlecast: json(r#"["a","b"]"#),
            push_broadcast: json("1.50"),
            template_values: json(r#"{"x":{"y":1e2}}"#),
            query: json(r#""q""#),
            publish_at: Some(UnixMillis(1_780_272_000_001)),
            repeat_every: Some(u64::from(u32::MAX)),
            repeat_expires_at: Some(UnixMillis(1_880_272_000_000)),
        })),
        ..content("{}")
    };
    let policies = [PublishPolicy::PubSub, PublishPolicy::Both, PublishPolicy::Push];
    let mut contents = vec![whole, content("1")];
    contents.extend(policies.map(|policy| Content {
        publish_policy: Some(policy),
        ..content("2")
    }));
    contents.push(Content {
        publisher_id: Some("".into()),
        echo: Some(Box::new(Echo {
            query: json("[]"),
            ..Echo::default()
        })),
        ..content("3")
    });
    round_trip(store, contents).await;
}

pub async fn headers_keep_their_order(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let pairs = [
        ("zulu", "1"),
        ("alpha", "2"),
        ("Mike", "3"),
        ("10", "4"),
        ("9", "5"),
    ];
    let append = Append {
        content: Arc::new(Content {
            headers: headers(&pairs),
            ..content("1")
        }),
        ..appending(app, "news", 0)
    };
    publish_one(store, append).await;
    let page = read(store, app, "news", 0, 1).await;
    let found: Vec<_> = page.messages[0].content.headers.iter().collect();
    assert_eq!(found, pairs);
}

pub async fn a_large_payload_comes_back(store: &dyn Store) {
    let text = format!("\"{}\"", "0123456789".repeat(25_000));
    round_trip(store, vec![content("1"), content(&text), content("2")]).await;
}
