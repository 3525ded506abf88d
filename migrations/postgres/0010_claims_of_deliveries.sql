-- By whom a delivery is claimed: a process, which may be dead meanwhile. Nobody's waits for its time.
ALTER TABLE webhook_deliveries ADD COLUMN claimed_by text;
CREATE INDEX webhook_deliveries_claimed ON webhook_deliveries (claimed_by);
-- From here on `attempts` are those of which it is known what became of them.
