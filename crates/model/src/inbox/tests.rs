use proptest::prelude::*;

use super::*;

#[test]
fn ids_are_checked_as_the_contract_says() {
    for id in ["1", "a.b_c:d-e", "synced", &"x".repeat(128)] {
        assert!(id.parse::<InboxId>().is_ok(), "{id}");
    }
    for id in [
        "",
        ".",
        "..",
        "sync",
        "import",
        "count",
        "a b",
        "å",
        "a/b",
        &"x".repeat(129),
    ] {
        assert!(id.parse::<InboxId>().is_err(), "{id}");
    }
}

#[test]
fn clients_are_known_not_empty_and_kept_in_order_once_each() {
    let types = ClientTypes::default();
    let clients = types.clients(["ios", "web", "ios"]).unwrap();
    assert_eq!(clients.as_stored(), "ios,web");
    assert!(clients.contains("web") && !clients.contains("we") && !clients.contains("stv"));
    assert!(matches!(types.clients([]), Err(ClientTypesError::Empty { .. })));
    let unknown = types.clients(["web", "tv"]).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "expected one of web, ios, android, atv, stv, found \"tv\""
    );
}

proptest! {
    #[test]
    fn a_message_has_the_clients_it_was_given_and_no_others(picked in prop::collection::vec(0usize..5, 1..8)) {
        let types = ClientTypes::default();
        let all: Vec<&str> = types.iter().collect();
        let clients = types.clients(picked.iter().map(|at| all[*at])).unwrap();
        for (at, name) in all.iter().enumerate() {
            prop_assert_eq!(clients.contains(name), picked.contains(&at));
        }
    }

    #[test]
    fn an_id_that_is_accepted_holds_the_rules(text in "\\PC{0,140}") {
        if let Ok(id) = text.parse::<InboxId>() {
            prop_assert_eq!(id.as_str(), &text);
            prop_assert!(text.is_ascii() && !RESERVED_IDS.contains(&text.as_str()));
        }
    }
}
