-- What happens on the switches: from events to CDRs.

-- Numbers of events, given in the order of their commits: who reads on from one misses none.
CREATE TABLE event_counter (
    id       bigint NOT NULL PRIMARY KEY,
    sequence bigint NOT NULL
);
INSERT INTO event_counter (id, sequence) VALUES (1, (SELECT count(*) FROM call_events));

ALTER TABLE call_events ADD COLUMN sequence bigint NOT NULL DEFAULT 0;
ALTER TABLE call_events ADD COLUMN call_id text;
ALTER TABLE call_events ADD COLUMN generation bigint;
ALTER TABLE call_events ADD COLUMN switch_name text;
UPDATE call_events SET sequence = numbered.n
    FROM (SELECT id AS row_id, row_number() OVER (ORDER BY occurred_at, id) AS n FROM call_events) AS numbered
    WHERE id = numbered.row_id;
CREATE INDEX call_events_sequence ON call_events (sequence);
CREATE INDEX call_events_tenant_sequence ON call_events (tenant_id, sequence);
CREATE INDEX call_events_type ON call_events (tenant_id, event_type, occurred_at, id);
CREATE INDEX call_events_of_call ON call_events (call_id);

ALTER TABLE call_detail_records ADD COLUMN call_id text;
-- `a` for the leg that began a call, `b` for one that another leg made.
ALTER TABLE call_detail_records ADD COLUMN leg text NOT NULL DEFAULT 'a';
ALTER TABLE call_detail_records ADD COLUMN other_leg_uuid text;
ALTER TABLE call_detail_records ADD COLUMN originator text;
ALTER TABLE call_detail_records ADD COLUMN transfer_history text;
ALTER TABLE call_detail_records ADD COLUMN hangup_cause_q850 bigint;
-- `caller`, `callee` or `switch`.
ALTER TABLE call_detail_records ADD COLUMN hangup_by text;
ALTER TABLE call_detail_records ADD COLUMN hangup_disposition text;
ALTER TABLE call_detail_records ADD COLUMN post_dial_delay_ms bigint;
ALTER TABLE call_detail_records ADD COLUMN ring_ms bigint;
ALTER TABLE call_detail_records ADD COLUMN talk_ms bigint;
ALTER TABLE call_detail_records ADD COLUMN hold_ms bigint;
ALTER TABLE call_detail_records ADD COLUMN mos double precision;
-- Percent.
ALTER TABLE call_detail_records ADD COLUMN packet_loss double precision;
ALTER TABLE call_detail_records ADD COLUMN gateway text;
ALTER TABLE call_detail_records ADD COLUMN refused text;
ALTER TABLE call_detail_records ADD COLUMN generation bigint;
ALTER TABLE call_detail_records ADD COLUMN switch_name text;
-- `reconciler`, where the channel vanished with its switch.
ALTER TABLE call_detail_records ADD COLUMN closed_by text;
ALTER TABLE call_detail_records ADD COLUMN facts jsonb;
CREATE INDEX call_detail_records_leg ON call_detail_records (tenant_id, leg, start_stamp, id);
CREATE INDEX call_detail_records_caller ON call_detail_records (tenant_id, caller_id_number, start_stamp, id);
CREATE INDEX call_detail_records_destination ON call_detail_records (tenant_id, destination_number, start_stamp, id);
CREATE INDEX call_detail_records_cause ON call_detail_records (tenant_id, hangup_cause, start_stamp, id);
CREATE INDEX call_detail_records_call ON call_detail_records (call_id);

-- One life of a module: how far its events are stored.
CREATE TABLE switch_incarnations (
    switch_name text        NOT NULL,
    incarnation bytea       NOT NULL,
    core_uuid   text,
    -- Of the newest event that is stored.
    sequence    bigint      NOT NULL DEFAULT 0,
    -- Events that the switch had no room for.
    dropped     bigint      NOT NULL DEFAULT 0,
    sessions    bigint,
    ended_at    timestamptz,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (switch_name, incarnation)
);

-- Channels that live.
CREATE TABLE channels (
    uuid        text        NOT NULL PRIMARY KEY,
    tenant_id   uuid        REFERENCES tenants (id) ON DELETE CASCADE,
    call_id     text        NOT NULL,
    switch_name text        NOT NULL,
    core_uuid   text        NOT NULL,
    incarnation bytea       NOT NULL,
    started_at  timestamptz NOT NULL,
    leg         jsonb       NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX channels_tenant ON channels (tenant_id, started_at);
CREATE INDEX channels_switch ON channels (switch_name);

-- Events of no tenant, for the operator.
CREATE TABLE stray_events (
    id          uuid        NOT NULL PRIMARY KEY,
    call_uuid   text        NOT NULL,
    call_id     text,
    event_type  text        NOT NULL,
    payload     jsonb       NOT NULL,
    generation  bigint,
    switch_name text        NOT NULL,
    occurred_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX stray_events_call ON stray_events (call_uuid, event_type);
CREATE INDEX stray_events_time ON stray_events (occurred_at, id);

-- What came from a switch and could not be stored.
CREATE TABLE quarantined_events (
    id          uuid        NOT NULL PRIMARY KEY,
    switch_name text        NOT NULL,
    incarnation bytea       NOT NULL,
    sequence    bigint      NOT NULL,
    reason      text        NOT NULL,
    record      bytea       NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX quarantined_events_time ON quarantined_events (created_at, id);

-- Where phones are.
CREATE TABLE registrations (
    switch_name   text        NOT NULL,
    domain        text        NOT NULL,
    user_name     text        NOT NULL,
    call_id       text        NOT NULL,
    tenant_id     uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    profile       text,
    contact       text,
    user_agent    text,
    network_ip    text,
    network_port  text,
    registered_at timestamptz NOT NULL,
    expires_at    timestamptz,
    PRIMARY KEY (switch_name, domain, user_name, call_id)
);
CREATE INDEX registrations_tenant ON registrations (tenant_id, user_name, call_id);

-- How gateways are.
CREATE TABLE gateway_states (
    switch_name text        NOT NULL,
    name        text        NOT NULL,
    gateway_id  uuid,
    tenant_id   uuid        REFERENCES tenants (id) ON DELETE CASCADE,
    state       text        NOT NULL,
    ping_status text,
    phrase      text,
    code        bigint,
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (switch_name, name)
);
CREATE INDEX gateway_states_tenant ON gateway_states (tenant_id);
CREATE INDEX gateway_states_gateway ON gateway_states (gateway_id);
