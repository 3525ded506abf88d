//! Setting up a tenant with all that it needs to begin.

use nizam_core::model::{NewExtension, NewTenant, Slug, TenantStatus};
use nizam_core::validate::{Provision, slug_of};
use nizam_store::{StoreResult, random_text};
use serde_json::json;

use super::call::Call;
use super::gate::Admin;
use super::present;
use super::reply::{Outcome, Reply};

pub(super) async fn create(call: Call, _: Admin, form: Provision) -> Outcome {
    let slug = match form.slug {
        Some(slug) => slug,
        None => format!("{}-{}", slug_of(&form.name), random_text(4)?.to_lowercase()),
    };
    let domain = form.domain.unwrap_or_else(|| format!("{}.nizam.local", host_of(&slug)));
    let [max_extensions, max_concurrent_calls, max_dids, max_ring_groups, max_calls_per_minute] = form.most;
    let tenant = NewTenant {
        name: form.name,
        domain,
        slug: Slug::Given(slug),
        status: TenantStatus::Trial,
        max_extensions,
        max_concurrent_calls,
        max_dids,
        max_ring_groups,
        max_calls_per_minute,
        is_active: true,
    };
    let store = &call.app.store;
    let committed = store.provision(&call.actor(), tenant, form.settings, first_extension()?).await?;
    let (tenant, extension) = &committed.value;
    let body = json!({"data": {
        "tenant": present::tenant(tenant),
        // With its password and PIN: nobody could ever use it otherwise.
        "default_extension": present::extension(extension),
        "provisioning_domain": tenant.domain,
    }});
    let reply = Reply::created(&body);
    Ok(call.written(reply, committed).await)
}

fn first_extension() -> StoreResult<NewExtension> {
    Ok(NewExtension {
        extension: "1000".to_owned(),
        password: random_text(16)?,
        directory_first_name: "Default".to_owned(),
        directory_last_name: "Extension".to_owned(),
        effective_caller_id_name: None,
        effective_caller_id_number: None,
        outbound_caller_id_name: None,
        outbound_caller_id_number: None,
        voicemail_enabled: true,
        voicemail_pin: Some(crate::pin::random(6)?),
        cidr: None,
        toll_allow: None,
        max_channels: 0,
        ring_timeout: None,
        is_active: true,
    })
}

/// A slug may hold what a host name may not.
fn host_of(slug: &str) -> String {
    let host: String = slug
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    let host = host.trim_matches('-');
    if host.is_empty() { "tenant".to_owned() } else { host.to_owned() }
}
