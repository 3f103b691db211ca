-- SPDX-License-Identifier: Apache-2.0
-- 016: the same in fewer words. SQLite parses every view and trigger of a file each time it is opened, so a question about one
-- unit took longer over their text than over its rows. Columns that only one table has are named without it, what was written
-- twice is written once, and the recounts of the tallies are left out: they were `sum` over **attempt_tally** and its siblings.
-- What each view says stays as it was. Described in README.md.

DROP VIEW tally_recount;
DROP VIEW tally_fault_recount;
DROP VIEW tally_step_recount;

-- ---- records ------------------------------------------------------------------------------------------------------

-- One table, so that a view that refers to another record (LEFT JOIN) looks that one up and not all of them.
-- Values first, where the text has %s (json_quote writes a text as canonical JSON does); then what stands beside the record: 1 its
-- time, 2 its job, 3 base64 of the hash of the record in front (three hex digits are two characters; the last of 44 is padding).
DROP VIEW record;
CREATE VIEW record AS
SELECT idx AS leaf, (SELECT name FROM event_kind k WHERE k.id = l.kind) AS event,
       CASE substr(t, 1, 1) WHEN '[' THEN (
         SELECT replace(replace(replace(printf(text,
                  json_quote(json_extract(t, '$[2]')), json_quote(json_extract(t, '$[3]')), json_quote(json_extract(t, '$[4]')),
                  json_quote(json_extract(t, '$[5]')), json_quote(json_extract(t, '$[6]')), json_quote(json_extract(t, '$[7]')),
                  json_quote(json_extract(t, '$[8]')), json_quote(json_extract(t, '$[9]')), json_quote(json_extract(t, '$[10]')),
                  json_quote(json_extract(t, '$[11]')), json_quote(json_extract(t, '$[12]')), json_quote(json_extract(t, '$[13]')),
                  json_quote(json_extract(t, '$[14]')), json_quote(json_extract(t, '$[15]')), json_quote(json_extract(t, '$[16]')),
                  json_quote(json_extract(t, '$[17]')), json_quote(json_extract(t, '$[18]')), json_quote(json_extract(t, '$[19]')),
                  json_quote(json_extract(t, '$[20]')), json_quote(json_extract(t, '$[21]')), json_quote(json_extract(t, '$[22]')),
                  json_quote(json_extract(t, '$[23]')), json_quote(json_extract(t, '$[24]')), json_quote(json_extract(t, '$[25]'))),
                  char(1), strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(t, '$[1]') / 1000.0, 'unixepoch')),
                  char(2), iif(length(j) = 32, substr(j, 1, 8) || '-' || substr(j, 9, 4) || '-' || substr(j, 13, 4) || '-' ||
                                               substr(j, 17, 4) || '-' || substr(j, 21), j)),
                  char(3), iif(instr(text, char(3)), (
                    WITH RECURSIVE h (hex) AS (SELECT hex(hash) || '00' FROM leaf WHERE idx = l.idx - 1),
                    d (i, a, b, c) AS (
                      SELECT -2, 0, 0, 0
                      UNION ALL
                      SELECT i + 3, instr('123456789ABCDEF', substr(hex, i + 3, 1)), instr('123456789ABCDEF', substr(hex, i + 4, 1)),
                             instr('123456789ABCDEF', substr(hex, i + 5, 1)) FROM d, h WHERE i < 64),
                    e (s) AS (SELECT 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
                    SELECT substr(group_concat(substr(s, 1 + a * 4 + b / 4, 1) || substr(s, 1 + b % 4 * 16 + c, 1), ''), 1, 43) || '='
                    FROM d, e WHERE i > 0), ''))
         FROM shape WHERE id = json_extract(t, '$[0]'))
       ELSE t END AS rec
FROM (SELECT idx, kind, CAST(rec AS TEXT) AS t, lower(hex(job)) AS j FROM leaf) l;

-- ---- views that take records apart -----------------------------------------------------------------------------------

DROP VIEW attempt_step;
CREATE VIEW attempt_step AS
SELECT a.leaf, key AS n, coalesce(json_extract(b.rec, '$.steps[' || key || '][0]'), json_extract(value, '$[0]')) AS step,
       iif(b.leaf IS NULL, json_extract(value, '$[1]'), iif(type = 'array', json_extract(value, '$[0]'), atom)) AS ms,
       coalesce(iif(b.leaf IS NULL, json_extract(value, '$[2]'), iif(type = 'array', json_extract(value, '$[1]'), 0)), 0) AS rungs
FROM attempt a JOIN record l USING (leaf)
LEFT JOIN record b ON b.leaf = json_extract(l.rec, '$.as[1]')
JOIN json_each(l.rec, '$.steps');

