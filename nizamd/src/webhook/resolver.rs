//! Names of receivers, looked up once: what is looked up is what is connected to.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use super::address::{special, translated};
use super::networks::Networks;

/// A receiver that is not sent anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Forbidden {
    /// It leads where it may not.
    #[error("{0} is {1}, which no webhook may reach (webhook_networks)")]
    Address(IpAddr, &'static str),
    /// Its name leads where it may not, or nowhere: which, is not for a tenant to know, who could ask for names of the operator's.
    #[error("{0} has no address that a webhook may reach (webhook_networks)")]
    Name(String),
    /// It is no address of the web.
    #[error("the URL is none of http or https with a host")]
    Url,
}

/// Addresses that no machine has (RFC 5737, RFC 3849).
const FOREIGN_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FOREIGN_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// Looks names up, and gives no address that may not be reached. One forbidden address among several forbids all: whoever
/// answers like that is up to something.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolver {
    allowed: Arc<Networks>,
    names: Names,
}

/// Who knows what names lead to.
#[derive(Clone, Debug, Default)]
pub(super) enum Names {
    /// The system.
    #[default]
    System,
    /// A test.
    #[cfg(test)]
    Told(fn(&str) -> Vec<IpAddr>),
}

impl Names {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => tokio::net::lookup_host((name, 0)).await.map(Vec::from_iter),
            #[cfg(test)]
            Self::Told(told) => {
                Ok(told(name).into_iter().map(|address| SocketAddr::new(address, 0)).collect())
            }
        }
    }
}

impl Resolver {
    /// One that also gives addresses of these networks.
    pub(super) fn new(allowed: Networks) -> Self {
        Self { allowed: Arc::new(allowed), names: Names::default() }
    }

    /// The same, where a test says what names lead to.
    #[cfg(test)]
    pub(super) fn told(self, told: fn(&str) -> Vec<IpAddr>) -> Self {
        Self { names: Names::Told(told), ..self }
    }

    pub(super) fn judge(&self, address: IpAddr) -> Result<(), Forbidden> {
        // What stands for an address of IPv4 is that one.
        let address = address.to_canonical();
        if address.is_ipv6() && translated(address).is_ipv4() && own(translated(address)) {
            return Err(Forbidden::Address(address, "an address of this machine"));
        }
        match special(address) {
            // Those of nobody lead to this machine, whatever is allowed.
            Some(kind) if !self.allowed.contain(address) || nobody(address) => {
                Err(Forbidden::Address(address, kind))
            }
            // A network that is allowed is one of receivers; that nizamd and FreeSWITCH are in it themselves is no reason to reach those.
            _ if !self.allowed.name(address) && !address.is_loopback() && own(address) => {
                Err(Forbidden::Address(address, "an address of this machine"))
            }
            _ => Ok(()),
        }
    }

    /// What a name leads to, if all of it may be reached.
    fn judged(&self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, String> {
        if found.is_empty() {
            return Err("it has no address".to_owned());
        }
        let forbidden = found.iter().find_map(|address| self.judge(address.ip()).err());
        forbidden.map_or(Ok(found), |forbidden| Err(forbidden.to_string()))
    }

    /// What can be said of a URL without looking up its name: an address in it is not looked up.
    pub(super) fn judge_url(&self, url: &Url) -> Result<(), Forbidden> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Forbidden::Url);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Forbidden::Url)?;
        // Whatever way it was written, a URL has addresses in their usual form.
        match host.trim_matches(['[', ']']).parse() {
            Ok(address) => self.judge(address),
            Err(_) => Ok(()),
        }
    }
}

/// Whether it is an address of this network (RFC 1122, 3.2.1.3): to it connects whoever wants this machine.
fn nobody(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[0] == 0,
        IpAddr::V6(address) => address.is_unspecified(),
    }
}

