use model::time::UnixMillis;
use proptest::prelude::*;

use super::*;

const REQUIRED: &str = r#"{"id":"123","uid":"456","created":"2014-11-06T13:34:59+01:00","expires":"2014-11-10T13:34:59+01:00","body":"b","clients":["web","ios"],"type":"campaign","prio":35}"#;

fn known() -> ClientTypes {
    ClientTypes::default()
}

/// The required fields with one replaced by this JSON text, or left out.
fn with(name: &str, value: Option<&str>) -> String {
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(REQUIRED).unwrap();
    fields.remove(name);
    let mut text = serde_json::to_string(&fields).unwrap();
    if let Some(value) = value {
        text.pop();
        text.push_str(&format!(",{name:?}:{value}}}"));
    }
    text
}

fn refused(text: &str) -> String {
    format!("line 7{}", read(text, &known()).unwrap_err())
}

fn refused_field(name: &str, value: &str) -> String {
    refused(&with(name, Some(value)))
}

#[test]
fn every_field_is_taken() {
    let text = r#"{"id":"123","uid":"456","vid":"3003060","created":"2014-11-06T13:34:59+01:00","expires":"2014-11-10T13:34:59.5Z","title":"Kolla på \"Hellenius\" hörna","lead":"Svensk talkshow…","body":"Svensk\ntalkshow \u00e5","url":"https://www.example.com/konto","img":"https://img.example.com/1.jpg","clients":["web","ios","web"],"type":"campaign","prio":-35}"#;
    let document = read(text, &known()).unwrap();
    let message = document.message;
    assert_eq!(document.unknown_fields, 0);
    assert_eq!(message.id.as_str(), "123");
    assert_eq!(&*message.uid, "456");
    assert_eq!(message.created_at, UnixMillis(1_415_277_299_000));
    assert_eq!(message.expires_at, UnixMillis(1_415_626_499_500));
    assert_eq!(message.clients.iter().collect::<Vec<_>>(), ["web", "ios"]);
    assert_eq!(message.prio, -35);
    assert_eq!(message.state, InboxState::Imported);
    assert!(!message.read);
    let shown = r#"{"id":"123","uid":"456","vid":"3003060","created":"2014-11-06T13:34:59+01:00","expires":"2014-11-10T13:34:59.5Z","title":"Kolla på \"Hellenius\" hörna","lead":"Svensk talkshow…","body":"Svensk\ntalkshow å","url":"https://www.example.com/konto","img":"https://img.example.com/1.jpg","clients":["web","ios"],"type":"campaign","prio":-35}"#;
    assert_eq!(message.document.as_str(), shown);
}

#[test]
fn what_is_kept_is_in_the_contracts_order_whatever_the_documents() {
    let text = r#"{"prio":1,"type":"t","clients":["atv"],"body":"b","img":null,"expires":"2030-01-01T00:00:00Z","created":"2020-01-01T00:00:00Z","uid":"u","id":"1","else":0}"#;
    let shown = r#"{"id":"1","uid":"u","created":"2020-01-01T00:00:00Z","expires":"2030-01-01T00:00:00Z","body":"b","clients":["atv"],"type":"t","prio":1}"#;
    assert_eq!(read(text, &known()).unwrap().message.document.as_str(), shown);
}

#[test]
fn an_optional_field_may_be_absent_or_null() {
    for name in ["vid", "title", "lead", "url", "img"] {
        let absent = read(&with(name, None), &known()).unwrap();
        let null = read(&with(name, Some("null")), &known()).unwrap();
        assert_eq!(absent, null, "{name}");
    }
    let message = read(REQUIRED, &known()).unwrap().message;
    for name in ["vid", "title", "lead", "url", "img"] {
        assert_eq!(shown(&message).get(name), None);
    }
}

/// The fields that are kept of a message.
fn shown(message: &InboxMessage) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_str(message.document.as_str()).unwrap()
}

#[test]
fn a_required_field_may_be_neither_absent_nor_null() {
    for name in [
        "id", "uid", "created", "expires", "body", "clients", "type", "prio",
    ] {
        assert_eq!(refused(&with(name, None)), format!("line 7: {name}: missing"));
        assert_eq!(refused_field(name, "null"), format!("line 7: {name}: missing"));
    }
}