-- at which step: NULL in records of older programs, which tell it by the number of rungs in each step alone
DROP VIEW attempt_rung;
CREATE VIEW attempt_rung AS
SELECT leaf, key AS n, json_extract(value, '$[0]') AS rung, json_extract(value, '$[1]') AS cause,
       json_extract(value, '$[2]') AS value, json_extract(value, '$[3]') AS count, json_extract(value, '$[4]') AS step
FROM attempt JOIN record USING (leaf), json_each(rec, '$.rungs');

DROP VIEW attempt_region;
CREATE VIEW attempt_region AS
SELECT leaf, n, json_extract(value, '$[0]') AS offset, json_extract(value, '$[1]') AS size, md5 AS md5_expected,
       coalesce(found, iif(letter IN ('v', 's'), md5, NULL)) AS md5_found,
       CASE letter WHEN 's' THEN 'skipped' WHEN 'v' THEN 'verified' WHEN 'b' THEN 'bad' WHEN 'w' THEN 'written' ELSE 'pending' END AS state
FROM (SELECT a.leaf, j.key AS n, j.value, json_extract(j.value, '$[2]') AS md5,
             iif(b.leaf IS NULL, json_extract(j.value, '$[3]'), substr(json_extract(l.rec, '$.regions'), j.key + 1, 1)) AS letter,
             iif(b.leaf IS NULL, json_extract(j.value, '$[4]'),
                 (SELECT json_extract(f.value, '$[1]') FROM json_each(l.rec, '$.found') f
                  WHERE json_extract(f.value, '$[0]') = j.key)) AS found
      FROM attempt a JOIN record l USING (leaf)
      LEFT JOIN record b ON b.leaf = json_extract(l.rec, '$.as[1]')
      JOIN json_each(coalesce(b.rec, l.rec), '$.regions') j);

DROP VIEW attempt_security;
CREATE VIEW attempt_security AS
SELECT a.leaf, json_extract(s.rec, '$.secure_boot') AS secure_boot, json_extract(s.rec, '$.flash_encryption') AS flash_encryption,
       json_extract(s.rec, '$.secure_download') AS secure_download, json_extract(s.rec, '$.jtag_off') AS jtag_off,
       json_extract(s.rec, '$.security_flags') AS flags
FROM attempt a JOIN record l USING (leaf)
JOIN record s ON s.leaf = iif(json_extract(l.rec, '$.as[1]') >= 0, json_extract(l.rec, '$.as[1]'), l.leaf);

DROP VIEW attempt_hook;
CREATE VIEW attempt_hook AS
SELECT leaf, key AS n, json_extract(value, '$[0]') AS hook, json_extract(value, '$[1]') AS exit_code,
       json_extract(value, '$[2]') AS ms, json_extract(value, '$[3]') AS output
FROM attempt JOIN record USING (leaf), json_each(rec, '$.hooks');

DROP VIEW attempt_measure;
CREATE VIEW attempt_measure AS
SELECT leaf, key AS n, json_extract(value, '$[0]') AS name, json_extract(value, '$[1]') AS value, json_extract(value, '$[2]') AS scale,
       json_extract(value, '$[3]') AS unit_name, json_extract(value, '$[4]') AS low, json_extract(value, '$[5]') AS high,
       json_extract(value, '$[6]') AS verdict
FROM attempt JOIN record USING (leaf), json_each(rec, '$.measures');

DROP VIEW attempt_link;
CREATE VIEW attempt_link AS
SELECT a.leaf, json_extract(o.rec, '$.bridge.product') AS product, json_extract(o.rec, '$.bridge.mbps') AS mbps,
       json_extract(o.rec, '$.bridge.latency_ms') AS latency_ms, json_extract(o.rec, '$.bridge.low_latency') AS low_latency
FROM attempt a JOIN record l USING (leaf)
JOIN record o ON o.leaf = iif(json_extract(l.rec, '$.as[0]') >= 0, json_extract(l.rec, '$.as[0]'), l.leaf);

DROP VIEW attempt_damage;
CREATE VIEW attempt_damage AS
SELECT leaf, coalesce(json_extract(rec, '$.damage.refused'), 0) AS refused, coalesce(json_extract(rec, '$.damage.lost'), 0) AS lost,
       coalesce(json_extract(rec, '$.damage.changed'), 0) AS changed, coalesce(json_extract(rec, '$.damage.silent'), 0) AS silent,
       coalesce(json_extract(rec, '$.damage.cut'), 0) AS cut
FROM attempt JOIN record USING (leaf)
WHERE json_extract(rec, '$.damage') IS NOT NULL;

DROP VIEW attempt_block;
CREATE VIEW attempt_block AS
SELECT leaf, key AS n, json_extract(value, '$[0]') AS baud, json_extract(value, '$[1]') AS bytes,
       json_extract(value, '$[2]') AS sent, json_extract(value, '$[3]') AS refused
