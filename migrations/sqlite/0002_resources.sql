-- What tenants own besides extensions, and what is recorded of their calls.

-- DIDs. What one leads to need not exist, so there is no reference.
CREATE TABLE dids (
    id               BLOB    NOT NULL PRIMARY KEY,
    tenant_id        BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    number           TEXT    NOT NULL,
    -- Digits and plus sign only.
    number_key       TEXT    NOT NULL,
    description      TEXT,
    destination_type TEXT    NOT NULL,
    destination_id   BLOB    NOT NULL,
    is_active        INTEGER NOT NULL DEFAULT 1,
    version          INTEGER NOT NULL DEFAULT 1,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
);
CREATE UNIQUE INDEX dids_number_unique ON dids (tenant_id, number_key);
CREATE INDEX dids_number ON dids (number_key);

CREATE TABLE ring_groups (
    id                        BLOB    NOT NULL PRIMARY KEY,
    tenant_id                 BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name                      TEXT    NOT NULL,
    strategy                  TEXT    NOT NULL DEFAULT 'simultaneous',
    ring_timeout              INTEGER NOT NULL DEFAULT 30,
    members                   TEXT    NOT NULL,
    fallback_destination_type TEXT,
    fallback_destination_id   BLOB,
    is_active                 INTEGER NOT NULL DEFAULT 1,
    version                   INTEGER NOT NULL DEFAULT 1,
    created_at                INTEGER NOT NULL,
    updated_at                INTEGER NOT NULL
);
CREATE INDEX ring_groups_tenant ON ring_groups (tenant_id, name);

CREATE TABLE ivrs (
    id                       BLOB    NOT NULL PRIMARY KEY,
    tenant_id                BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name                     TEXT    NOT NULL,
    greet_long               TEXT,
    greet_short              TEXT,
    timeout                  INTEGER NOT NULL DEFAULT 5,
    max_failures             INTEGER NOT NULL DEFAULT 3,
    options                  TEXT    NOT NULL,
    timeout_destination_type TEXT,
    timeout_destination_id   BLOB,
    is_active                INTEGER NOT NULL DEFAULT 1,
    version                  INTEGER NOT NULL DEFAULT 1,
    created_at               INTEGER NOT NULL,
    updated_at               INTEGER NOT NULL
);
CREATE INDEX ivrs_tenant ON ivrs (tenant_id, name);

CREATE TABLE time_conditions (
    id                        BLOB    NOT NULL PRIMARY KEY,
    tenant_id                 BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name                      TEXT    NOT NULL,
    conditions                TEXT    NOT NULL,
    match_destination_type    TEXT,
    match_destination_id      BLOB,
    no_match_destination_type TEXT,
    no_match_destination_id   BLOB,
    is_active                 INTEGER NOT NULL DEFAULT 1,
    version                   INTEGER NOT NULL DEFAULT 1,
    created_at                INTEGER NOT NULL,
    updated_at                INTEGER NOT NULL
);
CREATE INDEX time_conditions_tenant ON time_conditions (tenant_id, name);

