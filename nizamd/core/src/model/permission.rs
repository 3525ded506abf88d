//! Permissions: what a user of a tenant may be allowed to do.

macro_rules! permissions {
    ($($name:ident $slug:literal $description:literal;)*) => {
        /// A permission that an operation asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Permission {
            $(#[doc = $description] $name,)*
        }

        impl Permission {
            /// Every permission.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in the database and in the API.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// What it allows, for people.
            pub fn description(self) -> &'static str {
                match self { $(Self::$name => $description,)* }
            }
        }
    };
}

permissions! {
    TenantsView "tenants.view" "View tenants";
    TenantsCreate "tenants.create" "Create tenants";
    TenantsUpdate "tenants.update" "Update tenants";
    TenantsDelete "tenants.delete" "Delete tenants";
    ExtensionsView "extensions.view" "View extensions";
    ExtensionsCreate "extensions.create" "Create extensions";
    ExtensionsUpdate "extensions.update" "Update extensions";
    ExtensionsDelete "extensions.delete" "Delete extensions";
    DidsView "dids.view" "View DIDs";
    DidsCreate "dids.create" "Create DIDs";
    DidsUpdate "dids.update" "Update DIDs";
    DidsDelete "dids.delete" "Delete DIDs";
    RingGroupsView "ring_groups.view" "View ring groups";
    RingGroupsCreate "ring_groups.create" "Create ring groups";
    RingGroupsUpdate "ring_groups.update" "Update ring groups";
    RingGroupsDelete "ring_groups.delete" "Delete ring groups";
    IvrsView "ivrs.view" "View IVRs";
    IvrsCreate "ivrs.create" "Create IVRs";
    IvrsUpdate "ivrs.update" "Update IVRs";
    IvrsDelete "ivrs.delete" "Delete IVRs";
    TimeConditionsView "time_conditions.view" "View time conditions";
    TimeConditionsCreate "time_conditions.create" "Create time conditions";
    TimeConditionsUpdate "time_conditions.update" "Update time conditions";
    TimeConditionsDelete "time_conditions.delete" "Delete time conditions";
    WebhooksView "webhooks.view" "View webhooks";
    WebhooksCreate "webhooks.create" "Create webhooks";
    WebhooksUpdate "webhooks.update" "Update webhooks";
    WebhooksDelete "webhooks.delete" "Delete webhooks";
    DeviceProfilesView "device_profiles.view" "View device profiles";
    DeviceProfilesCreate "device_profiles.create" "Create device profiles";
    DeviceProfilesUpdate "device_profiles.update" "Update device profiles";
    DeviceProfilesDelete "device_profiles.delete" "Delete device profiles";
    UsersView "users.view" "View users";
    UsersCreate "users.create" "Create users";
    UsersUpdate "users.update" "Update users";
    UsersDelete "users.delete" "Delete users";
    CallRoutingPoliciesView "call_routing_policies.view" "View call routing policies";
    CallRoutingPoliciesCreate "call_routing_policies.create" "Create call routing policies";
    CallRoutingPoliciesUpdate "call_routing_policies.update" "Update call routing policies";
    CallRoutingPoliciesDelete "call_routing_policies.delete" "Delete call routing policies";
    CallFlowsView "call_flows.view" "View call flows";
    CallFlowsCreate "call_flows.create" "Create call flows";
    CallFlowsUpdate "call_flows.update" "Update call flows";
    CallFlowsDelete "call_flows.delete" "Delete call flows";
    CdrsView "cdrs.view" "View CDRs";
    CallEventsView "call_events.view" "View call events";
    AuditLogsView "audit_logs.view" "View audit logs";
    CallsOriginate "calls.originate" "Originate calls";
    CallsViewStatus "calls.view_status" "View call status";
    RecordingsView "recordings.view" "View recordings";
    RecordingsDelete "recordings.delete" "Delete recordings";
    RecordingsDownload "recordings.download" "Download recordings";
    CallsControl "calls.control" "Control calls";
    GatewaysView "gateways.view" "View gateways";
    GatewaysManage "gateways.manage" "Manage gateways";
    AgentsView "agents.view" "View agents";
    AgentsManage "agents.manage" "Manage agents";
    QueuesView "queues.view" "View queues";
    QueuesManage "queues.manage" "Manage queues";
    QueuesMetrics "queues.metrics" "View queue metrics";
    WallboardView "wallboard.view" "View the wallboard";
    OutboundRoutesView "outbound_routes.view" "View outbound routes";
    OutboundRoutesManage "outbound_routes.manage" "Manage outbound routes";
    HolidaysView "holidays.view" "View holidays";
    HolidaysManage "holidays.manage" "Manage holidays";
    AnalyticsView "analytics.view" "View analytics";
    WebhooksManage "webhooks.manage" "Manage webhooks";
    CallEventsViewAlias "call-events.view" "View call events";
    CallEventsRedispatch "call-events.redispatch" "Redispatch call events";
    CodecMetricsView "codec-metrics.view" "View codec metrics";
    DeviceProfilesViewAlias "device-profiles.view" "View device profiles";
    DeviceProfilesManage "device-profiles.manage" "Manage device profiles";
    DidsManage "dids.manage" "Manage DIDs";
    RingGroupsViewAlias "ring-groups.view" "View ring groups";
    RingGroupsManage "ring-groups.manage" "Manage ring groups";
    IvrsManage "ivrs.manage" "Manage IVRs";
    TimeConditionsViewAlias "time-conditions.view" "View time conditions";
    TimeConditionsManage "time-conditions.manage" "Manage time conditions";
}

