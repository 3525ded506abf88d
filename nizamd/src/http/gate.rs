//! Who may do what. An operation is made by one of the functions here, and its handler gets a proof that only they can
//! make: [`Caller`], [`Admin`] or [`Member`]. So a handler that forgets to ask does not compile.
//!
//! The order in a tenant: bearer token (401), rate (429), tenant (404), other people's tenant (403), life of the tenant
//! (403), child (404), fields (422), permission (403). A child of another tenant and one that is not there are the same
//! to every caller, and the state of other people's tenants does not show; that a tenant exists does (403, not 404), as the
//! contract has it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use nizam_core::model::{Extension, Need, Permission, PermissionSet, Tenant, User};
use nizam_core::resource::{Record, Resource};
use nizam_core::validate::{Described, Errors, Fields, Hearing, describe, hearing};
use nizam_store::{Authentic, Store, StoreError, StoreResult};
use uuid::Uuid;
use warp::http::StatusCode;

use super::call::Call;
use super::failure::Failure;
use super::reply::Outcome;
use crate::broadcast::Channel;

/// What an operation asks for, for documents and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing.
    Public,
    /// A good token, whatever its abilities.
    SignedIn,
    /// A token that allows to read or to write.
    User,
    /// This permission, in no tenant in particular.
    UserWith(Permission),
    /// An admin, with a token that allows this.
    Admin(Permission),
    /// To be that user, or an admin with a token that allows this.
    OwnOr(Permission),
    /// This permission, and to belong to the tenant; the tenant may be in any state.
    Tenant(Permission),
    /// This permission, and to belong to the tenant, which must be operational.
    Member(Permission),
    /// An admin, with a token that allows this; the tenant must be operational.
    MemberAdmin(Permission),
    /// The permission of the channel that the fields name, and to belong to its tenant, which must be operational.
    Channel,
}

/// Whether whoever sends a request that was done before may still do it: what was answered then is told to nobody else.
pub(super) async fn allows(gate: Gate, call: &Call) -> Result<(), Failure> {
    if gate == Gate::Public {
        return Ok(());
    }
    let caller = Caller::of(call)?;
    match gate {
        Gate::Public | Gate::SignedIn => Ok(()),
        Gate::User => caller.token_may(call.writes),
        Gate::UserWith(permission) if caller.may(permission, call.writes) => Ok(()),
        Gate::UserWith(_) => Err(Failure::unauthorized()),
        Gate::OwnOr(_) if call.parameter("user") == caller.0.user.id.to_string() => {
            caller.token_may(call.writes)
        }
        Gate::Admin(permission) | Gate::OwnOr(permission) => {
            Admin::of(&caller, permission, call.writes).map(drop)
        }
        Gate::Tenant(permission) => {
            let tenant = tenant_of_path(call).await?;
            permit(call, &caller, tenant, permission).map(drop)
        }
        Gate::Member(permission) => {
            let tenant = enter(call, &caller).await?;
            permit(call, &caller, tenant, permission).map(drop)
        }
        Gate::MemberAdmin(permission) => {
            enter(call, &caller).await?;
            Admin::of(&caller, permission, call.writes).map(drop)
        }
        Gate::Channel => {
            // The fields are not taken apart yet.
            let asked = hearing(&mut Fields::new(&call.request.input(call.text)?))?;
            Listener::of(&call.app.store, &caller, channel_of(&asked)?).await.map(drop)
        }
    }
}

/// Everything that whoever sends a request may read, in a tenant that the user belongs to.
pub(super) fn readable(call: &Call) -> PermissionSet {
    Caller::of(call).map(|caller| readable_by(&caller)).unwrap_or_default()
}

fn readable_by(caller: &Caller) -> PermissionSet {
    Permission::ALL.iter().copied().filter(|permission| caller.may(*permission, false)).collect()
}

/// What runs an operation.
pub(super) type Run = Arc<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// What an operation is made of: who may, what it reads, what it does.
pub(super) struct Entry {
    pub(super) gate: Gate,
    pub(super) form: Vec<Described>,
    pub(super) run: Run,
}

/// Whether the fields are looked at before the permission, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    FieldsFirst,
    PermissionFirst,
}

/// The form of an operation that has no fields.
pub(super) fn no_fields(fields: &mut Fields<'_>) -> Result<(), Errors> {
    fields.finish(())
}

/// Proof: somebody presents a good token.
pub(super) struct Caller(Arc<Authentic>);

impl Caller {
    fn of(call: &Call) -> Result<Self, Failure> {
        call.authentic.clone().map(Self).ok_or_else(Failure::unauthenticated)
    }

