use axum::response::IntoResponse as _;

use super::*;

fn read(body: &str) -> Publish {
    parse(body.as_bytes(), &Limits::default()).unwrap()
}

/// The refusal of a body: `status code text`.
fn refusal(body: impl AsRef<[u8]>) -> String {
    let Err(error) = parse(body.as_ref(), &Limits::default()) else {
        return "accepted".to_owned();
    };
    let told = format!("{error:?}");
    let status = error.into_response().status().as_u16();
    assert_eq!(status, 400, "{told}");
    let after = |name: &str| told.split_once(name).unwrap().1.to_owned();
    let code = after("code: ").split(',').next().unwrap().to_owned();
    let text: String = after("message: ")
        .rsplit_once(", retry_after")
        .unwrap()
        .0
        .to_owned();
    format!("{code} {}", serde_json::from_str::<String>(&text).unwrap())
}

#[test]
fn the_payload_passes_as_it_was_written() {
    for payload in [
        "\"\"",
        "0",
        "false",
        "1.50",
        "1e400",
        "123456789012345678901234567890",
        "[ 1,{} ]",
        "\"\\u00e5\"",
    ] {
        let publish = read(&format!("{{\"message\": {payload} }}"));
        assert_eq!(publish.payload.as_str(), payload);
    }
}

#[test]
fn line_breaks_around_values_become_spaces() {
    assert_eq!(
        read("{\"message\":{\r\n\"a\":1}}").payload.as_str(),
        "{  \"a\":1}"
    );
}

