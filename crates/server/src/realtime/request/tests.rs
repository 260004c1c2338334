use super::*;

fn id_of(json: &str) -> Option<String> {
    let id = match parse(json) {
        Ok(request) => request.id,
        Err(refused) => refused.id,
    };
    id.map(|id| id.as_json().to_owned())
}

#[track_caller]
fn refused(json: &str) -> (u16, String) {
    let error = parse(json).unwrap_err().error;
    (error.code(), error.message().to_owned())
}

#[test]
fn an_id_is_a_string_or_a_whole_number_and_kept_as_it_is() {
    assert_eq!(id_of(r#"{"op":"unsubscribe","id":"a"}"#).unwrap(), r#""a""#);
    assert_eq!(
        id_of(r#"{"op":"unsubscribe","id":"\u0061\n"}"#).unwrap(),
        r#""a\n""#
    );
    assert_eq!(id_of(r#"{"op":"unsubscribe","id":-7}"#).unwrap(), "-7");
    let longest = "ä".repeat(64);
    assert_eq!(
        id_of(&format!(r#"{{"op":"unsubscribe","id":"{longest}"}}"#)).unwrap(),
        format!("\"{longest}\"")
    );
    for bad in [
        r#""""#,
        "1.5",
        "true",
        "[]",
        "{}",
        r#""\ud800""#,
        "99999999999999999999",
    ] {
        let (code, text) = refused(&format!(r#"{{"op":"unsubscribe","id":{bad}}}"#));
        assert_eq!(code, 5908, "{bad}");
        assert!(
            text.starts_with("id: expected a string of 1 to 128 bytes or a whole number"),
            "{text}"
        );
    }
    let too_long = "x".repeat(129);
    assert_eq!(
        refused(&format!(r#"{{"op":"unsubscribe","id":"{too_long}"}}"#)).0,
        5908
    );
}

#[test]
fn an_error_carries_the_id_that_could_be_read() {
    assert_eq!(id_of(r#"{"id":1,"op":"dance"}"#).unwrap(), "1");
    assert_eq!(id_of(r#"{"id":1}"#).unwrap(), "1");
    assert_eq!(id_of(r#"{"id":1,"op":"subscribe","channel":7}"#).unwrap(), "1");
    assert_eq!(id_of("{"), None);
}

#[test]
fn what_is_no_json_object_is_told_apart_from_what_is_wrong_in_one() {
    for bad in [
        "",
        "x",
        "{",
        "[]",
        r#"["subscribe",1,"news"]"#,
        "7",
        "null",
        r#""subscribe""#,
        "{}{}",
    ] {
        let (code, text) = refused(bad);
        assert_eq!(code, 5901, "{bad}: {text}");
    }
    assert_eq!(
        refused("[1]").1,
        "the message is not a JSON object: found an array"
    );
    let (code, text) = refused(r#"{"op":"dance","id":1}"#);
    assert_eq!(code, 5908);
    assert_eq!(
        text,
        r#"op: expected subscribe, unsubscribe, publish, inbox or auth, found "dance""#
    );
    assert_eq!(
        refused(r#"{"op":7,"id":1}"#).1,
        "op: expected a string, found a number"
    );
    assert_eq!(refused(r#"{"op":"subscribe","channel":"a"}"#).0, 5908);
    assert_eq!(refused(r#"{"op":"subscribe","id":1}"#).0, 5903);
    assert_eq!(
        refused(r#"{"op":"subscribe","id":1,"channel":"a","since":"x-1"}"#).0,
        5908
    );
    assert_eq!(
        refused(r#"{"op":"subscribe","id":1,"channel":"a","selector":[]}"#).0,
        5908
    );
}

#[test]
fn deep_nesting_in_a_field_that_is_not_read_does_no_harm() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let json = format!(r#"{{"op":"unsubscribe","id":1,"more":{deep}}}"#);
    assert!(parse(&json).is_ok());
    let (code, _) = refused(&format!(r#"{{"op":{deep},"id":1}}"#));
    assert_eq!(code, 5908);
    assert_eq!(refused(&"[".repeat(100_000)).0, 5901);
}

#[test]
fn since_may_be_a_number_and_a_token_may_be_absent() {
    let Operation::Subscribe { since, .. } = parse(r#"{"op":"subscribe","id":1,"channel":"a","since":42}"#)
        .unwrap()
        .operation
    else {
        panic!("expected a subscribe");
    };
    assert_eq!(since, Some(Since::Seq(42)));
    let request = parse(r#"{"op":"auth","token":null}"#).unwrap();
    assert!(request.id.is_none());
    assert!(matches!(request.operation, Operation::Auth { token: None }));
}
