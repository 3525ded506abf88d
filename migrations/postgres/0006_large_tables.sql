-- Tables of millions of rows stay fast: what lists count is counted when it is written, and a month has a table of its own.

-- How many CDRs a tenant has, by the UTC day on which the channel was made (days since 1970) and by what lists filter. A text
-- that a CDR does not have is '' here.
CREATE TABLE cdr_counts (
    tenant_id    uuid    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    day          bigint  NOT NULL,
    leg          text    NOT NULL,
    direction    text    NOT NULL,
    hangup_cause text    NOT NULL,
    codec        text    NOT NULL,
    -- The two directions had different codecs.
    mismatched   boolean NOT NULL,
    cdrs         bigint  NOT NULL,
    PRIMARY KEY (tenant_id, day, leg, direction, hangup_cause, codec, mismatched)
);
CREATE INDEX cdr_counts_day ON cdr_counts (day);

-- How many call events a tenant has, by the UTC day on which they happened.
CREATE TABLE call_event_counts (
    tenant_id  uuid   NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    day        bigint NOT NULL,
    event_type text   NOT NULL,
    events     bigint NOT NULL,
    PRIMARY KEY (tenant_id, day, event_type)
);

INSERT INTO cdr_counts
    SELECT tenant_id, CAST(floor(extract(epoch FROM start_stamp) / 86400) AS bigint), leg, direction, COALESCE(hangup_cause, ''),
        COALESCE(negotiated_codec, read_codec, ''), COALESCE(read_codec <> write_codec, FALSE), count(*)
    FROM call_detail_records GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO call_event_counts
    SELECT tenant_id, CAST(floor(extract(epoch FROM occurred_at) / 86400) AS bigint), event_type, count(*)
    FROM call_events GROUP BY 1, 2, 3;

-- nizamd makes the later months (store/src/months.rs). What belongs into none of them is in the rest, until there is one.
ALTER TABLE call_detail_records RENAME TO call_detail_records_before;
CREATE TABLE call_detail_records (LIKE call_detail_records_before INCLUDING DEFAULTS) PARTITION BY RANGE (start_stamp);
CREATE TABLE call_detail_records_rest PARTITION OF call_detail_records DEFAULT;
DO $$
DECLARE month timestamptz;
BEGIN
    FOR month IN
        SELECT date_trunc('month', start_stamp, 'UTC') FROM call_detail_records_before WHERE start_stamp >= '2000-01-01 00:00+00' AND start_stamp < now()
        UNION SELECT date_trunc('month', now(), 'UTC') + n * interval '1 month' FROM generate_series(0, 2) n
    LOOP
        EXECUTE format('CREATE TABLE call_detail_records_y%sm%s PARTITION OF call_detail_records FOR VALUES FROM (%L) TO (%L)',
            to_char(month AT TIME ZONE 'UTC', 'YYYY'), to_char(month AT TIME ZONE 'UTC', 'MM'), month, month + interval '1 month');
    END LOOP;
END $$;
INSERT INTO call_detail_records SELECT * FROM call_detail_records_before;
DROP TABLE call_detail_records_before;
ALTER TABLE call_detail_records ADD PRIMARY KEY (id, start_stamp);
ALTER TABLE call_detail_records ADD FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE;
CREATE UNIQUE INDEX call_detail_records_uuid_unique ON call_detail_records (uuid, start_stamp);
CREATE INDEX call_detail_records_tenant ON call_detail_records (tenant_id, start_stamp, id);
CREATE INDEX call_detail_records_leg ON call_detail_records (tenant_id, leg, start_stamp, id);
CREATE INDEX call_detail_records_direction ON call_detail_records (tenant_id, direction, start_stamp, id);
-- With all that lists filter by, so that the calls of a number are counted without looking at their rows.
CREATE INDEX call_detail_records_caller ON call_detail_records (tenant_id, caller_id_number, start_stamp, id, leg, direction, hangup_cause);
CREATE INDEX call_detail_records_destination ON call_detail_records (tenant_id, destination_number, start_stamp, id, leg, direction, hangup_cause);
CREATE INDEX call_detail_records_cause ON call_detail_records (tenant_id, hangup_cause, start_stamp, id);
CREATE INDEX call_detail_records_call ON call_detail_records (call_id);

ALTER TABLE call_events RENAME TO call_events_before;
CREATE TABLE call_events (LIKE call_events_before INCLUDING DEFAULTS) PARTITION BY RANGE (occurred_at);
CREATE TABLE call_events_rest PARTITION OF call_events DEFAULT;
DO $$
DECLARE month timestamptz;
BEGIN
    FOR month IN
        SELECT date_trunc('month', occurred_at, 'UTC') FROM call_events_before WHERE occurred_at >= '2000-01-01 00:00+00' AND occurred_at < now()
        UNION SELECT date_trunc('month', now(), 'UTC') + n * interval '1 month' FROM generate_series(0, 2) n
    LOOP
        EXECUTE format('CREATE TABLE call_events_y%sm%s PARTITION OF call_events FOR VALUES FROM (%L) TO (%L)',
            to_char(month AT TIME ZONE 'UTC', 'YYYY'), to_char(month AT TIME ZONE 'UTC', 'MM'), month, month + interval '1 month');
    END LOOP;
END $$;
INSERT INTO call_events SELECT * FROM call_events_before;
DROP TABLE call_events_before;
ALTER TABLE call_events ADD PRIMARY KEY (id, occurred_at);
ALTER TABLE call_events ADD FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE;
CREATE INDEX call_events_tenant ON call_events (tenant_id, occurred_at, id);
CREATE INDEX call_events_call ON call_events (call_uuid, event_type);
CREATE INDEX call_events_sequence ON call_events (sequence);
CREATE INDEX call_events_tenant_sequence ON call_events (tenant_id, sequence);
CREATE INDEX call_events_type ON call_events (tenant_id, event_type, occurred_at, id);
CREATE INDEX call_events_of_call ON call_events (call_id);
