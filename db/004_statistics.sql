-- SPDX-License-Identifier: Apache-2.0
-- 004: statistics. What a report adds up is added up when it happens, in the transaction of the attempt itself: one row of
-- `tally` is what began within one half hour in one slot, for one lot, behind one kind of bridge, by one profile. Half
-- hours, because there are time zones that are half an hour off.
-- The triggers below are the only writers. View `tally_recount` counts the same from the attempts themselves: it filled the
-- table when this file was applied to an older database, and tests hold the two against each other.
-- The definitions stand in db/README.md, "what the numbers mean".

-- a kind of bridge: boards that carry their bridge have one each, but few kinds
CREATE TABLE bridge_model (
  id     INTEGER PRIMARY KEY,
  usb_id TEXT NOT NULL,
  driver TEXT NOT NULL,
  UNIQUE (usb_id, driver)
) STRICT;
INSERT INTO bridge_model (id, usb_id, driver) VALUES (0, '', ''); -- none known
INSERT INTO bridge_model (usb_id, driver) SELECT usb_id, driver FROM bridge GROUP BY usb_id, driver ORDER BY min(id);
CREATE TRIGGER bridge_model_new AFTER INSERT ON bridge BEGIN
  INSERT INTO bridge_model (usb_id, driver) VALUES (NEW.usb_id, NEW.driver) ON CONFLICT (usb_id, driver) DO NOTHING;
END;

CREATE TABLE tally (
  half          INTEGER NOT NULL, -- start_ms / 1800000
  slot          INTEGER NOT NULL REFERENCES slot (id),
  lot           INTEGER NOT NULL REFERENCES lot (id),
  model         INTEGER NOT NULL REFERENCES bridge_model (id),
  profile       INTEGER NOT NULL, -- 0: none known
  -- the attempts that began then and there
  attempts      INTEGER NOT NULL DEFAULT 0,
  pass          INTEGER NOT NULL DEFAULT 0,
  fail          INTEGER NOT NULL DEFAULT 0,
  error         INTEGER NOT NULL DEFAULT 0,
  aborted       INTEGER NOT NULL DEFAULT 0,
  interrupted   INTEGER NOT NULL DEFAULT 0,
  nameless      INTEGER NOT NULL DEFAULT 0,
  retests       INTEGER NOT NULL DEFAULT 0,
  with_rungs    INTEGER NOT NULL DEFAULT 0,
  busy_ms       INTEGER NOT NULL DEFAULT 0,
  retest_ms     INTEGER NOT NULL DEFAULT 0,
  pass_ms       INTEGER NOT NULL DEFAULT 0,
  cycles        INTEGER NOT NULL DEFAULT 0,
  cycle_ms      INTEGER NOT NULL DEFAULT 0,
  handlings     INTEGER NOT NULL DEFAULT 0,
  handling_ms   INTEGER NOT NULL DEFAULT 0,
  last_ms       INTEGER NOT NULL DEFAULT 0,
  -- the units (once for each lot) whose attempt 1 began then and there
  units         INTEGER NOT NULL DEFAULT 0,
  passed_1      INTEGER NOT NULL DEFAULT 0,
  passed_2      INTEGER NOT NULL DEFAULT 0,
  passed_3      INTEGER NOT NULL DEFAULT 0,
  passed        INTEGER NOT NULL DEFAULT 0,
  retested      INTEGER NOT NULL DEFAULT 0,
  recovered     INTEGER NOT NULL DEFAULT 0,
  same_slot     INTEGER NOT NULL DEFAULT 0,
  same_passed   INTEGER NOT NULL DEFAULT 0,
  other_slot    INTEGER NOT NULL DEFAULT 0,
  other_passed  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (half, slot, lot, model, profile)
) STRICT, WITHOUT ROWID;

