//! Which addresses no notice is sent to: whoever configures a subscription, or answers for a name, could otherwise reach what
//! only this host or its network may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Loopback,
    Private,
    /// Addresses of carriers' networks; some clouds keep their metadata there.
    Shared,
    LinkLocal,
    Multicast,
    /// What a cloud tells its machines, keys among it.
    Metadata,
    /// Documentation, benchmarks, and whatever else is nobody's address on the internet.
    Reserved,
}

impl Refused {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Refused::Loopback => "a loopback address",
            Refused::Private => "a private address",
            Refused::Shared => "an address of a carrier's own network",
            Refused::LinkLocal => "a link-local address",
            Refused::Multicast => "a multicast address",
            Refused::Metadata => "a cloud's metadata address",
            Refused::Reserved => "no address of the internet",
        }
    }

    /// Whether `allow_private` lets it through: an endpoint of one's own network, never the metadata of a cloud.
    const fn is_own_network(self) -> bool {
        match self {
            Refused::Loopback | Refused::Private | Refused::Shared => true,
            Refused::LinkLocal | Refused::Multicast | Refused::Metadata | Refused::Reserved => {
                false
            }
        }
    }
}

/// Why nothing may be sent to the address, if so.
pub(crate) fn refusal(address: IpAddr, allow_private: bool) -> Option<Refused> {
    let refused = match address {
        IpAddr::V4(address) => refused_v4(address),
        IpAddr::V6(address) => refused_v6(address),
    };
    refused.filter(|refused| !(allow_private && refused.is_own_network()))
}

/// Network, length of its prefix, what it is. The first that matches holds.
const V4: &[([u8; 4], u32, Refused)] = &[
    ([169, 254, 169, 254], 32, Refused::Metadata),
    ([100, 100, 100, 200], 32, Refused::Metadata),
    ([168, 63, 129, 16], 32, Refused::Metadata),
    ([192, 0, 0, 192], 32, Refused::Metadata),
    ([127, 0, 0, 0], 8, Refused::Loopback),
    ([10, 0, 0, 0], 8, Refused::Private),
    ([172, 16, 0, 0], 12, Refused::Private),
    ([192, 168, 0, 0], 16, Refused::Private),
    ([100, 64, 0, 0], 10, Refused::Shared),
    ([169, 254, 0, 0], 16, Refused::LinkLocal),
    ([224, 0, 0, 0], 4, Refused::Multicast),
    ([0, 0, 0, 0], 8, Refused::Reserved),
    ([192, 0, 0, 0], 24, Refused::Reserved),
    ([192, 0, 2, 0], 24, Refused::Reserved),
    ([192, 88, 99, 0], 24, Refused::Reserved),
    ([198, 18, 0, 0], 15, Refused::Reserved),
    ([198, 51, 100, 0], 24, Refused::Reserved),
    ([203, 0, 113, 0], 24, Refused::Reserved),
    ([240, 0, 0, 0], 4, Refused::Reserved),
];

fn refused_v4(address: Ipv4Addr) -> Option<Refused> {
    let bits = address.to_bits();
    V4.iter()
        .find(|(network, length, _)| {
            let mask = u32::MAX << (32 - length);
            bits & mask == u32::from_be_bytes(*network)
        })
        .map(|(_, _, refused)| *refused)
}

/// Only what is allotted on the internet is let through, and what carries an address of version 4 is as good as that is.
fn refused_v6(address: Ipv6Addr) -> Option<Refused> {
    let segments = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Refused::Loopback),
        // Mapped, translated by NAT64, and 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            refused_v4(v4(high, low))
        }
        [0x2002, high, low, ..] => refused_v4(v4(high, low)),
        [0xfd00, 0x0ec2, ..] => Some(Refused::Metadata),
        [first, ..] if first & 0xfe00 == 0xfc00 => Some(Refused::Private),
        [first, ..] if first & 0xffc0 == 0xfe80 => Some(Refused::LinkLocal),
        [first, ..] if first & 0xff00 == 0xff00 => Some(Refused::Multicast),
        // Teredo carries an address of version 4 too, disguised; documentation.
        [0x2001, 0, ..] | [0x2001, 0x0db8, ..] | [0x3fff, ..] => Some(Refused::Reserved),
        [first, ..] if first & 0xe000 == 0x2000 => None,
        _ => Some(Refused::Reserved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_sent_to() {
        for (address, expected) in [
            ("127.0.0.1", Some(Refused::Loopback)),
            ("127.255.255.254", Some(Refused::Loopback)),
            ("10.1.2.3", Some(Refused::Private)),
            ("172.15.255.255", None),
            ("172.16.0.1", Some(Refused::Private)),
            ("172.31.255.255", Some(Refused::Private)),
            ("172.32.0.1", None),
            ("192.168.0.1", Some(Refused::Private)),
            ("100.64.0.1", Some(Refused::Shared)),
            ("100.128.0.1", None),
            ("169.254.1.1", Some(Refused::LinkLocal)),
            ("169.254.169.254", Some(Refused::Metadata)),
            ("168.63.129.16", Some(Refused::Metadata)),
            ("224.0.0.1", Some(Refused::Multicast)),
            ("255.255.255.255", Some(Refused::Reserved)),
            ("0.0.0.0", Some(Refused::Reserved)),
            ("198.19.0.1", Some(Refused::Reserved)),
            ("8.8.8.8", None),
            ("::1", Some(Refused::Loopback)),
            ("::", Some(Refused::Reserved)),
            ("::127.0.0.1", Some(Refused::Reserved)),
            ("::ffff:127.0.0.1", Some(Refused::Loopback)),
            ("::ffff:8.8.8.8", None),
            ("64:ff9b::10.0.0.1", Some(Refused::Private)),
            ("64:ff9b::8.8.8.8", None),
            ("2002:7f00:1::1", Some(Refused::Loopback)),
            ("2001::1", Some(Refused::Reserved)),
            ("2001:db8::1", Some(Refused::Reserved)),
            ("fd12::1", Some(Refused::Private)),
            ("fd00:ec2::254", Some(Refused::Metadata)),
            ("fe80::1", Some(Refused::LinkLocal)),
            ("ff02::1", Some(Refused::Multicast)),
            ("2a00:1450::1", None),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(refusal(address, false), expected, "{address}");
        }
    }

    #[test]
    fn an_endpoint_of_ones_own_network_may_be_allowed_and_metadata_never() {
        for (address, allowed) in [
            ("127.0.0.1", true),
            ("10.0.0.1", true),
            ("100.64.0.1", true),
            ("fd12::1", true),
            ("::ffff:192.168.1.1", true),
            ("169.254.169.254", false),
            ("100.100.100.200", false),
            ("fe80::1", false),
            ("224.0.0.1", false),
            ("0.0.0.0", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(refusal(address, true).is_none(), allowed, "{address}");
        }
    }
}
