//! The image reader on bytes that were never an image, and on images of which some bytes were changed and the
//! checksum made right: only a broken writer makes those, and they must still not be followed out of the image.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nizam_engine::{DialplanQuestion, DirectoryQuestion, Engine, Layers, Origin};
use nizam_wire::image::{Image, Kind, ONLY, PLATFORM, Scope, merge, scope};
use nizam_wire::record::{Classes, Extension, PairsBuf, State, Tenant};
use nizam_wire::Builder;
use std::sync::{Arc, LazyLock};

const TENANT: Scope = [1; 16];

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut variables = PairsBuf::default();
    variables.push("user_context", "d.example");
    let tenant = Tenant {
        id: TENANT,
        domain: "d.example",
        state: State::Open,
        ring_timeout: 30,
        dial_string: "{x=\u{1}}",
        variables: variables.as_pairs(),
        variables_xml: "",
    };
    let mut builder = Builder::base(1, 2);
    builder.put(Kind::Domain, PLATFORM, b"d.example", Some(&tenant.id)).unwrap();
    builder.put(Kind::Tenant, tenant.id, ONLY, Some(&tenant.encode())).unwrap();
    for number in ["1001", "1002", "1003"] {
        let extension = Extension {
            id: [2; 16],
            number,
            password: "password",
            full_name: "Ann",
            effective_caller_id_name: "",
            effective_caller_id_number: "",
            outbound_caller_id_name: "",
            outbound_caller_id_number: "",
            voicemail: true,
            voicemail_pin: "1234",
            toll_allow: Classes::default(),
            max_channels: 0,
            ring_timeout: 0,
        };
        builder.put(Kind::Extension, TENANT, number.as_bytes(), Some(&extension.encode())).unwrap();
    }
    builder.put(Kind::Network, TENANT, b"1001", Some(b"10.0.0.0/8")).unwrap();
    builder.finish().unwrap()
});

fuzz_target!(|input: (Vec<(u16, u64, u8)>, u16, Vec<u8>)| {
    let (patches, cut, bytes) = input;
    let _ = Image::from_vec(bytes);
    let mut mended = GOOD.clone();
    mended.truncate(mended.len() - usize::from(cut) % 256);
    for (at, value, width) in patches {
        let at = usize::from(at) % mended.len();
        for (place, byte) in mended[at..].iter_mut().zip(value.to_le_bytes()).take(usize::from(width % 8) + 1) {
            *place = byte;
        }
    }
    let length = mended.len() as u64;
    mended[16..24].copy_from_slice(&length.to_le_bytes());
    let checksum = xxhash_rust::xxh3::xxh3_64(&mended[32..]);
    mended[24..32].copy_from_slice(&checksum.to_le_bytes());
    let bound = mended.len();
    let Ok(image) = Image::from_vec(mended) else { return };
    assert!(image.iter().count() <= bound);
    let _ = image.sample(checksum);
    let _ = merge(&[&image, &image]);
    let _ = scope([&image].into_iter(), &PLATFORM, Kind::Domain).count();
    let mut keys: Vec<Vec<u8>> = image.iter().take(6).map(|entry| entry.key.to_vec()).collect();
    keys.extend([b"d.example".to_vec(), b"1001".to_vec()]);
    let engine = Engine::default();
    engine.live.publish(Layers::new(vec![Arc::new(image)], Origin::Daemon));
    for key in &keys {
        for user in &keys {
            let question = DirectoryQuestion::user(user, key);
            let _ = engine.directory(&question, &mut Vec::new());
            let route =
                DialplanQuestion { context: Some(key), number: Some(user), ..DialplanQuestion::default() };
            if let Some(route) = engine.dialplan(&route) {
                let _ = route.write(&mut Vec::new());
            }
        }
    }
    let _ = engine.directory(&DirectoryQuestion::default(), &mut Vec::new());
});
