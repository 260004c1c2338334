use std::sync::Arc;

use model::headers::Headers;
use model::message::{Content, MessageId, PublishPolicy};
use uuid::Uuid;

use super::*;

fn message(content: Content) -> Message {
    let base: Uuid = "0199aa11-2233-7445-8667-78899aabbccd".parse().unwrap();
    Message {
        id: MessageId::one_shot(base),
        seq: 7,
        published_at: UnixMillis(1_772_366_400_123),
        content: Arc::new(content),
    }
}

fn written(channel: &str, content: Content) -> String {
    let mut out = Vec::new();
    write(&mut out, channel, &message(content));
    String::from_utf8(out).unwrap()
}

fn plain(payload: &str) -> Content {
    Content {
        payload: JsonText::from_checked(payload),
        publisher_id: None,
        subtopic: None,
        headers: Headers::default(),
        publish_policy: None,
        echo: None,
    }
}

#[test]
fn absent_fields_are_null_or_zero_and_the_headers_an_object() {
    assert_eq!(
        written("news", plain("1.50")),
        concat!(
            r#"{"messageId":"message:0199AA11-2233-7445-8667-78899AABBCCD","timestamp":1772366400123,"message":1.50,"#,
            r#""publisherId":null,"subtopic":null,"pushSinglecast":null,"pushBroadcast":null,"publishPolicy":null,"#,
            r#""templateValues":null,"query":null,"publishAt":0,"repeatEvery":0,"repeatExpiresAt":0,"headers":{},"#,
            r#""seq":7,"channel":"news"}"#
        )
    );
}

#[test]
fn all_fields_stand_in_the_documented_order() {
    let raw = |text| Some(JsonText::from_checked(text));
    let pairs = vec![("a\"b".into(), "1".into()), ("c".into(), "x\ny".into())];
    let content = Content {
        publisher_id: Some("p \"q\"".into()),
        subtopic: Some("a.b".parse().unwrap()),
        headers: Headers::from_stored(pairs),
        publish_policy: Some(PublishPolicy::Both),
        echo: Some(Box::new(Echo {
            push_singlecast: raw("[\"d\"]"),
            push_broadcast: raw("31"),
            template_values: raw("{\"t\": 1}"),
            query: raw("\"q\""),
            publish_at: Some(UnixMillis(5)),
            repeat_every: Some(6),
            repeat_expires_at: Some(UnixMillis(7)),
        })),
        ..plain("{\"deep\":[null]}")
    };
    assert_eq!(
        written("a\"b å", content),
        concat!(
            r#"{"messageId":"message:0199AA11-2233-7445-8667-78899AABBCCD","timestamp":1772366400123,"#,
            r#""message":{"deep":[null]},"publisherId":"p \"q\"","subtopic":"a.b","pushSinglecast":["d"],"#,
            r#""pushBroadcast":31,"publishPolicy":"BOTH","templateValues":{"t": 1},"query":"q","publishAt":5,"#,
            r#""repeatEvery":6,"repeatExpiresAt":7,"headers":{"a\"b":"1","c":"x\ny"},"seq":7,"channel":"a\"b å"}"#
        )
    );
}
