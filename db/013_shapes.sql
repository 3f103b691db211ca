-- SPDX-License-Identifier: Apache-2.0
-- 013: records by shape (station/store/shape.h): what records of one kind have in common is kept once. leaf.rec begins with
-- { where a record is stored as it is, and with [ where by shape; view `record` gives either as it was signed, byte for byte.

CREATE TABLE shape (
  id   INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 16384),
  text TEXT NOT NULL UNIQUE CHECK (length(text) BETWEEN 2 AND 4096)
) STRICT;
CREATE TRIGGER shape_no_update BEFORE UPDATE ON shape BEGIN SELECT RAISE(ABORT, 'shapes never change'); END;
CREATE TRIGGER shape_no_delete BEFORE DELETE ON shape BEGIN SELECT RAISE(ABORT, 'shapes never go'); END;

-- One table, so that a view that refers to another record (LEFT JOIN) looks that one up and not all of them.
-- Values first, where the text has %s (json_quote writes a text as canonical JSON does); then what stands beside the record: 1 its time, 2 its job, 3 base64 of the hash of the
-- record in front (three hex digits are two characters; the last of 44 is padding).
DROP VIEW record;
CREATE VIEW record AS
SELECT l.idx AS leaf, (SELECT k.name FROM event_kind k WHERE k.id = l.kind) AS event,
       CASE substr(l.rec, 1, 1) WHEN x'5b' THEN (
         SELECT replace(replace(replace(printf(s.text,
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[2]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[3]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[4]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[5]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[6]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[7]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[8]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[9]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[10]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[11]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[12]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[13]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[14]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[15]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[16]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[17]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[18]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[19]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[20]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[21]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[22]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[23]')),
                  json_quote(json_extract(CAST(l.rec AS TEXT), '$[24]')), json_quote(json_extract(CAST(l.rec AS TEXT), '$[25]'))),
                  char(1), strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(CAST(l.rec AS TEXT), '$[1]') / 1000.0, 'unixepoch')),
                  char(2), CASE length(l.job) WHEN 16 THEN lower(
                    substr(hex(l.job), 1, 8) || '-' || substr(hex(l.job), 9, 4) || '-' || substr(hex(l.job), 13, 4) || '-' ||
                    substr(hex(l.job), 17, 4) || '-' || substr(hex(l.job), 21)) ELSE lower(coalesce(hex(l.job), '')) END),
                  char(3), CASE WHEN instr(s.text, char(3)) THEN (
                    WITH RECURSIVE h (hex) AS (SELECT hex(p.hash) || '00' FROM leaf p WHERE p.idx = l.idx - 1),
                    d (i, a, b, c) AS (
                      SELECT 1, instr('123456789ABCDEF', substr(hex, 1, 1)), instr('123456789ABCDEF', substr(hex, 2, 1)),
                             instr('123456789ABCDEF', substr(hex, 3, 1)) FROM h
                      UNION ALL
                      SELECT i + 3, instr('123456789ABCDEF', substr(hex, i + 3, 1)), instr('123456789ABCDEF', substr(hex, i + 4, 1)),
                             instr('123456789ABCDEF', substr(hex, i + 5, 1)) FROM d, h WHERE i < 64),
                    e (text) AS (
                      SELECT group_concat(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + a * 4 + b / 4, 1) ||
                                          substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + b % 4 * 16 + c, 1), '')
                      FROM d)
                    SELECT substr(text, 1, 43) || '=' FROM e) ELSE '' END)
         FROM shape s WHERE s.id = json_extract(CAST(l.rec AS TEXT), '$[0]'))
       ELSE CAST(l.rec AS TEXT) END AS rec
FROM leaf l;

-- The views that take records apart read them there.

DROP VIEW attempt_step;
CREATE VIEW attempt_step AS
SELECT a.leaf, j.key AS n, coalesce(json_extract(b.rec, '$.steps[' || j.key || '][0]'), json_extract(j.value, '$[0]')) AS step,
       iif(b.leaf IS NULL, json_extract(j.value, '$[1]'), iif(j.type = 'array', json_extract(j.value, '$[0]'), j.atom)) AS ms
FROM attempt a JOIN record l ON l.leaf = a.leaf
LEFT JOIN record b ON b.leaf = json_extract(l.rec, '$.as[1]')
JOIN json_each(l.rec, '$.steps') j;

DROP VIEW attempt_rung;
CREATE VIEW attempt_rung AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS rung, json_extract(j.value, '$[1]') AS cause,
       json_extract(j.value, '$[2]') AS value, json_extract(j.value, '$[3]') AS count
FROM attempt a JOIN record l ON l.leaf = a.leaf, json_each(l.rec, '$.rungs') j;

