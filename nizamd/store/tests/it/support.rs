//! A database in a directory of its own, and rows to put into it.

use std::path::PathBuf;

use nizam_core::model::{
    ExtensionChange, NewExtension, NewTenant, NewUser, Role, Slug, Tenant, TenantStatus, User,
};
use nizam_store::{Actor, Key, Keyring, Store};
use nizam_test_postgres::Database;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) directory: TempDir,
    pub(crate) key: Key,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::on(Database::chosen()).await
    }

    pub(crate) async fn on(database: Database) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = database.fresh(directory.path());
        let key = Key::random().unwrap();
        let store = Store::open(&url, Keyring::new(&key)).await.unwrap();
        Self { store, url, directory, key }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("nizam.db")
    }

    pub(crate) async fn tenant(&self, domain: &str) -> Tenant {
        self.store.create_tenant(&actor(), new_tenant(domain)).await.unwrap().value
    }

    pub(crate) async fn user(&self, email: &str, tenant_id: Option<Uuid>) -> User {
        let new = NewUser {
            name: "Somebody".into(),
            email: email.into(),
            password_hash: "$argon2id$".into(),
            role: Role::User,
            tenant_id,
        };
        self.store.create_user(&actor(), new).await.unwrap().value
    }
}

pub(crate) fn actor() -> Actor {
    Actor {
        user_id: Some(7),
        ip_address: Some("192.0.2.1".into()),
        user_agent: Some("x".repeat(400)),
        idempotency: None,
    }
}

pub(crate) fn new_tenant(domain: &str) -> NewTenant {
    NewTenant {
        name: domain.to_owned(),
        domain: domain.to_owned(),
        slug: Slug::FromName("acme".into()),
        status: TenantStatus::Active,
        max_extensions: 0,
        max_concurrent_calls: 0,
        max_dids: 0,
        max_ring_groups: 0,
        max_calls_per_minute: 0,
        is_active: true,
    }
}

pub(crate) fn new_extension(number: &str) -> NewExtension {
    NewExtension {
        extension: number.to_owned(),
        password: format!("Pa55-{number}-secret"),
        directory_first_name: "First".into(),
        directory_last_name: "Last".into(),
        effective_caller_id_name: Some("Näme \"<&>'".into()),
        effective_caller_id_number: None,
        outbound_caller_id_name: None,
        outbound_caller_id_number: Some("+15550100".into()),
        voicemail_enabled: true,
        voicemail_pin: Some("90210734".into()),
        cidr: Some("192.0.2.0/24".into()),
        toll_allow: None,
        max_channels: 0,
        ring_timeout: None,
        is_active: true,
    }
}

pub(crate) fn change(number: &str) -> ExtensionChange {
    ExtensionChange {
        extension: number.to_owned(),
        password: format!("Pa55-{number}-secret"),
        directory_first_name: "First".into(),
        directory_last_name: "Last".into(),
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
