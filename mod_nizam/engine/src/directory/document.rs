//! The documents that are written as text: a domain, or a domain with one user.

use super::question::GROUP;
use super::user::{Fields, User, Value};
use crate::{Sink, Unwritable};
use nizam_wire::record::Tenant;
use nizam_wire::xml;

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
    out.put(tenant.variables_xml.as_bytes());
    out.put(b"</variables>");
    out.put(CLOSE);
    Ok(())
}

/// The domain with one user, in a group: some of those who ask walk only `groups/group/users/user`. Whoever asks whether a user may be
/// changed gets the `verdict` as well.
pub(super) fn user(
    out: &mut impl Sink,
    user: &User<'_>,
    fields: Fields,
    by_alias: bool,
    verdict: Option<bool>,
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
    out.put(b">");
    out.put(match verdict {
        None => b"",
        Some(true) => b"<result success=\"true\"/>",
        Some(false) => b"<result success=\"false\"/>",
    });
    out.put(b"<params>");
    user.params(fields, |label, value| entry(out, label.param, value))?;
    out.put(b"</params><variables>");
    if fields.has_template() {
        out.put(user.tenant.variables_xml.as_bytes());
    }
    user.variables(fields, |label, value| entry(out, label.variable, value))?;
    out.put(b"</variables></user></users></group></groups>");
    out.put(CLOSE);
    Ok(())
}

/// Completes an element whose beginning, up to the value's first quote, is `open`.
fn entry(out: &mut impl Sink, open: &'static str, value: Value<'_>) -> Result<(), Unwritable> {
    xml::literal(out, open);
    value.pieces(|piece| xml::text(out, piece))?;
    out.put(b"\"/>");
    Ok(())
}
