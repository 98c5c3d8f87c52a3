//! Which addresses are not of the public internet: by IANA's registries of special-purpose addresses for
//! [IPv4](https://www.iana.org/assignments/iana-ipv4-special-registry) and [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry)
//! (RFC 6890). Blocks of theirs that are globally reachable services (AS112, AMT) count as public where they are not part of a larger block.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{Ipv4Net, Ipv6Net};

static PRIVATE_V4: LazyLock<Vec<Ipv4Net>> = LazyLock::new(|| {
    let blocks = [
        // "This network".
        "0.0.0.0/8",
        "10.0.0.0/8",
        // Behind a carrier's NAT.
        "100.64.0.0/10",
        "127.0.0.0/8",
        // Link-local, where clouds serve their metadata.
        "169.254.0.0/16",
        "172.16.0.0/12",
        // Protocol assignments, with NAT64's discovery.
        "192.0.0.0/24",
        // Documentation: this one, 198.51.100.0 and 203.0.113.0.
        "192.0.2.0/24",
        // Relays of 6to4.
        "192.88.99.0/24",
        "192.168.0.0/16",
        // Benchmarks.
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        // Multicast, then reserved and broadcast.
        "224.0.0.0/4",
        "240.0.0.0/4",
    ];
    blocks.map(|block| block.parse().expect("a test reads them")).to_vec()
});

/// All that is assigned for public unicast is here (RFC 4291, 2.4). Outside are loopback, IPv4-compatible and translated addresses
/// (`64:ff9b::/96`, `64:ff9b:1::/48`), discarded ones (`100::/64`), segments (`5f00::/16`), unique local, link-local, site-local and
/// multicast ones.
static UNICAST_V6: LazyLock<Ipv6Net> = LazyLock::new(|| "2000::/3".parse().expect("a test reads it"));

/// Those inside it that are not.
static PRIVATE_V6: LazyLock<Vec<Ipv6Net>> = LazyLock::new(|| {
    let blocks = [
        // Protocol assignments: Teredo, benchmarks, ORCHID.
        "2001::/23",
        // Documentation: this one and 3fff::.
        "2001:db8::/32",
        // 6to4: it leads to an IPv4 address inside.
        "2002::/16",
        "3fff::/20",
    ];
    blocks.map(|block| block.parse().expect("a test reads them")).to_vec()
});

/// Whether steps may call this address only if an operator has allowed its network.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => private_v4(v4),
        IpAddr::V6(v6) => private_v6(v6),
    }
}

fn private_v4(v4: Ipv4Addr) -> bool {
    PRIVATE_V4.iter().any(|block| block.contains(&v4))
}

fn private_v6(v6: Ipv6Addr) -> bool {
    !UNICAST_V6.contains(&v6) || PRIVATE_V6.iter().any(|block| block.contains(&v6))
}

#[cfg(test)]
mod tests {
    use super::is_private;

    /// The first and the last address of each block, and what is beside it if that is public.
    #[test]
    fn a_block_is_private_from_its_first_to_its_last_address() {
        let blocks = [
            ("0.0.0.0", "0.255.255.255", Some("1.0.0.0")),
            ("10.0.0.0", "10.255.255.255", Some("11.0.0.0")),
            ("100.64.0.0", "100.127.255.255", Some("100.128.0.0")),
            ("127.0.0.0", "127.255.255.255", Some("128.0.0.0")),
            ("169.254.0.0", "169.254.255.255", Some("169.255.0.0")),
            ("172.16.0.0", "172.31.255.255", Some("172.32.0.0")),
            ("192.0.0.0", "192.0.0.255", Some("192.0.1.0")),
            ("192.0.2.0", "192.0.2.255", Some("192.0.3.0")),
            ("192.88.99.0", "192.88.99.255", Some("192.88.100.0")),
            ("192.168.0.0", "192.168.255.255", Some("192.169.0.0")),
            ("198.18.0.0", "198.19.255.255", Some("198.20.0.0")),
            ("198.51.100.0", "198.51.100.255", Some("198.51.101.0")),
            ("203.0.113.0", "203.0.113.255", Some("203.0.114.0")),
            ("224.0.0.0", "255.255.255.255", None),
            ("::", "::1", None),
            ("::ffff:10.0.0.0", "::ffff:10.255.255.255", Some("::ffff:11.0.0.0")),
            ("::127.0.0.1", "::192.168.0.1", None),
            ("64:ff9b::", "64:ff9b::ffff:ffff", None),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", None),
            ("100::", "100::ffff:ffff:ffff:ffff", None),
            ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", None),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2001:200::")),
            ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", None),
            ("2001:10::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", None),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Some("2001:db9::")),
            ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2003::")),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Some("3fff:1000::")),
            ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
        ];
        for (first, last, beside) in blocks {
            for text in [first, last] {
                assert!(is_private(text.parse().expect("an address")), "{text}");
            }
            if let Some(text) = beside {
                assert!(!is_private(text.parse().expect("an address")), "{text}");
            }
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        let public = ["1.1.1.1", "9.255.255.255", "192.31.196.1", "192.52.193.1", "192.175.48.1", "223.255.255.255", "::ffff:1.1.1.1"];
        for text in public.into_iter().chain(["2000::", "2606:4700::1111", "2620:4f:8000::", "3ffe:ffff::1"]) {
            assert!(!is_private(text.parse().expect("an address")), "{text}");
        }
    }
}