FROM attempt JOIN record USING (leaf), json_each(rec, '$.damage.blocks');

-- ---- what one attempt adds to the tallies ------------------------------------------------------------------------------

-- gap: since the end of the attempt before it in the slot; of more than ten minutes the operator was away, and it is no cycle
DROP VIEW attempt_adds;
CREATE VIEW attempt_adds AS
SELECT leaf, start_ms, half, slot, lot, model, profile, 1 AS attempts, outcome = 0 AS pass, outcome = 1 AS fail, outcome = 2 AS error,
       outcome = 3 AS aborted, outcome = 4 AS interrupted, unit IS NULL AS nameless, coalesce(number > 1, 0) AS retests,
       rungs > 0 AS with_rungs, ms AS busy_ms, iif(number > 1, ms, 0) AS retest_ms, iif(outcome = 0, ms, 0) AS pass_ms,
       cycle AS cycles, iif(cycle, start_ms - prior_ms, 0) AS cycle_ms,
       cycle AND new AS handlings, iif(cycle AND new, max(0, gap), 0) AS handling_ms, start_ms + ms AS last_ms
FROM (SELECT c.*, a.start_ms, a.outcome, a.unit, a.number, a.rungs, coalesce(a.ms, 0) AS ms, p.start_ms AS prior_ms,
             a.start_ms - p.start_ms - p.ms AS gap, coalesce(a.start_ms - p.start_ms - p.ms BETWEEN -1000 AND 600000, 0) AS cycle,
             a.unit IS NULL OR a.unit IS NOT p.unit AS new
      FROM attempt a JOIN attempt_cell c USING (leaf)
      LEFT JOIN attempt p ON p.leaf = (SELECT q.leaf FROM attempt q WHERE q.slot = a.slot AND q.leaf < a.leaf ORDER BY q.leaf DESC LIMIT 1));

-- one row an attempt that counts: columns as in `tally`; units and what follows where it is attempt 1 of a unit in its lot
DROP VIEW attempt_tally;
CREATE VIEW attempt_tally AS
SELECT a.*, u.unit IS NOT NULL AS units, u.passed_at IS 1 AS passed_1, coalesce(u.passed_at <= 2, 0) AS passed_2,
       coalesce(u.passed_at <= 3, 0) AS passed_3, u.passed_at IS NOT NULL AS passed, coalesce(u.attempts > 1, 0) AS retested,
       coalesce(u.passed_at > 1 AND NOT EXISTS
         (SELECT 1 FROM disposition d WHERE d.unit = u.unit AND d.disposition = 'rework' AND d.leaf BETWEEN u.first_leaf AND
          (SELECT w.leaf FROM attempt w WHERE w.unit = u.unit AND w.lot = u.lot AND w.number = u.passed_at)), 0) AS recovered,
       coalesce(n.slot = u.fail_slot, 0) AS same_slot, coalesce(n.slot = u.fail_slot AND u.passed_at IS 2, 0) AS same_passed,
       coalesce(n.slot <> u.fail_slot, 0) AS other_slot, coalesce(n.slot <> u.fail_slot AND u.passed_at IS 2, 0) AS other_passed
FROM attempt t
JOIN attempt_adds a USING (leaf)
LEFT JOIN unit_lot u ON u.unit = t.unit AND u.lot = t.lot AND u.first_leaf = t.leaf
LEFT JOIN attempt n ON u.attempts > 1 AND u.first_outcome <> 0 AND n.unit = u.unit AND n.lot = u.lot AND n.number = 2
WHERE t.purpose IS NULL;

-- ---- days ------------------------------------------------------------------------------------------------------------

-- A cell of a half hour begins empty, so that all that comes to it is a change, and one trigger carries changes into its day.
DROP TRIGGER tally_attempt;
CREATE TRIGGER tally_attempt AFTER INSERT ON attempt WHEN NEW.purpose IS NULL BEGIN
  INSERT INTO tally (half, slot, lot, model, profile)
  SELECT half, slot, lot, model, profile FROM attempt_cell WHERE leaf = NEW.leaf ON CONFLICT DO NOTHING;
  INSERT INTO tally (half, slot, lot, model, profile, attempts, pass, fail, error, aborted, interrupted, nameless, retests,
                     with_rungs, busy_ms, retest_ms, pass_ms, cycles, cycle_ms, handlings, handling_ms, last_ms)
  SELECT half, slot, lot, model, profile, attempts, pass, fail, error, aborted, interrupted, nameless, retests, with_rungs,
         busy_ms, retest_ms, pass_ms, cycles, cycle_ms, handlings, handling_ms, last_ms
  FROM attempt_adds WHERE leaf = NEW.leaf
  ON CONFLICT (half, slot, lot, model, profile) DO UPDATE SET
    attempts = attempts + 1, pass = pass + excluded.pass, fail = fail + excluded.fail, error = error + excluded.error,
    aborted = aborted + excluded.aborted, interrupted = interrupted + excluded.interrupted,
    nameless = nameless + excluded.nameless, retests = retests + excluded.retests,
    with_rungs = with_rungs + excluded.with_rungs, busy_ms = busy_ms + excluded.busy_ms,
    retest_ms = retest_ms + excluded.retest_ms, pass_ms = pass_ms + excluded.pass_ms, cycles = cycles + excluded.cycles,
    cycle_ms = cycle_ms + excluded.cycle_ms, handlings = handlings + excluded.handlings,
    handling_ms = handling_ms + excluded.handling_ms, last_ms = max(last_ms, excluded.last_ms);
