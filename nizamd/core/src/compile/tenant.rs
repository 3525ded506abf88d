//! Tenants: the record that every lookup reads, and what only routing needs.

use jiff::tz::TimeZone;
use nizam_wire::image::{ONLY, PLATFORM};
use nizam_wire::record::{self, ListBuf, PairsBuf, State, USER_MARK};
use nizam_wire::{Builder, Kind};
use serde_json::Value;

use super::{BuildError, Routing};
use crate::country::emergency_numbers;
use crate::model::{Tenant, TenantStatus};
use crate::validate::known;

/// The sofia profile that phones register with.
const PHONE_PROFILE: &str = "internal";

/// How long an extension rings where the tenant's setting `ring_timeout` says nothing else, in seconds.
const RING_TIMEOUT: u16 = 30;

/// Adds a tenant's record, and what leads to it from its domain.
pub fn tenant(builder: &mut Builder, tenant: &Tenant) -> Result<(), BuildError> {
    let domain = tenant.domain.as_str();
    let mut variables = PairsBuf::default();
    variables.push("user_context", domain);
    variables.push("domain_name", domain);
    variables.push("nizam_tenant", &tenant.id.to_string());
    let state = match tenant.status {
        TenantStatus::Terminated => State::Closed,
        _ if !tenant.is_active => State::Closed,
        TenantStatus::Suspended => State::Suspended,
        TenantStatus::Trial | TenantStatus::Active => State::Open,
    };
    let record = record::Tenant {
        id: tenant.id.into_bytes(),
        domain,
        state,
        ring_timeout: setting(tenant, "ring_timeout", known::ring_seconds).unwrap_or(RING_TIMEOUT),
        // `%`: mod_sofia itself looks for the registration and calls its contact as a URI. With `${sofia_contact(…)}` the
        // contact, which a phone chooses, would be read as a part of the dial string: its commas would begin further legs,
        // through any endpoint (mod_sofia.c:sofia_outgoing_channel, switch_ivr_originate.c).
        dial_string: &format!(
            "{{sip_invite_domain={domain},presence_id={USER_MARK}@{domain}}}sofia/{PHONE_PROFILE}/{USER_MARK}%{domain}"
        ),
        variables: variables.as_pairs(),
        // A domain and a UUID hold nothing that cannot be written.
        variables_xml: &variables.to_xml("variable").unwrap_or_default(),
    };
    let key = domain.to_ascii_lowercase();
    builder.put(Kind::Domain, PLATFORM, key.as_bytes(), Some(&record.id))?;
    builder.put(Kind::Tenant, record.id, ONLY, Some(&record.encode()))
}

/// Adds what routing knows of a tenant.
pub fn routing(builder: &mut Builder, routing: &Routing) -> Result<(), BuildError> {
    let tenant = &routing.tenant;
    let mut policies: Vec<_> = routing.policies.iter().filter(|policy| policy.is_active).collect();
    policies.sort_unstable_by_key(|policy| (policy.priority, policy.id));
    let mut gateways: Vec<_> = routing.gateways.iter().filter(|gateway| gateway.is_active).collect();
    gateways.sort_unstable_by_key(|gateway| (&gateway.name, gateway.id));
    let limits = setting(tenant, "class_limits", known::class_limits).unwrap_or_default();
    let emergency = ListBuf::of(emergency(tenant));
    let class_limits = ListBuf::of(limits.into_iter().filter(|(_, calls)| *calls > 0));
    let policies = ListBuf::of(policies.into_iter().map(|policy| policy.id.into_bytes()));
    let gateways = ListBuf::of(gateways.into_iter().map(|gateway| gateway.id.into_bytes()));
    let zone = zone_of(tenant);
    let bound = |most: i64| u32::try_from(most).unwrap_or(0);
    let record = record::Routing {
        zone: zone.as_ref().and_then(TimeZone::iana_name).unwrap_or_default(),
        home: tenant.home(),
        max_calls: bound(tenant.max_concurrent_calls),
        calls_per_minute: bound(tenant.max_calls_per_minute),
        caller_id_number: setting(tenant, "caller_id_number", known::text).unwrap_or_default(),
        caller_id_name: setting(tenant, "caller_id_name", known::text).unwrap_or_default(),
        emergency: emergency.as_list(),
        class_limits: class_limits.as_list(),
        policies: policies.as_list(),
        gateways: gateways.as_list(),
        tts_engine: setting(tenant, "tts_engine", known::engine).unwrap_or_default(),
        tts_voice: setting(tenant, "tts_voice", known::engine).unwrap_or_default(),
    };
    builder.put(Kind::Routing, tenant.id.into_bytes(), ONLY, Some(&record.encode()))
}

/// The zone of a tenant, where it has one.
pub(super) fn zone_of(tenant: &Tenant) -> Option<TimeZone> {
    setting(tenant, "timezone", Value::as_str).and_then(crate::zone)
}