DROP VIEW attempt_region;
CREATE VIEW attempt_region AS
SELECT leaf, n, offset, size, md5_expected, coalesce(found, iif(letter IN ('v', 's'), md5_expected, NULL)) AS md5_found,
       CASE letter WHEN 's' THEN 'skipped' WHEN 'v' THEN 'verified' WHEN 'b' THEN 'bad' WHEN 'w' THEN 'written' ELSE 'pending' END AS state
FROM (SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS offset, json_extract(j.value, '$[1]') AS size,
             json_extract(j.value, '$[2]') AS md5_expected,
             iif(b.leaf IS NULL, json_extract(j.value, '$[3]'),
                 substr(json_extract(l.rec, '$.regions'), j.key + 1, 1)) AS letter,
             iif(b.leaf IS NULL, json_extract(j.value, '$[4]'),
                 (SELECT json_extract(f.value, '$[1]') FROM json_each(l.rec, '$.found') f
                  WHERE json_extract(f.value, '$[0]') = j.key)) AS found
      FROM attempt a JOIN record l ON l.leaf = a.leaf
      LEFT JOIN record b ON b.leaf = json_extract(l.rec, '$.as[1]')
      JOIN json_each(coalesce(b.rec, l.rec), '$.regions') j);

DROP VIEW attempt_security;
CREATE VIEW attempt_security AS
SELECT a.leaf, json_extract(s.rec, '$.secure_boot') AS secure_boot,
       json_extract(s.rec, '$.flash_encryption') AS flash_encryption,
       json_extract(s.rec, '$.secure_download') AS secure_download,
       json_extract(s.rec, '$.jtag_off') AS jtag_off,
       json_extract(s.rec, '$.security_flags') AS flags
FROM attempt a JOIN record l ON l.leaf = a.leaf
JOIN record s ON s.leaf = iif(json_extract(l.rec, '$.as[1]') >= 0, json_extract(l.rec, '$.as[1]'), l.leaf);

DROP VIEW attempt_note;
CREATE VIEW attempt_note AS
SELECT a.leaf, json_extract(l.rec, '$.why') AS why,
       json_extract(l.rec, '$.boot_text') AS boot_text
FROM attempt a JOIN record l ON l.leaf = a.leaf;

DROP VIEW attempt_hook;
CREATE VIEW attempt_hook AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS hook, json_extract(j.value, '$[1]') AS exit_code,
       json_extract(j.value, '$[2]') AS ms, json_extract(j.value, '$[3]') AS output
FROM attempt a JOIN record l ON l.leaf = a.leaf, json_each(l.rec, '$.hooks') j;

DROP VIEW attempt_measure;
CREATE VIEW attempt_measure AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS name, json_extract(j.value, '$[1]') AS value,
       json_extract(j.value, '$[2]') AS scale, json_extract(j.value, '$[3]') AS unit_name,
       json_extract(j.value, '$[4]') AS low, json_extract(j.value, '$[5]') AS high,
       json_extract(j.value, '$[6]') AS verdict
FROM attempt a JOIN record l ON l.leaf = a.leaf, json_each(l.rec, '$.measures') j;

DROP VIEW attempt_link;
CREATE VIEW attempt_link AS
SELECT a.leaf, json_extract(o.rec, '$.bridge.product') AS product,
       json_extract(o.rec, '$.bridge.mbps') AS mbps,
       json_extract(o.rec, '$.bridge.latency_ms') AS latency_ms,
       json_extract(o.rec, '$.bridge.low_latency') AS low_latency
FROM attempt a JOIN record l ON l.leaf = a.leaf
JOIN record o ON o.leaf = iif(json_extract(l.rec, '$.as[0]') >= 0, json_extract(l.rec, '$.as[0]'), l.leaf);

DROP VIEW attempt_damage;
CREATE VIEW attempt_damage AS
SELECT a.leaf, coalesce(json_extract(l.rec, '$.damage.refused'), 0) AS refused,
       coalesce(json_extract(l.rec, '$.damage.lost'), 0) AS lost,
       coalesce(json_extract(l.rec, '$.damage.changed'), 0) AS changed,
       coalesce(json_extract(l.rec, '$.damage.silent'), 0) AS silent,
       coalesce(json_extract(l.rec, '$.damage.cut'), 0) AS cut
FROM attempt a JOIN record l ON l.leaf = a.leaf
WHERE json_extract(l.rec, '$.damage') IS NOT NULL;

DROP VIEW attempt_block;
CREATE VIEW attempt_block AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS baud, json_extract(j.value, '$[1]') AS bytes,
       json_extract(j.value, '$[2]') AS sent, json_extract(j.value, '$[3]') AS refused
FROM attempt a JOIN record l ON l.leaf = a.leaf, json_each(l.rec, '$.damage.blocks') j;

DROP VIEW profile_view;
CREATE VIEW profile_view AS
SELECT p.id, lower(hex(p.hash)) AS hash, p.name, p.version, p.leaf,
       json_extract(l.rec, '$.text') AS yaml
FROM profile p JOIN record l ON l.leaf = p.leaf;
