-- What routing needs to know.

-- What kinds of numbers it may dial, a JSON list; null is the default.
ALTER TABLE extensions ADD COLUMN toll_allow jsonb;
-- Most calls that it makes at once; 0 = unlimited.
ALTER TABLE extensions ADD COLUMN max_channels bigint NOT NULL DEFAULT 0;
-- Seconds; null is the tenant's.
ALTER TABLE extensions ADD COLUMN ring_timeout bigint;

-- Internal numbers. They are unique in the tenant over all of these tables and the extensions, which the transaction sees to
-- that writes one, under a lock on the tenant's row.
ALTER TABLE ring_groups ADD COLUMN number text;
ALTER TABLE ring_groups ADD COLUMN number_key text;
CREATE UNIQUE INDEX ring_groups_number_unique ON ring_groups (tenant_id, number_key);
ALTER TABLE ivrs ADD COLUMN number text;
ALTER TABLE ivrs ADD COLUMN number_key text;
CREATE UNIQUE INDEX ivrs_number_unique ON ivrs (tenant_id, number_key);
ALTER TABLE call_flows ADD COLUMN number text;
ALTER TABLE call_flows ADD COLUMN number_key text;
CREATE UNIQUE INDEX call_flows_number_unique ON call_flows (tenant_id, number_key);

-- Whether callers may dial extensions.
ALTER TABLE ivrs ADD COLUMN direct_dial boolean NOT NULL DEFAULT FALSE;

-- Whether every tenant may call through it.
ALTER TABLE gateways ADD COLUMN shared boolean NOT NULL DEFAULT FALSE;
ALTER TABLE gateways ADD COLUMN register boolean NOT NULL DEFAULT TRUE;
-- A JSON list of the IP addresses from which its calls come.
ALTER TABLE gateways ADD COLUMN addresses jsonb;
CREATE INDEX gateways_shared ON gateways (shared);

-- Which DIDs lead to a row.
CREATE INDEX dids_destination ON dids (tenant_id, destination_id);

-- Recorded texts, and what they sound like, which every node on this database needs.
CREATE TABLE prompts (
    id          uuid        NOT NULL PRIMARY KEY,
    tenant_id   uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name        text        NOT NULL,
    name_key    text        NOT NULL,
    file_name   text,
    -- Bytes.
    size        bigint      NOT NULL,
    duration_ms bigint      NOT NULL,
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX prompts_name_unique ON prompts (tenant_id, name_key);
CREATE TABLE prompt_contents (
    prompt_id uuid  NOT NULL PRIMARY KEY REFERENCES prompts (id) ON DELETE CASCADE,
    tenant_id uuid  NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    content   bytea NOT NULL
);
CREATE INDEX prompt_contents_tenant ON prompt_contents (tenant_id);
