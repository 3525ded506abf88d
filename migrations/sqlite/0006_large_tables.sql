-- Tables of millions of rows stay fast: what lists count is counted when it is written.

-- How many CDRs a tenant has, by the UTC day on which the channel was made (days since 1970) and by what lists filter. A text
-- that a CDR does not have is '' here.
CREATE TABLE cdr_counts (
    tenant_id    BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    day          INTEGER NOT NULL,
    leg          TEXT    NOT NULL,
    direction    TEXT    NOT NULL,
    hangup_cause TEXT    NOT NULL,
    codec        TEXT    NOT NULL,
    -- The two directions had different codecs.
    mismatched   INTEGER NOT NULL,
    cdrs         INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, day, leg, direction, hangup_cause, codec, mismatched)
);
CREATE INDEX cdr_counts_day ON cdr_counts (day);

-- How many call events a tenant has, by the UTC day on which they happened.
CREATE TABLE call_event_counts (
    tenant_id  BLOB    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    day        INTEGER NOT NULL,
    event_type TEXT    NOT NULL,
    events     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, day, event_type)
);

INSERT INTO cdr_counts
    SELECT tenant_id, start_stamp / 86400000000, leg, direction, COALESCE(hangup_cause, ''),
        COALESCE(negotiated_codec, read_codec, ''), COALESCE(read_codec <> write_codec, FALSE), count(*)
    FROM call_detail_records GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO call_event_counts
    SELECT tenant_id, occurred_at / 86400000000, event_type, count(*) FROM call_events GROUP BY 1, 2, 3;

-- PostgreSQL has a table for each month, and no index over all of them that does not say which.
DROP INDEX call_detail_records_uuid_unique;
CREATE UNIQUE INDEX call_detail_records_uuid_unique ON call_detail_records (uuid, start_stamp);
CREATE INDEX call_detail_records_direction ON call_detail_records (tenant_id, direction, start_stamp, id);
-- With all that lists filter by, so that the calls of a number are counted without looking at their rows.
DROP INDEX call_detail_records_caller;
DROP INDEX call_detail_records_destination;
CREATE INDEX call_detail_records_caller ON call_detail_records (tenant_id, caller_id_number, start_stamp, id, leg, direction, hangup_cause);
CREATE INDEX call_detail_records_destination ON call_detail_records (tenant_id, destination_number, start_stamp, id, leg, direction, hangup_cause);
