use super::Refusal;

#[test]
fn the_channel_shape_gives_code_and_message() {
    let refusal = Refusal::read(403, br#"{"message":"not allowed to publish","code":5007}"#);
    assert_eq!((refusal.status, refusal.code), (403, Some(5007)));
    assert_eq!(
        refusal.to_string(),
        "not allowed to publish (HTTP 403, code 5007)"
    );
}

#[test]
fn the_inbox_shape_gives_detail_and_duplicate() {
    let body = br#"{"meta":{"duplicate_key":"456","imported":3,"duplicates":2,"endpoint":"/messages/import"},
        "errors":[{"status":409,"title":"Conflict","detail":"2 ids are in already"}]}"#;
    let refusal = Refusal::read(409, body);
    assert_eq!(refusal.code, None);
    assert_eq!(refusal.duplicate_key.as_deref(), Some("456"));
    assert_eq!((refusal.imported, refusal.duplicates), (Some(3), Some(2)));
    assert_eq!(refusal.to_string(), "2 ids are in already (HTTP 409)");
}

#[test]
fn an_inbox_error_without_detail_falls_back_to_its_title() {
    let refusal = Refusal::read(
        401,
        br#"{"meta":{},"errors":[{"status":401,"title":"Unauthorized"}]}"#,
    );
    assert_eq!(refusal.message, "Unauthorized");
}

#[test]
fn a_foreign_body_becomes_one_short_line() {
    let refusal = Refusal::read(502, b"<html>\r\n  bad \x1b gateway</html>");
    assert_eq!(refusal.message, "<html> bad  gateway</html>");
    assert!(Refusal::read(502, &[b'x'; 5000]).message.len() <= 200);
    assert_eq!(Refusal::read(502, b"").message, "the server gave no reason");
}
