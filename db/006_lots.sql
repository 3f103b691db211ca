-- SPDX-License-Identifier: Apache-2.0
-- 006: lots with their quantities, what people did and said, serial numbers, labels, stops of the line.
-- All of it is a projection of leaves (station/record/project*.c), but for `person`. db/README.md explains every
-- table and column.

INSERT INTO event_kind (id, name) VALUES
  (12, 'lot_open'), (13, 'lot_close'), (14, 'operator'), (15, 'note'), (16, 'disposition'), (17, 'config'),
  (18, 'line_stop'), (19, 'line_reopen'), (20, 'serial'), (21, 'label'), (22, 'tuning');

-- Who is behind a tag of the log. The one table with names of people, and no projection: taking a row away forgets
-- the person, and the log stays whole.
CREATE TABLE person (
  tag  TEXT PRIMARY KEY CHECK (tag GLOB '#[0-9a-f]*' AND length(tag) = 33),
  name TEXT NOT NULL UNIQUE CHECK (name <> ''),
  salt BLOB NOT NULL CHECK (length(salt) = 16)
) STRICT, WITHOUT ROWID;

-- ---- lots --------------------------------------------------------------------------------------------

ALTER TABLE lot ADD COLUMN product TEXT;
ALTER TABLE lot ADD COLUMN planned INTEGER CHECK (planned > 0);
ALTER TABLE lot ADD COLUMN authorised INTEGER CHECK (authorised > 0);
ALTER TABLE lot ADD COLUMN duplicates TEXT CHECK (duplicates IN ('refuse', 'reflash'));
ALTER TABLE lot ADD COLUMN tries INTEGER CHECK (tries > 0);
ALTER TABLE lot ADD COLUMN rules TEXT;
ALTER TABLE lot ADD COLUMN opened INTEGER REFERENCES leaf (idx);
ALTER TABLE lot ADD COLUMN opened_ms INTEGER;
ALTER TABLE lot ADD COLUMN opened_by INTEGER REFERENCES operator (id);
ALTER TABLE lot ADD COLUMN closed INTEGER REFERENCES leaf (idx);
ALTER TABLE lot ADD COLUMN closed_ms INTEGER;
ALTER TABLE lot ADD COLUMN closed_by INTEGER REFERENCES operator (id);
-- the last wall: a record that would make one unit too many is refused whole
ALTER TABLE lot ADD COLUMN passed INTEGER NOT NULL DEFAULT 0 CHECK (authorised IS NULL OR passed <= authorised);

CREATE TABLE lot_profile (
  lot     INTEGER NOT NULL REFERENCES lot (id),
  profile INTEGER NOT NULL REFERENCES profile (id),
  leaf    INTEGER NOT NULL REFERENCES leaf (idx),
  PRIMARY KEY (lot, profile)
) STRICT, WITHOUT ROWID;

-- ---- attempts know more --------------------------------------------------------------------------------