-- attempts that did not pass, and units by their first one of them
CREATE TABLE tally_fault (
  half     INTEGER NOT NULL,
  slot     INTEGER NOT NULL REFERENCES slot (id),
  lot      INTEGER NOT NULL REFERENCES lot (id),
  model    INTEGER NOT NULL REFERENCES bridge_model (id),
  profile  INTEGER NOT NULL,
  fault    INTEGER NOT NULL, -- word, 0: none told
  step     INTEGER NOT NULL, -- word, 0: none told
  attempts INTEGER NOT NULL DEFAULT 0,
  units    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (half, slot, lot, model, profile, fault, step)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_slot ON attempt (slot);       -- what was in this slot before; what passed through it
CREATE INDEX attempt_profile ON attempt (profile); -- who got this image
CREATE INDEX attempt_bridge ON attempt (bridge) WHERE bridge IS NOT NULL;
CREATE INDEX unit_lot_lot ON unit_lot (lot, first_leaf);

-- ---- where an attempt belongs, and its way into the tally ----------------------------------------------

CREATE VIEW attempt_cell AS
SELECT a.leaf, a.start_ms / 1800000 AS half, a.slot, a.lot,
       coalesce((SELECT m.id FROM bridge b JOIN bridge_model m ON m.usb_id = b.usb_id AND m.driver = b.driver
                 WHERE b.id = a.bridge), 0) AS model,
       coalesce(a.profile, 0) AS profile
FROM attempt a;

-- What one attempt adds. A pause of up to ten minutes since the end of the attempt before in this slot is work: the time
-- from start to start is a cycle, and when another unit lies in the slot now, the pause was handling. Longer is a break.
CREATE VIEW attempt_adds AS
SELECT c.leaf, c.half, c.slot, c.lot, c.model, c.profile,
       1 AS attempts, a.outcome = 0 AS pass, a.outcome = 1 AS fail, a.outcome = 2 AS error, a.outcome = 3 AS aborted,
       a.outcome = 4 AS interrupted, a.unit IS NULL AS nameless, coalesce(a.number > 1, 0) AS retests, a.rungs > 0 AS with_rungs,
       coalesce(a.ms, 0) AS busy_ms, iif(a.number > 1, coalesce(a.ms, 0), 0) AS retest_ms,
       iif(a.outcome = 0, coalesce(a.ms, 0), 0) AS pass_ms,
       coalesce(a.start_ms - p.start_ms - p.ms BETWEEN -1000 AND 600000, 0) AS cycles,
       iif(a.start_ms - p.start_ms - p.ms BETWEEN -1000 AND 600000, a.start_ms - p.start_ms, 0) AS cycle_ms,
       coalesce(a.start_ms - p.start_ms - p.ms BETWEEN -1000 AND 600000, 0) AND (a.unit IS NULL OR a.unit IS NOT p.unit) AS handlings,
       iif(a.start_ms - p.start_ms - p.ms BETWEEN -1000 AND 600000 AND (a.unit IS NULL OR a.unit IS NOT p.unit),
           max(0, a.start_ms - p.start_ms - p.ms), 0) AS handling_ms,
       a.start_ms + coalesce(a.ms, 0) AS last_ms
FROM attempt a JOIN attempt_cell c ON c.leaf = a.leaf
LEFT JOIN attempt p ON p.leaf = (SELECT q.leaf FROM attempt q WHERE q.slot = a.slot AND q.leaf < a.leaf ORDER BY q.leaf DESC LIMIT 1);

CREATE TRIGGER tally_attempt AFTER INSERT ON attempt BEGIN
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

CREATE TRIGGER tally_attempt_fault AFTER INSERT ON attempt WHEN NEW.outcome NOT IN (0, 3) BEGIN
  INSERT INTO tally_fault (half, slot, lot, model, profile, fault, step, attempts)
  SELECT half, slot, lot, model, profile, coalesce(NEW.fault, 0), coalesce(NEW.step, 0), 1 FROM attempt_cell WHERE leaf = NEW.leaf
  ON CONFLICT (half, slot, lot, model, profile, fault, step) DO UPDATE SET attempts = attempts + 1;
END;

-- ---- what one unit adds to the cell of its attempt 1 -----------------------------------------------------

CREATE TRIGGER tally_unit AFTER INSERT ON unit_lot BEGIN
  UPDATE tally SET units = units + 1, passed_1 = passed_1 + (NEW.passed_at IS 1), passed_2 = passed_2 + (NEW.passed_at IS 1),
         passed_3 = passed_3 + (NEW.passed_at IS 1), passed = passed + (NEW.passed_at IS 1)
  WHERE (half, slot, lot, model, profile) = (SELECT half, slot, lot, model, profile FROM attempt_cell WHERE leaf = NEW.first_leaf);
END;

CREATE TRIGGER tally_unit_again AFTER UPDATE ON unit_lot WHEN NEW.attempts = OLD.attempts + 1 BEGIN
  UPDATE tally SET
    passed_2 = passed_2 + (OLD.passed_at IS NULL AND NEW.passed_at IS 2),
    passed_3 = passed_3 + (OLD.passed_at IS NULL AND NEW.passed_at IN (2, 3) IS TRUE),
    passed = passed + (OLD.passed_at IS NULL AND NEW.passed_at IS NOT NULL),
    recovered = recovered + (OLD.passed_at IS NULL AND NEW.passed_at IS NOT NULL),
    retested = retested + (OLD.attempts = 1)
  WHERE (half, slot, lot, model, profile) = (SELECT half, slot, lot, model, profile FROM attempt_cell WHERE leaf = NEW.first_leaf);
END;

-- the second try of a unit that failed its first: in the same slot or in another, and did it pass there?
CREATE TRIGGER tally_unit_second AFTER UPDATE ON unit_lot WHEN OLD.attempts = 1 AND NEW.attempts = 2 AND NEW.first_outcome <> 0 BEGIN
  UPDATE tally SET
    same_slot = same_slot + (NEW.fail_slot = n.slot), same_passed = same_passed + (NEW.fail_slot = n.slot AND NEW.passed_at IS 2),
    other_slot = other_slot + (NEW.fail_slot <> n.slot), other_passed = other_passed + (NEW.fail_slot <> n.slot AND NEW.passed_at IS 2)
  FROM (SELECT slot FROM attempt WHERE leaf = NEW.leaf) n
  WHERE (half, tally.slot, lot, model, profile) = (SELECT half, slot, lot, model, profile FROM attempt_cell WHERE leaf = NEW.first_leaf);
END;

-- the first attempt of a unit that did not pass says why the unit failed
CREATE TRIGGER tally_unit_fault AFTER INSERT ON unit_lot WHEN NEW.fail_slot IS NOT NULL BEGIN
  UPDATE tally_fault SET units = units + 1
  WHERE (half, slot, lot, model, profile, fault, step) =
        (SELECT half, slot, lot, model, profile, coalesce(NEW.fail_fault, 0), coalesce(NEW.fail_step, 0)
         FROM attempt_cell WHERE leaf = NEW.leaf);
END;
CREATE TRIGGER tally_unit_fault_later AFTER UPDATE ON unit_lot WHEN OLD.fail_slot IS NULL AND NEW.fail_slot IS NOT NULL BEGIN
  UPDATE tally_fault SET units = units + 1
  WHERE (half, slot, lot, model, profile, fault, step) =
        (SELECT half, slot, lot, model, profile, coalesce(NEW.fail_fault, 0), coalesce(NEW.fail_step, 0)
         FROM attempt_cell WHERE leaf = NEW.leaf);
END;

-- ---- steps: written with the attempt, from the record's own list (station/rows/project.c) --------------

CREATE TABLE step (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE CHECK (name <> '')
) STRICT;

CREATE TABLE tally_step (
  half         INTEGER NOT NULL,
  slot         INTEGER NOT NULL REFERENCES slot (id),
  lot          INTEGER NOT NULL REFERENCES lot (id),
  model        INTEGER NOT NULL REFERENCES bridge_model (id),
  profile      INTEGER NOT NULL,
  step         INTEGER NOT NULL REFERENCES step (id),
  attempts     INTEGER NOT NULL DEFAULT 0, -- that came to this step
  ms           INTEGER NOT NULL DEFAULT 0,
  pass_ms      INTEGER NOT NULL DEFAULT 0, -- of attempts that passed
  firsts       INTEGER NOT NULL DEFAULT 0, -- attempts 1 of a unit that came to it
  first_passed INTEGER NOT NULL DEFAULT 0, -- and went through at once: did not end there and took no rung in it
  PRIMARY KEY (half, slot, lot, model, profile, step)
) STRICT, WITHOUT ROWID;

-- ---- the same, counted again from the attempts ------------------------------------------------------------

CREATE VIEW tally_recount AS
SELECT a.half, a.slot, a.lot, a.model, a.profile, sum(a.attempts) AS attempts, sum(pass) AS pass, sum(fail) AS fail, sum(error) AS error,
       sum(aborted) AS aborted, sum(interrupted) AS interrupted, sum(nameless) AS nameless, sum(retests) AS retests,
       sum(with_rungs) AS with_rungs, sum(busy_ms) AS busy_ms, sum(retest_ms) AS retest_ms, sum(pass_ms) AS pass_ms,
       sum(cycles) AS cycles, sum(cycle_ms) AS cycle_ms, sum(handlings) AS handlings, sum(handling_ms) AS handling_ms,
       max(last_ms) AS last_ms, count(u.unit) AS units, coalesce(sum(u.passed_at = 1), 0) AS passed_1,
       coalesce(sum(u.passed_at <= 2), 0) AS passed_2, coalesce(sum(u.passed_at <= 3), 0) AS passed_3, count(u.passed_at) AS passed,
       coalesce(sum(u.attempts > 1), 0) AS retested, coalesce(sum(u.passed_at > 1), 0) AS recovered,
       coalesce(sum(n.slot = u.fail_slot), 0) AS same_slot,
       coalesce(sum(n.slot = u.fail_slot AND u.passed_at IS 2), 0) AS same_passed,
       coalesce(sum(n.slot <> u.fail_slot), 0) AS other_slot,
       coalesce(sum(n.slot <> u.fail_slot AND u.passed_at IS 2), 0) AS other_passed
FROM attempt_adds a
JOIN attempt t ON t.leaf = a.leaf
LEFT JOIN unit_lot u ON u.unit = t.unit AND u.lot = t.lot AND u.first_leaf = t.leaf
LEFT JOIN attempt n ON u.attempts > 1 AND u.first_outcome <> 0 AND n.unit = u.unit AND n.lot = u.lot AND n.number = 2
GROUP BY a.half, a.slot, a.lot, a.model, a.profile;

CREATE VIEW tally_fault_recount AS
SELECT c.half, c.slot, c.lot, c.model, c.profile, coalesce(a.fault, 0) AS fault, coalesce(a.step, 0) AS step, count(*) AS attempts,
       sum(a.number IS NOT NULL AND NOT EXISTS
           (SELECT 1 FROM attempt b WHERE b.unit = a.unit AND b.lot = a.lot AND b.number < a.number AND b.outcome <> 0)) AS units
FROM attempt a JOIN attempt_cell c ON c.leaf = a.leaf
WHERE a.outcome NOT IN (0, 3) GROUP BY 1, 2, 3, 4, 5, 6, 7;

-- an older database: what its attempts add
INSERT INTO step (name)
SELECT json_extract(j.value, '$[0]') AS name FROM attempt a JOIN leaf l ON l.idx = a.leaf, json_each(CAST(l.rec AS TEXT), '$.steps') j
GROUP BY name ORDER BY min(a.leaf * 100 + j.key);
INSERT INTO tally SELECT * FROM tally_recount;
INSERT INTO tally_fault SELECT * FROM tally_fault_recount;
INSERT INTO tally_step
SELECT c.half, c.slot, c.lot, c.model, c.profile, p.id, count(*), sum(s.ms), sum(iif(a.outcome = 0, s.ms, 0)), sum(a.number IS 1),
       sum(a.number IS 1 AND s.rungs = 0 AND (a.outcome = 0 OR w.text IS NOT s.step))
FROM (SELECT a.leaf, json_extract(j.value, '$[0]') AS step, json_extract(j.value, '$[1]') AS ms,
             coalesce(json_extract(j.value, '$[2]'), 0) AS rungs
      FROM attempt a JOIN leaf l ON l.idx = a.leaf, json_each(CAST(l.rec AS TEXT), '$.steps') j) s
JOIN attempt a ON a.leaf = s.leaf JOIN attempt_cell c ON c.leaf = a.leaf JOIN step p ON p.name = s.step
LEFT JOIN word w ON w.id = a.step
GROUP BY 1, 2, 3, 4, 5, 6;
