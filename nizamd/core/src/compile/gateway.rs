//! Gateways, as mod_sofia reads them, and the lists that they are in.

use std::fmt::Write as _;
use std::net::IpAddr;

use nizam_wire::image::{ONLY, PLATFORM};
use nizam_wire::record::{self, Ids, ListBuf, PairsBuf};
use nizam_wire::{Builder, Kind};
use serde_json::Value;

use super::{BuildError, GatewayRow, delete};
use crate::resource::Record;

/// A gateway (`sofia.c:parse_gateways`).
pub(super) fn gateway(record: &Record) -> Vec<u8> {
    let (host, transport) = (host(record.text("host")), record.text("transport"));
    let port = record.value("port").as_u64().unwrap_or(5060);
    let (username, password) = (record.text("username"), record.text("password"));
    // mod_sofia knows no gateway that registers without both.
    let registers = record.is("register") && !username.is_empty() && !password.is_empty();
    let mut params = PairsBuf::default();
    params.push("proxy", &format!("{host}:{port};transport={transport}"));
    params.push("register-transport", transport);
    params.push("register", if registers { "true" } else { "false" });
    if !username.is_empty() {
        // It becomes a part of URIs; for the login it is what it is.
        params.push("username", &escaped(username));
        params.push("auth-username", username);
    }
    if !password.is_empty() {
        params.push("password", password);
    }
    if !record.text("realm").is_empty() {
        params.push("realm", record.text("realm"));
    }
    // Else the domain in From would have port and transport of the proxy.
    params.push("from-domain", &host);
    params.push("caller-id-in-from", "true");
    // Calls come to `gw+NAME`, by which mod_sofia knows the gateway; the number is in To then, and else in the request's URI.
    params.push("extension-in-contact", "false");
    params.push("extension", "auto");
    params.push("context", "public");
    let mut variables = PairsBuf::default();
    variables.push("nizam_gateway", &record.id.to_string());
    let codecs = codecs(record.value("inbound_codecs"));
    if !codecs.is_empty() {
        variables.push("absolute_codec_string", &codecs);
    }
    record::Gateway {
        tenant: record.tenant_id.into_bytes(),
        shared: record.is("shared"),
        name: &format!("{}-{}", record.id, record.version),
        params: params.as_pairs(),
        variables: variables.as_pairs(),
    }
    .encode()
}

/// A host as it stands in a URI.
fn host(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    }
}

/// A user part of a SIP URI (RFC 3261, 25.1).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*+".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _infallible = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn codecs(value: &Value) -> String {
    let names = value.as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

/// Adds the gateways from which calls come from an address.
pub(super) fn address(
    builder: &mut Builder,
    address: IpAddr,
    gateways: &[GatewayRow],
) -> Result<(), BuildError> {
    let mut ids: Vec<[u8; 16]> = active(gateways).map(|gateway| gateway.id.into_bytes()).collect();
    ids.sort_unstable();
    put(builder, Kind::Address, address.to_string().as_bytes(), ids)
}

/// Adds the gateways that every tenant may use, by name.
pub(super) fn shared(builder: &mut Builder, gateways: &[GatewayRow]) -> Result<(), BuildError> {
    let mut gateways: Vec<_> = active(gateways).collect();
    gateways.sort_unstable_by_key(|gateway| (&gateway.name, gateway.id));
    put(builder, Kind::Shared, ONLY, gateways.into_iter().map(|gateway| gateway.id.into_bytes()).collect())
}

fn active(gateways: &[GatewayRow]) -> impl Iterator<Item = &GatewayRow> {
    gateways.iter().filter(|gateway| gateway.is_active)
}