#[test]
fn state_read_and_what_nobody_knows_are_left_out_and_counted() {
    let text = REQUIRED.replace('{', r#"{"state":"deleted","read":true,"x":{"deep":[{"a":1}]},"#);
    let document = read(&text, &known()).unwrap();
    assert_eq!(document.unknown_fields, 3);
    assert_eq!(document.message, read(REQUIRED, &known()).unwrap().message);
}

#[test]
fn an_error_names_the_field_what_was_expected_and_what_was_found() {
    assert_eq!(
        refused_field("uid", "1616416"),
        "line 7: uid: expected a string, found 1616416"
    );
    assert_eq!(
        refused_field("uid", "\"\""),
        "line 7: uid: expected 1 to 255 bytes, found none"
    );
    let long = format!("{:?}", "å".repeat(128));
    assert_eq!(
        refused_field("uid", &long),
        "line 7: uid: expected 1 to 255 bytes, found 256"
    );
    let long = format!("{:?}", "t".repeat(129));
    assert_eq!(
        refused_field("type", &long),
        "line 7: type: expected 1 to 128 bytes, found 129"
    );
    assert_eq!(
        refused_field("expires", "\"tomorrow\""),
        "line 7: expires: expected an RFC 3339 date-time such as 2014-11-06T13:34:59+01:00, found \"tomorrow\""
    );
    assert_eq!(
        refused_field("created", "1415277299"),
        "line 7: created: expected a string, found 1415277299"
    );
    assert_eq!(
        refused_field("id", "\"a b\""),
        "line 7: id: expected 1 to 128 of A-Z a-z 0-9 . _ : -, found \"a b\""
    );
    assert_eq!(
        refused_field("id", "\"sync\""),
        "line 7: id: \"sync\" is reserved"
    );
    assert_eq!(
        refused_field("title", "{\"a\":[1]}"),
        "line 7: title: expected a string, found an object"
    );
    assert_eq!(
        refused_field("body", "[]"),
        "line 7: body: expected a string, found a list"
    );
    assert_eq!(
        refused_field("body", "true"),
        "line 7: body: expected a string, found true"
    );
    let whole = "expected a whole number of 64 bits, found";
    assert_eq!(
        refused_field("prio", "\"35\""),
        format!("line 7: prio: {whole} \"35\"")
    );
    assert_eq!(refused_field("prio", "1.5"), format!("line 7: prio: {whole} 1.5"));
    assert_eq!(
        refused_field("prio", "9223372036854775808"),
        format!("line 7: prio: {whole} 9223372036854775808")
    );
    assert_eq!(
        refused_field("clients", "\"web\""),
        "line 7: clients: expected a list of client types, found \"web\""
    );
    assert_eq!(
        refused_field("clients", "[]"),
        "line 7: clients: expected at least one of web, ios, android, atv, stv, found none"
    );
    assert_eq!(
        refused_field("clients", "[\"web\",\"tv\"]"),
        "line 7: clients: expected one of web, ios, android, atv, stv, found \"tv\""
    );
    assert_eq!(
        refused_field("clients", "[\"web\",null]"),
        "line 7: clients: expected a string, found null"
    );
    assert_eq!(
        refused(&REQUIRED.replace('{', r#"{"uid":"1","#)),
        "line 7: uid: given twice"
    );
}

#[test]
fn a_number_is_told_as_it_is_written() {
    for number in [
        "1.0",
        "1e2",
        "1E+2",
        "-0.50",
        "12345678901234567890123",
        "-9223372036854775809",
        "1e400",
    ] {
        assert_eq!(
            refused_field("prio", number),
            format!("line 7: prio: expected a whole number of 64 bits, found {number}")
        );
        assert_eq!(
            refused_field("title", number),
            format!("line 7: title: expected a string, found {number}")
        );
    }
    assert_eq!(
        refused_field("prio", &"1".repeat(50)),
        "line 7: prio: expected a whole number of 64 bits, found 1111111111111111111111111111111111111111…"
    );
    assert_eq!(
        refused_field("clients", "[1.0]"),
        "line 7: clients: expected a string, found a number"
    );
    assert_eq!(read(&with("prio", Some("-0")), &known()).unwrap().message.prio, 0);
}

#[test]
fn what_is_no_json_object_is_told_with_its_column() {
    assert_eq!(refused(r#"{"id":"1",}"#), "line 7, column 11: trailing comma");
    assert_eq!(
        refused(r#"{"id":"1""#),
        "line 7, column 9: EOF while parsing an object; a document stands on one line"
    );
    assert_eq!(
        refused(&format!("{REQUIRED} {REQUIRED}")),
        "line 7, column 165: trailing characters"
    );
    assert_eq!(
        refused(r#"[{"id":"1"}]"#),
        r#"line 7: expected one JSON object a line, not in a list, found "[{\"id\":\"1\"}]""#
    );
    assert_eq!(
        refused("null"),
        r#"line 7: expected one JSON object a line, not in a list, found "null""#
    );
    assert_eq!(
        refused(r#"{"id":"\ud800"}"#),
        "line 7, column 14: unexpected end of hex escape"
    );
}

#[test]
fn the_limits_themselves_are_within() {
    let at = |name: &str, value: String| read(&with(name, Some(&value)), &known()).map(|_| ());
    assert_eq!(at("uid", format!("{:?}", "u".repeat(255))), Ok(()));
    assert_eq!(at("type", format!("{:?}", "t".repeat(128))), Ok(()));
    assert_eq!(at("id", format!("{:?}", "i".repeat(128))), Ok(()));
    assert_eq!(at("prio", i64::MAX.to_string()), Ok(()));
    assert_eq!(at("prio", i64::MIN.to_string()), Ok(()));
    assert_eq!(at("body", "\"\"".to_owned()), Ok(()));
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let text = refused_field("title", &deep);
    assert!(text.ends_with("recursion limit exceeded"), "{text}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        let _ = read(&text, &known());
        let _ = read(&format!("{{{text}}}"), &known());
    }

    #[test]
    fn any_string_comes_through_as_it_is(body in any::<String>(), title in any::<Option<String>>()) {
        let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(REQUIRED).unwrap();
        fields.insert("body".to_owned(), body.clone().into());
        fields.insert("title".to_owned(), title.clone().into());
        let message = read(&serde_json::to_string(&fields).unwrap(), &known()).unwrap().message;
        let shown = shown(&message);
        prop_assert_eq!(&shown["body"], &body);
        prop_assert_eq!(shown.get("title").and_then(|title| title.as_str()), title.as_deref());
    }
}
