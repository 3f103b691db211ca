-- SPDX-License-Identifier: Apache-2.0
-- 015: cuts at any moment, and what the records told without a column for it. What an attempt adds to the tallies is one view
-- for each of them; the recounts are its sums, a report that is cut within a half hour adds up the attempts of that half hour
-- alone, and the course of the line is the same view by time. Described in README.md.

CREATE INDEX attempt_start ON attempt (start_ms);

DROP VIEW tally_recount;
DROP VIEW tally_fault_recount;

-- one row an attempt that counts: columns as in `tally`; units and what follows where it is attempt 1 of a unit in its lot
CREATE VIEW attempt_tally AS
SELECT t.leaf, t.start_ms, a.half, a.slot, a.lot, a.model, a.profile, a.attempts, a.pass, a.fail, a.error, a.aborted, a.interrupted,
       a.nameless, a.retests, a.with_rungs, a.busy_ms, a.retest_ms, a.pass_ms, a.cycles, a.cycle_ms, a.handlings, a.handling_ms,
       a.last_ms, u.unit IS NOT NULL AS units, u.passed_at IS 1 AS passed_1, coalesce(u.passed_at <= 2, 0) AS passed_2,
       coalesce(u.passed_at <= 3, 0) AS passed_3, u.passed_at IS NOT NULL AS passed, coalesce(u.attempts > 1, 0) AS retested,
       coalesce(u.passed_at > 1 AND NOT EXISTS
         (SELECT 1 FROM disposition d WHERE d.unit = u.unit AND d.disposition = 'rework' AND d.leaf BETWEEN u.first_leaf AND
          (SELECT w.leaf FROM attempt w WHERE w.unit = u.unit AND w.lot = u.lot AND w.number = u.passed_at)), 0) AS recovered,
       coalesce(n.slot = u.fail_slot, 0) AS same_slot, coalesce(n.slot = u.fail_slot AND u.passed_at IS 2, 0) AS same_passed,
       coalesce(n.slot <> u.fail_slot, 0) AS other_slot, coalesce(n.slot <> u.fail_slot AND u.passed_at IS 2, 0) AS other_passed
FROM attempt t
JOIN attempt_adds a ON a.leaf = t.leaf
LEFT JOIN unit_lot u ON u.unit = t.unit AND u.lot = t.lot AND u.first_leaf = t.leaf
LEFT JOIN attempt n ON u.attempts > 1 AND u.first_outcome <> 0 AND n.unit = u.unit AND n.lot = u.lot AND n.number = 2
WHERE t.purpose IS NULL;

-- one row an attempt that did not pass; units: it is its unit's first in that lot
CREATE VIEW attempt_tally_fault AS
SELECT a.leaf, a.start_ms, c.half, c.slot, c.lot, c.model, c.profile, coalesce(a.fault, 0) AS fault, coalesce(a.step, 0) AS step,
       1 AS attempts,
       a.number IS NOT NULL AND NOT EXISTS
         (SELECT 1 FROM attempt b WHERE b.unit = a.unit AND b.lot = a.lot AND b.number < a.number AND b.outcome <> 0) AS units
FROM attempt a JOIN attempt_cell c ON c.leaf = a.leaf
WHERE a.outcome NOT IN (0, 3) AND a.purpose IS NULL;

CREATE VIEW tally_recount AS
SELECT half, slot, lot, model, profile, sum(attempts) AS attempts, sum(pass) AS pass, sum(fail) AS fail, sum(error) AS error,
       sum(aborted) AS aborted, sum(interrupted) AS interrupted, sum(nameless) AS nameless, sum(retests) AS retests,
       sum(with_rungs) AS with_rungs, sum(busy_ms) AS busy_ms, sum(retest_ms) AS retest_ms, sum(pass_ms) AS pass_ms,
       sum(cycles) AS cycles, sum(cycle_ms) AS cycle_ms, sum(handlings) AS handlings, sum(handling_ms) AS handling_ms,
       max(last_ms) AS last_ms, sum(units) AS units, sum(passed_1) AS passed_1, sum(passed_2) AS passed_2, sum(passed_3) AS passed_3,
       sum(passed) AS passed, sum(retested) AS retested, sum(recovered) AS recovered, sum(same_slot) AS same_slot,
       sum(same_passed) AS same_passed, sum(other_slot) AS other_slot, sum(other_passed) AS other_passed
FROM attempt_tally GROUP BY half, slot, lot, model, profile;

CREATE VIEW tally_fault_recount AS
SELECT half, slot, lot, model, profile, fault, step, sum(attempts) AS attempts, sum(units) AS units
FROM attempt_tally_fault GROUP BY half, slot, lot, model, profile, fault, step;

-- ---- steps and rungs ---------------------------------------------------------------------------------------

