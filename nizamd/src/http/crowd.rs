//! How many connections each address has: one that holds all would keep everybody else out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::limits::customer;
use super::proxies::Proxies;

/// Who is connected.
pub(super) struct Crowd {
    /// Connections of one address; 0: as many as there are.
    most: u32,
    /// Behind these are many clients.
    proxies: Proxies,
    seats: Mutex<HashMap<IpAddr, u32>>,
}

/// A connection's place. It is free again when this is dropped.
pub(super) struct Seat {
    crowd: Arc<Crowd>,
    /// `None`: not counted.
    customer: Option<IpAddr>,
}

impl Crowd {
    pub(super) fn new(most: u32, proxies: Proxies) -> Self {
        Self { most, proxies, seats: Mutex::default() }
    }

    /// A place for a connection from there, unless that address has all of its places.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Seat> {
        if self.most == 0 || self.proxies.has(peer) {
            return Some(Seat { crowd: Arc::clone(self), customer: None });
        }
        let customer = customer(peer);
        let mut seats = self.seats.lock();
        let taken = seats.entry(customer).or_default();
        if *taken >= self.most {
            return None;
        }
        *taken += 1;
        Some(Seat { crowd: Arc::clone(self), customer: Some(customer) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(customer) = self.customer else { return };
        let mut seats = self.crowd.seats.lock();
        if let Some(taken) = seats.get_mut(&customer) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                seats.remove(&customer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_places_and_no_more() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let crowd = Arc::new(Crowd::new(2, Proxies::new(vec![address("10.0.0.1")])));
        let first = crowd.enter(address("192.0.2.1")).unwrap();
        let _second = crowd.enter(address("::ffff:192.0.2.1")).unwrap();
        assert!(crowd.enter(address("192.0.2.1")).is_none());
        assert!(crowd.enter(address("192.0.2.2")).is_some(), "others have theirs");
        drop(first);
        assert!(crowd.enter(address("192.0.2.1")).is_some(), "a place is free again");
        let proxied: Vec<_> = (0..9).map_while(|_| crowd.enter(address("10.0.0.1"))).collect();
        assert_eq!(proxied.len(), 9, "behind a proxy are many");
        let _network: Vec<_> =
            ["2001:db8::1", "2001:db8::2"].iter().filter_map(|text| crowd.enter(address(text))).collect();
        assert!(crowd.enter(address("2001:db8::3")).is_none(), "one customer has a whole /64");
        drop(proxied);
        assert_eq!(crowd.seats.lock().len(), 2, "nobody is remembered who is gone");
    }
}