    pub(super) fn who(&self) -> &Authentic {
        &self.0
    }

    /// Whether user and token allow it, in a tenant that the user belongs to.
    pub(super) fn may(&self, permission: Permission, writes: bool) -> bool {
        self.0.user.may(permission, self.0.granted)
            && self.0.token.abilities.cover(Need { permission: Some(permission), writes })
    }

    /// Whether the token allows it, where no permission is asked for.
    pub(super) fn token_may(&self, writes: bool) -> Result<(), Failure> {
        let covered = self.0.token.abilities.cover(Need { permission: None, writes });
        if covered { Ok(()) } else { Err(Failure::unauthorized()) }
    }
}

/// Proof: an admin presents a token that allows the operation.
pub(super) struct Admin(());

impl Admin {
    fn of(caller: &Caller, permission: Permission, writes: bool) -> Result<Self, Failure> {
        let allowed = caller.0.user.is_admin() && caller.may(permission, writes);
        if allowed { Ok(Self(())) } else { Err(Failure::unauthorized()) }
    }
}

/// Proof: somebody who belongs to the tenant, or an admin, presents a token, and both allow the operation.
pub(super) struct Member {
    tenant: Tenant,
    is_admin: bool,
}

impl Member {
    pub(super) fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Whether it is an admin.
    pub(super) fn is_admin(&self) -> bool {
        self.is_admin
    }
}

/// Proof: somebody may hear what is told on a channel.
pub(crate) struct Listener {
    channel: Channel,
    token: i64,
    readable: PermissionSet,
}

impl Listener {
    /// What else may be read: an event of the configuration needs more than the channel.
    pub(crate) fn readable(&self) -> PermissionSet {
        self.readable
    }

    pub(super) fn channel(&self) -> Channel {
        self.channel
    }

    /// The token that makes it so.
    pub(super) fn token(&self) -> i64 {
        self.token
    }

    /// Whoever may read. A tenant that is not there and one of others are the same.
    async fn of(store: &Store, caller: &Caller, channel: Channel) -> Result<Self, Failure> {
        if !caller.0.user.belongs_to(channel.tenant) {
            return Err(Failure::forbidden());
        }
        let tenant = store.tenant(channel.tenant).await?.ok_or_else(Failure::forbidden)?;
        if !tenant.status.is_operational() {
            return Err(Failure::not_operational(tenant.status));
        }
        if !caller.may(channel.permission(), false) {
            return Err(Failure::unauthorized());
        }
        Ok(Self { channel, token: caller.0.token.id, readable: readable_by(caller) })
    }

    /// Whether whoever was authorised with that token still is; an error where nobody knows at the moment.
    pub(crate) async fn of_token(store: &Store, token: i64, channel: Channel) -> StoreResult<Option<Self>> {
        let Some(authentic) = store.token_in_force(token).await? else { return Ok(None) };
        match Self::of(store, &Caller(authentic), channel).await {
            Ok(listener) => Ok(Some(listener)),
            Err(Failure::Answer(status, _)) if status.is_server_error() => Err(StoreError::Busy),
            Err(Failure::Broken(_)) => Err(StoreError::Busy),
            Err(_) => Ok(None),
        }
    }
}

/// The channel that was asked for.
fn channel_of(asked: &Hearing) -> Result<Channel, Failure> {
    Channel::parse(&asked.channel_name).map_err(|why| Failure::Answer(StatusCode::FORBIDDEN, why.to_owned()))
}

/// A row of a tenant that an operation is about.
pub(super) trait Child: Sized + Send {
    /// What clients call it.
    const NAME: &'static str;
    /// Its part of the path.
    const PARAMETER: &'static str;
    /// The row of that tenant, and of no other.
    fn load(store: &Store, tenant: Uuid, id: Uuid) -> impl Future<Output = StoreResult<Option<Self>>> + Send;
}

impl Child for Extension {
    const NAME: &'static str = "Extension";
    const PARAMETER: &'static str = "extension";

    async fn load(store: &Store, tenant: Uuid, id: Uuid) -> StoreResult<Option<Self>> {
        store.extension(tenant, id).await
    }
}

/// Reads the fields of an operation, and describes them.
pub(super) trait Form<F>:
    Fn(&mut Fields<'_>) -> Result<F, Errors> + Copy + Send + Sync + 'static
{
}

impl<F, T: Fn(&mut Fields<'_>) -> Result<F, Errors> + Copy + Send + Sync + 'static> Form<F> for T {}

/// An operation for everybody.
pub(super) fn public<F, R, O>(form: impl Form<F>, run: R) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(form);
    let run = boxed(move |call: Call| async move {
        let form = call.read(form)?;
        run(call, form).await
    });
    Entry { gate: Gate::Public, form: described, run }
}

/// An operation on the own sign-in, for every good token.
pub(super) fn signed_in<R, O>(run: R) -> Entry
where
    R: Fn(Call, Caller) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        run(call, caller).await
    });
    Entry { gate: Gate::SignedIn, form: Vec::new(), run }
}

