//! Both ends of the link on whatever a socket may bring, in pieces of every size.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nizam_wire::link::{DaemonSession, FromModule, Hello, ModuleSession, Welcome, preamble};

fuzz_target!(|bytes: &[u8]| {
    let Some((&piece, bytes)) = bytes.split_first() else { return };
    let piece = usize::from(piece).max(1);
    for greeted in [false, true] {
        let mut module = ModuleSession::<u8>::new(Hello::default());
        let mut daemon = DaemonSession::<u8>::new(Welcome::default());
        if greeted {
            module.input(&preamble(), []);
            daemon.input(&preamble());
        }
        for part in bytes.chunks(piece) {
            module.input(part, [1]);
            while let Ok(Some(_)) = module.poll() {}
        }
        for part in bytes.chunks(piece) {
            daemon.input(part);
            while let Ok(Some(_)) = daemon.poll() {}
        }
        while module.outbox().take().is_some() {}
        while daemon.outbox().take().is_some() {}
    }
    // A message that can be read is one that can be written again.
    let mut decoder = nizam_wire::link::Decoder::<FromModule>::default();
    decoder.push(&preamble());
    decoder.push(bytes);
    while let Ok(Some(_)) = decoder.message() {}
});
