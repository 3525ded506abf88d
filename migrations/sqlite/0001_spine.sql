-- Keys are UUIDs of version 7 as 16-byte blobs, times are microseconds since 1970 in UTC, truth values 0 or 1.

-- One row: the number of the newest configuration, and a sealed constant that tells whether the key is the right one.
CREATE TABLE meta (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL,
    key_check  BLOB
);
INSERT INTO meta (id, generation) VALUES (1, 0);

CREATE TABLE tenants (
    id                       BLOB    NOT NULL PRIMARY KEY,
    name                     TEXT    NOT NULL,
    domain                   TEXT    NOT NULL,
    slug                     TEXT    NOT NULL,
    settings                 TEXT    NOT NULL DEFAULT '{}',
    codec_policy             TEXT,
    max_extensions           INTEGER NOT NULL DEFAULT 0,
    max_concurrent_calls     INTEGER NOT NULL DEFAULT 0,
    max_dids                 INTEGER NOT NULL DEFAULT 0,
    max_ring_groups          INTEGER NOT NULL DEFAULT 0,
    recording_retention_days INTEGER,
    max_calls_per_minute     INTEGER,
    is_active                INTEGER NOT NULL DEFAULT 1,
    status                   TEXT    NOT NULL DEFAULT 'active',
    -- Counted in the transaction that adds or removes one: a quota and the total of a list must not cost a scan.
    extensions_count         INTEGER NOT NULL DEFAULT 0,
    dids_count               INTEGER NOT NULL DEFAULT 0,
    ring_groups_count        INTEGER NOT NULL DEFAULT 0,
    version                  INTEGER NOT NULL DEFAULT 1,
    created_at               INTEGER NOT NULL,
    updated_at               INTEGER NOT NULL
);
CREATE UNIQUE INDEX tenants_domain_unique ON tenants (domain);
CREATE UNIQUE INDEX tenants_slug_unique ON tenants (slug);

CREATE TABLE users (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    name              TEXT    NOT NULL,
    email             TEXT    NOT NULL,
    -- The address in lower case.
    email_key         TEXT    NOT NULL,
    email_verified_at INTEGER,
    -- Argon2id, a PHC string.
    password          TEXT    NOT NULL,
    tenant_id         BLOB    REFERENCES tenants (id) ON DELETE SET NULL,
    role              TEXT    NOT NULL DEFAULT 'user',
    -- 1 once somebody has said what the user may do; then only grants count.
    restricted        INTEGER NOT NULL DEFAULT 0,
    version           INTEGER NOT NULL DEFAULT 1,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
);
CREATE UNIQUE INDEX users_email_unique ON users (email_key);
CREATE INDEX users_tenant ON users (tenant_id);

CREATE TABLE personal_access_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    -- SHA-256 of the part after the "|".
    token        BLOB    NOT NULL,
    -- A JSON list.
    abilities    TEXT    NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);
CREATE UNIQUE INDEX personal_access_tokens_token_unique ON personal_access_tokens (token);
CREATE INDEX personal_access_tokens_user ON personal_access_tokens (user_id);

CREATE TABLE permissions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    slug        TEXT    NOT NULL,
    description TEXT,
    module      TEXT    NOT NULL DEFAULT 'core'
);
CREATE UNIQUE INDEX permissions_slug_unique ON permissions (slug);

CREATE TABLE permission_user (
    permission_id INTEGER NOT NULL REFERENCES permissions (id) ON DELETE CASCADE,
    user_id       INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, permission_id)
) WITHOUT ROWID;
CREATE INDEX permission_user_permission ON permission_user (permission_id);

CREATE TABLE extensions (
    id                         BLOB    NOT NULL PRIMARY KEY,
    tenant_id                  BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    extension                  TEXT    NOT NULL,
    -- The number in lower case.
    extension_key              TEXT    NOT NULL,
    -- Sealed.
    password                   BLOB    NOT NULL,
    directory_first_name       TEXT    NOT NULL,
    directory_last_name        TEXT    NOT NULL,
    effective_caller_id_name   TEXT,
    effective_caller_id_number TEXT,
    outbound_caller_id_name    TEXT,
    outbound_caller_id_number  TEXT,
    voicemail_enabled          INTEGER NOT NULL DEFAULT 0,
    -- Sealed.
    voicemail_pin              BLOB,
    cidr                       TEXT,
    is_active                  INTEGER NOT NULL DEFAULT 1,
    version                    INTEGER NOT NULL DEFAULT 1,
    created_at                 INTEGER NOT NULL,
    updated_at                 INTEGER NOT NULL
);
CREATE UNIQUE INDEX extensions_number_unique ON extensions (tenant_id, extension_key);

CREATE TABLE audit_logs (
    id             BLOB    NOT NULL PRIMARY KEY,
    tenant_id      BLOB    REFERENCES tenants (id) ON DELETE SET NULL,
    -- No reference: the entry outlives the user.
    user_id        INTEGER,
    action         TEXT    NOT NULL,
    auditable_type TEXT    NOT NULL,
    auditable_id   BLOB    NOT NULL,
    old_values     TEXT,
    new_values     TEXT,
    ip_address     TEXT,
    user_agent     TEXT,
    created_at     INTEGER NOT NULL
);
CREATE INDEX audit_logs_tenant ON audit_logs (tenant_id, created_at);

-- What each generation touched, for other processes on this database: a daemon publishes what a command wrote.
CREATE TABLE changes (
    generation INTEGER PRIMARY KEY,
    -- A JSON list of domains and of [tenant, number]; null if it was too much to list.
    touched    TEXT
);
