use super::*;

#[test]
fn a_key_expires_after_now() {
    let expected = "expected more than 0: such a key would have expired already";
    for text in ["0s", "0d", "0ms"] {
        assert_eq!(expiry(text).unwrap_err(), expected);
    }
    assert!(matches!(expiry("1ms"), Ok(Expiry::After(Duration { .. }))));
    assert!(matches!(expiry("2027-01-31T00:00:00Z"), Ok(Expiry::At(_))));
}
