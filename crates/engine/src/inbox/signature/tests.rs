use super::*;

#[test]
fn the_reference_implementation_takes_the_signature() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let oracle = standardwebhooks::Webhook::new(secret).unwrap();
    let body = br#"{"messages":[{"id":"123"}]}"#;
    let ours = sign(secret, "msg_1", 1_614_265_330, body).unwrap();
    assert_eq!(ours, oracle.sign("msg_1", 1_614_265_330, body).unwrap());
}

#[test]
fn a_secret_has_24_to_64_bytes_in_base64() {
    let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
    for (secret, expected) in [
        ("whsec_".to_owned(), Err(SecretError::Length { found: 0 })),
        ("whsec_YWJj".to_owned(), Err(SecretError::Length { found: 3 })),
        (of(23), Err(SecretError::Length { found: 23 })),
        (of(24), Ok(())),
        (of(64), Ok(())),
        (of(65), Err(SecretError::Length { found: 65 })),
        ("abc".to_owned(), Err(SecretError::NotBase64)),
        ("whsec_!!!!".to_owned(), Err(SecretError::NotBase64)),
    ] {
        assert_eq!(check(&secret), expected, "{secret}");
    }
}

#[test]
fn nothing_is_signed_with_a_secret_that_is_too_short() {
    for secret in ["", "whsec_", "whsec_YWJj"] {
        assert!(sign(secret, "msg_1", 1, b"{}").is_err(), "{secret}");
    }
}
