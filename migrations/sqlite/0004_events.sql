-- What happens on the switches: from events to CDRs.

-- Numbers of events, given in the order of their commits: who reads on from one misses none.
CREATE TABLE event_counter (
    id       INTEGER NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL
);
INSERT INTO event_counter (id, sequence) VALUES (1, (SELECT count(*) FROM call_events));

ALTER TABLE call_events ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call_events ADD COLUMN call_id TEXT;
ALTER TABLE call_events ADD COLUMN generation INTEGER;
ALTER TABLE call_events ADD COLUMN switch_name TEXT;
UPDATE call_events SET sequence = numbered.n
    FROM (SELECT id AS row_id, row_number() OVER (ORDER BY occurred_at, id) AS n FROM call_events) AS numbered
    WHERE id = numbered.row_id;
CREATE INDEX call_events_sequence ON call_events (sequence);
CREATE INDEX call_events_tenant_sequence ON call_events (tenant_id, sequence);
CREATE INDEX call_events_type ON call_events (tenant_id, event_type, occurred_at, id);
CREATE INDEX call_events_of_call ON call_events (call_id);

ALTER TABLE call_detail_records ADD COLUMN call_id TEXT;
-- `a` for the leg that began a call, `b` for one that another leg made.
ALTER TABLE call_detail_records ADD COLUMN leg TEXT NOT NULL DEFAULT 'a';
ALTER TABLE call_detail_records ADD COLUMN other_leg_uuid TEXT;
ALTER TABLE call_detail_records ADD COLUMN originator TEXT;
ALTER TABLE call_detail_records ADD COLUMN transfer_history TEXT;
ALTER TABLE call_detail_records ADD COLUMN hangup_cause_q850 INTEGER;
-- `caller`, `callee` or `switch`.
ALTER TABLE call_detail_records ADD COLUMN hangup_by TEXT;
ALTER TABLE call_detail_records ADD COLUMN hangup_disposition TEXT;
ALTER TABLE call_detail_records ADD COLUMN post_dial_delay_ms INTEGER;
ALTER TABLE call_detail_records ADD COLUMN ring_ms INTEGER;
ALTER TABLE call_detail_records ADD COLUMN talk_ms INTEGER;
ALTER TABLE call_detail_records ADD COLUMN hold_ms INTEGER;
ALTER TABLE call_detail_records ADD COLUMN mos REAL;
-- Percent.
ALTER TABLE call_detail_records ADD COLUMN packet_loss REAL;
ALTER TABLE call_detail_records ADD COLUMN gateway TEXT;
ALTER TABLE call_detail_records ADD COLUMN refused TEXT;
ALTER TABLE call_detail_records ADD COLUMN generation INTEGER;
ALTER TABLE call_detail_records ADD COLUMN switch_name TEXT;
-- `reconciler`, where the channel vanished with its switch.
ALTER TABLE call_detail_records ADD COLUMN closed_by TEXT;
ALTER TABLE call_detail_records ADD COLUMN facts TEXT;
CREATE INDEX call_detail_records_leg ON call_detail_records (tenant_id, leg, start_stamp, id);
CREATE INDEX call_detail_records_caller ON call_detail_records (tenant_id, caller_id_number, start_stamp, id);
CREATE INDEX call_detail_records_destination ON call_detail_records (tenant_id, destination_number, start_stamp, id);
CREATE INDEX call_detail_records_cause ON call_detail_records (tenant_id, hangup_cause, start_stamp, id);
CREATE INDEX call_detail_records_call ON call_detail_records (call_id);

-- One life of a module: how far its events are stored.
CREATE TABLE switch_incarnations (
    switch_name TEXT    NOT NULL,
    incarnation BLOB    NOT NULL,
    core_uuid   TEXT,
    -- Of the newest event that is stored.
    sequence    INTEGER NOT NULL DEFAULT 0,
    -- Events that the switch had no room for.
    dropped     INTEGER NOT NULL DEFAULT 0,
    sessions    INTEGER,
    ended_at    INTEGER,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (switch_name, incarnation)
);

-- Channels that live.
CREATE TABLE channels (
    uuid        TEXT    NOT NULL PRIMARY KEY,
    tenant_id   BLOB    REFERENCES tenants (id) ON DELETE CASCADE,
    call_id     TEXT    NOT NULL,
    switch_name TEXT    NOT NULL,
    core_uuid   TEXT    NOT NULL,
    incarnation BLOB    NOT NULL,
    started_at  INTEGER NOT NULL,
    leg         TEXT    NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX channels_tenant ON channels (tenant_id, started_at);
CREATE INDEX channels_switch ON channels (switch_name);

-- Events of no tenant, for the operator.
CREATE TABLE stray_events (
    id          BLOB    NOT NULL PRIMARY KEY,
    call_uuid   TEXT    NOT NULL,
    call_id     TEXT,
    event_type  TEXT    NOT NULL,
    payload     TEXT    NOT NULL,
    generation  INTEGER,
    switch_name TEXT    NOT NULL,
    occurred_at INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
);
CREATE INDEX stray_events_call ON stray_events (call_uuid, event_type);
CREATE INDEX stray_events_time ON stray_events (occurred_at, id);

-- What came from a switch and could not be stored.
CREATE TABLE quarantined_events (
    id          BLOB    NOT NULL PRIMARY KEY,
    switch_name TEXT    NOT NULL,
    incarnation BLOB    NOT NULL,
    sequence    INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    record      BLOB    NOT NULL,
    created_at  INTEGER NOT NULL
);
CREATE INDEX quarantined_events_time ON quarantined_events (created_at, id);

-- Where phones are.
CREATE TABLE registrations (
    switch_name   TEXT    NOT NULL,
    domain        TEXT    NOT NULL,
    user_name     TEXT    NOT NULL,
    call_id       TEXT    NOT NULL,
    tenant_id     BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    profile       TEXT,
    contact       TEXT,
    user_agent    TEXT,
    network_ip    TEXT,
    network_port  TEXT,
    registered_at INTEGER NOT NULL,
    expires_at    INTEGER,
    PRIMARY KEY (switch_name, domain, user_name, call_id)
);
CREATE INDEX registrations_tenant ON registrations (tenant_id, user_name, call_id);

-- How gateways are.
CREATE TABLE gateway_states (
    switch_name TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    gateway_id  BLOB,
    tenant_id   BLOB    REFERENCES tenants (id) ON DELETE CASCADE,
    state       TEXT    NOT NULL,
    ping_status TEXT,
    phrase      TEXT,
    code        INTEGER,
    changed_at  INTEGER NOT NULL,
    PRIMARY KEY (switch_name, name)
);
CREATE INDEX gateway_states_tenant ON gateway_states (tenant_id);
CREATE INDEX gateway_states_gateway ON gateway_states (gateway_id);