fn put(builder: &mut Builder, kind: Kind, key: &[u8], ids: Vec<[u8; 16]>) -> Result<(), BuildError> {
    if ids.is_empty() {
        return delete(builder, kind, PLATFORM, key);
    }
    builder.put(kind, PLATFORM, key, Some(&Ids(ListBuf::of(ids).as_list()).encode()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nizam_wire::image::Lookup;
    use serde_json::json;
    use uuid::Uuid;

    use super::super::testing::{self, find, record as row};
    use super::*;

    fn params(values: Value) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let bytes = gateway(&row(values));
        let record = record::Gateway::decode(&bytes).unwrap();
        let map = |pairs: record::Pairs<'_>| {
            pairs.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        (map(record.params), map(record.variables))
    }

    #[test]
    fn params_are_what_mod_sofia_reads() {
        let password = "p:a;b,c'd\"<e>&{f}[g]%h@i$j\\k";
        let (params, variables) = params(json!({
            "host": "sip.carrier.example", "port": 5061, "transport": "tls", "register": true, "username": "acme@x;y>z",
            "password": password, "realm": "carrier", "inbound_codecs": ["PCMA", "opus@48000h"],
        }));
        for (name, value) in [
            ("proxy", "sip.carrier.example:5061;transport=tls"),
            ("register-transport", "tls"),
            ("register", "true"),
            ("username", "acme%40x%3By%3Ez"),
            ("auth-username", "acme@x;y>z"),
            ("password", password),
            ("realm", "carrier"),
            ("from-domain", "sip.carrier.example"),
            ("caller-id-in-from", "true"),
            ("extension-in-contact", "false"),
            ("extension", "auto"),
            ("context", "public"),
        ] {
            assert_eq!(params.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(params.len(), 12);
        assert_eq!(variables["nizam_gateway"], row(json!({})).id.to_string());
        assert_eq!(variables["absolute_codec_string"], "PCMA,opus@48000h");
    }

    #[test]
    fn a_gateway_without_a_login_does_not_register() {
        let of = |values: Value| params(values).0["register"].clone();
        assert_eq!(of(json!({"host": "h", "register": true})), "false");
        assert_eq!(of(json!({"host": "h", "register": true, "username": "a"})), "false");
        assert_eq!(of(json!({"host": "h", "register": false, "username": "a", "password": "b"})), "false");
        assert_eq!(of(json!({"host": "h", "register": true, "username": "a", "password": "b"})), "true");
        let (params, _) = params(json!({"host": "2001:db8::1", "transport": "udp"}));
        assert_eq!(params["proxy"], "[2001:db8::1]:5060;transport=udp");
        assert_eq!(params["from-domain"], "[2001:db8::1]");
        assert!(!params.contains_key("username") && !params.contains_key("password"));
    }

    #[test]
    fn every_version_has_a_name_of_its_own() {
        let one = row(json!({"host": "h", "shared": true}));
        let two = Record { version: 7, ..one.clone() };
        let bytes = gateway(&two);
        let record = record::Gateway::decode(&bytes).unwrap();
        assert_eq!(record.name, format!("{}-7", one.id));
        assert!(record.shared);
        assert_eq!(record.tenant, one.tenant_id.into_bytes());
    }

    #[test]
    fn lists_have_the_active_ones_in_order() {
        let gateway = |id: u128, name: &str, is_active: bool| GatewayRow {
            id: Uuid::from_u128(id),
            name: name.to_owned(),
            is_active,
        };
        let all = [gateway(3, "a", true), gateway(1, "b", true), gateway(2, "c", false)];
        let ip: IpAddr = "192.0.2.1".parse().unwrap();
        let image = testing::overlay(|builder| {
            shared(builder, &all).unwrap();
            address(builder, ip, &all).unwrap();
            address(builder, "::1".parse().unwrap(), &all[2..]).unwrap();
        });
        let ids = |kind: Kind, key: &[u8]| match find(&image, kind, PLATFORM, key) {
            Lookup::Value(value) => Ids::decode(value).unwrap().0.iter().map(u128::from_be_bytes).collect(),
            _ => Vec::new(),
        };
        assert_eq!(ids(Kind::Shared, ONLY), [3, 1]);
        assert_eq!(ids(Kind::Address, b"192.0.2.1"), [1, 3]);
        assert_eq!(find(&image, Kind::Address, PLATFORM, b"::1"), Lookup::Gone);
    }
}
