//! An extension: a SIP user of a tenant.

use std::fmt;

use nizam_wire::record::Class;
use uuid::Uuid;

/// A SIP user of a tenant, with its secrets in clear: it lives only between the store and the compiler or a response.
#[derive(Clone, PartialEq, Eq)]
pub struct Extension {
    /// Key of the row, version 7.
    pub id: Uuid,
    /// The tenant that owns it.
    pub tenant_id: Uuid,
    /// The number, also the SIP user name. Unique in the tenant without regard to case.
    pub extension: String,
    /// SIP password, at least 8 characters, never empty.
    pub password: String,
    /// First name in the directory.
    pub directory_first_name: String,
    /// Last name in the directory.
    pub directory_last_name: String,
    /// Caller id name shown inside the tenant.
    pub effective_caller_id_name: Option<String>,
    /// Caller id number shown inside the tenant.
    pub effective_caller_id_number: Option<String>,
    /// Caller id name shown outside.
    pub outbound_caller_id_name: Option<String>,
    /// Caller id number shown outside.
    pub outbound_caller_id_number: Option<String>,
    /// Whether unanswered calls go to voicemail.
    pub voicemail_enabled: bool,
    /// Voicemail PIN of 4 to 8 digits.
    pub voicemail_pin: Option<String>,
    /// Networks whose traffic counts as this user's, for access lists by domain (`purpose=network-list`).
    pub cidr: Option<String>,
    /// What kinds of numbers it may dial; none for the default.
    pub toll_allow: Option<Vec<Class>>,
    /// Most calls that it makes at once, 0 = unlimited.
    pub max_channels: i64,
    /// How long it rings, in seconds; none for as long as the tenant says.
    pub ring_timeout: Option<i64>,
    /// An inactive extension neither registers nor rings.
    pub is_active: bool,
    /// Counts changes, from 1.
    pub version: i64,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: i64,
}

impl Extension {
    /// The names of the kinds of numbers that it may dial; none for the default.
    pub fn class_names(&self) -> Option<Vec<&'static str>> {
        self.toll_allow.as_ref().map(|classes| classes.iter().map(|class| class.name()).collect())
    }
}

/// Secrets do not belong in logs, so they are left out.
impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extension")
            .field("id", &self.id)
            .field("tenant_id", &self.tenant_id)
            .field("extension", &self.extension)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

/// The valid values of an extension that is to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct NewExtension {
    /// The number, also the SIP user name.
    pub extension: String,
    /// SIP password.
    pub password: String,
    /// First name in the directory.
    pub directory_first_name: String,
    /// Last name in the directory.
    pub directory_last_name: String,
    /// Caller id name shown inside the tenant.
    pub effective_caller_id_name: Option<String>,
    /// Caller id number shown inside the tenant.
    pub effective_caller_id_number: Option<String>,
    /// Caller id name shown outside.
    pub outbound_caller_id_name: Option<String>,
    /// Caller id number shown outside.
    pub outbound_caller_id_number: Option<String>,
    /// Whether unanswered calls go to voicemail.
    pub voicemail_enabled: bool,
    /// Voicemail PIN of 4 to 8 digits.
    pub voicemail_pin: Option<String>,
    /// Networks whose traffic counts as this user's.
    pub cidr: Option<String>,
    /// What kinds of numbers it may dial; none for the default.
    pub toll_allow: Option<Vec<Class>>,
    /// Most calls that it makes at once, 0 = unlimited.
    pub max_channels: i64,
    /// How long it rings, in seconds; none for as long as the tenant says.
    pub ring_timeout: Option<i64>,
    /// An inactive extension neither registers nor rings.
    pub is_active: bool,
}

impl NewExtension {
    /// The row that these values make.
    pub fn into_extension(self, id: Uuid, tenant_id: Uuid, now: i64) -> Extension {
        Extension {
            id,
            tenant_id,
            extension: self.extension,
            password: self.password,
            directory_first_name: self.directory_first_name,
            directory_last_name: self.directory_last_name,
            effective_caller_id_name: self.effective_caller_id_name,
            effective_caller_id_number: self.effective_caller_id_number,
            outbound_caller_id_name: self.outbound_caller_id_name,
            outbound_caller_id_number: self.outbound_caller_id_number,
            voicemail_enabled: self.voicemail_enabled,
            voicemail_pin: self.voicemail_pin,
            cidr: self.cidr,
            toll_allow: self.toll_allow,
            max_channels: self.max_channels,
            ring_timeout: self.ring_timeout,
            is_active: self.is_active,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

/// The valid values of a change to an extension; `None` leaves a value as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct ExtensionChange {
    /// The number, also the SIP user name.
    pub extension: String,
    /// SIP password.
    pub password: String,
    /// First name in the directory.
    pub directory_first_name: String,
    /// Last name in the directory.
    pub directory_last_name: String,
    /// Caller id name shown inside the tenant.
    pub effective_caller_id_name: Option<Option<String>>,
    /// Caller id number shown inside the tenant.
    pub effective_caller_id_number: Option<Option<String>>,
    /// Caller id name shown outside.
    pub outbound_caller_id_name: Option<Option<String>>,
    /// Caller id number shown outside.
    pub outbound_caller_id_number: Option<Option<String>>,
    /// Whether unanswered calls go to voicemail.
    pub voicemail_enabled: Option<bool>,
    /// Voicemail PIN of 4 to 8 digits.
    pub voicemail_pin: Option<Option<String>>,
    /// Networks whose traffic counts as this user's.
    pub cidr: Option<Option<String>>,
    /// What kinds of numbers it may dial; none for the default.
    pub toll_allow: Option<Option<Vec<Class>>>,
    /// Most calls that it makes at once, 0 = unlimited.
    pub max_channels: Option<i64>,
    /// How long it rings, in seconds; none for as long as the tenant says.
    pub ring_timeout: Option<Option<i64>>,
    /// An inactive extension neither registers nor rings.
    pub is_active: Option<bool>,
}

impl ExtensionChange {
    /// A change of that row that changes nothing yet.
    pub fn none(of: &Extension) -> Self {
        Self {
            extension: of.extension.clone(),
            password: of.password.clone(),
            directory_first_name: of.directory_first_name.clone(),
            directory_last_name: of.directory_last_name.clone(),
            effective_caller_id_name: None,
            effective_caller_id_number: None,
            outbound_caller_id_name: None,
            outbound_caller_id_number: None,
            voicemail_enabled: None,
            voicemail_pin: None,
            cidr: None,
            toll_allow: None,
            max_channels: None,
            ring_timeout: None,
            is_active: None,
        }
    }

    /// Puts the values into the row.
    pub fn apply(self, to: &mut Extension) {
        to.extension = self.extension;
        to.password = self.password;
        to.directory_first_name = self.directory_first_name;
        to.directory_last_name = self.directory_last_name;
        set(&mut to.effective_caller_id_name, self.effective_caller_id_name);
        set(&mut to.effective_caller_id_number, self.effective_caller_id_number);
        set(&mut to.outbound_caller_id_name, self.outbound_caller_id_name);
        set(&mut to.outbound_caller_id_number, self.outbound_caller_id_number);
        set(&mut to.voicemail_enabled, self.voicemail_enabled);
        set(&mut to.voicemail_pin, self.voicemail_pin);
        set(&mut to.cidr, self.cidr);
        set(&mut to.toll_allow, self.toll_allow);
        set(&mut to.max_channels, self.max_channels);
        set(&mut to.ring_timeout, self.ring_timeout);
        set(&mut to.is_active, self.is_active);
    }
}

fn set<T>(to: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *to = value;
    }
}
