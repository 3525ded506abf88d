//! Device profiles: phones and what they are told at their start.

use super::field::{Default, Field, Kind, Refers, Values};
use super::reference::Target;
use super::{Access, Resource};
use crate::model::{Permission as P, vendor_of_mac};
use crate::validate::rule::{LINES, MAC, PLAIN, mac_key};
use crate::validate::{Errors, Presence};

/// Device profiles.
pub const DEVICE_PROFILE: Resource = Resource {
    model: "DeviceProfile",
    label: "Device profile",
    table: "device_profiles",
    path: "device-profiles",
    parameter: "device_profile",
    access: Access {
        view: P::DeviceProfilesView,
        create: P::DeviceProfilesCreate,
        update: P::DeviceProfilesUpdate,
        delete: P::DeviceProfilesDelete,
    },
    quota: None,
    record: None,
    by_upload: false,
    lenient: false,
    order: ("name", false),
    rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN.such_as("Desk phone"))).filter().sort(),
        Field {
            on_create: Some(Presence::Nullable),
            ..Field::nullable("vendor", Kind::Text(PLAIN.such_as("yealink")))
        }
        .filter()
        .about("The maker; it may be left out where the MAC address tells it."),
        Field::nullable("mac_address", Kind::Text(MAC)).filter().folded(mac_key),
        Field::nullable("template", Kind::Text(LINES))
            .hidden()
            .about("What the phone gets, with `{{NAMES}}` to be filled in; shown with `include_template=1`."),
        Field::nullable("extension_id", Kind::Id(Refers::To(Target::Extension))).filter(),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

/// Somebody must know the maker.
fn rules(values: &Values, errors: &mut Errors) {
    let text = |name: &str| values.get(name).and_then(serde_json::Value::as_str);
    if text("vendor").is_none() && text("mac_address").and_then(vendor_of_mac).is_none() {
        errors.push("vendor", "The vendor field is required.");
    }
}
