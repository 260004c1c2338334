use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use super::{join, query};
use crate::Error;

#[test]
fn names_are_escaped_and_cannot_change_the_route() {
    let path = join(&["messaging", "nyheter åäö/../x?y#z %25", "history"]).unwrap();
    assert_eq!(
        path,
        "/messaging/nyheter%20%C3%A5%C3%A4%C3%B6%2F..%2Fx%3Fy%23z%20%2525/history"
    );
}

#[test]
fn segments_that_a_url_parser_would_resolve_are_refused() {
    for segment in ["", ".", ".."] {
        let refused = join(&["messages", segment]);
        assert!(matches!(refused, Err(Error::Argument { .. })), "{segment:?}");
    }
}

#[test]
fn absent_parameters_are_left_out() {
    assert_eq!(query(&[("a", None)]), "");
    assert_eq!(
        query(&[("a", None), ("since", Some("k-1")), ("q", Some("a = 'b&c'"))]),
        "?since=k-1&q=a%20%3D%20%27b%26c%27"
    );
}

proptest! {
    #[test]
    fn any_name_survives_the_way_through_a_url(name in "\\PC{1,40}") {
        prop_assume!(name != "." && name != "..");
        let path = join(&["messaging", &name]).unwrap();
        let url = reqwest::Url::parse(&format!("http://localhost{path}")).unwrap();
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        prop_assert_eq!(segments.len(), 2);
        prop_assert_eq!(percent_decode_str(segments[1]).decode_utf8().unwrap(), name);
    }
}