/// An operation on what belongs to the caller alone.
pub(super) fn user<F, R, O>(form: impl Form<F>, run: R) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, Caller, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(form);
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        let form = call.read(form)?;
        caller.token_may(call.writes)?;
        run(call, caller, form).await
    });
    Entry { gate: Gate::User, form: described, run }
}

/// An operation that looks across tenants for what the caller may see.
pub(super) fn user_with<R, O>(permission: Permission, run: R) -> Entry
where
    R: Fn(Call, Caller) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        if !caller.may(permission, call.writes) {
            return Err(Failure::unauthorized());
        }
        run(call, caller).await
    });
    Entry { gate: Gate::UserWith(permission), form: Vec::new(), run }
}

/// An operation for admins, about no tenant in particular.
pub(super) fn admin<F, R, O>(permission: Permission, form: impl Form<F>, run: R) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, Admin, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(form);
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        let form = call.read(form)?;
        let admin = Admin::of(&caller, permission, call.writes)?;
        run(call, admin, form).await
    });
    Entry { gate: Gate::Admin(permission), form: described, run }
}

/// An operation for admins, about a user.
pub(super) fn admin_of_user<F, R, O>(permission: Permission, form: impl Form<F>, run: R) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, Admin, User, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(form);
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        // First, so that nobody else learns which users there are.
        let admin = Admin::of(&caller, permission, call.writes)?;
        let user = user_of_path(&call).await?;
        let form = call.read(form)?;
        run(call, admin, user, form).await
    });
    Entry { gate: Gate::Admin(permission), form: described, run }
}

/// An operation for admins, whose fields are looked at after the permission.
pub(super) fn admin_first<F, R, O>(permission: Permission, form: impl Form<F>, run: R) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, Admin, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(form);
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        let admin = Admin::of(&caller, permission, call.writes)?;
        let form = call.read(form)?;
        run(call, admin, form).await
    });
    Entry { gate: Gate::Admin(permission), form: described, run }
}

/// An operation on a user, for that user and for admins.
pub(super) fn own_or_admin<R, O>(permission: Permission, run: R) -> Entry
where
    R: Fn(Call, Caller, User) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        if call.parameter("user") == caller.0.user.id.to_string() {
            caller.token_may(call.writes)?;
        } else {
            Admin::of(&caller, permission, call.writes)?;
        }
        let user = user_of_path(&call).await?;
        run(call, caller, user).await
    });
    Entry { gate: Gate::OwnOr(permission), form: Vec::new(), run }
}

async fn user_of_path(call: &Call) -> Result<User, Failure> {
    let text = call.parameter("user");
    let none = || Failure::no_model("User", text);
    let id: i64 = text.parse().map_err(|_| none())?;
    call.app.store.user(id).await?.ok_or_else(none)
}

/// An operation for admins, about an operational tenant.
pub(super) fn admin_in_tenant<F, R, O>(permission: Permission, form: impl Form<F>, run: R) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, Admin, Tenant, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(form);
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        let tenant = enter(&call, &caller).await?;
        let admin = Admin::of(&caller, permission, call.writes)?;
        let form = call.read(form)?;
        run(call, admin, tenant, form).await
    });
    Entry { gate: Gate::MemberAdmin(permission), form: described, run }
}

/// An operation for admins, about a tenant in any state.
pub(super) fn admin_of_tenant<F, R, O>(
    permission: Permission,
    order: Order,
    form: impl Form<F>,
    run: R,
) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, Admin, Tenant, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(form);
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        let tenant = tenant_of_path(&call).await?;
        let (admin, form) = if order == Order::PermissionFirst {
            let admin = Admin::of(&caller, permission, call.writes)?;
            (admin, call.read(form)?)
        } else {
            let form = call.read(form)?;
            (Admin::of(&caller, permission, call.writes)?, form)
        };
        run(call, admin, tenant, form).await
    });
    Entry { gate: Gate::Admin(permission), form: described, run }
}

/// An operation on a tenant in any state, for those who belong to it.
pub(super) fn tenant<R, O>(permission: Permission, run: R) -> Entry
where
    R: Fn(Call, Member) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        let tenant = tenant_of_path(&call).await?;
        if !caller.0.user.belongs_to(tenant.id) {
            return Err(Failure::unauthorized());
        }
        let member = permit(&call, &caller, tenant, permission)?;
        run(call, member).await
    });
    Entry { gate: Gate::Tenant(permission), form: Vec::new(), run }
}

