//! Networks that an operator allows although they are not public.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;
use std::str::FromStr;

/// A list of networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u8)>);

impl Networks {
    /// Whether an address is named by itself.
    pub(super) fn name(&self, address: IpAddr) -> bool {
        let whole = if address.is_ipv4() { 32 } else { 128 };
        self.0.contains(&(address, whole))
    }

    /// Whether an address is in one of them.
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(network, length)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same(u128::from(network.to_bits()) << 96, u128::from(address.to_bits()) << 96, *length)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => same(network.to_bits(), address.to_bits(), *length),
            _ => false,
        })
    }
}

/// Whether the first bits of two numbers are the same.
fn same(one: u128, two: u128, bits: u8) -> bool {
    bits == 0 || (one ^ two).checked_shr(128 - u32::from(bits)).is_none_or(|rest| rest == 0)
}

impl Display for Networks {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<String> =
            self.0.iter().map(|(address, length)| format!("{address}/{length}")).collect();
        f.write_str(&names.join(", "))
    }
}

/// `10.0.0.0/8, fd00::/8`, with commas between them; an address alone is a network of one.
impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names
            .map(|name| network(name).ok_or_else(|| format!("{name} is no network such as 10.0.0.0/8")))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(most);
    (length <= most).then_some((address, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_a_network_or_not() {
        let networks: Networks = "10.1.0.0/16, 192.0.2.7,fd00::/8 ,::1".parse().unwrap();
        for (address, inside) in [
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("192.0.2.7", true),
            ("192.0.2.6", false),
            ("fd12:3456::1", true),
            ("fe80::1", false),
            ("::1", true),
            ("::2", false),
            ("::ffff:10.1.0.1", false),
        ] {
            assert_eq!(networks.contain(address.parse().unwrap()), inside, "{address}");
        }
        for (address, named) in
            [("192.0.2.7", true), ("::1", true), ("10.1.0.0", false), ("192.0.2.6", false)]
        {
            assert_eq!(networks.name(address.parse().unwrap()), named, "{address}");
        }
        let all: Networks = "0.0.0.0/0".parse().unwrap();
        assert!(all.contain("127.0.0.1".parse().unwrap()) && !all.contain("::1".parse().unwrap()));
        assert_eq!("".parse::<Networks>().unwrap(), Networks::default());
        for wrong in ["10.0.0.0/33", "::/129", "10.0.0/8", "all", "10.0.0.0/-1", "10.0.0.0/"] {
            assert!(wrong.parse::<Networks>().is_err(), "{wrong}");
        }
    }
}
