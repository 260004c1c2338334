use http::Request;

use super::*;

fn info(peer: &str, tls: bool, headers: &[(&str, &str)], trusted: &[&str]) -> ClientInfo {
    let mut request = Request::builder().uri("/path");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let hop = Hop {
        peer: peer.parse().unwrap(),
        tls,
    };
    let trusted = trusted.iter().map(|text| text.parse().unwrap()).collect();
    ClientInfo::of(hop, &parts, &trusted)
}

const ALL: &[(&str, &str)] = &[
    ("host", "inner:8080"),
    ("x-forwarded-for", "198.51.100.7, 10.0.0.2"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "push.example"),
];

#[test]
fn headers_of_an_untrusted_peer_are_ignored() {
    let client = info("203.0.113.9:1", false, ALL, &["10.0.0.0/8"]);
    assert_eq!(client.ip().to_string(), "203.0.113.9");
    assert_eq!(client.forwarded_for(), "");
    assert_eq!(client.scheme(), "http");
    assert_eq!(client.host(), "inner:8080");
}

#[test]
fn headers_of_a_trusted_peer_are_believed() {
    let client = info("10.0.0.3:1", false, ALL, &["10.0.0.0/8"]);
    assert_eq!(client.ip().to_string(), "198.51.100.7");
    assert_eq!(client.forwarded_for(), "198.51.100.7, 10.0.0.2");
    assert_eq!(client.scheme(), "https");
    assert_eq!(client.host(), "push.example");
    assert_eq!(client.hop().peer.ip().to_string(), "10.0.0.3");
}

#[test]
fn what_a_client_put_before_the_proxys_part_is_not_believed() {
    let headers = &[
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-for", "198.51.100.7"),
        ("x-forwarded-proto", "https, http"),
        ("x-forwarded-host", "evil.example, push.example"),
    ];
    let client = info("10.0.0.3:1", false, headers, &["10.0.0.3"]);
    assert_eq!(client.ip().to_string(), "198.51.100.7");
    assert_eq!(client.forwarded_for(), "1.1.1.1, 198.51.100.7");
    assert_eq!(client.scheme(), "http");
    assert_eq!(client.host(), "push.example");
}

#[test]
fn addresses_come_with_ports_and_brackets() {
    for (text, expected) in [
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
    ] {
        let client = info("10.0.0.3:1", false, &[("x-forwarded-for", text)], &["10.0.0.3"]);
        assert_eq!(client.ip().to_string(), expected, "{text}");
    }
}

#[test]
fn an_unreadable_hop_leaves_the_last_readable_one() {
    let headers = &[("x-forwarded-for", "unknown, 10.0.0.2")];
    let client = info("10.0.0.3:1", false, headers, &["10.0.0.0/8"]);
    assert_eq!(client.ip().to_string(), "10.0.0.2");
}

#[test]
fn tls_on_the_socket_is_https() {
    assert_eq!(info("203.0.113.9:1", true, &[], &[]).scheme(), "https");
    assert_eq!(info("203.0.113.9:1", true, &[], &[]).host(), "");
}