CREATE TABLE purpose (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO purpose (id, name) VALUES (1, 'golden'), (2, 'known_bad'), (3, 'dry_run');

CREATE TABLE serial (
  id     INTEGER PRIMARY KEY,
  serial TEXT NOT NULL UNIQUE CHECK (serial <> ''),
  state  TEXT NOT NULL CHECK (state IN ('reserved', 'confirmed', 'returned')),
  lot    INTEGER NOT NULL REFERENCES lot (id),
  unit   INTEGER,
  leaf   INTEGER NOT NULL REFERENCES leaf (idx)
) STRICT;
CREATE INDEX serial_unit ON serial (unit) WHERE unit IS NOT NULL;

ALTER TABLE attempt ADD COLUMN purpose INTEGER REFERENCES purpose (id);
ALTER TABLE attempt ADD COLUMN serial INTEGER REFERENCES serial (id);

-- an open attempt holds the unit, and its place in the lot's quantity
ALTER TABLE open_attempt ADD COLUMN unit INTEGER;
ALTER TABLE open_attempt ADD COLUMN lot INTEGER REFERENCES lot (id);
ALTER TABLE open_attempt ADD COLUMN purpose INTEGER REFERENCES purpose (id);

-- golden boards and dry runs are in no statistics: an attempt that has no cell is in no tally
DROP VIEW attempt_cell;
CREATE VIEW attempt_cell AS
SELECT a.leaf, a.start_ms / 1800000 AS half, a.slot, a.lot,
       coalesce((SELECT m.id FROM bridge b JOIN bridge_model m ON m.usb_id = b.usb_id AND m.driver = b.driver
                 WHERE b.id = a.bridge), 0) AS model,
       coalesce(a.profile, 0) AS profile
FROM attempt a WHERE a.purpose IS NULL;

-- ---- what people did and said --------------------------------------------------------------------------

CREATE TABLE shift (
  leaf     INTEGER PRIMARY KEY REFERENCES leaf (idx),
  at_ms    INTEGER NOT NULL,
  operator INTEGER NOT NULL REFERENCES operator (id),
  shift    TEXT NOT NULL,
  change   TEXT NOT NULL CHECK (change IN ('begin', 'end', 'forget'))
) STRICT;

CREATE TABLE note (
  leaf     INTEGER PRIMARY KEY REFERENCES leaf (idx),
  at_ms    INTEGER NOT NULL,
  unit     INTEGER REFERENCES unit (mac),
  lot      INTEGER NOT NULL REFERENCES lot (id),
  operator INTEGER NOT NULL REFERENCES operator (id),
  text     TEXT NOT NULL
) STRICT;
CREATE INDEX note_unit ON note (unit) WHERE unit IS NOT NULL;

CREATE TABLE disposition (
  leaf        INTEGER PRIMARY KEY REFERENCES leaf (idx),
  at_ms       INTEGER NOT NULL,
  unit        INTEGER NOT NULL REFERENCES unit (mac),
  lot         INTEGER NOT NULL REFERENCES lot (id),
  operator    INTEGER NOT NULL REFERENCES operator (id),
  disposition TEXT NOT NULL CHECK (disposition IN ('scrap', 'rework', 'released')),
  why         TEXT NOT NULL
) STRICT;
CREATE INDEX disposition_unit ON disposition (unit);

CREATE TABLE config_change (
  leaf     INTEGER PRIMARY KEY REFERENCES leaf (idx),
  at_ms    INTEGER NOT NULL,
  operator INTEGER NOT NULL REFERENCES operator (id),
  what     TEXT NOT NULL,
  text     TEXT NOT NULL
) STRICT;

-- ---- the line ------------------------------------------------------------------------------------------

CREATE TABLE line_stop (
  leaf        INTEGER PRIMARY KEY REFERENCES leaf (idx),
  at_ms       INTEGER NOT NULL,
  slot        INTEGER,
  rule        TEXT NOT NULL,
  lot         INTEGER NOT NULL REFERENCES lot (id),
  why         TEXT NOT NULL,
  reopened    INTEGER REFERENCES leaf (idx),
  reopened_ms INTEGER,
  reopened_by INTEGER REFERENCES operator (id),
  reason      TEXT
) STRICT;
CREATE INDEX line_stop_open ON line_stop (slot) WHERE reopened IS NULL;

CREATE TABLE label (
  leaf     INTEGER PRIMARY KEY REFERENCES leaf (idx),
  at_ms    INTEGER NOT NULL,
  unit     INTEGER REFERENCES unit (mac),
  lot      INTEGER NOT NULL REFERENCES lot (id),
  serial   INTEGER REFERENCES serial (id),
  attempt  INTEGER REFERENCES leaf (idx),
  operator INTEGER NOT NULL REFERENCES operator (id),
  state    TEXT NOT NULL CHECK (state IN ('printed', 'reprinted')),
  printer  TEXT NOT NULL
) STRICT;
CREATE INDEX label_unit ON label (unit) WHERE unit IS NOT NULL;
CREATE INDEX label_attempt ON label (attempt) WHERE attempt IS NOT NULL;

CREATE TABLE tuning (
  leaf   INTEGER PRIMARY KEY REFERENCES leaf (idx),
  at_ms  INTEGER NOT NULL,
  slot   INTEGER NOT NULL REFERENCES slot (id),
  bridge INTEGER REFERENCES bridge (id),
  what   TEXT NOT NULL,
  baud   INTEGER,
  rung   TEXT
) STRICT;

-- ---- views -----------------------------------------------------------------------------------------------

CREATE VIEW operator_view AS
SELECT o.id, coalesce(p.name, o.name) AS name, o.name AS tag, o.leaf
FROM operator o LEFT JOIN person p ON p.tag = o.name;

DROP VIEW attempt_view;
CREATE VIEW attempt_view AS
SELECT a.leaf, a.start_leaf, a.boot,
       CASE WHEN a.unit IS NOT NULL THEN
         printf('%02x:%02x:%02x:%02x:%02x:%02x', a.unit >> 40, a.unit >> 32 & 255, a.unit >> 24 & 255,
                a.unit >> 16 & 255, a.unit >> 8 & 255, a.unit & 255) END AS mac,
       c.text AS chip, l.name AS lot, a.number, s.slot, s.port, s.path, b.usb_id AS bridge, b.serial AS bridge_serial,
       b.driver AS bridge_driver, p.name AS profile, p.version AS profile_version,
       lower(hex(p.hash)) AS profile_hash, op.name AS operator, o.name AS outcome, f.text AS fault,
       st.text AS step, ld.text AS loader, a.baud, strftime('%Y-%m-%dT%H:%M:%fZ', a.start_ms / 1000.0, 'unixepoch') AS start,
       a.start_ms, a.ms, a.tries, a.rungs, a.bytes_out, a.bytes_in, a.plain_bytes, a.unit, l.product,
       pu.name AS purpose, sn.serial
FROM attempt a
JOIN lot l ON l.id = a.lot
JOIN slot s ON s.id = a.slot
JOIN operator_view op ON op.id = a.operator
JOIN outcome o ON o.id = a.outcome
LEFT JOIN unit u ON u.mac = a.unit
LEFT JOIN word c ON c.id = u.chip
LEFT JOIN bridge b ON b.id = a.bridge
LEFT JOIN profile p ON p.id = a.profile
LEFT JOIN word f ON f.id = a.fault
LEFT JOIN word st ON st.id = a.step
LEFT JOIN word ld ON ld.id = a.loader
LEFT JOIN purpose pu ON pu.id = a.purpose
LEFT JOIN serial sn ON sn.id = a.serial;

CREATE VIEW lot_view AS
SELECT l.name AS lot, l.product,
       CASE WHEN l.opened IS NULL THEN 'named' WHEN l.closed IS NULL THEN 'open' ELSE 'closed' END AS state,
       l.planned, l.authorised, l.passed,
       (SELECT count(*) FROM open_attempt o WHERE o.lot = l.id AND o.purpose IS NULL) AS running,
       l.duplicates, l.tries, l.rules,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.opened_ms / 1000.0, 'unixepoch') AS opened, ob.name AS opened_by,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.closed_ms / 1000.0, 'unixepoch') AS closed, cb.name AS closed_by,
       l.opened AS leaf, l.closed AS closed_leaf, l.id
