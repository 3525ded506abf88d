//! Menus.

use nizam_wire::record::{self, Destination, ListBuf};

use super::destination::{self, of_reference};
use super::prompt;
use crate::resource::{Record, ivr_options};

/// A menu.
pub(super) fn ivr(record: &Record) -> Vec<u8> {
    let small = |name: &str, usual: u16| {
        record.value(name).as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(usual)
    };
    let options = ivr_options(record.value("options"));
    let options: Vec<(&str, Destination)> = options
        .iter()
        .filter_map(|(digit, reference)| Some((digit.as_str(), of_reference(reference)?)))
        .collect();
    let options = ListBuf::of(options);
    record::Ivr {
        greet_long: prompt::read(record.text("greet_long")),
        greet_short: prompt::read(record.text("greet_short")),
        timeout: small("timeout", 5),
        max_failures: small("max_failures", 3),
        direct_dial: record.is("direct_dial"),
        options: options.as_list(),
        on_timeout: destination::of(record, "timeout_"),
    }
    .encode()
}

#[cfg(test)]
mod tests {
    use nizam_wire::record::{DestinationKind, Prompt};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::super::testing::record as row;
    use super::*;

    const A: Uuid = Uuid::from_u128(0xa);

    #[test]
    fn both_forms_of_options_make_the_same_menu() {
        let list = json!([
            {"digit": 1, "destination_type": "extension", "destination_id": A},
            {"digit": "#", "type": "queue", "id": A},
            {"digit": "2", "destination_type": "moon", "destination_id": A},
        ]);
        let map = json!({"1": {"type": "extension", "id": A}, "#": {"destination_type": "queue", "destination_id": A}});
        let of = |options: Value| {
            let bytes = ivr(&row(json!({
                "greet_long": "ivr/welcome.wav", "greet_short": A, "timeout": 7, "max_failures": 2, "direct_dial": true,
                "options": options, "timeout_destination_type": "extension", "timeout_destination_id": A,
            })));
            let menu = record::Ivr::decode(&bytes).unwrap();
            assert_eq!((menu.timeout, menu.max_failures, menu.direct_dial), (7, 2, true));
            assert_eq!(menu.greet_long, Prompt::File("ivr/welcome.wav"));
            assert_eq!(menu.greet_short, Prompt::Uploaded(A.into_bytes()));
            assert!(menu.on_timeout.is_some());
            let mut options: Vec<_> =
                menu.options.iter().map(|(digit, to)| (digit.to_owned(), to.kind)).collect();
            options.sort();
            options
        };
        let want = [("#".to_owned(), DestinationKind::Queue), ("1".to_owned(), DestinationKind::Extension)];
        assert_eq!(of(list), want);
        assert_eq!(of(map), want);
    }
}
