//! Extensions. Every statement names the tenant: a row of another one is not there.

use std::borrow::Cow;

use nizam_core::call::NewPin;
use nizam_core::model::{AuditAction, Class, Extension, ExtensionChange, NewExtension};
use nizam_core::resource::EXTENSION_LIST;
use nizam_core::touch;
use nizam_core::validate::extension_key;
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::audit::{Actor, Entry, Of, Values, difference};
use crate::cascade;
use crate::column::Time;
use crate::db::Conn;
use crate::error::{StoreError, StoreResult};
use crate::ingest::Origin;
use crate::keyring::Keyring;
use crate::numbers;
use crate::page::{Expected, Listed, Query};
use crate::records::row::{bind, compared};
use crate::records::statement::{OF_TENANT, Source};
use crate::seal::Place;
use crate::write::{Committed, Write};

macro_rules! select_extensions {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant_id, extension, password, directory_first_name, directory_last_name, \
             effective_caller_id_name, effective_caller_id_number, outbound_caller_id_name, \
             outbound_caller_id_number, voicemail_enabled, voicemail_pin, cidr, toll_allow, max_channels, ring_timeout, \
             is_active, version, created_at, updated_at FROM extensions ",
            $rest
        )
    };
}
pub(crate) use select_extensions;

/// The list of extensions.
pub(crate) const EXTENSIONS: Source = Source {
    select: Cow::Borrowed(select_extensions!("")),
    table: "extensions",
    scope: OF_TENANT,
    count: Some("extensions_count"),
    order: ("extension", false),
    fields: EXTENSION_LIST,
};

#[derive(sqlx::FromRow)]
pub(crate) struct ExtensionRow {
    pub(crate) id: Uuid,
    tenant_id: Uuid,
    extension: String,
    password: Vec<u8>,
    directory_first_name: String,
    directory_last_name: String,
    effective_caller_id_name: Option<String>,
    effective_caller_id_number: Option<String>,
    outbound_caller_id_name: Option<String>,
    outbound_caller_id_number: Option<String>,
    voicemail_enabled: bool,
    voicemail_pin: Option<Vec<u8>>,
    cidr: Option<String>,
    toll_allow: Option<Json<Vec<String>>>,
    max_channels: i64,
    ring_timeout: Option<i64>,
    is_active: bool,
    version: i64,
    created_at: Time,
    updated_at: Time,
}

impl ExtensionRow {
    /// What makes its number unique.
    pub(crate) fn key(&self) -> String {
        extension_key(&self.extension)
    }

    pub(crate) fn open(self, keys: &Keyring) -> StoreResult<Extension> {
        let pin = self.voicemail_pin.as_deref().map(|pin| keys.open(pin_place(self.id), pin)).transpose()?;
        Ok(Extension {
            password: keys.open(password_place(self.id), &self.password)?,
            voicemail_pin: pin,
            id: self.id,
            tenant_id: self.tenant_id,
            extension: self.extension,
            directory_first_name: self.directory_first_name,
            directory_last_name: self.directory_last_name,
            effective_caller_id_name: self.effective_caller_id_name,
            effective_caller_id_number: self.effective_caller_id_number,
            outbound_caller_id_name: self.outbound_caller_id_name,
            outbound_caller_id_number: self.outbound_caller_id_number,
            voicemail_enabled: self.voicemail_enabled,
            cidr: self.cidr,
            toll_allow: self
                .toll_allow
                .map(|Json(names)| names.iter().filter_map(|name| Class::parse(name)).collect()),
            max_channels: self.max_channels,
            ring_timeout: self.ring_timeout,
            is_active: self.is_active,
            version: self.version,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

/// The secrets of an extension, sealed.
pub(crate) struct Sealed {
    pub(crate) password: Vec<u8>,
    pub(crate) voicemail_pin: Option<Vec<u8>>,
}

impl Sealed {
    pub(crate) fn of(extension: &Extension, keys: &Keyring) -> StoreResult<Self> {
        let pin = extension.voicemail_pin.as_deref();
        Ok(Self {
            password: keys.seal(password_place(extension.id), extension.password.as_bytes())?,
            voicemail_pin: pin.map(|pin| keys.seal(pin_place(extension.id), pin.as_bytes())).transpose()?,
        })
    }
}

impl Store {
    /// The extensions of a tenant, by number unless the query says otherwise.
    pub async fn extensions(&self, tenant_id: Uuid, query: &Query) -> StoreResult<Listed<Extension>> {
        // Not in one transaction: a row that comes in between only makes the total one more.
        let mut reader = self.db.reader().await?;
        let sql = AssertSqlSafe(EXTENSIONS.list(query));
        let rows: Vec<ExtensionRow> = on!(reader.conn(), c => {
            let mut statement = sqlx::query_as(sql).bind(tenant_id);
            for (field, value) in &query.filters {
                statement = bind!(statement, compared(field, value));
            }
            statement.bind(query.page.limit()).bind(query.page.offset()).fetch_all(c).await?
        });
        let total = EXTENSIONS.count(reader.conn(), tenant_id, query).await?;
        let rows = rows.into_iter().map(|row| row.open(&self.keys)).collect::<StoreResult<_>>()?;
        Ok(Listed { rows, total })
    }

    /// Some extensions of a tenant, in the order of their ids, after the one with that id.
    pub async fn extensions_after(
        &self,
        tenant_id: Uuid,
        id: Uuid,
        most: u32,
    ) -> StoreResult<Vec<Extension>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<ExtensionRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(select_extensions!("WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3 + 0")))
                .bind(tenant_id).bind(id).bind(i64::from(most)).fetch_all(c).await?
        });
        rows.into_iter().map(|row| row.open(&self.keys)).collect()
    }

