//! A range of ports for one test, so that suites of several processes run side by side.

use std::{
    net::{TcpListener, UdpSocket},
    sync::atomic::{AtomicU16, Ordering},
};

/// Ports of one block; held by a listener on its first port until dropped.
pub(crate) struct Ports {
    base: u16,
    /// So many ports were asked for by sipps.
    asked: AtomicU16,
    _claim: TcpListener,
}

/// Below the range from which Linux takes the ports of outgoing connections (32768 and up).
const FIRST: u16 = 18_000;
const BLOCK: u16 = 200;
const BLOCKS: u16 = 70;

impl Ports {
    /// Claims a block in which the fixed ports are free.
    pub(crate) fn claim() -> Self {
        let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap();
        (0..BLOCKS)
            .map(|n| FIRST + (start + n) % BLOCKS * BLOCK)
            .find_map(|base| {
                let claim = TcpListener::bind(("127.0.0.1", base)).ok()?;
                let free = (base + 1..base + 60).all(|port| {
                    UdpSocket::bind(("127.0.0.1", port)).is_ok()
                        && TcpListener::bind(("127.0.0.1", port)).is_ok()
                });
                free.then_some(Self { base, asked: AtomicU16::new(0), _claim: claim })
            })
            .expect("no block of free ports on this machine")
    }

    pub(crate) fn sip_internal(&self) -> u16 {
        self.base + 1
    }

    pub(crate) fn sip_external(&self) -> u16 {
        self.base + 2
    }

    pub(crate) fn event_socket(&self) -> u16 {
        self.base + 3
    }

    pub(crate) fn rest(&self) -> u16 {
        self.base + 4
    }

    /// A port where nobody listens.
    pub(crate) fn dead(&self) -> u16 {
        self.base + 9
    }

    /// Four ports for phone `n`: SIP, the next one which baresip binds too, and its control socket.
    pub(crate) fn phone(&self, n: u16) -> u16 {
        assert!(n < 5, "a block has ports for five phones");
        self.base + 10 + 4 * n
    }

    /// A local port for a sipp. They come round; one that stays keeps its own.
    pub(crate) fn sipp(&self) -> u16 {
        (0..30)
            .map(|_| self.base + 30 + self.asked.fetch_add(1, Ordering::Relaxed) % 30)
            .find(|port| UdpSocket::bind(("127.0.0.1", *port)).is_ok())
            .expect("a block has ports for thirty sipps")
    }

    /// The range of media ports of the switch.
    pub(crate) fn switch_media(&self) -> (u16, u16) {
        (self.base + 60, self.base + 99)
    }

    /// The last media port of the switch where no phone has any.
    pub(crate) fn last_media(&self) -> u16 {
        self.base + BLOCK - 1
    }

    /// The range of media ports of phone `n`.
    pub(crate) fn phone_media(&self, n: u16) -> (u16, u16) {
        (self.base + 100 + 20 * n, self.base + 119 + 20 * n)
    }
}
