use proptest::prelude::*;

use super::*;

fn proxies(networks: &[&str]) -> TrustedProxies {
    networks.iter().map(|text| text.parse().unwrap()).collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn an_address_alone_holds_only_itself() {
    let trusted = proxies(&["10.0.0.1", "::1"]);
    assert!(trusted.contain(ip("10.0.0.1")));
    assert!(trusted.contain(ip("::1")));
    assert!(!trusted.contain(ip("10.0.0.2")));
    assert!(!trusted.contain(ip("::2")));
}

#[test]
fn a_network_holds_its_first_and_last_address_and_no_neighbour() {
    let trusted = proxies(&["10.16.0.0/12", "fd00::/8"]);
    assert!(trusted.contain(ip("10.16.0.0")));
    assert!(trusted.contain(ip("10.31.255.255")));
    assert!(!trusted.contain(ip("10.32.0.0")));
    assert!(!trusted.contain(ip("10.15.255.255")));
    assert!(trusted.contain(ip("fdff:ffff::1")));
    assert!(!trusted.contain(ip("fe00::1")));
}

#[test]
fn everything_is_in_a_prefix_of_zero_of_its_family() {
    assert!(proxies(&["0.0.0.0/0"]).contain(ip("203.0.113.9")));
    assert!(!proxies(&["0.0.0.0/0"]).contain(ip("2001:db8::1")));
    assert!(proxies(&["::/0"]).contain(ip("2001:db8::1")));
}

#[test]
fn ipv4_in_ipv6_clothes_is_ipv4() {
    assert!(proxies(&["10.0.0.0/8"]).contain(ip("::ffff:10.1.2.3")));
    assert!(proxies(&["::ffff:10.0.0.0/104"]).contain(ip("10.1.2.3")));
}

#[test]
fn errors_say_what_was_found_and_what_is_expected() {
    let text = |input: &str| Network::from_str(input).unwrap_err().to_string();
    assert_eq!(
        text("proxy.example"),
        "\"proxy.example\" is not an IP address or network: expected one like 10.0.0.1, 10.0.0.0/8, ::1 or fd00::/8"
    );
    assert_eq!(
        text("10.0.0.0/33"),
        "the prefix length of \"10.0.0.0/33\" must be a whole number from 0 to 32"
    );
    assert_eq!(
        text("fd00::/+8"),
        "the prefix length of \"fd00::/+8\" must be a whole number from 0 to 128"
    );
    assert_eq!(
        text("10.0.0.1/8"),
        "\"10.0.0.1/8\" has bits set after its prefix: write 10.0.0.0/8 for that network"
    );
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "[0-9a-f:./+ -]{0,45}") {
        let _ = Network::from_str(&text);
    }

    #[test]
    fn a_network_holds_exactly_the_addresses_with_its_prefix(a: u32, b: u32, prefix in 0u8..=32) {
        let first = masked(IpAddr::V4(a.into()), prefix);
        let network: Network = format!("{first}/{prefix}").parse().unwrap();
        let same = prefix == 0 || (a >> (32 - prefix)) == (b >> (32 - prefix));
        prop_assert_eq!(network.contains(IpAddr::V4(b.into())), same);
    }
}
