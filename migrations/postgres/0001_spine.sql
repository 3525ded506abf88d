-- The same model as that of SQLite, in types of PostgreSQL.

-- One row: the number of the newest configuration, and a sealed constant that tells whether the key is the right one.
CREATE TABLE meta (
    id         bigint      PRIMARY KEY CHECK (id = 1),
    generation bigint      NOT NULL,
    key_check  bytea
);
INSERT INTO meta (id, generation) VALUES (1, 0);

CREATE TABLE tenants (
    id                       uuid        NOT NULL PRIMARY KEY,
    name                     text        NOT NULL,
    domain                   text        NOT NULL,
    slug                     text        NOT NULL,
    settings                 jsonb       NOT NULL DEFAULT '{}',
    codec_policy             jsonb,
    max_extensions           bigint      NOT NULL DEFAULT 0,
    max_concurrent_calls     bigint      NOT NULL DEFAULT 0,
    max_dids                 bigint      NOT NULL DEFAULT 0,
    max_ring_groups          bigint      NOT NULL DEFAULT 0,
    recording_retention_days bigint,
    max_calls_per_minute     bigint,
    is_active                boolean     NOT NULL DEFAULT TRUE,
    status                   text        NOT NULL DEFAULT 'active',
    -- Counted in the transaction that adds or removes one: a quota and the total of a list must not cost a scan.
    extensions_count         bigint      NOT NULL DEFAULT 0,
    dids_count               bigint      NOT NULL DEFAULT 0,
    ring_groups_count        bigint      NOT NULL DEFAULT 0,
    version                  bigint      NOT NULL DEFAULT 1,
    created_at               timestamptz NOT NULL,
    updated_at               timestamptz NOT NULL
);
CREATE UNIQUE INDEX tenants_domain_unique ON tenants (domain);
CREATE UNIQUE INDEX tenants_slug_unique ON tenants (slug);

CREATE TABLE users (
    id                bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name              text        NOT NULL,
    email             text        NOT NULL,
    -- The address in lower case.
    email_key         text        NOT NULL,
    email_verified_at timestamptz,
    -- Argon2id, a PHC string.
    password          text        NOT NULL,
    tenant_id         uuid        REFERENCES tenants (id) ON DELETE SET NULL,
    role              text        NOT NULL DEFAULT 'user',
    -- 1 once somebody has said what the user may do; then only grants count.
    restricted        boolean     NOT NULL DEFAULT FALSE,
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_email_unique ON users (email_key);
CREATE INDEX users_tenant ON users (tenant_id);

CREATE TABLE personal_access_tokens (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      bigint      NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         text        NOT NULL,
    -- SHA-256 of the part after the "|".
    token        bytea       NOT NULL,
    -- A JSON list.
    abilities    jsonb       NOT NULL,
    last_used_at timestamptz,
    expires_at   timestamptz,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE UNIQUE INDEX personal_access_tokens_token_unique ON personal_access_tokens (token);
CREATE INDEX personal_access_tokens_user ON personal_access_tokens (user_id);

CREATE TABLE permissions (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug        text        NOT NULL,
    description text,
    module      text        NOT NULL DEFAULT 'core'
);
CREATE UNIQUE INDEX permissions_slug_unique ON permissions (slug);

CREATE TABLE permission_user (
    permission_id bigint      NOT NULL REFERENCES permissions (id) ON DELETE CASCADE,
    user_id       bigint      NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, permission_id)
);
CREATE INDEX permission_user_permission ON permission_user (permission_id);

CREATE TABLE extensions (
    id                         uuid        NOT NULL PRIMARY KEY,
    tenant_id                  uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    extension                  text        NOT NULL,
    -- The number in lower case.
    extension_key              text        NOT NULL,
    -- Sealed.
    password                   bytea       NOT NULL,
    directory_first_name       text        NOT NULL,
    directory_last_name        text        NOT NULL,
    effective_caller_id_name   text,
    effective_caller_id_number text,
    outbound_caller_id_name    text,
    outbound_caller_id_number  text,
    voicemail_enabled          boolean     NOT NULL DEFAULT FALSE,
    -- Sealed.
    voicemail_pin              bytea,
    cidr                       text,
    is_active                  boolean     NOT NULL DEFAULT TRUE,
    version                    bigint      NOT NULL DEFAULT 1,
    created_at                 timestamptz NOT NULL,
    updated_at                 timestamptz NOT NULL
);
CREATE UNIQUE INDEX extensions_number_unique ON extensions (tenant_id, extension_key);

CREATE TABLE audit_logs (
    id             uuid        NOT NULL PRIMARY KEY,
    tenant_id      uuid        REFERENCES tenants (id) ON DELETE SET NULL,
    -- No reference: the entry outlives the user.
    user_id        bigint,
    action         text        NOT NULL,
    auditable_type text        NOT NULL,
    auditable_id   uuid        NOT NULL,
    old_values     jsonb,
    new_values     jsonb,
    ip_address     text,
    user_agent     text,
    created_at     timestamptz NOT NULL
);
CREATE INDEX audit_logs_tenant ON audit_logs (tenant_id, created_at);

-- What each generation touched, for other processes on this database: a daemon publishes what a command wrote.
CREATE TABLE changes (
    generation bigint      PRIMARY KEY,
    -- A JSON list of domains and of [tenant, number]; null if it was too much to list.
    touched    text
);