-- with the rungs of recovery that were taken in the step
DROP VIEW attempt_step;
CREATE VIEW attempt_step AS
SELECT a.leaf, j.key AS n, coalesce(json_extract(b.rec, '$.steps[' || j.key || '][0]'), json_extract(j.value, '$[0]')) AS step,
       iif(b.leaf IS NULL, json_extract(j.value, '$[1]'), iif(j.type = 'array', json_extract(j.value, '$[0]'), j.atom)) AS ms,
       coalesce(iif(b.leaf IS NULL, json_extract(j.value, '$[2]'), iif(j.type = 'array', json_extract(j.value, '$[1]'), 0)), 0) AS rungs
FROM attempt a JOIN record l ON l.leaf = a.leaf
LEFT JOIN record b ON b.leaf = json_extract(l.rec, '$.as[1]')
JOIN json_each(l.rec, '$.steps') j;

-- one row a step that an attempt came to; firsts, first_passed: attempt 1 of a unit, and it neither ended there nor took a rung
CREATE VIEW attempt_tally_step AS
SELECT a.leaf, a.start_ms, c.half, c.slot, c.lot, c.model, c.profile, p.id AS step, 1 AS attempts, s.ms,
       iif(a.outcome = 0, s.ms, 0) AS pass_ms, a.number IS 1 AS firsts,
       a.number IS 1 AND s.rungs = 0 AND (a.outcome = 0 OR w.text IS NOT s.step) AS first_passed
FROM attempt a JOIN attempt_cell c ON c.leaf = a.leaf JOIN attempt_step s ON s.leaf = a.leaf JOIN step p ON p.name = s.step
LEFT JOIN word w ON w.id = a.step
WHERE a.purpose IS NULL;

CREATE VIEW tally_step_recount AS
SELECT half, slot, lot, model, profile, step, sum(attempts) AS attempts, sum(ms) AS ms, sum(pass_ms) AS pass_ms, sum(firsts) AS firsts,
       sum(first_passed) AS first_passed
FROM attempt_tally_step GROUP BY half, slot, lot, model, profile, step;

-- at which step: NULL in records of older programs, which tell it by the number of rungs in each step alone
DROP VIEW attempt_rung;
CREATE VIEW attempt_rung AS
SELECT a.leaf, j.key AS n, json_extract(j.value, '$[0]') AS rung, json_extract(j.value, '$[1]') AS cause,
       json_extract(j.value, '$[2]') AS value, json_extract(j.value, '$[3]') AS count, json_extract(j.value, '$[4]') AS step
FROM attempt a JOIN record l ON l.leaf = a.leaf, json_each(l.rec, '$.rungs') j;

-- ---- images as they were patched ------------------------------------------------------------------------------

-- The loader hashes what is in flash region by region, so that is how an image's MD5 is known: once for each profile, region and
-- content (another flash size patches another header), told by the first record that names it.
CREATE TABLE image_region (
  profile INTEGER NOT NULL REFERENCES profile (id),
  offset  INTEGER NOT NULL CHECK (offset >= 0),
  size    INTEGER NOT NULL CHECK (size > 0),
  md5     BLOB NOT NULL CHECK (length(md5) = 16),
  leaf    INTEGER NOT NULL REFERENCES leaf (idx),
  PRIMARY KEY (profile, offset, size, md5)
) STRICT, WITHOUT ROWID;

CREATE VIEW image_region_view AS
SELECT lower(hex(q.hash)) AS profile_hash, p.file, lower(hex(i.sha256)) AS sha256, i.size AS image_size, p.offset AS image_offset,
       r.offset, r.size, lower(hex(r.md5)) AS md5, r.leaf
FROM image_region r JOIN profile q ON q.id = r.profile
LEFT JOIN profile_image p ON p.profile = r.profile AND
          p.offset = (SELECT max(x.offset) FROM profile_image x WHERE x.profile = r.profile AND x.offset <= r.offset)
LEFT JOIN image i ON i.id = p.image;

-- ---- units and attempts in words ---------------------------------------------------------------------------------

DROP VIEW unit_view;
CREATE VIEW unit_view AS
SELECT printf('%02x:%02x:%02x:%02x:%02x:%02x', mac >> 40, mac >> 32 & 255, mac >> 24 & 255, mac >> 16 & 255,
              mac >> 8 & 255, mac & 255) AS mac,
       lower(hex(eui64)) AS eui64, (SELECT text FROM word WHERE id = chip) AS chip,
       CASE WHEN revision < 100000 THEN printf('v%d.%d', revision / 100, revision % 100) END AS revision,
       CASE WHEN flash_id THEN printf('%06x', flash_id) END AS flash_id, flash_size,
       (SELECT s.serial FROM serial s WHERE s.unit = u.mac ORDER BY s.leaf DESC LIMIT 1) AS serial,
       secure_boot, flash_encryption, first_leaf, leaf, mac AS unit
FROM unit u;

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
       strftime('%Y-%m-%dT%H:%M:%fZ', (a.start_ms + a.ms) / 1000.0, 'unixepoch') AS ended,
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
