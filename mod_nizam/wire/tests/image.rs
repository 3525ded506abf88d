//! Images as a whole: what is written comes back, and nothing damaged is taken.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use nizam_wire::image::{self, Builder, HEADER_LEN, Image, ImageError, Kind, Lookup, ONLY, PLATFORM, Scope};
use nizam_wire::record::{PairsBuf, State, Tenant};

const SEED: u64 = 0x5EED;
const T1: Scope = [1; 16];
const T2: Scope = [2; 16];

fn look<'a>(image: &'a Image, kind: Kind, scope: &Scope, key: &[u8]) -> Lookup<'a> {
    image.get(image::hash(image.header().seed, kind, scope, key).unwrap(), kind, scope, key)
}

fn open(builder: Builder) -> Image {
    Image::from_vec(builder.finish().unwrap()).unwrap()
}

fn tenant(id: Scope) -> Vec<u8> {
    let pairs = PairsBuf::default();
    let variables = pairs.as_pairs();
    Tenant {
        id,
        domain: "d",
        state: State::Open,
        ring_timeout: 30,
        dial_string: "",
        variables,
        variables_xml: "",
    }
    .encode()
}

fn small() -> Vec<u8> {
    let mut builder = Builder::base(42, SEED);
    builder.put(Kind::Domain, PLATFORM, b"one.example", Some(&T1)).unwrap();
    builder.put(Kind::Tenant, T1, ONLY, Some(&tenant(T1))).unwrap();
    builder.put(Kind::Extension, T1, b"1001", Some(b"alice")).unwrap();
    builder.put(Kind::Extension, T1, b"1002", Some(b"")).unwrap();
    builder.finish().unwrap()
}

#[test]
fn every_record_is_found_and_nothing_else() {
    let mut builder = Builder::base(1, SEED);
    for n in 0..5000_u32 {
        let scope = if n % 2 == 0 { T1 } else { T2 };
        builder.put(Kind::Extension, scope, n.to_string().as_bytes(), Some(&n.to_le_bytes())).unwrap();
    }
    let image = open(builder);
    assert_eq!(image.header().record_count, 5000);
    for n in 0..5000_u32 {
        let (own, other) = if n % 2 == 0 { (T1, T2) } else { (T2, T1) };
        let key = n.to_string();
        assert_eq!(look(&image, Kind::Extension, &own, key.as_bytes()), Lookup::Value(&n.to_le_bytes()));
        assert_eq!(look(&image, Kind::Extension, &other, key.as_bytes()), Lookup::Absent);
        assert_eq!(look(&image, Kind::Gateway, &own, key.as_bytes()), Lookup::Absent);
    }
    assert_eq!(look(&image, Kind::Extension, &T1, b"5000"), Lookup::Absent);
    assert_eq!(image.scope(&T1, Kind::Extension).count(), 2500);
    assert!(image.scope(&T1, Kind::Extension).all(|entry| entry.scope == T1));
    assert_eq!(image.scope(&[3; 16], Kind::Extension).count(), 0);
    assert_eq!(image.iter().count(), 5000);
}

#[test]
fn the_record_added_last_counts_and_order_does_not_matter() {
    let mut builder = Builder::base(1, SEED);
    builder.put(Kind::Extension, T2, b"9", Some(b"old")).unwrap();
    builder.put(Kind::Extension, T1, b"5", Some(b"five")).unwrap();
    builder.put(Kind::Extension, T2, b"9", Some(b"new")).unwrap();
    let image = open(builder);
    assert_eq!(image.header().record_count, 2);
    assert_eq!(look(&image, Kind::Extension, &T2, b"9"), Lookup::Value(b"new"));
    assert_eq!(look(&image, Kind::Extension, &T1, b"5"), Lookup::Value(b"five"));
}

#[test]
fn an_empty_image_answers_absent() {
    let image = open(Builder::base(3, SEED));
    assert_eq!(look(&image, Kind::Domain, &PLATFORM, b"x"), Lookup::Absent);
    assert_eq!(image.iter().count(), 0);
    assert_eq!(image.sample(7), None);
}