/// An operation in an operational tenant, for those who belong to it.
pub(super) fn member<F, R, O>(permission: Permission, form: impl Form<F>, run: R) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, Member, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    member_in(Order::FieldsFirst, permission, form, run)
}

/// The same where who may not is told so before anything is said about fields.
pub(super) fn member_first<F, R, O>(permission: Permission, form: impl Form<F>, run: R) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, Member, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    member_in(Order::PermissionFirst, permission, form, run)
}

fn member_in<F, R, O>(order: Order, permission: Permission, form: impl Form<F>, run: R) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, Member, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(form);
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        let tenant = enter(&call, &caller).await?;
        let (member, form) = if order == Order::PermissionFirst {
            let member = permit(&call, &caller, tenant, permission)?;
            (member, call.read(form)?)
        } else {
            let form = call.read(form)?;
            (permit(&call, &caller, tenant, permission)?, form)
        };
        run(call, member, form).await
    });
    Entry { gate: Gate::Member(permission), form: described, run }
}

/// An operation on a row of an operational tenant, for those who belong to it.
pub(super) fn member_with<C, F, R, O>(permission: Permission, form: impl Form<F>, run: R) -> Entry
where
    C: Child + 'static,
    F: Send + 'static,
    R: Fn(Call, Member, C, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(form);
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        let id = call.id(C::PARAMETER, C::NAME);
        let tenant = enter(&call, &caller).await?;
        let child = C::load(&call.app.store, tenant.id, id?).await?.ok_or(Failure::NotFound(C::NAME))?;
        let form = call.read(form)?;
        let member = permit(&call, &caller, tenant, permission)?;
        run(call, member, child, form).await
    });
    Entry { gate: Gate::Member(permission), form: described, run }
}

/// An operation on a row of a resource of an operational tenant, for those who belong to it.
pub(super) fn record<F, R, O>(
    resource: &'static Resource,
    permission: Permission,
    form: impl Form<F>,
    run: R,
) -> Entry
where
    F: Send + 'static,
    R: Fn(Call, Member, Record, F) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(form);
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        let id = call.id(resource.parameter, resource.model);
        let tenant = enter(&call, &caller).await?;
        let found = call.app.store.record(resource, tenant.id, id?).await?;
        let record = found.ok_or(Failure::NotFound(resource.label))?;
        let form = call.read(form)?;
        let member = permit(&call, &caller, tenant, permission)?;
        run(call, member, record, form).await
    });
    Entry { gate: Gate::Member(permission), form: described, run }
}

/// An operation on a channel, for those who may hear what is told on it.
pub(super) fn channel<R, O>(run: R) -> Entry
where
    R: Fn(Call, Listener, Hearing) -> O + Copy + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    let described = describe(hearing);
    let run = boxed(move |call: Call| async move {
        let caller = Caller::of(&call)?;
        let asked = call.read(hearing)?;
        let listener = Listener::of(&call.app.store, &caller, channel_of(&asked)?).await?;
        run(call, listener, asked).await
    });
    Entry { gate: Gate::Channel, form: described, run }
}

fn boxed<R, O>(run: R) -> Run
where
    R: Fn(Call) -> O + Send + Sync + 'static,
    O: Future<Output = Outcome> + Send + 'static,
{
    Arc::new(move |call| Box::pin(run(call)))
}

async fn tenant_of_path(call: &Call) -> Result<Tenant, Failure> {
    let id = call.id("tenant", "Tenant")?;
    let tenant = call.app.store.tenant(id).await?;
    tenant.ok_or_else(|| Failure::no_model("Tenant", call.parameter("tenant")))
}

/// The tenant of the path, if the caller belongs to it and it is operational. Whether it is comes last, so that nobody
/// learns the state of another's tenant.
async fn enter(call: &Call, caller: &Caller) -> Result<Tenant, Failure> {
    let tenant = tenant_of_path(call).await?;
    if !caller.0.user.belongs_to(tenant.id) {
        return Err(Failure::forbidden());
    }
    if !tenant.status.is_operational() {
        return Err(Failure::not_operational(tenant.status));
    }
    Ok(tenant)
}

fn permit(call: &Call, caller: &Caller, tenant: Tenant, permission: Permission) -> Result<Member, Failure> {
    if caller.0.user.belongs_to(tenant.id) && caller.may(permission, call.writes) {
        Ok(Member { tenant, is_admin: caller.0.user.is_admin() })
    } else {
        Err(Failure::unauthorized())
    }
}
