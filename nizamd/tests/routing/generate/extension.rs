//! Random extensions.

use super::{INACTIVE, Ids, text};
use crate::model::{Extension, Model};
use crate::random::Random;

/// Numbers that every tenant may have; one is also an emergency number, some are numbers of the public network.
pub(super) const NUMBERS: &[&str] = &[
    "100",
    "101",
    "102",
    "200",
    "2000",
    "Alice",
    "bob",
    "A-7",
    "*55",
    "112",
    "1001",
    "030123456",
    "4930123456",
    "12",
];
/// Classes of service.
pub(super) const CLASSES: &[&str] =
    &["local", "national", "mobile", "toll_free", "international", "premium", "emergency"];

pub(super) fn rows(random: &Random, model: &mut Model, ids: &Ids) {
    let mut numbers: Vec<&str> = NUMBERS.to_vec();
    for &id in &ids.extensions {
        // The first numbers are those that calls know best.
        let near = random.below(numbers.len().min(if random.percent(70) { 4 } else { 14 }));
        let number = numbers.remove(near);
        let outside =
            random.one(&["+15551001001", "030 1234567", "5551001001", "0049 30 1234567", "12", "Desk", "$1"]);
        model.extensions.push(Extension {
            id,
            tenant_id: ids.tenant,
            number: number.to_owned(),
            first_name: text::text(random),
            last_name: text::text(random),
            effective_caller_id_name: text::maybe(random, 40),
            effective_caller_id_number: text::maybe(random, 40),
            outbound_caller_id_name: text::maybe(random, 40),
            outbound_caller_id_number: random.percent(50).then(|| outside.to_owned()),
            voicemail_enabled: random.percent(50),
            is_active: !random.percent(INACTIVE),
            toll_allow: random.percent(60).then(|| random.some(CLASSES, CLASSES.len())),
            max_channels: if random.percent(20) { random.within(1, 9) } else { 0 },
            ring_timeout: random.percent(30).then(|| random.within(5, 300)),
        });
    }
}
