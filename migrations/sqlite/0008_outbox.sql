-- Events of the configuration, such as extension.created. Their numbers are of the same series as those of call_events.
CREATE TABLE resource_events (
    id             BLOB    NOT NULL PRIMARY KEY,
    tenant_id      BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    event_type     TEXT    NOT NULL,
    -- What it happened to; it may be gone meanwhile.
    resource_id    BLOB    NOT NULL,
    payload        TEXT    NOT NULL,
    schema_version TEXT    NOT NULL DEFAULT '1.0',
    occurred_at    INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    generation     INTEGER,
    sequence       INTEGER NOT NULL
);
CREATE UNIQUE INDEX resource_events_sequence ON resource_events (sequence);
CREATE INDEX resource_events_tenant_sequence ON resource_events (tenant_id, sequence);
CREATE INDEX resource_events_tenant_occurred ON resource_events (tenant_id, occurred_at, id);

-- The number of the last event that webhooks have been looked for. What was there before this table was told of by request only.
CREATE TABLE webhook_feed (
    id             INTEGER NOT NULL PRIMARY KEY,
    sequence       INTEGER NOT NULL
);
INSERT INTO webhook_feed (id, sequence) SELECT 1, sequence FROM event_counter WHERE id = 1;

-- An event of either table.
ALTER TABLE webhook_deliveries RENAME COLUMN call_event_id TO event_id;
-- What a receiver is told in order: all legs of a call, or one resource. The number of the event is its place there.
ALTER TABLE webhook_deliveries ADD COLUMN order_key TEXT NOT NULL DEFAULT '';
ALTER TABLE webhook_deliveries ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
CREATE INDEX webhook_deliveries_order ON webhook_deliveries (webhook_id, order_key, sequence);

-- The number of the last event that it is not told of, because it was not there then, or not active.
ALTER TABLE webhooks ADD COLUMN told_after INTEGER NOT NULL DEFAULT 0;