/// Whether it is this machine's: then it is what the system would send from, or can be listened on. Nothing is sent.
fn own(address: IpAddr) -> bool {
    // Where everybody may listen on any address (`net.ipv4.ip_nonlocal_bind`), that says nothing.
    let foreign: IpAddr = if address.is_ipv4() { FOREIGN_V4.into() } else { FOREIGN_V6.into() };
    if UdpSocket::bind((address, 0)).is_ok() && UdpSocket::bind((foreign, 0)).is_err() {
        return true;
    }
    let from: SocketAddr = match address {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    // Without a socket it cannot be known, without a way to it, it is not.
    let Ok(socket) = UdpSocket::bind(from) else { return true };
    socket.connect((address, 9)).and_then(|()| socket.local_addr()).is_ok_and(|local| local.ip() == address)
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let found = this.names.lookup(name.as_str()).await;
            let found = found.map_err(|error| error.to_string()).and_then(|found| this.judged(found));
            match found {
                Ok(found) => Ok(Box::new(found.into_iter()) as Addrs),
                Err(reason) => {
                    tracing::debug!(name = name.as_str(), reason, "a webhook is not told");
                    Err(Forbidden::Name(name.as_str().to_owned()).into())
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_however_it_is_written() {
        let resolver = Resolver::default();
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[::ffff:a00:1]:8080/x",
            "https://169.254.169.254/latest/meta-data/",
            "http://0/",
            "http://user:password@10.0.0.1/",
            "http://[fe80::1]/",
            "http://192.168.1.1.",
            "http://\u{ff11}27.0.0.1/",
            "http://127.0.0.1:80@10.0.0.1/",
        ] {
            let parsed = Url::parse(url).unwrap();
            assert!(matches!(resolver.judge_url(&parsed), Err(Forbidden::Address(..))), "{url} is {parsed}");
        }
        for url in ["file:///etc/passwd", "ftp://example.org/", "gopher://127.0.0.1/", "data:text/plain,x"] {
            assert_eq!(resolver.judge_url(&Url::parse(url).unwrap()), Err(Forbidden::Url), "{url}");
        }
        for url in ["https://hooks.example.org/nizam", "http://8.8.8.8/", "http://[2606:4700::1111]/"] {
            assert_eq!(resolver.judge_url(&Url::parse(url).unwrap()), Ok(()), "{url}");
        }
    }

    #[test]
    fn an_address_of_this_machine_is_known() {
        assert!(own("127.0.0.1".parse().unwrap()));
        assert!(!own("192.0.2.1".parse().unwrap()) && !own("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn one_forbidden_address_among_several_forbids_all() {
        let judged = |addresses: &[&str]| {
            let found =
                addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect();
            Resolver::new("10.9.0.0/16".parse().unwrap()).judged(found).is_ok()
        };
        assert!(judged(&["8.8.8.8", "2606:4700::1111", "10.9.1.1"]));
        for addresses in [&["8.8.8.8", "10.0.0.1"][..], &["10.9.1.1", "::1"], &["fd00::1", "8.8.8.8"], &[]] {
            assert!(!judged(addresses), "{addresses:?}");
        }
    }

    #[test]
    fn an_allowed_network_does_not_lead_to_this_machine() {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        // Where there is a way out at all.
        if socket.connect("192.0.2.1:9").is_ok() {
            let address = socket.local_addr().unwrap().ip();
            let allowed = |networks: &str| Resolver::new(networks.parse().unwrap());
            assert!(own(address) && allowed("0.0.0.0/0").judge(address).is_err(), "{address}");
            assert_eq!(allowed(&address.to_string()).judge(address), Ok(()));
            if let IpAddr::V4(address) = address {
                let [a, b, c, d] = address.octets().map(u16::from);
                let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a << 8 | b, c << 8 | d);
                assert!(allowed("::/0").judge(nat64.into()).is_err(), "{nat64}");
            }
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_looked_up_in_vain() {
        let name = || "localhost".parse::<Name>().unwrap();
        let error = Resolver::default().resolve(name()).await.err().unwrap().to_string();
        assert_eq!(error, "localhost has no address that a webhook may reach (webhook_networks)");
        // Nobody's addresses are this machine's.
        let all = Resolver::new("0.0.0.0/0, ::/0".parse().unwrap());
        for address in ["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"] {
            assert!(all.judge(address.parse().unwrap()).is_err(), "{address}");
        }
        assert_eq!(all.judge("127.9.9.9".parse().unwrap()), Ok(()));
        let allowed = Resolver::new("127.0.0.0/8,::1".parse().unwrap());
        assert!(allowed.resolve(name()).await.unwrap().count() > 0);
    }
}