FROM lot l
LEFT JOIN operator_view ob ON ob.id = l.opened_by
LEFT JOIN operator_view cb ON cb.id = l.closed_by
WHERE l.id > 0;

CREATE VIEW unit_remark AS
SELECT n.leaf, n.unit, 'note' AS what, n.text AS text, l.name AS lot, o.name AS operator, n.at_ms
FROM note n JOIN lot l ON l.id = n.lot JOIN operator_view o ON o.id = n.operator WHERE n.unit IS NOT NULL
UNION ALL
SELECT d.leaf, d.unit, d.disposition, d.why, l.name, o.name, d.at_ms
FROM disposition d JOIN lot l ON l.id = d.lot JOIN operator_view o ON o.id = d.operator;

CREATE VIEW attempt_hook AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS hook, json_extract(j.value, '$[1]') AS exit_code,
       json_extract(j.value, '$[2]') AS ms, json_extract(j.value, '$[3]') AS output
FROM attempt a JOIN leaf l ON l.idx = a.leaf, json_each(CAST(l.rec AS TEXT), '$.hooks') j;

CREATE VIEW attempt_measure AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS name, json_extract(j.value, '$[1]') AS value,
       json_extract(j.value, '$[2]') AS scale, json_extract(j.value, '$[3]') AS unit_name,
       json_extract(j.value, '$[4]') AS low, json_extract(j.value, '$[5]') AS high,
       json_extract(j.value, '$[6]') AS verdict
FROM attempt a JOIN leaf l ON l.idx = a.leaf, json_each(CAST(l.rec AS TEXT), '$.measures') j;
