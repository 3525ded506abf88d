//! The two ends of the link against each other and against garbage, without a socket.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use nizam_wire::link::{
    DaemonEvent, DaemonSession, Decoder, FromDaemon, Hello, LinkError, MAX_FRAME, ModuleEvent, ModuleSession,
    Outbox, Welcome, preamble,
};

fn drain<F>(outbox: &mut Outbox<F>) -> (Vec<u8>, Vec<F>) {
    let (mut bytes, mut descriptors) = (Vec::new(), Vec::new());
    while let Some(chunk) = outbox.take() {
        bytes.extend(chunk.bytes);
        descriptors.extend(chunk.descriptor);
    }
    (bytes, descriptors)
}

#[test]
fn a_conversation_byte_by_byte() {
    let hello = Hello { switch_name: "fs1".into(), generation: 3, layers: vec![1, 2], ..Hello::default() };
    let mut module = ModuleSession::<u32>::new(hello.clone());
    let mut daemon = DaemonSession::<u32>::new(Welcome { daemon_version: "0.1.0".into() });
    for byte in drain(module.outbox()).0 {
        assert_eq!(daemon.poll(), Ok(None));
        daemon.input(&[byte]);
    }
    assert_eq!(daemon.poll(), Ok(Some(DaemonEvent::Hello(hello))));
    daemon.image(77, 5);
    daemon.stack(9, vec![77, 1]);
    daemon.ping(4);
    let (bytes, descriptors) = drain(daemon.outbox());
    module.input(&[], descriptors);
    let mut events = Vec::new();
    for byte in bytes {
        module.input(&[byte], []);
        events.extend(module.poll().unwrap());
    }
    assert_eq!(
        events,
        [
            ModuleEvent::Welcome(Welcome { daemon_version: "0.1.0".into() }),
            ModuleEvent::Image { id: 77, memory: 5 },
            ModuleEvent::Stack { generation: 9, layers: vec![77, 1] },
        ]
    );
    module.applied(9);
    module.refused(10, "damaged".into());
    daemon.input(&drain(module.outbox()).0);
    assert_eq!(daemon.poll(), Ok(Some(DaemonEvent::Pong(4))));
    assert_eq!(daemon.poll(), Ok(Some(DaemonEvent::Applied { generation: 9 })));
    assert_eq!(daemon.poll(), Ok(Some(DaemonEvent::Refused { generation: 10, reason: "damaged".into() })));
    assert_eq!(daemon.poll(), Ok(None));
}

#[test]
fn another_protocol_another_version_and_a_frame_of_four_gigabytes_are_told_apart() {
    let error = |bytes: &[u8]| {
        let mut decoder = Decoder::<FromDaemon>::default();
        decoder.push(bytes);
        decoder.message().unwrap_err()
    };
    assert_eq!(error(b"GET / HTTP/1.1\r\n"), LinkError::NotOurs);
    assert_eq!(error(b"G"), LinkError::NotOurs);
    assert_eq!(error(b"NIZAML\x09\x00"), LinkError::Version(9));
    assert!(error(b"NIZAML\x09\x00").to_string().contains("upgrade"));
    let mut frame = preamble().to_vec();
    frame.extend(u32::MAX.to_le_bytes());
    assert_eq!(error(&frame), LinkError::FrameLength(u32::MAX));
    let mut frame = preamble().to_vec();
    frame.extend(0_u32.to_le_bytes());
    assert_eq!(error(&frame), LinkError::FrameLength(0));
    let mut frame = preamble().to_vec();
    frame.extend(2_u32.to_le_bytes());
    frame.extend([0xFF, 0xFF]);
    assert_eq!(error(&frame), LinkError::BadFrame);
}

