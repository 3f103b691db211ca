-- SPDX-License-Identifier: Apache-2.0
-- 002: what the leaves say, as rows to ask questions of. Written by one function from a leaf's bytes alone
-- (station/rows/project.c), so that all of it can be made again and must come out the same.
-- A column `leaf` names the record that proves the row. db/README.md explains every table and column.

-- ---- words that repeat, kept once --------------------------------------------------------------------

CREATE TABLE outcome (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO outcome (id, name) VALUES (0, 'PASS'), (1, 'FAIL'), (2, 'ERROR'), (3, 'ABORTED'), (4, 'INTERRUPTED');

CREATE TABLE word (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE CHECK (text <> '')
) STRICT;

-- ---- the station and its runs ------------------------------------------------------------------------

CREATE TABLE station (
  leaf      INTEGER PRIMARY KEY REFERENCES leaf (idx),
  name      TEXT NOT NULL,
  origin    TEXT NOT NULL,
  vkey      TEXT NOT NULL,
  opened_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE boot (
  leaf  INTEGER PRIMARY KEY REFERENCES leaf (idx),
  at_ms INTEGER NOT NULL,
  sw    INTEGER NOT NULL REFERENCES word (id),
  host  INTEGER REFERENCES word (id)
) STRICT;

CREATE TABLE operator (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  leaf INTEGER REFERENCES leaf (idx)
) STRICT;
INSERT INTO operator (id, name, leaf) VALUES (0, '', NULL); -- nobody named

CREATE TABLE lot (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  leaf INTEGER REFERENCES leaf (idx)
) STRICT;
INSERT INTO lot (id, name, leaf) VALUES (0, '', NULL); -- no lot named

CREATE TABLE slot (
  id   INTEGER PRIMARY KEY,
  slot INTEGER NOT NULL,
  port TEXT NOT NULL,
  path TEXT NOT NULL,
  leaf INTEGER NOT NULL REFERENCES leaf (idx),
  UNIQUE (slot, port, path)
) STRICT;

CREATE TABLE bridge (
  id     INTEGER PRIMARY KEY,
  usb_id TEXT NOT NULL,
  serial TEXT NOT NULL,
  driver TEXT NOT NULL,
  leaf   INTEGER NOT NULL REFERENCES leaf (idx),
  UNIQUE (usb_id, serial, driver)
) STRICT;

-- ---- what is flashed ---------------------------------------------------------------------------------

CREATE TABLE profile (
  id      INTEGER PRIMARY KEY,
  hash    BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  name    TEXT,
  version TEXT,
  leaf    INTEGER NOT NULL REFERENCES leaf (idx)
) STRICT;

CREATE TABLE image (
  id     INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
  size   INTEGER NOT NULL CHECK (size >= 0),
  leaf   INTEGER NOT NULL REFERENCES leaf (idx)
) STRICT;

CREATE TABLE profile_image (
  profile INTEGER NOT NULL REFERENCES profile (id),
  offset  INTEGER NOT NULL CHECK (offset >= 0),
  image   INTEGER NOT NULL REFERENCES image (id),
  file    TEXT NOT NULL,
  PRIMARY KEY (profile, offset)
) STRICT, WITHOUT ROWID;
CREATE INDEX profile_image_image ON profile_image (image);

-- ---- units and attempts ------------------------------------------------------------------------------

CREATE TABLE unit (
  mac              INTEGER PRIMARY KEY CHECK (mac BETWEEN 0 AND 281474976710655),
  eui64            BLOB CHECK (length(eui64) = 8),
  chip             INTEGER REFERENCES word (id),
  revision         INTEGER,
  flash_id         INTEGER,
  flash_size       INTEGER,
  secure_boot      INTEGER CHECK (secure_boot IN (0, 1)),
  flash_encryption INTEGER CHECK (flash_encryption IN (0, 1)),
  first_leaf       INTEGER NOT NULL REFERENCES leaf (idx),
  leaf             INTEGER NOT NULL REFERENCES leaf (idx)
) STRICT;
CREATE INDEX unit_eui64 ON unit (eui64) WHERE eui64 IS NOT NULL;

-- an attempt that has begun and not ended: what a start after a crash turns into INTERRUPTED
CREATE TABLE open_attempt (
  job  BLOB PRIMARY KEY CHECK (length(job) = 16),
  slot INTEGER NOT NULL,
  leaf INTEGER NOT NULL REFERENCES leaf (idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
  leaf        INTEGER PRIMARY KEY REFERENCES leaf (idx),
  start_leaf  INTEGER REFERENCES leaf (idx),
  boot        INTEGER NOT NULL,
  unit        INTEGER REFERENCES unit (mac),
  lot         INTEGER NOT NULL REFERENCES lot (id),
  number      INTEGER CHECK (number > 0),
  slot        INTEGER NOT NULL REFERENCES slot (id),
  bridge      INTEGER REFERENCES bridge (id),
  profile     INTEGER REFERENCES profile (id),
  operator    INTEGER NOT NULL REFERENCES operator (id),
  outcome     INTEGER NOT NULL REFERENCES outcome (id),
  fault       INTEGER REFERENCES word (id),
  step        INTEGER REFERENCES word (id),
  loader      INTEGER REFERENCES word (id),
  baud        INTEGER,
  start_ms    INTEGER NOT NULL,
  ms          INTEGER CHECK (ms >= 0),
  tries       INTEGER NOT NULL CHECK (tries > 0),
  rungs       INTEGER NOT NULL CHECK (rungs >= 0),
  bytes_out   INTEGER,
  bytes_in    INTEGER,
  plain_bytes INTEGER
) STRICT;
CREATE INDEX attempt_unit ON attempt (unit, lot) WHERE unit IS NOT NULL;

-- one row a unit and lot: what yield is counted from. ABORTED attempts are not in it.
CREATE TABLE unit_lot (
  unit          INTEGER NOT NULL REFERENCES unit (mac),
  lot           INTEGER NOT NULL REFERENCES lot (id),
  attempts      INTEGER NOT NULL CHECK (attempts > 0),
  first_outcome INTEGER NOT NULL REFERENCES outcome (id),
  passed_at     INTEGER CHECK (passed_at > 0),
  fail_fault    INTEGER REFERENCES word (id),
  fail_step     INTEGER REFERENCES word (id),
  fail_slot     INTEGER REFERENCES slot (id),
  first_leaf    INTEGER NOT NULL REFERENCES leaf (idx),
  leaf          INTEGER NOT NULL REFERENCES leaf (idx),
  PRIMARY KEY (unit, lot)
) STRICT, WITHOUT ROWID;

-- ---- views: the same for people, and the details that only the record itself holds -------------------

CREATE VIEW unit_view AS
SELECT printf('%02x:%02x:%02x:%02x:%02x:%02x', mac >> 40, mac >> 32 & 255, mac >> 24 & 255, mac >> 16 & 255,
              mac >> 8 & 255, mac & 255) AS mac,
       lower(hex(eui64)) AS eui64, (SELECT text FROM word WHERE id = chip) AS chip,
       CASE WHEN revision < 100000 THEN printf('v%d.%d', revision / 100, revision % 100) END AS revision,
       CASE WHEN flash_id THEN printf('%06x', flash_id) END AS flash_id, flash_size, secure_boot, flash_encryption, first_leaf, leaf,
       mac AS unit
FROM unit;

CREATE VIEW attempt_view AS
SELECT a.leaf, a.start_leaf, a.boot,
       CASE WHEN a.unit IS NOT NULL THEN
         printf('%02x:%02x:%02x:%02x:%02x:%02x', a.unit >> 40, a.unit >> 32 & 255, a.unit >> 24 & 255,
                a.unit >> 16 & 255, a.unit >> 8 & 255, a.unit & 255) END AS mac,
       c.text AS chip, l.name AS lot, a.number, s.slot, s.port, s.path, b.usb_id AS bridge, b.serial AS bridge_serial,
       b.driver AS bridge_driver, p.name AS profile, p.version AS profile_version,
       lower(hex(p.hash)) AS profile_hash, op.name AS operator, o.name AS outcome, f.text AS fault,
       st.text AS step, ld.text AS loader, a.baud, strftime('%Y-%m-%dT%H:%M:%fZ', a.start_ms / 1000.0, 'unixepoch') AS start,
       a.start_ms, a.ms, a.tries, a.rungs, a.bytes_out, a.bytes_in, a.plain_bytes, a.unit
FROM attempt a
JOIN lot l ON l.id = a.lot
JOIN slot s ON s.id = a.slot
JOIN operator op ON op.id = a.operator
JOIN outcome o ON o.id = a.outcome
LEFT JOIN unit u ON u.mac = a.unit
LEFT JOIN word c ON c.id = u.chip
LEFT JOIN bridge b ON b.id = a.bridge
LEFT JOIN profile p ON p.id = a.profile
LEFT JOIN word f ON f.id = a.fault
LEFT JOIN word st ON st.id = a.step
LEFT JOIN word ld ON ld.id = a.loader;

CREATE VIEW attempt_step AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS step, json_extract(j.value, '$[1]') AS ms
FROM attempt a JOIN leaf l ON l.idx = a.leaf, json_each(CAST(l.rec AS TEXT), '$.steps') j;

CREATE VIEW attempt_rung AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS rung, json_extract(j.value, '$[1]') AS cause,
       json_extract(j.value, '$[2]') AS value, json_extract(j.value, '$[3]') AS count
FROM attempt a JOIN leaf l ON l.idx = a.leaf, json_each(CAST(l.rec AS TEXT), '$.rungs') j;

CREATE VIEW attempt_region AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS offset, json_extract(j.value, '$[1]') AS size,
       json_extract(j.value, '$[2]') AS md5_expected,
       coalesce(json_extract(j.value, '$[4]'),
                CASE WHEN json_extract(j.value, '$[3]') IN ('v', 's') THEN json_extract(j.value, '$[2]') END) AS md5_found,
       CASE json_extract(j.value, '$[3]') WHEN 's' THEN 'skipped' WHEN 'v' THEN 'verified' WHEN 'b' THEN 'bad'
            WHEN 'w' THEN 'written' ELSE 'pending' END AS state
FROM attempt a JOIN leaf l ON l.idx = a.leaf, json_each(CAST(l.rec AS TEXT), '$.regions') j;

CREATE VIEW attempt_security AS
SELECT a.leaf, json_extract(CAST(l.rec AS TEXT), '$.secure_boot') AS secure_boot,
       json_extract(CAST(l.rec AS TEXT), '$.flash_encryption') AS flash_encryption,
       json_extract(CAST(l.rec AS TEXT), '$.secure_download') AS secure_download,
       json_extract(CAST(l.rec AS TEXT), '$.jtag_off') AS jtag_off,
       json_extract(CAST(l.rec AS TEXT), '$.security_flags') AS flags
FROM attempt a JOIN leaf l ON l.idx = a.leaf;

CREATE VIEW attempt_note AS
SELECT a.leaf, json_extract(CAST(l.rec AS TEXT), '$.why') AS why,
       json_extract(CAST(l.rec AS TEXT), '$.boot_text') AS boot_text
FROM attempt a JOIN leaf l ON l.idx = a.leaf;

CREATE VIEW profile_view AS
SELECT p.id, lower(hex(p.hash)) AS hash, p.name, p.version, p.leaf,
       json_extract(CAST(l.rec AS TEXT), '$.text') AS yaml
FROM profile p JOIN leaf l ON l.idx = p.leaf;

CREATE VIEW profile_image_view AS
SELECT p.profile, lower(hex(q.hash)) AS profile_hash, p.offset, i.size, lower(hex(i.sha256)) AS sha256, p.file
FROM profile_image p JOIN image i ON i.id = p.image JOIN profile q ON q.id = p.profile;
