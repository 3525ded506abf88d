//! The one place that knows how an image is made of rows, and how the resolver is asked.

use crate::call::Call;
use crate::interpreter::Step;
use crate::model::{self, Model};
use nizam_core::compile;
use nizam_core::model::{Extension, Tenant, TenantStatus};
use nizam_engine::{Channel, DialplanQuestion, Engine, Layers, Origin};
use nizam_wire::Builder;
use nizam_wire::image::Image;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What FreeSWITCH asks, with the image of a model.
pub(crate) struct Resolver(Engine);

/// The variables of a call.
struct Variables<'c>(&'c BTreeMap<String, Vec<u8>>);

impl Channel for Variables<'_> {
    fn variable(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

impl Resolver {
    /// The resolver that has the image of a model.
    pub(crate) fn of(model: &Model) -> Result<Self, String> {
        let image = image(model).map_err(|error| format!("no image: {error}"))?;
        let engine = Engine::default();
        engine.live.publish(Layers::new(vec![Arc::new(image)], Origin::Daemon));
        Ok(Self(engine))
    }

    /// The steps that FreeSWITCH gets; `None`: the call is not ours.
    pub(crate) fn answer(&self, call: &Call) -> Result<Option<Vec<Step>>, String> {
        let question = DialplanQuestion {
            context: call.context.as_deref(),
            number: call.number.as_deref(),
            caller_number: call.caller_number.as_deref(),
            address: call.address.as_deref(),
            caller: call.caller.as_deref(),
            caller_domain: call.caller_domain.as_deref(),
            gateway: call.gateway.as_deref(),
            admitted: call.admitted.as_deref(),
            queue_until: call.queue_until.as_deref(),
            channel: &Variables(&call.variables),
            now: call.now,
        };
        let route = catch_unwind(AssertUnwindSafe(|| self.0.dialplan(&question)));
        let route = route.map_err(|_| "the resolver panicked".to_owned())?;
        let steps =
            |action: nizam_engine::Action<'_>| (action.application.to_owned(), action.data.to_owned());
        Ok(route.map(|route| route.actions().map(steps).collect()))
    }
}

/// The image of everything that the tenants own.
fn image(model: &Model) -> Result<Image, Box<dyn std::error::Error>> {
    let mut builder = Builder::base(model.generation, model.generation);
    for row in &model.tenants {
        compile::tenant(&mut builder, &tenant(row))?;
    }
    for row in &model.extensions {
        compile::extension(&mut builder, &extension(row))?;
    }
    Ok(Image::from_vec(builder.finish()?)?)
}

fn tenant(row: &model::Tenant) -> Tenant {
    Tenant {
        id: row.id,
        name: row.domain.clone(),
        domain: row.domain.clone(),
        slug: row.id.to_string(),
        settings: row.settings.clone(),
        status: TenantStatus::parse(row.status).unwrap(),
        max_extensions: 0,
        max_concurrent_calls: row.max_concurrent_calls,
        max_dids: 0,
        max_ring_groups: 0,
        is_active: row.is_active,
        version: 1,
        created_at: 0,
        updated_at: 0,
    }
}

fn extension(row: &model::Extension) -> Extension {
    Extension {
        id: row.id,
        tenant_id: row.tenant_id,
        extension: row.number.clone(),
        password: "a-password-of-sip".to_owned(),
        directory_first_name: row.first_name.clone(),
        directory_last_name: row.last_name.clone(),
        effective_caller_id_name: row.effective_caller_id_name.clone(),
        effective_caller_id_number: row.effective_caller_id_number.clone(),
        outbound_caller_id_name: row.outbound_caller_id_name.clone(),
        outbound_caller_id_number: row.outbound_caller_id_number.clone(),
        voicemail_enabled: row.voicemail_enabled,
        voicemail_pin: None,
        cidr: None,
        is_active: row.is_active,
        version: 1,
        created_at: 0,
        updated_at: 0,
    }
}