/// The tenant's own emergency numbers and those of its country, each once.
pub fn emergency(tenant: &Tenant) -> Vec<&str> {
    let mut numbers = setting(tenant, "emergency_numbers", known::emergency_numbers).unwrap_or_default();
    let country = setting(tenant, "country", Value::as_str);
    let usual = match country {
        None if !numbers.is_empty() => &[],
        country => emergency_numbers(country.unwrap_or_default()),
    };
    numbers.extend(usual);
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// A setting that means something, where it is there and fits.
fn setting<'t, T>(tenant: &'t Tenant, name: &str, read: impl FnOnce(&'t Value) -> Option<T>) -> Option<T> {
    tenant.settings.get(name).and_then(read)
}

#[cfg(test)]
mod tests {
    use nizam_wire::image::Lookup;
    use nizam_wire::record::Class;
    use serde_json::json;
    use uuid::Uuid;

    use super::super::testing::{self, ACME, find, row_tenant};
    use super::super::{GatewayRow, PolicyRow};
    use super::*;

    fn settings(value: Value) -> Tenant {
        let Value::Object(settings) = value else { panic!("no map") };
        Tenant { settings, ..row_tenant() }
    }

    #[test]
    fn a_dial_string_reads_nothing_that_a_phone_chose() {
        let image = testing::image(|builder| tenant(builder, &row_tenant()).unwrap());
        let Lookup::Value(value) = find(&image, Kind::Tenant, ACME.into_bytes(), ONLY) else {
            panic!("not found")
        };
        let dial_string = record::Tenant::decode(value).unwrap().dial_string.replace(USER_MARK, "1001");
        // `${sofia_contact(…)}` would put a registration's contact into it, commas and all.
        assert_eq!(
            dial_string,
            "{sip_invite_domain=acme.example,presence_id=1001@acme.example}sofia/internal/1001%acme.example"
        );
        let by_domain = find(&image, Kind::Domain, PLATFORM, b"acme.example");
        assert_eq!(by_domain, Lookup::Value(ACME.as_bytes()));
    }

    #[test]
    fn routing_has_what_the_settings_say_and_the_lists_in_order() {
        let policy = |id: u128, priority: i64, is_active: bool| PolicyRow {
            id: Uuid::from_u128(id),
            priority,
            is_active,
        };
        let gateway = |id: u128, name: &str, is_active: bool| GatewayRow {
            id: Uuid::from_u128(id),
            name: name.to_owned(),
            is_active,
        };
        let tenant = settings(json!({
            "timezone": "europe/berlin", "country": "de", "emergency_numbers": ["19222"], "caller_id_number": "+49301",
            "caller_id_name": "Acme", "class_limits": {"premium": 2, "local": 0}, "tts_engine": "flite", "tts_voice": "kal",
        }));
        let tenant = Tenant { max_concurrent_calls: 5, max_calls_per_minute: 9, ..tenant };
        let row = Routing {
            tenant,
            policies: vec![policy(3, 7, true), policy(2, 7, true), policy(1, 9, true), policy(9, 0, false)],
            gateways: vec![gateway(5, "b", true), gateway(6, "a", true), gateway(7, "0", false)],
        };
        let image = testing::image(|builder| routing(builder, &row).unwrap());
        let Lookup::Value(value) = find(&image, Kind::Routing, ACME.into_bytes(), ONLY) else {
            panic!("not found")
        };
        let routing = record::Routing::decode(value).unwrap();
        assert_eq!((routing.zone, routing.home), ("Europe/Berlin", crate::home("DE")));
        assert_eq!((routing.max_calls, routing.calls_per_minute), (5, 9));
        assert_eq!((routing.caller_id_number, routing.caller_id_name), ("+49301", "Acme"));
        assert_eq!((routing.tts_engine, routing.tts_voice), ("flite", "kal"));
        assert_eq!(routing.emergency.iter().collect::<Vec<_>>(), ["110", "112", "19222"]);
        assert_eq!(routing.class_limits.iter().collect::<Vec<_>>(), [(Class::Premium, 2)]);
        let ids = |ids: &[u128]| ids.iter().map(|id| id.to_be_bytes()).collect::<Vec<_>>();
        assert_eq!(routing.policies.iter().collect::<Vec<_>>(), ids(&[2, 3, 1]));
        assert_eq!(routing.gateways.iter().collect::<Vec<_>>(), ids(&[6, 5]));
    }

    #[test]
    fn settings_that_nobody_understands_are_not_there() {
        let wild = settings(json!({
            "timezone": "Mars/Olympus", "country": "Utopia", "emergency_numbers": "all", "caller_id_number": 7,
            "class_limits": [1], "tts_engine": "a|b", "ring_timeout": "soon",
        }));
        let row = Routing { tenant: wild, policies: vec![], gateways: vec![] };
        let image = testing::image(|builder| routing(builder, &row).unwrap());
        let Lookup::Value(value) = find(&image, Kind::Routing, ACME.into_bytes(), ONLY) else {
            panic!("not found")
        };
        let routing = record::Routing::decode(value).unwrap();
        assert_eq!(
            (routing.zone, routing.home, routing.caller_id_number, routing.tts_engine),
            ("", None, "", "")
        );
        assert_eq!(routing.emergency.iter().collect::<Vec<_>>(), ["000", "112", "911", "999"]);
        assert_eq!(routing.class_limits.iter().count(), 0);
    }

    #[test]
    fn own_emergency_numbers_stand_alone_without_a_country() {
        assert_eq!(emergency(&settings(json!({"emergency_numbers": ["144"]}))), ["144"]);
        assert_eq!(emergency(&settings(json!({"country": "US"}))), ["911"]);
        assert_eq!(
            emergency(&settings(json!({"country": "US", "emergency_numbers": ["911", "912"]}))),
            ["911", "912"]
        );
        assert_eq!(emergency(&settings(json!({}))), ["000", "112", "911", "999"]);
    }
}
