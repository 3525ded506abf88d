//! What of a tenant's routing will not work as it stands.

use nizam_core::compile::emergency;
use nizam_core::lint::site;
use nizam_core::resource::DID;
use nizam_wire::number::read;
use serde_json::{Value, json};

use super::call::Call;
use super::gate::Member;
use super::reply::{Outcome, Reply};

pub(super) async fn lint(call: Call, member: Member, (): ()) -> Outcome {
    let tenant = member.tenant();
    let mut all = call.app.store.site(tenant.id).await?;
    let engine = call.app.publisher.engine();
    let home = tenant.settings.get("country").and_then(Value::as_str).and_then(nizam_core::home);
    let dids = all.rows.iter().filter(|(resource, _)| resource.model == DID.model).flat_map(|(_, rows)| rows);
    all.contested = dids
        .filter(|did| did.is("is_active"))
        .filter(|did| {
            let digits = read(did.text("number").as_bytes(), home.as_ref());
            digits.is_some_and(|digits| engine.is_contested(tenant.id.as_bytes(), digits.as_bytes()))
        })
        .map(|did| did.id)
        .collect();
    all.emergency = emergency(tenant).into_iter().map(str::to_owned).collect();
    let findings = site(&all);
    Ok(Reply::ok(&json!({"data": findings})))
}
