//! The tenant's wall clock.

use crate::civil::Civil;
use crate::{Layers, Scoped, schedule};
use nizam_wire::Kind;
use nizam_wire::image::PLATFORM;
use nizam_wire::record::{Holiday, List, TimeRule, Zone};

/// What the clock on the wall of a zone shows; UTC where the zone is not known.
pub(super) fn at(layers: &Layers, zone: &str, moment: i64) -> Civil {
    let record = if zone.is_empty() { None } else { layers.get(Kind::Zone, &PLATFORM, zone.as_bytes()) };
    let offset = record.and_then(|value| Zone::decode(value).ok()).map_or(0, |zone| zone.offset(moment));
    Civil::at(moment, offset)
}

/// Whether one of the rules holds.
pub(super) fn any_holds(own: &Scoped<'_>, rules: &List<'_, TimeRule>, now: Civil) -> bool {
    let calendar = |id: &[u8; 16]| Holiday::decode(own.get(Kind::Holiday, id)?).ok();
    rules.iter().any(|rule| schedule::holds(&rule, now, calendar))
}