#[test]
fn messages_out_of_order_end_the_connection() {
    let mut module = ModuleSession::<u32>::new(Hello::default());
    let (hello, _) = drain(module.outbox());
    let mut daemon = DaemonSession::<u32>::new(Welcome::default());
    module.applied(1);
    daemon.input(&preamble());
    daemon.input(&drain(module.outbox()).0);
    assert_eq!(daemon.poll(), Err(LinkError::OutOfOrder("a message before the hello")));

    let mut daemon = DaemonSession::<u32>::new(Welcome::default());
    daemon.input(&hello);
    daemon.input(&hello[8..]);
    assert!(matches!(daemon.poll(), Ok(Some(DaemonEvent::Hello(_)))));
    assert_eq!(daemon.poll(), Err(LinkError::OutOfOrder("a second hello")));

    let mut module = ModuleSession::<u32>::new(Hello::default());
    let mut daemon = DaemonSession::<u32>::new(Welcome::default());
    daemon.stack(1, vec![]);
    module.input(&drain(daemon.outbox()).0, []);
    assert_eq!(module.poll(), Err(LinkError::OutOfOrder("a message before the welcome")));
}

#[test]
fn an_image_needs_its_memory_and_a_stack_is_bounded() {
    let welcomed = || {
        let mut module = ModuleSession::<u32>::new(Hello::default());
        let mut daemon = DaemonSession::<u32>::new(Welcome::default());
        daemon.input(&drain(module.outbox()).0);
        assert!(matches!(daemon.poll(), Ok(Some(DaemonEvent::Hello(_)))));
        module.input(&drain(daemon.outbox()).0, []);
        assert!(matches!(module.poll(), Ok(Some(ModuleEvent::Welcome(_)))));
        (module, daemon)
    };
    let (mut module, mut daemon) = welcomed();
    daemon.image(1, 9);
    module.input(&drain(daemon.outbox()).0, []);
    assert_eq!(module.poll(), Err(LinkError::NoDescriptor));
    let (mut module, mut daemon) = welcomed();
    daemon.stack(1, vec![0; 65]);
    module.input(&drain(daemon.outbox()).0, []);
    assert_eq!(module.poll(), Err(LinkError::TooManyLayers(65)));
}

#[test]
fn a_refusal_says_why() {
    let mut module = ModuleSession::<u32>::new(Hello::default());
    module.input(&drain(&mut DaemonSession::<u32>::reject("user 1000 may not connect")).0, []);
    assert_eq!(module.poll(), Err(LinkError::Rejected("user 1000 may not connect".into())));
}

#[test]
fn an_answer_takes_as_many_frames_as_it_needs() {
    let mut module = ModuleSession::<u32>::new(Hello::default());
    let mut daemon = DaemonSession::<u32>::new(Welcome::default());
    daemon.input(&drain(module.outbox()).0);
    assert!(matches!(daemon.poll(), Ok(Some(DaemonEvent::Hello(_)))));
    module.input(&drain(daemon.outbox()).0, []);
    assert!(matches!(module.poll(), Ok(Some(ModuleEvent::Welcome(_)))));
    // Letters of two and three bytes lie across the ends of parts.
    let long = "é€x".repeat(600_000);
    for (id, result) in [
        (1, Ok(long.clone())),
        (2, Ok(String::new())),
        (3, Err("no".to_owned())),
        (1, Ok("again".to_owned())),
    ] {
        module.reply(id, result.clone());
        let (bytes, _) = drain(module.outbox());
        assert!(
            result.as_ref().is_ok_and(|text| text.len() > MAX_FRAME as usize)
                == (bytes.len() > MAX_FRAME as usize)
        );
        daemon.input(&bytes);
        assert_eq!(daemon.poll(), Ok(Some(DaemonEvent::Reply { id, result })));
    }
    // What begins and does not end has a bound.
    let mut begin = |id: u64| {
        module.reply(id, Ok("x".repeat(MAX_FRAME as usize)));
        let (mut bytes, _) = drain(module.outbox());
        let first = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        bytes.truncate(4 + first as usize);
        bytes
    };
    for id in 0..64 {
        daemon.input(&begin(id % 3));
        assert_eq!(daemon.poll(), Ok(None));
    }
    daemon.input(&begin(9));
    assert_eq!(daemon.poll(), Err(LinkError::LongAnswer));
}
