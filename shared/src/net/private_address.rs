//! Which addresses are not of the public internet (RFC 6890 and its registries).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether steps may call this address only if an operator has allowed its network.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => private_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => private_v4(v4),
            None => private_v6(v6),
        },
    }
}

fn private_v4(v4: Ipv4Addr) -> bool {
    let [a, b, ..] = v4.octets();
    v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_unspecified()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && v4.octets()[2] == 0)
        || (a == 192 && b == 88 && v4.octets()[2] == 99)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240
}

fn private_v6(v6: Ipv6Addr) -> bool {
    let [first, second, third, .., seventh, eighth] = v6.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    v6.is_loopback()
        || v6.is_unspecified()
        || v6.is_multicast()
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
        || first & 0xffc0 == 0xfec0
        // Translated, tunnelled (6to4, Teredo) and IPv4-compatible: what they lead to is another network.
        || (first == 0x64 && second == 0xff9b)
        || (first == 0x2002 && private_v4(v4(second, third)))
        || (first == 0x2001 && second == 0)
        || (v6.segments()[..6] == [0; 6] && private_v4(v4(seventh, eighth)))
        || (first == 0x2001 && second == 0xdb8)
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn addresses_of_this_machine_and_of_private_networks_are_private() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "100.64.0.1",
            "::1",
            "fd00::1",
            "::ffff:192.168.0.1",
            "0.0.0.0",
            "192.0.0.170",
            "fec0::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:0:1::1",
            "::10.0.0.1",
        ] {
            assert!(is_private(text.parse().expect("an address")), "{text}");
        }
        for text in ["1.1.1.1", "2606:4700::1111", "2002:0101:0101::"] {
            assert!(!is_private(text.parse().expect("an address")), "{text}");
        }
    }
}