END;

DROP TRIGGER tally_day_new;
CREATE TRIGGER tally_day_new AFTER INSERT ON tally BEGIN
  INSERT INTO tally_day
  VALUES (NEW.half - NEW.half % 48, NEW.slot, NEW.lot, NEW.model, NEW.profile, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
          0, 0, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING;
END;

-- ---- in words --------------------------------------------------------------------------------------------------------

-- the columns beside max() are of the row that it was found in: SQLite's rule
DROP VIEW tuning_now;
CREATE VIEW tuning_now AS
SELECT max(t.leaf) AS leaf, at_ms, s.slot, port, coalesce(usb_id, '') AS usb_id, coalesce(driver, '') AS driver, what, baud, ram_block,
       flash_block, burst, gap_us, rom_only, slow_reset, late_speed
FROM tuning t JOIN slot s ON s.id = t.slot LEFT JOIN bridge b ON b.id = t.bridge
GROUP BY s.slot, port, 5, 6;

-- every sum with its words; what the yields are made of
DROP VIEW tally_view;
CREATE VIEW tally_view AS
SELECT half * 1800000 AS from_ms, strftime('%Y-%m-%d', half * 1800, 'unixepoch') AS day,
       strftime('%Y-%m-%dT%H:00Z', half * 1800, 'unixepoch') AS hour, s.slot, l.name AS lot, product, usb_id AS bridge,
       driver AS bridge_driver, p.name AS profile, version AS profile_version, attempts, pass, fail, error, aborted, interrupted,
       nameless, retests, with_rungs, busy_ms, retest_ms, pass_ms, cycles, cycle_ms, handlings, handling_ms, units, passed_1, passed_2,
       passed_3, t.passed, retested, recovered
FROM tally t JOIN slot s ON s.id = t.slot JOIN lot l ON l.id = t.lot JOIN bridge_model m ON m.id = model
LEFT JOIN profile p ON p.id = t.profile;

DROP VIEW attempt_view;
CREATE VIEW attempt_view AS
SELECT a.leaf, start_leaf, boot,
       CASE WHEN a.unit IS NOT NULL THEN
         printf('%02x:%02x:%02x:%02x:%02x:%02x', a.unit >> 40, a.unit >> 32 & 255, a.unit >> 24 & 255,
                a.unit >> 16 & 255, a.unit >> 8 & 255, a.unit & 255) END AS mac,
       c.text AS chip, l.name AS lot, number, s.slot, port, path, usb_id AS bridge, b.serial AS bridge_serial,
       driver AS bridge_driver, p.name AS profile, version AS profile_version, lower(hex(p.hash)) AS profile_hash,
       op.name AS operator, o.name AS outcome, f.text AS fault, st.text AS step, ld.text AS loader, baud,
       strftime('%Y-%m-%dT%H:%M:%fZ', start_ms / 1000.0, 'unixepoch') AS start,
       strftime('%Y-%m-%dT%H:%M:%fZ', (start_ms + ms) / 1000.0, 'unixepoch') AS ended, start_ms, ms, a.tries, rungs, bytes_out,
       bytes_in, plain_bytes, a.unit, product, pu.name AS purpose, sn.serial
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

DROP VIEW lot_view;
CREATE VIEW lot_view AS
SELECT l.name AS lot, product, CASE WHEN opened IS NULL THEN 'named' WHEN closed IS NULL THEN 'open' ELSE 'closed' END AS state,
       planned, authorised, passed, (SELECT count(*) FROM open_attempt o WHERE o.lot = l.id AND o.purpose IS NULL) AS running,
       duplicates, tries, rules, strftime('%Y-%m-%dT%H:%M:%fZ', opened_ms / 1000.0, 'unixepoch') AS opened, ob.name AS opened_by,
       strftime('%Y-%m-%dT%H:%M:%fZ', closed_ms / 1000.0, 'unixepoch') AS closed, cb.name AS closed_by,
       opened AS leaf, closed AS closed_leaf, l.id
FROM lot l
LEFT JOIN operator_view ob ON ob.id = opened_by
LEFT JOIN operator_view cb ON cb.id = closed_by
WHERE l.id > 0;