#[test]
fn keys_and_values_out_of_bounds_are_refused() {
    let mut builder = Builder::base(1, SEED);
    assert!(builder.put(Kind::Extension, T1, b"", Some(b"x")).is_err());
    assert!(builder.put(Kind::Extension, T1, &[b'1'; 256], Some(b"x")).is_err());
    assert!(builder.put(Kind::Extension, T1, b"1", Some(&vec![0; image::MAX_VALUE + 1])).is_err());
    assert!(builder.put(Kind::Extension, T1, &[b'1'; 255], Some(&vec![0; image::MAX_VALUE])).is_ok());
    assert_eq!(image::hash(SEED, Kind::Extension, &T1, &[b'1'; 256]), None, "no image has such a key");
}

#[test]
fn merging_keeps_the_newest_and_a_base_forgets_deletions_and_orphans() {
    let mut base = Builder::base(1, SEED);
    base.put(Kind::Tenant, T1, ONLY, Some(&tenant(T1))).unwrap();
    base.put(Kind::Tenant, T2, ONLY, Some(&tenant(T2))).unwrap();
    base.put(Kind::Extension, T1, b"1", Some(b"a")).unwrap();
    base.put(Kind::Extension, T1, b"2", Some(b"b")).unwrap();
    base.put(Kind::Extension, T2, b"1", Some(b"c")).unwrap();
    let base = open(base);
    let mut first = Builder::overlay(2, SEED);
    first.put(Kind::Extension, T1, b"1", None).unwrap();
    first.put(Kind::Extension, T1, b"2", Some(b"b2")).unwrap();
    let first = open(first);
    let mut second = Builder::overlay(3, SEED);
    second.put(Kind::Extension, T1, b"3", Some(b"n")).unwrap();
    second.put(Kind::Tenant, T2, ONLY, None).unwrap();
    let second = open(second);

    let overlay = Image::from_vec(image::merge(&[&second, &first]).unwrap()).unwrap();
    assert!(overlay.header().overlay);
    assert_eq!(overlay.header().generation, 3);
    assert_eq!(look(&overlay, Kind::Extension, &T1, b"1"), Lookup::Gone);
    assert_eq!(look(&overlay, Kind::Tenant, &T2, ONLY), Lookup::Gone);

    for layers in [vec![&second, &first, &base], vec![&overlay, &base]] {
        let merged = Image::from_vec(image::merge(&layers).unwrap()).unwrap();
        assert!(!merged.header().overlay);
        assert_eq!(look(&merged, Kind::Extension, &T1, b"1"), Lookup::Absent);
        assert_eq!(look(&merged, Kind::Extension, &T1, b"2"), Lookup::Value(b"b2"));
        assert_eq!(look(&merged, Kind::Extension, &T1, b"3"), Lookup::Value(b"n"));
        assert_eq!(look(&merged, Kind::Extension, &T2, b"1"), Lookup::Absent, "its tenant is gone");
        assert_eq!(merged.header().record_count, 3);
        let walked: Vec<_> =
            image::scope(layers.iter().copied(), &T1, Kind::Extension).map(|e| e.key.to_vec()).collect();
        assert_eq!(walked, [b"2".to_vec(), b"3".to_vec()]);
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let good = small();
    assert!(Image::from_vec(good.clone()).is_ok());
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            assert!(Image::from_vec(bad).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn a_truncation_anywhere_is_refused() {
    let good = small();
    for length in 0..good.len() {
        assert!(Image::from_vec(good[..length].to_vec()).is_err(), "first {length} bytes");
    }
    let mut longer = good;
    longer.push(0);
    assert!(matches!(Image::from_vec(longer), Err(ImageError::WrongLength { .. })));
}

#[test]
fn each_kind_of_wrong_image_is_told_apart() {
    let good = small();
    let with = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        Image::from_vec(bad).unwrap_err()
    };
    assert_eq!(Image::from_vec(b"hello".to_vec()).unwrap_err(), ImageError::TooShort(5));
    assert_eq!(with(0, b"ELF"), ImageError::WrongMagic);
    assert_eq!(with(8, &9_u32.to_le_bytes()), ImageError::WrongVersion(9));
    assert_eq!(with(12, &0x0A0B_0C0D_u32.to_be_bytes()), ImageError::WrongByteOrder);
    assert!(matches!(with(16, &1_u64.to_le_bytes()), ImageError::WrongLength { stated: 1, .. }));
    assert!(matches!(with(HEADER_LEN, &[9]), ImageError::Corrupt { .. }));
}

/// With a right checksum and wrong content only a broken writer could make this; it must still not be followed
/// out of the image.
#[test]
fn offsets_that_lead_outside_are_not_followed() {
    let good = small();
    for at in 40..good.len() {
        for value in [0x00, 0x7F, 0xFF] {
            let mut bad = good.clone();
            bad[at] = value;
            let checksum = xxhash_rust::xxh3::xxh3_64(&bad[32..]);
            bad[24..32].copy_from_slice(&checksum.to_le_bytes());
            // A header whose numbers cannot be true is refused; what it leaves is checked at every step.
            let Ok(image) = Image::from_vec(bad) else {
                // The platform's table is read with the header.
                assert!(at < HEADER_LEN + 32, "byte {at}");
                continue;
            };
            let _ = image::merge(&[&image, &image]);
            let _ = look(&image, Kind::Extension, &T1, b"1001");
            let _ = look(&image, Kind::Domain, &PLATFORM, b"one.example");
            assert!((0..8).filter_map(|pick| image.sample(pick << 32 | pick)).count() <= 8);
            let near = image.iter().next().map_or(9, |entry| entry.near);
            let _ = image.table_near(near, &T1);
            assert!(image.iter().count() <= 5 && image.scope(&T1, Kind::Extension).count() <= 4);
        }
    }
}

#[test]
fn a_record_of_the_platform_leads_to_the_table_of_its_tenant() {
    let put = |builder: &mut Builder, domain: &[u8], tenant: Scope| {
        builder.put(Kind::Domain, PLATFORM, domain, Some(&tenant)).unwrap();
    };
    let mut base = Builder::base(1, SEED);
    for (domain, id) in [(b"one", T1), (b"two", T2)] {
        put(&mut base, domain, id);
        base.put(Kind::Tenant, id, ONLY, Some(&tenant(id))).unwrap();
    }
    base.put(Kind::Extension, T2, b"7", Some(b"seven")).unwrap();
    let mut overlay = Builder::overlay(2, SEED);
    put(&mut overlay, b"zwei", T2);
    overlay.put(Kind::Domain, PLATFORM, b"two", None).unwrap();
    let (base, overlay) = (open(base), open(overlay));
    let domain = |image: &Image, domain: &[u8]| {
        image.scope(&PLATFORM, Kind::Domain).find(|e| e.key == domain).map(|e| e.near)
    };
    let merged = Image::from_vec(image::merge(&[&overlay, &base]).unwrap()).unwrap();
    for (image, name) in [(&base, &b"two"[..]), (&merged, b"zwei")] {
        let near = domain(image, name).unwrap();
        let table = image.table_near(near, &T2).unwrap();
        assert_eq!(Some(table), image.table(&T2));
        let hash = image::hash(SEED, Kind::Extension, &T2, b"7").unwrap();
        assert_eq!(image.find(&table, hash, Kind::Extension, b"7").unwrap().value, Some(&b"seven"[..]));
        assert_eq!(image.table_near(near, &T1), None, "it is another's");
        assert_eq!((image.table_near(0, &T2), image.table_near(near + 1, &T2)), (None, None));
    }
    assert_eq!(domain(&overlay, b"zwei"), Some(0), "it has nothing of the tenant");
    assert_eq!(domain(&merged, b"two"), None);
}
