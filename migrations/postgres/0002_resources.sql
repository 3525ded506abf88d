-- What tenants own besides extensions, and what is recorded of their calls.

-- DIDs. What one leads to need not exist, so there is no reference.
CREATE TABLE dids (
    id               uuid        NOT NULL PRIMARY KEY,
    tenant_id        uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    number           text        NOT NULL,
    -- Digits and plus sign only.
    number_key       text        NOT NULL,
    description      text,
    destination_type text        NOT NULL,
    destination_id   uuid        NOT NULL,
    is_active        boolean     NOT NULL DEFAULT TRUE,
    version          bigint      NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE UNIQUE INDEX dids_number_unique ON dids (tenant_id, number_key);
CREATE INDEX dids_number ON dids (number_key);

CREATE TABLE ring_groups (
    id                        uuid        NOT NULL PRIMARY KEY,
    tenant_id                 uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name                      text        NOT NULL,
    strategy                  text        NOT NULL DEFAULT 'simultaneous',
    ring_timeout              bigint      NOT NULL DEFAULT 30,
    members                   jsonb       NOT NULL,
    fallback_destination_type text,
    fallback_destination_id   uuid,
    is_active                 boolean     NOT NULL DEFAULT TRUE,
    version                   bigint      NOT NULL DEFAULT 1,
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL
);
CREATE INDEX ring_groups_tenant ON ring_groups (tenant_id, name);

CREATE TABLE ivrs (
    id                       uuid        NOT NULL PRIMARY KEY,
    tenant_id                uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name                     text        NOT NULL,
    greet_long               text,
    greet_short              text,
    timeout                  bigint      NOT NULL DEFAULT 5,
    max_failures             bigint      NOT NULL DEFAULT 3,
    options                  jsonb       NOT NULL,
    timeout_destination_type text,
    timeout_destination_id   uuid,
    is_active                boolean     NOT NULL DEFAULT TRUE,
    version                  bigint      NOT NULL DEFAULT 1,
    created_at               timestamptz NOT NULL,
    updated_at               timestamptz NOT NULL
);
CREATE INDEX ivrs_tenant ON ivrs (tenant_id, name);

CREATE TABLE time_conditions (
    id                        uuid        NOT NULL PRIMARY KEY,
    tenant_id                 uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name                      text        NOT NULL,
    conditions                jsonb       NOT NULL,
    match_destination_type    text,
    match_destination_id      uuid,
    no_match_destination_type text,
    no_match_destination_id   uuid,
    is_active                 boolean     NOT NULL DEFAULT TRUE,
    version                   bigint      NOT NULL DEFAULT 1,
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL
);
CREATE INDEX time_conditions_tenant ON time_conditions (tenant_id, name);

CREATE TABLE holidays (
    id         uuid        NOT NULL PRIMARY KEY,
    tenant_id  uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name       text        NOT NULL,
    name_key   text        NOT NULL,
    dates      jsonb       NOT NULL,
    is_active  boolean     NOT NULL DEFAULT TRUE,
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX holidays_name_unique ON holidays (tenant_id, name_key);

CREATE TABLE gateways (
    id                uuid        NOT NULL PRIMARY KEY,
    tenant_id         uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name              text        NOT NULL,
    name_key          text        NOT NULL,
    host              text        NOT NULL,
    port              bigint      NOT NULL DEFAULT 5060,
    username          text,
    -- Sealed.
    password          bytea,
    realm             text,
    transport         text        NOT NULL DEFAULT 'udp',
    inbound_codecs    jsonb,
    outbound_codecs   jsonb,
    allow_transcoding boolean     NOT NULL DEFAULT TRUE,
    is_active         boolean     NOT NULL DEFAULT TRUE,
    version           bigint      NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);
CREATE UNIQUE INDEX gateways_name_unique ON gateways (tenant_id, name_key);

CREATE TABLE outbound_routes (
    id               uuid        NOT NULL PRIMARY KEY,
    tenant_id        uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name             text        NOT NULL,
    priority         bigint      NOT NULL DEFAULT 100,
    patterns         jsonb       NOT NULL,
    class            text        NOT NULL DEFAULT 'national',
    strip            bigint      NOT NULL DEFAULT 0,
    prepend          text,
    gateways         jsonb       NOT NULL,
    caller_id        text        NOT NULL DEFAULT 'extension',
    caller_id_number text,
    is_active        boolean     NOT NULL DEFAULT TRUE,
    version          bigint      NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX outbound_routes_tenant ON outbound_routes (tenant_id, priority);

CREATE TABLE call_routing_policies (
    id                        uuid        NOT NULL PRIMARY KEY,
    tenant_id                 uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name                      text        NOT NULL,
    description               text,
    conditions                jsonb       NOT NULL,
    match_destination_type    text,
    match_destination_id      uuid,
    no_match_destination_type text,
    no_match_destination_id   uuid,
    priority                  bigint      NOT NULL DEFAULT 0,
    is_active                 boolean     NOT NULL DEFAULT TRUE,
    version                   bigint      NOT NULL DEFAULT 1,
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL
);
CREATE INDEX call_routing_policies_tenant ON call_routing_policies (tenant_id, priority);

CREATE TABLE call_flows (
    id          uuid        NOT NULL PRIMARY KEY,
    tenant_id   uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name        text        NOT NULL,
    description text,
    nodes       jsonb       NOT NULL,
    is_active   boolean     NOT NULL DEFAULT TRUE,
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX call_flows_tenant ON call_flows (tenant_id, name);

CREATE TABLE queues (
    id                      uuid        NOT NULL PRIMARY KEY,
    tenant_id               uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name                    text        NOT NULL,
    name_key                text        NOT NULL,
    strategy                text        NOT NULL DEFAULT 'round_robin',
    max_wait_time           bigint      NOT NULL DEFAULT 300,
    overflow_action         text        NOT NULL DEFAULT 'voicemail',
    overflow_destination    text,
    music_on_hold           text,
    service_level_threshold bigint      NOT NULL DEFAULT 20,
    wrapup_seconds          bigint      NOT NULL DEFAULT 0,
    is_active               boolean     NOT NULL DEFAULT TRUE,
    version                 bigint      NOT NULL DEFAULT 1,
    created_at              timestamptz NOT NULL,
    updated_at              timestamptz NOT NULL
);
CREATE UNIQUE INDEX queues_name_unique ON queues (tenant_id, name_key);

CREATE TABLE agents (
    id               uuid        NOT NULL PRIMARY KEY,
    tenant_id        uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    extension_id     uuid        NOT NULL REFERENCES extensions (id) ON DELETE CASCADE,
    name             text        NOT NULL,
    role             text        NOT NULL DEFAULT 'agent',
    state            text        NOT NULL DEFAULT 'offline',
    pause_reason     text,
    state_changed_at timestamptz,
    is_active        boolean     NOT NULL DEFAULT TRUE,
    version          bigint      NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE UNIQUE INDEX agents_extension_unique ON agents (tenant_id, extension_id);
CREATE INDEX agents_extension ON agents (extension_id);

CREATE TABLE queue_members (
    id         uuid        NOT NULL PRIMARY KEY,
    queue_id   uuid        NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    agent_id   uuid        NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    priority   bigint      NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX queue_members_unique ON queue_members (queue_id, agent_id);
CREATE INDEX queue_members_agent ON queue_members (agent_id);

-- Callers that wait or waited.
CREATE TABLE queue_entries (
    id               uuid        NOT NULL PRIMARY KEY,
    tenant_id        uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    queue_id         uuid        NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    call_uuid        text        NOT NULL,
    caller_id_number text,
    caller_id_name   text,
    status           text        NOT NULL DEFAULT 'waiting',
    agent_id         uuid        REFERENCES agents (id) ON DELETE SET NULL,
    join_time        timestamptz NOT NULL,
    answer_time      timestamptz,
    abandon_time     timestamptz,
    wait_duration    bigint,
    abandon_reason   text,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX queue_entries_queue ON queue_entries (queue_id, join_time);
CREATE INDEX queue_entries_tenant ON queue_entries (tenant_id);
CREATE INDEX queue_entries_agent ON queue_entries (agent_id);

CREATE TABLE queue_metrics (
    id                uuid             NOT NULL PRIMARY KEY,
    tenant_id         uuid             NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    queue_id          uuid             NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    period            text             NOT NULL,
    period_start      timestamptz      NOT NULL,
    calls_offered     bigint           NOT NULL DEFAULT 0,
    calls_answered    bigint           NOT NULL DEFAULT 0,
    calls_abandoned   bigint           NOT NULL DEFAULT 0,
    average_wait_time double precision NOT NULL DEFAULT 0,
    max_wait_time     double precision NOT NULL DEFAULT 0,
    service_level     double precision NOT NULL DEFAULT 0,
    abandon_rate      double precision NOT NULL DEFAULT 0,
    agent_occupancy   double precision NOT NULL DEFAULT 0,
    created_at        timestamptz      NOT NULL,
    updated_at        timestamptz      NOT NULL
);
CREATE UNIQUE INDEX queue_metrics_unique ON queue_metrics (queue_id, period, period_start);
CREATE INDEX queue_metrics_tenant ON queue_metrics (tenant_id);

CREATE TABLE device_profiles (
    id              uuid        NOT NULL PRIMARY KEY,
    tenant_id       uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name            text        NOT NULL,
    vendor          text,
    mac_address     text,
    -- Twelve hex digits in lower case; a phone is in one tenant only.
    mac_address_key text,
    template        text,
    extension_id    uuid        REFERENCES extensions (id) ON DELETE SET NULL,
    is_active       boolean     NOT NULL DEFAULT TRUE,
    version         bigint      NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX device_profiles_mac_unique ON device_profiles (mac_address_key);
CREATE INDEX device_profiles_tenant ON device_profiles (tenant_id, name);
CREATE INDEX device_profiles_extension ON device_profiles (extension_id);

CREATE TABLE webhooks (
    id          uuid        NOT NULL PRIMARY KEY,
    tenant_id   uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    url         text        NOT NULL,
    events      jsonb       NOT NULL,
    -- Sealed.
    secret      bytea,
    description text,
    is_active   boolean     NOT NULL DEFAULT TRUE,
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX webhooks_tenant ON webhooks (tenant_id);

CREATE TABLE webhook_delivery_attempts (
    id              uuid             NOT NULL PRIMARY KEY,
    webhook_id      uuid             NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_type      text             NOT NULL,
    payload         jsonb            NOT NULL,
    response_status bigint,
    response_body   text,
    attempt         bigint           NOT NULL,
    success         boolean          NOT NULL,
    latency_ms      double precision,
    error_message   text,
    delivered_at    timestamptz      NOT NULL,
    created_at      timestamptz      NOT NULL,
    updated_at      timestamptz      NOT NULL
);
CREATE INDEX webhook_delivery_attempts_webhook ON webhook_delivery_attempts (webhook_id, created_at);

-- What a tenant used: one row a measurement.
CREATE TABLE usage_records (
    id            uuid             NOT NULL PRIMARY KEY,
    tenant_id     uuid             NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    metric        text             NOT NULL,
    value         double precision NOT NULL DEFAULT 0,
    metadata      jsonb,
    -- `YYYY-MM-DD`, UTC.
    recorded_date text             NOT NULL,
    created_at    timestamptz      NOT NULL,
    updated_at    timestamptz      NOT NULL
);
CREATE INDEX usage_records_tenant ON usage_records (tenant_id, recorded_date, metric);

CREATE TABLE call_detail_records (
    id                 uuid        NOT NULL PRIMARY KEY,
    tenant_id          uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    uuid               text        NOT NULL,
    caller_id_name     text,
    caller_id_number   text        NOT NULL,
    destination_number text        NOT NULL,
    context            text,
    start_stamp        timestamptz NOT NULL,
    answer_stamp       timestamptz,
    end_stamp          timestamptz,
    duration           bigint      NOT NULL DEFAULT 0,
    billsec            bigint      NOT NULL DEFAULT 0,
    hangup_cause       text,
    direction          text        NOT NULL,
    recording_path     text,
    read_codec         text,
    write_codec        text,
    negotiated_codec   text,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE UNIQUE INDEX call_detail_records_uuid_unique ON call_detail_records (uuid);
CREATE INDEX call_detail_records_tenant ON call_detail_records (tenant_id, start_stamp, id);

CREATE TABLE recordings (
    id                 uuid        NOT NULL PRIMARY KEY,
    tenant_id          uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    call_uuid          text        NOT NULL,
    file_path          text        NOT NULL,
    file_name          text        NOT NULL,
    file_size          bigint      NOT NULL DEFAULT 0,
    format             text        NOT NULL DEFAULT 'wav',
    duration           bigint,
    direction          text,
    caller_id_number   text,
    destination_number text,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE INDEX recordings_tenant ON recordings (tenant_id, created_at, id);
CREATE INDEX recordings_call ON recordings (call_uuid);

CREATE TABLE call_events (
    id             uuid        NOT NULL PRIMARY KEY,
    tenant_id      uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    call_uuid      text        NOT NULL,
    event_type     text        NOT NULL,
    payload        jsonb       NOT NULL,
    schema_version text        NOT NULL DEFAULT '1.0',
    occurred_at    timestamptz NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX call_events_tenant ON call_events (tenant_id, occurred_at, id);
CREATE INDEX call_events_call ON call_events (call_uuid, event_type);

-- Requests that a client may send again without doing it twice (Idempotency-Key). Without an answer: what it did was
-- committed, and the answer was lost.
CREATE TABLE idempotency_keys (
    user_id    bigint      NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key        text        NOT NULL,
    -- SHA-256 of operation, path and body.
    request    bytea       NOT NULL,
    status     bigint,
    -- Sealed: an answer may hold a secret that is shown once.
    answer     bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
