//! Where a webhook may lead: never into the house itself, unless the configuration says so.
//!
//! Whoever sets an address chooses whom we talk to. Names are looked up here, and what they stand for is checked after
//! that: no later answer of a name server can lead elsewhere.

use std::collections::BTreeSet;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Addresses and how many of their leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Net(IpAddr, u8);

const fn v4(a: u8, b: u8, c: u8, bits: u8) -> Net {
    Net(IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), bits)
}

const fn v6(first: u16, second: u16, bits: u8) -> Net {
    Net(IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0)), bits)
}

/// What is not the public network: this host, private, shared, link-local, benchmarking, multicast and reserved
/// addresses, and those of IPv6 that carry one of IPv4: translated, tunnelled or compatible ones. A mapped one is taken
/// for the address of IPv4 that it is before anything is looked up here.
const SHUT: [Net; 19] = [
    v4(0, 0, 0, 8),
    v4(10, 0, 0, 8),
    v4(100, 64, 0, 10),
    v4(127, 0, 0, 8),
    v4(169, 254, 0, 16),
    v4(172, 16, 0, 12),
    v4(192, 0, 0, 24),
    v4(192, 168, 0, 16),
    v4(198, 18, 0, 15),
    v4(224, 0, 0, 4),
    v4(240, 0, 0, 4),
    v6(0, 0, 8),
    v6(0x64, 0xff9b, 32),
    v6(0x2001, 0, 32),
    v6(0x2002, 0, 16),
    v6(0xfc00, 0, 7),
    v6(0xfe80, 0, 10),
    v6(0xfec0, 0, 10),
    v6(0xff00, 0, 8),
];

/// Where webhooks may lead beside the public network: names of hosts, addresses, and networks such as `10.1.0.0/16`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    hosts: BTreeSet<String>,
    nets: Vec<Net>,
}

/// What was given is no host, address or network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no host, address or network such as hooks.internal, 10.1.2.3 or 10.1.0.0/16")]
pub struct NoReach(String);

/// A name stands for nothing that a webhook may lead to.
#[derive(Debug, thiserror::Error)]
#[error("the address may not be called")]
pub(super) struct Shut;

impl Net {
    fn holds(self, ip: IpAddr) -> bool {
        let Self(net, bits) = self;
        let shift = |width: u32| width - u32::from(bits).min(width);
        match (net, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                (net.to_bits() ^ ip.to_bits()).checked_shr(shift(32)).unwrap_or(0) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                (net.to_bits() ^ ip.to_bits()).checked_shr(shift(128)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Net {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
        let ip: IpAddr = ip.parse().map_err(drop)?;
        let width = if ip.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), str::parse).map_err(drop)?;
        if bits > width { Err(()) } else { Ok(Self(ip, bits)) }
    }
}

impl Reach {
    /// Whether a URL may be called, as far as it says itself where it leads: a name is looked up when it is called.
    pub(crate) fn admits(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse();
        literal.map_or(true, |ip| self.open(ip))
    }

    fn open(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let held = |nets: &[Net]| nets.iter().any(|net| net.holds(ip));
        held(&self.nets) || !held(&SHUT)
    }
}

/// The public network and what is named, with commas between.
impl FromStr for Reach {
    type Err = NoReach;

    fn from_str(allowed: &str) -> Result<Self, NoReach> {
        let mut reach = Self::default();
        for one in allowed.split(',').filter(|_| !allowed.is_empty()) {
            if let Ok(net) = one.parse() {
                reach.nets.push(net);
            } else {
                reach.hosts.insert(host(one).ok_or_else(|| NoReach(one.to_owned()))?);
            }
        }
        Ok(reach)
    }
}

/// The name of a host as a URL would have it, which takes what ends in a number for an address, well written or not.
fn host(text: &str) -> Option<String> {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    let url = Url::parse(&format!("http://{text}/")).ok().filter(|_| text.chars().all(letter))?;
    url.domain().map(str::to_owned)
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let trusted = reach.hosts.contains(&name.as_str().to_ascii_lowercase());
            let found: Vec<SocketAddr> = found.filter(|found| trusted || reach.open(found.ip())).collect();
            if found.is_empty() { Err(Shut.into()) } else { Ok(Box::new(found.into_iter()) as Addrs) }
        })
    }
}

/// Whether a call failed because it may not be made.
pub(super) fn is_shut(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<Shut>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(reach: &Reach, url: &str) -> bool {
        reach.admits(&Url::parse(url).unwrap())
    }

    /// Proves part of: X6
    #[test]
    fn no_address_of_the_house_is_called() {
        let public = Reach::default();
        for shut in [
            "http://127.0.0.1:9000/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0.0.0.0/",
            "http://10.1.2.3/",
            "http://100.64.0.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://172.31.255.255/",
            "http://192.168.1.1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://[::]/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[::ffff:0:a00:1]/",
            "http://[64:ff9b:1::a00:1]/",
            "http://[2001::1]/",
            "http://[64:ff9b::a00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://[ff02::1]/",
        ] {
            assert!(!admits(&public, shut), "{shut}");
        }
        for open in [
            "https://example.org/hook",
            "http://93.184.216.34/",
            "http://172.32.0.1/",
            "http://[::ffff:93.184.216.34]/",
            "http://[2001:db9::1]/",
            "http://[2606:4700::1]/",
        ] {
            assert!(admits(&public, open), "{open}");
        }
    }

    #[test]
    fn what_the_configuration_names_is_open_and_nothing_beside_it() {
        let reach = "10.1.0.0/16,::1,Hooks.internal,0.0.0.0/0".parse::<Reach>().unwrap();
        assert!(admits(&reach, "http://10.1.255.1/") && admits(&reach, "http://[::1]/"));
        let reach = "10.1.0.0/16".parse::<Reach>().unwrap();
        assert!(!admits(&reach, "http://10.2.0.1/") && !admits(&reach, "http://[::1]/"));
        let reach = "10.0.0.0/8".parse::<Reach>().unwrap();
        assert!(admits(&reach, "http://[::ffff:10.0.0.1]/") && !admits(&reach, "http://[::ffff:127.0.0.1]/"));
        for odd in ["10.0.0.0/33", "http://x", "a b", "10.0.0.0/", "10.0.0.256", "hooks.1", "0x7f.1"] {
            assert_eq!(odd.parse::<Reach>(), Err(NoReach(odd.to_owned())));
        }
        assert!(",".parse::<Reach>().is_err() && "".parse() == Ok(Reach::default()));
    }
}
