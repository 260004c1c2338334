use proptest::prelude::*;

use super::*;

#[test]
fn packets_are_told_by_their_first_character() {
    let packets: Vec<_> =
        Packet::parse_all("1\u{1e}2\u{1e}2probe\u{1e}3\u{1e}40/app,\u{1e}5\u{1e}6").collect();
    let expected = [
        Packet::Close,
        Packet::Ping,
        Packet::Probe,
        Packet::Pong,
        Packet::Message("0/app,"),
        Packet::Upgrade,
        Packet::Noop,
    ];
    assert_eq!(packets, expected.map(Ok));
}

#[test]
fn what_is_no_packet_is_refused() {
    for text in ["", "0{}", "7", "bAQID", "x", "é", "\u{0}"] {
        assert!(Packet::parse(text).is_err(), "{text:?}");
    }
    for text in [
        "",
        "9",
        "é",
        "3/app,[]",
        "4/app,{}",
        "51-/app,[]",
        "2/app,",
        "2/app,{}",
        "2/app,[]",
        "2/app,[1]",
        "2/app,[\"a\"",
    ] {
        assert!(Message::parse(text).is_err(), "{text:?}");
    }
}

fn event(text: &str) -> (String, String, Option<String>) {
    match Message::parse(text) {
        Ok(Message::Event {
            namespace,
            name,
            argument,
        }) => (
            namespace.to_owned(),
            name,
            argument.map(|argument| argument.get().to_owned()),
        ),
        other => panic!("{text:?} is {other:?}"),
    }
}

#[test]
fn events_have_a_namespace_a_name_and_an_argument() {
    let of = |namespace: &str, name: &str, argument: Option<&str>| {
        (namespace.to_owned(), name.to_owned(), argument.map(str::to_owned))
    };
    assert_eq!(
        event(r#"2/app,["SUB_ON",{"id":1}]"#),
        of("/app", "SUB_ON", Some(r#"{"id":1}"#))
    );
    assert_eq!(event(r#"2/app,12["a"]"#), of("/app", "a", None));
    assert_eq!(
        event(r#"2/app?x=1,["a",[1,2],3]"#),
        of("/app", "a", Some("[1,2]"))
    );
    assert_eq!(event(r#"2["a",null]"#), of("/", "a", Some("null")));
    assert_eq!(event(r#"2/app,["é\u00e9"]"#), of("/app", "éé", None));
}

#[test]
fn connecting_names_a_namespace() {
    for (text, expected) in [
        ("0/app,", "/app"),
        ("0/app", "/app"),
        ("0/app,{\"a\":1}", "/app"),
        ("0", "/"),
        ("0{}", "/"),
    ] {
        assert!(
            matches!(Message::parse(text), Ok(Message::Connect { namespace }) if namespace == expected),
            "{text}"
        );
    }
    assert!(matches!(Message::parse("1/app,"), Ok(Message::Disconnect)));
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(text in "[0-9b]?.{0,40}", event in "2(/[a-z]{0,3},)?[0-9]{0,3}[\\[\\]{}\",a-z0-9:]{0,30}") {
        let _ = Packet::parse_all(&text).count();
        let _ = Message::parse(&text);
        let _ = Message::parse(&event);
    }
}
