use model::key::Scope;

use super::world::NO_KEY;
use crate::access::credentials::Credentials;
use crate::access::error::AccessError;

#[test]
fn empty_undefined_and_null_count_as_absent() {
    for absent in ["", "undefined", "null"] {
        let credentials = Credentials::new([absent, absent], Some(absent));
        assert_eq!(credentials.key(), Ok(None), "{absent:?}");
        assert_eq!(credentials.token(), None, "{absent:?}");
    }
    let credentials = Credentials::new(["", "k1", "undefined"], None::<String>);
    assert_eq!(credentials.key(), Ok(Some("k1")));
}

#[test]
fn two_different_keys_are_refused_and_the_same_one_twice_is_one() {
    let different = Credentials::new(["k1", "k1", "k2"], None::<String>);
    assert_eq!(different.key(), Err(AccessError::BadKey));
    let same = Credentials::new(["k1", "k1"], None::<String>);
    assert_eq!(same.key(), Ok(Some("k1")));
}

#[test]
fn no_credential_is_none() {
    let none = Credentials::new(NO_KEY, None::<String>);
    assert_eq!((none.key(), none.token()), (Ok(None), None));
}

#[test]
fn debug_shows_no_value() {
    let shown = format!("{:?}", Credentials::new(["top-secret"], Some("to.ke.n")));
    assert!(
        !shown.contains("top-secret") && !shown.contains("to.ke.n"),
        "{shown}"
    );
}

#[test]
fn errors_have_the_codes_of_the_contract() {
    use crate::access::token::TokenError;
    assert_eq!(AccessError::BadToken(TokenError::Expired).code(), 3064);
    assert_eq!(AccessError::BadKey.code(), 2002);
    assert_eq!(AccessError::NoCredential.code(), 2002);
    assert_eq!(AccessError::Forbidden.code(), 5007);
    assert_eq!(AccessError::MissingScope(Scope::Schedule).code(), 5007);
}
