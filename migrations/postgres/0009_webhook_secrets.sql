-- The secret before the last rotation. It signs as well until its time is over.
ALTER TABLE webhooks ADD COLUMN previous_secret bytea;
ALTER TABLE webhooks ADD COLUMN previous_secret_until timestamptz;
-- When and why nizamd made it inactive by itself.
ALTER TABLE webhooks ADD COLUMN disabled_at timestamptz;
ALTER TABLE webhooks ADD COLUMN disabled_reason text;
-- nizam or cloudevents.
ALTER TABLE webhooks ADD COLUMN format text NOT NULL DEFAULT 'nizam';
-- Names, and where in an event their values are. Without it the whole event is sent.
ALTER TABLE webhooks ADD COLUMN mapping jsonb;

-- The event that an attempt was about; none for what was noted before.
ALTER TABLE webhook_delivery_attempts ADD COLUMN event_id uuid;
CREATE INDEX webhook_delivery_attempts_event ON webhook_delivery_attempts (webhook_id, event_id);