    /// The extension of that tenant with that id.
    pub async fn extension(&self, tenant_id: Uuid, id: Uuid) -> StoreResult<Option<Extension>> {
        let mut reader = self.db.reader().await?;
        let row = by_id(reader.conn(), tenant_id, id).await?;
        row.map(|row| row.open(&self.keys)).transpose()
    }

    /// The extension of that tenant with that number, in any case.
    pub async fn extension_by_number(&self, tenant_id: Uuid, number: &str) -> StoreResult<Option<Extension>> {
        let mut reader = self.db.reader().await?;
        let row: Option<ExtensionRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(select_extensions!("WHERE tenant_id = $1 AND extension_key = $2")))
                .bind(tenant_id).bind(extension_key(number)).fetch_optional(c).await?
        });
        row.map(|row| row.open(&self.keys)).transpose()
    }

    /// Sets the PIN that somebody has chosen by phone; false where the domain is no tenant's, and so the mailbox none of ours. `told` is the number of the event that says so:
    /// where that is stored the PIN was set before, and another one may have been chosen since.
    pub async fn pin_by_phone(&self, origin: Origin<'_>, told: u64, chosen: &NewPin) -> StoreResult<bool> {
        let Some(tenant) = self.tenant_by_domain(&chosen.domain).await? else { return Ok(false) };
        let actor = Actor { user_agent: Some(format!("phone, by {}", origin.switch)), ..Actor::default() };
        loop {
            let extension = self.extension_by_number(tenant.id, &chosen.user).await?;
            let Some(extension) = extension else { return Ok(true) };
            if self.stored_until(origin).await? >= told
                || extension.voicemail_pin.as_deref() == Some(&*chosen.pin)
            {
                return Ok(true);
            }
            let pin = Some(Some(chosen.pin.clone()));
            let change = ExtensionChange { voicemail_pin: pin, ..ExtensionChange::none(&extension) };
            let expected = Expected::Versions(vec![extension.version]);
            match self.update_extension(&actor, tenant.id, extension.id, change, &expected).await {
                // Whoever follows what is written publishes it (`nizamd/src/follow.rs`). Somebody may have changed the row meanwhile.
                Ok(_) | Err(StoreError::Stale) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes an extension, unless the tenant has as many as it may have.
    pub async fn create_extension(
        &self,
        actor: &Actor,
        tenant_id: Uuid,
        new: NewExtension,
    ) -> StoreResult<Committed<Extension>> {
        let mut write = self.begin(actor).await?;
        let extension = insert(&mut write, &self.keys, tenant_id, new).await?;
        write.commit(extension).await
    }

    /// Changes an extension.
    pub async fn update_extension(
        &self,
        actor: &Actor,
        tenant_id: Uuid,
        id: Uuid,
        change: ExtensionChange,
        expected: &Expected,
    ) -> StoreResult<Committed<Extension>> {
        let mut write = self.begin(actor).await?;
        let old = locked(&mut write, tenant_id, id).await?.open(&self.keys)?;
        expected.check(old.version)?;
        let mut extension = old.clone();
        change.apply(&mut extension);
        extension.updated_at = write.now;
        extension.version += 1;
        if extension_key(&extension.extension) != extension_key(&old.extension) {
            numbers::check_extension(&mut write, tenant_id, id, &extension.extension).await?;
        }
        let sealed = Sealed::of(&extension, &self.keys)?;
        on!(write.conn(), c => {
            sqlx::query(sql!("UPDATE extensions SET extension = $3, extension_key = $4, password = $5, directory_first_name = $6, \
                 directory_last_name = $7, effective_caller_id_name = $8, effective_caller_id_number = $9, \
                 outbound_caller_id_name = $10, outbound_caller_id_number = $11, voicemail_enabled = $12, \
                 voicemail_pin = $13, cidr = $14, toll_allow = $15, max_channels = $16, ring_timeout = $17, is_active = $18, \
                 updated_at = $19, version = $20 \
                 WHERE tenant_id = $1 AND id = $2"))
            .bind(tenant_id)
            .bind(id)
            .bind(&extension.extension)
            .bind(extension_key(&extension.extension))
            .bind(sealed.password)
            .bind(&extension.directory_first_name)
            .bind(&extension.directory_last_name)
            .bind(&extension.effective_caller_id_name)
            .bind(&extension.effective_caller_id_number)
            .bind(&extension.outbound_caller_id_name)
            .bind(&extension.outbound_caller_id_number)
            .bind(extension.voicemail_enabled)
            .bind(sealed.voicemail_pin)
            .bind(&extension.cidr)
            .bind(extension.class_names().map(Json))
            .bind(extension.max_channels)
            .bind(extension.ring_timeout)
            .bind(extension.is_active)
            .bind(Time(extension.updated_at))
            .bind(extension.version)
            .execute(c)
            .await?.rows_affected()
        });
        let (mut before, mut after) = difference(&values(&old), values(&extension));
        for (secret, changed) in [
            ("password", old.password != extension.password),
            ("voicemail_pin", old.voicemail_pin != extension.voicemail_pin),
        ] {
            if changed {
                before.insert(secret.to_owned(), json!("[secret]"));
                after.insert(secret.to_owned(), json!("[secret]"));
            }
        }
        let entry = Entry { old: Some(before), new: Some(after), ..entry(&extension, AuditAction::Updated) };
        write.audit(entry).await?;
        write.touch(touch::extension(Some(&old), Some(&extension)));
        if shows_on_phones(&old) != shows_on_phones(&extension) {
            touch_profiles(&mut write, tenant_id, id).await?;
        }
        write.commit(extension).await
    }

    /// Deletes an extension.
    pub async fn delete_extension(
        &self,
        actor: &Actor,
        tenant_id: Uuid,
        id: Uuid,
        expected: &Expected,
    ) -> StoreResult<Committed<()>> {
        let mut write = self.begin(actor).await?;
        let old = locked(&mut write, tenant_id, id).await?.open(&self.keys)?;
        expected.check(old.version)?;
        write.touch(touch::extension(Some(&old), None));
        cascade::extension_gone(&mut write, &self.keys, tenant_id, id).await?;
        on!(write.conn(), c => {
            sqlx::query(sql!("DELETE FROM extensions WHERE tenant_id = $1 AND id = $2"))
                .bind(tenant_id).bind(id).execute(c).await?.rows_affected()
        });
        on!(write.conn(), c => {
            sqlx::query(sql!("UPDATE tenants SET extensions_count = extensions_count - 1 WHERE id = $1"))
                .bind(tenant_id).execute(c).await?.rows_affected()
        });
        let entry = Entry { old: Some(values(&old)), ..entry(&old, AuditAction::Deleted) };
        write.audit(entry).await?;
        write.commit(()).await
    }
}

/// What of an extension is in the configuration of its phones.
fn shows_on_phones(extension: &Extension) -> impl PartialEq + '_ {
    (
        &extension.password,
        &extension.extension,
        &extension.directory_first_name,
        &extension.directory_last_name,
        &extension.effective_caller_id_name,
        &extension.effective_caller_id_number,
        extension.voicemail_enabled,
    )
}

/// Says that the configuration of the phones of an extension is another one now: they ask for it by its time.
async fn touch_profiles(write: &mut Write<'_>, tenant_id: Uuid, extension_id: Uuid) -> StoreResult<()> {
    let now = write.now;
    on!(write.conn(), c => {
        sqlx::query(sql!(
            "UPDATE device_profiles SET updated_at = $3, version = version + 1 \
             WHERE tenant_id = $1 AND extension_id = $2 AND is_active = TRUE"
        ))
        .bind(tenant_id).bind(extension_id).bind(Time(now)).execute(c).await?.rows_affected()
    });
    Ok(())
}

/// A new extension, in the transaction of somebody who makes more than that.
pub(crate) async fn insert(
    write: &mut Write<'_>,
    keys: &Keyring,
    tenant_id: Uuid,
    new: NewExtension,
) -> StoreResult<Extension> {
    add_to_count(write, tenant_id, 1).await?;
    let extension = new.into_extension(Uuid::now_v7(), tenant_id, write.now);
    numbers::check_extension(write, tenant_id, extension.id, &extension.extension).await?;
    let sealed = Sealed::of(&extension, keys)?;
    on!(write.conn(), c => {
        sqlx::query(sql!("INSERT INTO extensions (id, tenant_id, extension, extension_key, password, directory_first_name, \
             directory_last_name, effective_caller_id_name, effective_caller_id_number, outbound_caller_id_name, \
             outbound_caller_id_number, voicemail_enabled, voicemail_pin, cidr, toll_allow, max_channels, ring_timeout, \
             is_active, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"))
        .bind(extension.id)
        .bind(tenant_id)
        .bind(&extension.extension)
        .bind(extension_key(&extension.extension))
        .bind(sealed.password)
        .bind(&extension.directory_first_name)
        .bind(&extension.directory_last_name)
        .bind(&extension.effective_caller_id_name)
        .bind(&extension.effective_caller_id_number)
        .bind(&extension.outbound_caller_id_name)
        .bind(&extension.outbound_caller_id_number)
        .bind(extension.voicemail_enabled)
        .bind(sealed.voicemail_pin)
        .bind(&extension.cidr)
        .bind(extension.class_names().map(Json))
        .bind(extension.max_channels)
        .bind(extension.ring_timeout)
        .bind(extension.is_active)
        .bind(Time(extension.created_at))
        .bind(Time(extension.updated_at))
        .execute(c)
        .await?.rows_affected()
    });
    let entry = Entry { new: Some(values(&extension)), ..entry(&extension, AuditAction::Created) };
    write.audit(entry).await?;
    write.touch(touch::extension(None, Some(&extension)));
    Ok(extension)
}

/// Counts new extensions, and refuses them if they are too many. The count is a column of the tenant's row, so that two
/// transactions that add at the same time wait for each other on every database.
pub(crate) async fn add_to_count(write: &mut Write<'_>, tenant_id: Uuid, more: i64) -> StoreResult<()> {
    let counted: Option<(i64, i64)> = on!(write.conn(), c => {
        sqlx::query_as(sql!("UPDATE tenants SET extensions_count = extensions_count + $2 WHERE id = $1 \
             RETURNING extensions_count, max_extensions"))
        .bind(tenant_id).bind(more)
        .fetch_optional(c).await?
    });
    match counted {
        None => Err(StoreError::NotFound),
        Some((now, max)) if max > 0 && now > max => Err(StoreError::Quota { thing: "Extension", max }),
        Some(_) => Ok(()),
    }
}

pub(crate) async fn by_id(conn: Conn<'_>, tenant_id: Uuid, id: Uuid) -> StoreResult<Option<ExtensionRow>> {
    Ok(on!(conn, c => {
        sqlx::query_as(sql!(select_extensions!("WHERE tenant_id = $1 AND id = $2")))
            .bind(tenant_id).bind(id).fetch_optional(c).await?
    }))
}

/// The row, which nobody else changes until the end of the transaction.
async fn locked(write: &mut Write<'_>, tenant_id: Uuid, id: Uuid) -> StoreResult<ExtensionRow> {
    let row: Option<ExtensionRow> = match write.conn() {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(select_extensions!("WHERE tenant_id = $1 AND id = $2")))
                .bind(tenant_id)
                .bind(id)
                .fetch_optional(c)
                .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(
                sql!(postgres select_extensions!("WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE")),
            )
            .bind(tenant_id)
            .bind(id)
            .fetch_optional(c)
            .await?
        }
    };
    row.ok_or(StoreError::NotFound)
}