#[test]
fn of_a_repeated_field_the_last_counts() {
    assert_eq!(read(r#"{"message":1,"message":2}"#).payload.as_str(), "2");
    assert_eq!(
        read(r#"{"message":1,"publisherId":"a","publisherId":null}"#).publisher_id,
        None
    );
    assert_eq!(
        refusal(r#"{"message":1,"message":null}"#),
        "5902 message: expected any JSON value but null, found null"
    );
}

#[test]
fn unknown_fields_and_nulls_are_absent() {
    let publish = read(
        r#"{"message":1,"x":{"deep":[1,"a"]},"publisherId":null,"headers":null,"subtopic":null,"publishAt":null,
            "repeatEvery":null,"repeatExpiresAt":null,"repeatCron":null,"timezone":null,"repeatTimes":null,
            "publishPolicy":null,"pushBroadcast":null,"pushSinglecast":null,"templateValues":null,"query":null}"#,
    );
    assert_eq!(publish.timing, TimingFields::default());
    assert_eq!(
        (publish.publisher_id, publish.subtopic, publish.publish_policy),
        (None, None, None)
    );
    assert!(publish.headers.is_empty() && publish.query.is_none() && publish.push_broadcast.is_none());
}

#[test]
fn every_field_is_read() {
    let publish = read(
        r#"{"message":"m","publisherId":"p\u00e5","subtopic":"a.b","publishAt":1,"repeatEvery":2.0,"repeatExpiresAt":3e0,
            "repeatCron":"* * * * *","timezone":"UTC","repeatTimes":4,"publishPolicy":"BOTH","pushBroadcast":31,
            "pushSinglecast":["d"],"templateValues":{"a":1},"query":"q"}"#,
    );
    assert_eq!(publish.publisher_id.as_deref(), Some("på"));
    assert_eq!(publish.subtopic.as_deref(), Some("a.b"));
    assert_eq!(publish.publish_policy.as_deref(), Some("BOTH"));
    let timing = TimingFields {
        publish_at: Some(1),
        repeat_every: Some(2),
        repeat_expires_at: Some(3),
        repeat_cron: Some("* * * * *".into()),
        timezone: Some("UTC".into()),
        repeat_times: Some(4),
    };
    assert_eq!(publish.timing, timing);
    let raw = |value: &Option<JsonText>| value.as_ref().map(|text| text.as_str().to_owned());
    assert_eq!(raw(&publish.push_broadcast).as_deref(), Some("31"));
    assert_eq!(raw(&publish.push_singlecast).as_deref(), Some("[\"d\"]"));
    assert_eq!(raw(&publish.template_values).as_deref(), Some("{\"a\":1}"));
    assert_eq!(raw(&publish.query).as_deref(), Some("\"q\""));
}

#[test]
fn header_values_become_strings_as_they_are_written() {
    let publish =
        read(r#"{"message":1,"headers":{"a":20,"b":true,"c":null,"d":"x\n","e":1.50,"f":false,"a":30}}"#);
    let headers: Vec<(&str, &str)> = publish
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        headers,
        [
            ("a", "30"),
            ("b", "true"),
            ("d", "x\n"),
            ("e", "1.50"),
            ("f", "false")
        ]
    );
}

#[test]
fn a_later_null_drops_a_header() {
    assert!(
        read(r#"{"message":1,"headers":{"a":20,"a":null}}"#)
            .headers
            .is_empty()
    );
}

#[test]
fn a_body_that_is_no_object_is_told_where() {
    let told = "5901 the body is not a JSON object in UTF-8: ";
    assert_eq!(
        refusal(""),
        format!("{told}expected an object, found nothing at line 1 column 1")
    );
    assert_eq!(
        refusal("[1]"),
        format!("{told}expected an object, found an array at line 1 column 1")
    );
    assert_eq!(
        refusal("{\"message\":1\n,}"),
        format!("{told}trailing comma at line 2 column 2")
    );
    assert_eq!(
        refusal("{\"message\":1} x"),
        format!("{told}trailing characters at line 1 column 15")
    );
    assert_eq!(
        refusal(b"{\"message\":\n \"\xff\"}"),
        format!("{told}a byte that is no UTF-8 at line 2 column 3")
    );
    assert!(refusal("{\"message\":\"\u{1}\"}").starts_with("5901 "));
    assert!(refusal("\u{feff}{\"message\":1}").starts_with("5901 "));
    assert!(
        refusal("\"secret text\"").starts_with("5901 ") && !refusal("\"secret text\"").contains("secret")
    );
}

#[test]
fn nesting_is_bounded_and_brackets_in_strings_are_none() {
    let nested = |levels: usize| format!("{{\"message\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(refusal(nested(127)), "accepted");
    assert_eq!(
        refusal(nested(128)),
        "5901 the body is not a JSON object in UTF-8: it is nested more than 128 levels deep"
    );
    assert_eq!(
        refusal(format!("{{\"message\":\"\\\"{}\"}}", "[".repeat(500))),
        "accepted"
    );
    assert_eq!(
        refusal(format!("{{\"message\":[{}1]}}", "[],".repeat(500))),
        "accepted"
    );
}

#[test]
fn each_field_of_a_wrong_type_has_its_code_and_is_named() {
    let refused = |field: &str| refusal(format!("{{\"message\":1,{field}}}"));
    assert_eq!(
        refused("\"publisherId\":5"),
        "5908 publisherId: expected a string, found a number"
    );
    assert_eq!(
        refused("\"subtopic\":[]"),
        "5908 subtopic: expected a string, found an array"
    );
    assert_eq!(
        refused("\"publishPolicy\":{}"),
        "5908 publishPolicy: expected a string, found an object"
    );
    let millis = "expected epoch milliseconds, a whole number of at least 0, found";
    assert_eq!(
        refused("\"publishAt\":\"5\""),
        format!("5030 publishAt: {millis} a string")
    );
    assert_eq!(
        refused("\"publishAt\":1.5"),
        format!("5030 publishAt: {millis} 1.5")
    );
    assert_eq!(
        refused("\"repeatExpiresAt\":true"),
        format!("5003 repeatExpiresAt: {millis} a truth value")
    );
    assert_eq!(
        refused("\"repeatEvery\":0.5"),
        "5905 repeatEvery: expected a whole number, found 0.5"
    );
    assert_eq!(
        refused("\"repeatTimes\":\"3\""),
        "5905 repeatTimes: expected a whole number, found a string"
    );
    assert_eq!(
        refused("\"repeatCron\":5"),
        "5905 repeatCron: expected a string, found a number"
    );
    assert_eq!(
        refused("\"timezone\":5"),
        "5905 timezone: expected a string, found a number"
    );
    assert_eq!(
        refused("\"headers\":[]"),
        "5904 headers: expected an object of scalar values, found an array"
    );
    assert_eq!(
        refused("\"headers\":{\"a\":1,\"b\":[2]}"),
        "5904 headers: expected a string, a number, true, false or null as the value of \"b\", found an array"
    );
    assert_eq!(
        refused("\"publisherId\":\"\\ud800\""),
        "5908 publisherId: expected a string, found one with half a surrogate pair"
    );
}

#[test]
fn the_sixty_fifth_header_is_refused_and_a_repeated_one_is_not_counted() {
    let headers = |count: usize| {
        (0..count)
            .map(|n| format!("\"h{}\":1", n % 65))
            .collect::<Vec<_>>()
            .join(",")
    };
    let body = |headers: String| format!("{{\"message\":1,\"headers\":{{{headers}}}}}");
    assert_eq!(refusal(body(headers(64))), "accepted");
    assert_eq!(
        refusal(body(headers(65))),
        "5904 headers: a message has at most 64, found 65"
    );
    assert_eq!(refusal(body(format!("{},\"h0\":2", headers(64)))), "accepted");
}

#[test]
fn numbers_beyond_all_ranges_saturate() {
    let at = |number: &str| {
        read(&format!("{{\"message\":1,\"publishAt\":{number}}}"))
            .timing
            .publish_at
    };
    assert_eq!(at("99999999999999999999"), Some(i64::MAX));
    assert_eq!(at("1e30"), Some(i64::MAX));
    assert_eq!(at("-1e30"), Some(i64::MIN));
    assert_eq!(at("-0"), Some(0));
}