CREATE TABLE holidays (
    id         BLOB    NOT NULL PRIMARY KEY,
    tenant_id  BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL,
    dates      TEXT    NOT NULL,
    is_active  INTEGER NOT NULL DEFAULT 1,
    version    INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX holidays_name_unique ON holidays (tenant_id, name_key);

CREATE TABLE gateways (
    id                BLOB    NOT NULL PRIMARY KEY,
    tenant_id         BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name              TEXT    NOT NULL,
    name_key          TEXT    NOT NULL,
    host              TEXT    NOT NULL,
    port              INTEGER NOT NULL DEFAULT 5060,
    username          TEXT,
    -- Sealed.
    password          BLOB,
    realm             TEXT,
    transport         TEXT    NOT NULL DEFAULT 'udp',
    inbound_codecs    TEXT,
    outbound_codecs   TEXT,
    allow_transcoding INTEGER NOT NULL DEFAULT 1,
    is_active         INTEGER NOT NULL DEFAULT 1,
    version           INTEGER NOT NULL DEFAULT 1,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
);
CREATE UNIQUE INDEX gateways_name_unique ON gateways (tenant_id, name_key);

CREATE TABLE outbound_routes (
    id               BLOB    NOT NULL PRIMARY KEY,
    tenant_id        BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name             TEXT    NOT NULL,
    priority         INTEGER NOT NULL DEFAULT 100,
    patterns         TEXT    NOT NULL,
    class            TEXT    NOT NULL DEFAULT 'national',
    strip            INTEGER NOT NULL DEFAULT 0,
    prepend          TEXT,
    gateways         TEXT    NOT NULL,
    caller_id        TEXT    NOT NULL DEFAULT 'extension',
    caller_id_number TEXT,
    is_active        INTEGER NOT NULL DEFAULT 1,
    version          INTEGER NOT NULL DEFAULT 1,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
);
CREATE INDEX outbound_routes_tenant ON outbound_routes (tenant_id, priority);

CREATE TABLE call_routing_policies (
    id                        BLOB    NOT NULL PRIMARY KEY,
    tenant_id                 BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name                      TEXT    NOT NULL,
    description               TEXT,
    conditions                TEXT    NOT NULL,
    match_destination_type    TEXT,
    match_destination_id      BLOB,
    no_match_destination_type TEXT,
    no_match_destination_id   BLOB,
    priority                  INTEGER NOT NULL DEFAULT 0,
    is_active                 INTEGER NOT NULL DEFAULT 1,
    version                   INTEGER NOT NULL DEFAULT 1,
    created_at                INTEGER NOT NULL,
    updated_at                INTEGER NOT NULL
);
CREATE INDEX call_routing_policies_tenant ON call_routing_policies (tenant_id, priority);

CREATE TABLE call_flows (
    id          BLOB    NOT NULL PRIMARY KEY,
    tenant_id   BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    description TEXT,
    nodes       TEXT    NOT NULL,
    is_active   INTEGER NOT NULL DEFAULT 1,
    version     INTEGER NOT NULL DEFAULT 1,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX call_flows_tenant ON call_flows (tenant_id, name);

CREATE TABLE queues (
    id                      BLOB    NOT NULL PRIMARY KEY,
    tenant_id               BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name                    TEXT    NOT NULL,
    name_key                TEXT    NOT NULL,
    strategy                TEXT    NOT NULL DEFAULT 'round_robin',
    max_wait_time           INTEGER NOT NULL DEFAULT 300,
    overflow_action         TEXT    NOT NULL DEFAULT 'voicemail',
    overflow_destination    TEXT,
    music_on_hold           TEXT,
    service_level_threshold INTEGER NOT NULL DEFAULT 20,
    wrapup_seconds          INTEGER NOT NULL DEFAULT 0,
    is_active               INTEGER NOT NULL DEFAULT 1,
    version                 INTEGER NOT NULL DEFAULT 1,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL
);
CREATE UNIQUE INDEX queues_name_unique ON queues (tenant_id, name_key);

CREATE TABLE agents (
    id               BLOB    NOT NULL PRIMARY KEY,
    tenant_id        BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    extension_id     BLOB    NOT NULL REFERENCES extensions (id) ON DELETE CASCADE,
    name             TEXT    NOT NULL,
    role             TEXT    NOT NULL DEFAULT 'agent',
    state            TEXT    NOT NULL DEFAULT 'offline',
    pause_reason     TEXT,
    state_changed_at INTEGER,
    is_active        INTEGER NOT NULL DEFAULT 1,
    version          INTEGER NOT NULL DEFAULT 1,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
);
CREATE UNIQUE INDEX agents_extension_unique ON agents (tenant_id, extension_id);
CREATE INDEX agents_extension ON agents (extension_id);

CREATE TABLE queue_members (
    id         BLOB    NOT NULL PRIMARY KEY,
    queue_id   BLOB    NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    agent_id   BLOB    NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    priority   INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX queue_members_unique ON queue_members (queue_id, agent_id);
CREATE INDEX queue_members_agent ON queue_members (agent_id);

-- Callers that wait or waited.
CREATE TABLE queue_entries (
    id               BLOB    NOT NULL PRIMARY KEY,
    tenant_id        BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    queue_id         BLOB    NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    call_uuid        TEXT    NOT NULL,
    caller_id_number TEXT,
    caller_id_name   TEXT,
    status           TEXT    NOT NULL DEFAULT 'waiting',
    agent_id         BLOB    REFERENCES agents (id) ON DELETE SET NULL,
    join_time        INTEGER NOT NULL,
    answer_time      INTEGER,
    abandon_time     INTEGER,
    wait_duration    INTEGER,
    abandon_reason   TEXT,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
);
CREATE INDEX queue_entries_queue ON queue_entries (queue_id, join_time);
CREATE INDEX queue_entries_tenant ON queue_entries (tenant_id);
CREATE INDEX queue_entries_agent ON queue_entries (agent_id);

CREATE TABLE queue_metrics (
    id                BLOB    NOT NULL PRIMARY KEY,
    tenant_id         BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    queue_id          BLOB    NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    period            TEXT    NOT NULL,
    period_start      INTEGER NOT NULL,
    calls_offered     INTEGER NOT NULL DEFAULT 0,
    calls_answered    INTEGER NOT NULL DEFAULT 0,
    calls_abandoned   INTEGER NOT NULL DEFAULT 0,
    average_wait_time REAL    NOT NULL DEFAULT 0,
    max_wait_time     REAL    NOT NULL DEFAULT 0,
    service_level     REAL    NOT NULL DEFAULT 0,
    abandon_rate      REAL    NOT NULL DEFAULT 0,
    agent_occupancy   REAL    NOT NULL DEFAULT 0,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
);
CREATE UNIQUE INDEX queue_metrics_unique ON queue_metrics (queue_id, period, period_start);
CREATE INDEX queue_metrics_tenant ON queue_metrics (tenant_id);

CREATE TABLE device_profiles (
    id              BLOB    NOT NULL PRIMARY KEY,
    tenant_id       BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name            TEXT    NOT NULL,
    vendor          TEXT,
    mac_address     TEXT,
    -- Twelve hex digits in lower case; a phone is in one tenant only.
    mac_address_key TEXT,
    template        TEXT,
    extension_id    BLOB    REFERENCES extensions (id) ON DELETE SET NULL,
    is_active       INTEGER NOT NULL DEFAULT 1,
    version         INTEGER NOT NULL DEFAULT 1,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
);
CREATE UNIQUE INDEX device_profiles_mac_unique ON device_profiles (mac_address_key);
CREATE INDEX device_profiles_tenant ON device_profiles (tenant_id, name);
CREATE INDEX device_profiles_extension ON device_profiles (extension_id);

CREATE TABLE webhooks (
    id          BLOB    NOT NULL PRIMARY KEY,
    tenant_id   BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    url         TEXT    NOT NULL,
    events      TEXT    NOT NULL,
    -- Sealed.
    secret      BLOB,
    description TEXT,
    is_active   INTEGER NOT NULL DEFAULT 1,
    version     INTEGER NOT NULL DEFAULT 1,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX webhooks_tenant ON webhooks (tenant_id);

CREATE TABLE webhook_delivery_attempts (
    id              BLOB    NOT NULL PRIMARY KEY,
    webhook_id      BLOB    NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_type      TEXT    NOT NULL,
    payload         TEXT    NOT NULL,
    response_status INTEGER,
    response_body   TEXT,
    attempt         INTEGER NOT NULL,
    success         INTEGER NOT NULL,
    latency_ms      REAL,
    error_message   TEXT,
    delivered_at    INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
);
CREATE INDEX webhook_delivery_attempts_webhook ON webhook_delivery_attempts (webhook_id, created_at);

-- What a tenant used: one row a measurement.
CREATE TABLE usage_records (
    id            BLOB    NOT NULL PRIMARY KEY,
    tenant_id     BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    metric        TEXT    NOT NULL,
    value         REAL    NOT NULL DEFAULT 0,
    metadata      TEXT,
    -- `YYYY-MM-DD`, UTC.
    recorded_date TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
);
CREATE INDEX usage_records_tenant ON usage_records (tenant_id, recorded_date, metric);

CREATE TABLE call_detail_records (
    id                 BLOB    NOT NULL PRIMARY KEY,
    tenant_id          BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    uuid               TEXT    NOT NULL,
    caller_id_name     TEXT,
    caller_id_number   TEXT    NOT NULL,
    destination_number TEXT    NOT NULL,
    context            TEXT,
    start_stamp        INTEGER NOT NULL,
    answer_stamp       INTEGER,
    end_stamp          INTEGER,
    duration           INTEGER NOT NULL DEFAULT 0,
    billsec            INTEGER NOT NULL DEFAULT 0,
    hangup_cause       TEXT,
    direction          TEXT    NOT NULL,
    recording_path     TEXT,
    read_codec         TEXT,
    write_codec        TEXT,
    negotiated_codec   TEXT,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL
);
CREATE UNIQUE INDEX call_detail_records_uuid_unique ON call_detail_records (uuid);
CREATE INDEX call_detail_records_tenant ON call_detail_records (tenant_id, start_stamp, id);

CREATE TABLE recordings (
    id                 BLOB    NOT NULL PRIMARY KEY,
    tenant_id          BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    call_uuid          TEXT    NOT NULL,
    file_path          TEXT    NOT NULL,
    file_name          TEXT    NOT NULL,
    file_size          INTEGER NOT NULL DEFAULT 0,
    format             TEXT    NOT NULL DEFAULT 'wav',
    duration           INTEGER,
    direction          TEXT,
    caller_id_number   TEXT,
    destination_number TEXT,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL
);
CREATE INDEX recordings_tenant ON recordings (tenant_id, created_at, id);
CREATE INDEX recordings_call ON recordings (call_uuid);

CREATE TABLE call_events (
    id             BLOB    NOT NULL PRIMARY KEY,
    tenant_id      BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    call_uuid      TEXT    NOT NULL,
    event_type     TEXT    NOT NULL,
    payload        TEXT    NOT NULL,
    schema_version TEXT    NOT NULL DEFAULT '1.0',
    occurred_at    INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
);
CREATE INDEX call_events_tenant ON call_events (tenant_id, occurred_at, id);
CREATE INDEX call_events_call ON call_events (call_uuid, event_type);

-- Requests that a client may send again without doing it twice (Idempotency-Key). Without an answer: what it did was
-- committed, and the answer was lost.
CREATE TABLE idempotency_keys (
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key        TEXT    NOT NULL,
    -- SHA-256 of operation, path and body.
    request    BLOB    NOT NULL,
    status     INTEGER,
    -- Sealed: an answer may hold a secret that is shown once.
    answer     BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