fn password_place(id: Uuid) -> Place {
    Place { table: "extensions", column: "password", id }
}

fn pin_place(id: Uuid) -> Place {
    Place { table: "extensions", column: "voicemail_pin", id }
}

fn entry(extension: &Extension, action: AuditAction) -> Entry {
    Entry {
        tenant_id: extension.tenant_id,
        action,
        kind: "Extension",
        of: Of::One(extension.id, extension.extension.clone()),
        old: None,
        new: None,
    }
}

/// Everything but the secrets.
fn values(extension: &Extension) -> Values {
    [
        ("extension", json!(extension.extension)),
        ("directory_first_name", json!(extension.directory_first_name)),
        ("directory_last_name", json!(extension.directory_last_name)),
        ("effective_caller_id_name", json!(extension.effective_caller_id_name)),
        ("effective_caller_id_number", json!(extension.effective_caller_id_number)),
        ("outbound_caller_id_name", json!(extension.outbound_caller_id_name)),
        ("outbound_caller_id_number", json!(extension.outbound_caller_id_number)),
        ("voicemail_enabled", json!(extension.voicemail_enabled)),
        ("cidr", json!(extension.cidr)),
        ("toll_allow", json!(extension.class_names())),
        ("max_channels", json!(extension.max_channels)),
        ("ring_timeout", json!(extension.ring_timeout)),
        ("is_active", json!(extension.is_active)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}
