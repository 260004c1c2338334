use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName};

use super::proxies::TrustedProxies;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The connection that a request came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The other end of the socket; IPv4 in IPv6 clothes is given as IPv4.
    pub peer: SocketAddr,
    /// Whether the socket itself speaks TLS.
    pub tls: bool,
}

/// Who sent a request, and how it came, as far as the peers are believed. A request extension;
/// cloning it is cheap.
#[derive(Clone, Debug)]
pub struct ClientInfo(Arc<Known>);

#[derive(Debug)]
struct Known {
    hop: Hop,
    ip: IpAddr,
    https: bool,
    host: String,
    forwarded_for: String,
}

impl ClientInfo {
    /// Reads the `X-Forwarded-…` headers only if the peer is in `trusted` (api.md 5).
    pub(super) fn of(hop: Hop, parts: &Parts, trusted: &TrustedProxies) -> Self {
        let behind_proxy = trusted.contain(hop.peer.ip());
        let forwarded =
            |name: &HeaderName| behind_proxy.then(|| last_element(&parts.headers, name)).flatten();
        let forwarded_for = if behind_proxy {
            joined(&parts.headers, &FORWARDED_FOR)
        } else {
            String::new()
        };
        Self(Arc::new(Known {
            hop,
            ip: client_ip(hop.peer.ip(), &forwarded_for, trusted),
            https: hop.tls || forwarded(&FORWARDED_PROTO).is_some_and(|v| v.eq_ignore_ascii_case("https")),
            host: forwarded(&FORWARDED_HOST)
                .or_else(|| parts.uri.authority().map(http::uri::Authority::as_str))
                .or_else(|| parts.headers.get(HOST).and_then(|host| host.to_str().ok()))
                .unwrap_or_default()
                .to_owned(),
            forwarded_for,
        }))
    }

    /// The connection itself, whatever the headers say.
    pub fn hop(&self) -> Hop {
        self.0.hop
    }

    /// The address of the client: the last one in `X-Forwarded-For` that is not a trusted proxy, or
    /// the peer's.
    pub fn ip(&self) -> IpAddr {
        self.0.ip
    }

    /// The value of `X-Forwarded-For` if it is from a trusted proxy, else empty (api.md 4).
    pub fn forwarded_for(&self) -> &str {
        &self.0.forwarded_for
    }

    /// Whether the request came over TLS, or a trusted proxy says that it did.
    pub fn is_https(&self) -> bool {
        self.0.https
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.0.https { "https" } else { "http" }
    }

    /// The host, with its port if one was given: a trusted proxy's `X-Forwarded-Host`, else
    /// `:authority` or `Host`. Empty if the client named none.
    pub fn host(&self) -> &str {
        &self.0.host
    }
}

/// The part of a list header that the nearest proxy wrote: what stands before it may be the client's.
fn last_element<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let element = value.rsplit(',').next().unwrap_or_default().trim();
    (!element.is_empty()).then_some(element)
}

/// The lines of a list header as one list (RFC 9110, 5.3).
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    lines.join(", ")
}

/// From the peer backwards over the hops that trusted proxies report, to the first that is none.
fn client_ip(peer: IpAddr, forwarded_for: &str, trusted: &TrustedProxies) -> IpAddr {
    let mut client = peer;
    for element in forwarded_for.rsplit(',') {
        let Some(ip) = address(element.trim()) else {
            break;
        };
        client = ip;
        if !trusted.contain(ip) {
            break;
        }
    }
    client
}

/// An address as proxies write it: bare, `[v6]`, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests;
