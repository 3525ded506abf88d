-- What webhooks are still to be told: a row goes when its receiver has it, or will never have it.
CREATE TABLE webhook_deliveries (
    id            uuid        NOT NULL PRIMARY KEY,
    webhook_id    uuid        NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    -- An event of the webhook's tenant. It may be deleted meanwhile.
    call_event_id uuid        NOT NULL,
    -- The name of the event that the webhook has subscribed to.
    event_type    text        NOT NULL,
    -- Attempts that were begun.
    attempts      bigint      NOT NULL DEFAULT 0,
    -- When the next one is due. While one lasts: when it counts as lost.
    due_at        timestamptz NOT NULL,
    created_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX webhook_deliveries_event ON webhook_deliveries (webhook_id, call_event_id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at);
CREATE INDEX webhook_deliveries_created ON webhook_deliveries (created_at);
CREATE INDEX webhook_delivery_attempts_created ON webhook_delivery_attempts (created_at);
