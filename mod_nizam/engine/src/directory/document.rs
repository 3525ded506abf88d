//! The documents that are written as text: a domain, or a domain with one user.

use super::question::GROUP;
use super::user::{Fields, User, Value};
use crate::{Sink, Unwritable, xml};
use nizam_wire::record::Tenant;

const OPEN: &[u8] = b"<document type=\"freeswitch/xml\"><section name=\"directory\"><domain";
const CLOSE: &[u8] = b"</domain></section></document>";

/// The domain and nothing in it.
pub(super) fn bare_domain(out: &mut impl Sink, tenant: &Tenant<'_>) -> Result<(), Unwritable> {
    out.put(OPEN);
    xml::attribute(out, "name", tenant.domain)?;
    out.put(b">");
    out.put(CLOSE);
    Ok(())
}

/// The domain with the variables its users share, for `domain_exists`, `domain_data` and the 3xx check.
pub(super) fn domain(out: &mut impl Sink, tenant: &Tenant<'_>) -> Result<(), Unwritable> {
    out.put(OPEN);
    xml::attribute(out, "name", tenant.domain)?;
    out.put(b"><variables>");
    for (name, value) in tenant.variables.iter() {
        entry(out, "variable", name, Value::Text(value))?;
    }
    out.put(b"</variables>");
    out.put(CLOSE);
    Ok(())
}

/// The domain with one user, in a group: some of those who ask walk only `groups/group/users/user`.
pub(super) fn user(
    out: &mut impl Sink,
    user: &User<'_>,
    fields: Fields,
    by_alias: bool,
) -> Result<(), Unwritable> {
    out.put(OPEN);
    xml::attribute(out, "name", user.tenant.domain)?;
    out.put(b"><groups><group name=\"");
    out.put(GROUP.as_bytes());
    // No `type`, `ip` or `cacheable`: such a user matches every lookup, or outlives its change
    // (switch_xml.c:find_user_in_tag).
    out.put(b"\"><users><user");
    xml::attribute(out, "id", user.extension.number)?;
    if by_alias {
        xml::attribute(out, "number-alias", user.extension.number)?;
    }
    out.put(b"><params>");
    user.params(fields, |name, value| entry(out, "param", name, value))?;
    out.put(b"</params><variables>");
    user.variables(fields, |name, value| entry(out, "variable", name, value))?;
    out.put(b"</variables></user></users></group></groups>");
    out.put(CLOSE);
    Ok(())
}

fn entry(out: &mut impl Sink, tag: &str, name: &str, value: Value<'_>) -> Result<(), Unwritable> {
    out.put(b"<");
    out.put(tag.as_bytes());
    xml::attribute(out, "name", name)?;
    out.put(b" value=\"");
    value.pieces(|piece| xml::text(out, piece))?;
    out.put(b"\"/>");
    Ok(())
}
