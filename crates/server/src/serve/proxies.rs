use std::net::IpAddr;
use std::str::FromStr;

/// The peers whose `X-Forwarded-…` headers are believed (api.md 5). Empty: nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Whether `ip` is in one of the networks. An IPv4 address in IPv6 clothes counts as IPv4.
    pub fn contain(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| network.contains(ip))
    }
}

impl FromIterator<Network> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

/// One address (`10.0.0.1`, `::1`) or a network in CIDR form (`10.0.0.0/8`, `fd00::/8`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

/// Why a text is no address and no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseNetworkError {
    /// The part before the `/`, or all of it.
    #[error("{0:?} is not an IP address or network: expected one like 10.0.0.1, 10.0.0.0/8, ::1 or fd00::/8")]
    Address(String),
    /// The part after the `/`.
    #[error("the prefix length of {text:?} must be a whole number from 0 to {max}")]
    Prefix {
        /// What was given.
        text: String,
        /// 32 for IPv4, 128 for IPv6.
        max: u8,
    },
    /// Bits are set that the prefix leaves out, so one of the two is a slip.
    #[error("{text:?} has bits set after its prefix: write {expected} for that network")]
    HostBits {
        /// What was given.
        text: String,
        /// The network that the prefix names.
        expected: String,
    },
}

impl Network {
    fn contains(self, ip: IpAddr) -> bool {
        match (self.first, ip) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                masked(ip, self.prefix) == self.first
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address
            .parse()
            .map_err(|_| ParseNetworkError::Address(text.to_owned()))?;
        let max = if first.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => max,
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|prefix| *prefix <= max && digits.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(|| ParseNetworkError::Prefix {
                    text: text.to_owned(),
                    max,
                })?,
        };
        let expected = masked(first, prefix);
        if expected != first {
            return Err(ParseNetworkError::HostBits {
                text: text.to_owned(),
                expected: format!("{expected}/{prefix}"),
            });
        }
        // Peers are compared in canonical form, so networks are kept in it too.
        Ok(match first.to_canonical() {
            first @ IpAddr::V4(_) if max == 128 && prefix >= 96 => Self {
                first,
                prefix: prefix - 96,
            },
            _ => Self { first, prefix },
        })
    }
}

fn masked(ip: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            IpAddr::V4((ip.to_bits() & mask).into())
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            IpAddr::V6((ip.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests;