// A set has a bit for each.
const _: () = assert!(Permission::ALL.len() <= u128::BITS as usize);

/// The first ones are those of the core, in the words of the contract.
const CORE: u8 = 52;

impl Permission {
    /// Whether it is one of the core's or of a module's: `core` or `module`.
    pub fn module(self) -> &'static str {
        if (self as u8) < CORE { "core" } else { "module" }
    }

    /// What else it allows: some names stand for several permissions, or are another spelling of one.
    pub fn implies(self) -> &'static [Self] {
        match self {
            Self::WebhooksManage => &[Self::WebhooksCreate, Self::WebhooksUpdate, Self::WebhooksDelete],
            Self::CallEventsViewAlias => &[Self::CallEventsView],
            Self::DeviceProfilesViewAlias => &[Self::DeviceProfilesView],
            Self::DeviceProfilesManage => {
                &[Self::DeviceProfilesCreate, Self::DeviceProfilesUpdate, Self::DeviceProfilesDelete]
            }
            Self::DidsManage => &[Self::DidsCreate, Self::DidsUpdate, Self::DidsDelete],
            Self::RingGroupsViewAlias => &[Self::RingGroupsView],
            Self::RingGroupsManage => {
                &[Self::RingGroupsCreate, Self::RingGroupsUpdate, Self::RingGroupsDelete]
            }
            Self::IvrsManage => &[Self::IvrsCreate, Self::IvrsUpdate, Self::IvrsDelete],
            Self::TimeConditionsViewAlias => &[Self::TimeConditionsView],
            Self::TimeConditionsManage => {
                &[Self::TimeConditionsCreate, Self::TimeConditionsUpdate, Self::TimeConditionsDelete]
            }
            _ => &[],
        }
    }

    /// The permission with that name.
    pub fn parse(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.slug() == slug)
    }

    /// Whether its operations change nothing.
    pub fn only_reads(self) -> bool {
        matches!(self.slug().rsplit_once('.'), Some((_, "view" | "view_status" | "download")))
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(u128);

impl PermissionSet {
    /// Adds one.
    pub fn insert(&mut self, permission: Permission) {
        self.0 |= Self::bit(permission);
    }

    /// Whether it is in.
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & Self::bit(permission) != 0
    }

    /// Whether it is in, or implied by one that is.
    pub fn allows(self, permission: Permission) -> bool {
        self.contains(permission) || self.iter().any(|granted| granted.implies().contains(&permission))
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |&p| self.contains(p))
    }

    fn bit(permission: Permission) -> u128 {
        1 << (permission as u8)
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let mut set = Self::default();
        permissions.into_iter().for_each(|p| set.insert(p));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_unique() {
        let slugs: std::collections::BTreeSet<_> = Permission::ALL.iter().map(|p| p.slug()).collect();
        assert_eq!(slugs.len(), Permission::ALL.len());
        assert!(Permission::ALL.iter().all(|&p| Permission::parse(p.slug()) == Some(p)));
        assert_eq!(Permission::parse("tenants"), None);
    }

    #[test]
    fn fifty_two_are_of_the_core() {
        assert_eq!(Permission::ALL.iter().filter(|p| p.module() == "core").count(), 52);
        assert_eq!(Permission::RecordingsDownload.module(), "core");
        assert_eq!(Permission::CallsControl.module(), "module");
        assert_eq!(Permission::ALL.len(), 78);
    }

    #[test]
    fn another_name_allows_the_same() {
        let set: PermissionSet =
            [Permission::RingGroupsManage, Permission::RingGroupsViewAlias].into_iter().collect();
        assert!(set.allows(Permission::RingGroupsDelete) && set.allows(Permission::RingGroupsView));
        assert!(!set.allows(Permission::IvrsDelete) && !set.contains(Permission::RingGroupsDelete));
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: PermissionSet =
            [Permission::TenantsView, Permission::RecordingsDownload].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Permission::TenantsView, Permission::RecordingsDownload]);
        assert!(!set.contains(Permission::ExtensionsView));
    }
}
