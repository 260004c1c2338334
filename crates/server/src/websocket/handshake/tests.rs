use super::*;

fn request(headers: &[(&str, &str)]) -> Request {
    let mut request = Request::builder().uri("/api/realtime");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

#[test]
fn the_key_is_answered_as_in_the_example_of_rfc_6455() {
    assert_eq!(
        accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="),
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    );
}

#[test]
fn what_is_no_handshake_is_refused_with_what_was_expected() {
    let upgrade = [("Upgrade", "WebSocket"), ("Connection", "keep-alive, Upgrade")];
    let refused = |request| accept(request).map(|_| ()).unwrap_err();
    assert_eq!(refused(request(&[])), Refused::NotAskedFor);
    assert_eq!(refused(request(&upgrade)), Refused::NoKey);
    let mut old = upgrade.to_vec();
    old.extend([
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "8"),
    ]);
    assert_eq!(refused(request(&old)), Refused::Version);
    let response = Refused::Version.into_response();
    assert_eq!(response.status(), 426);
    assert_eq!(response.headers()[SEC_WEBSOCKET_VERSION], "13");
}
