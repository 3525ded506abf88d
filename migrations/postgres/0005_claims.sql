-- Whose a number of the public network is, where several tenants say that it is theirs.

-- Whether an administrator has confirmed that the number is the tenant's.
ALTER TABLE dids ADD COLUMN confirmed boolean NOT NULL DEFAULT FALSE;
-- The digits of the E.164 form of a confirmed number: no other one has them, in whatever spelling.
ALTER TABLE dids ADD COLUMN confirmed_digits text;
CREATE UNIQUE INDEX dids_confirmed_unique ON dids (confirmed_digits);
