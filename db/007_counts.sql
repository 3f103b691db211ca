-- SPDX-License-Identifier: Apache-2.0
-- 007: what does not count. Golden and known-bad samples and dry runs (attempt.purpose) stay out of every tally, and a unit
-- that passed after rework was no false fail. The triggers and views of 004 with these conditions added.

DROP TRIGGER tally_attempt;
DROP TRIGGER tally_attempt_fault;
DROP TRIGGER tally_unit_again;
DROP VIEW tally_recount;
DROP VIEW tally_fault_recount;

CREATE INDEX attempt_purpose ON attempt (purpose) WHERE purpose IS NOT NULL;

CREATE TRIGGER tally_attempt AFTER INSERT ON attempt WHEN NEW.purpose IS NULL BEGIN
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

CREATE TRIGGER tally_attempt_fault AFTER INSERT ON attempt WHEN NEW.outcome NOT IN (0, 3) AND NEW.purpose IS NULL BEGIN
  INSERT INTO tally_fault (half, slot, lot, model, profile, fault, step, attempts)
  SELECT half, slot, lot, model, profile, coalesce(NEW.fault, 0), coalesce(NEW.step, 0), 1 FROM attempt_cell WHERE leaf = NEW.leaf
  ON CONFLICT (half, slot, lot, model, profile, fault, step) DO UPDATE SET attempts = attempts + 1;
END;

CREATE TRIGGER tally_unit_again AFTER UPDATE ON unit_lot WHEN NEW.attempts = OLD.attempts + 1 BEGIN
  UPDATE tally SET
    passed_2 = passed_2 + (OLD.passed_at IS NULL AND NEW.passed_at IS 2),
    passed_3 = passed_3 + (OLD.passed_at IS NULL AND NEW.passed_at IN (2, 3) IS TRUE),
    passed = passed + (OLD.passed_at IS NULL AND NEW.passed_at IS NOT NULL),
    recovered = recovered + (OLD.passed_at IS NULL AND NEW.passed_at IS NOT NULL AND
                   NOT EXISTS (SELECT 1 FROM disposition d WHERE d.unit = NEW.unit AND d.disposition = 'rework' AND
                   d.leaf BETWEEN NEW.first_leaf AND NEW.leaf)),
    retested = retested + (OLD.attempts = 1)
  WHERE (half, slot, lot, model, profile) = (SELECT half, slot, lot, model, profile FROM attempt_cell WHERE leaf = NEW.first_leaf);
END;

CREATE VIEW tally_recount AS
SELECT a.half, a.slot, a.lot, a.model, a.profile, sum(a.attempts) AS attempts, sum(pass) AS pass, sum(fail) AS fail, sum(error) AS error,
       sum(aborted) AS aborted, sum(interrupted) AS interrupted, sum(nameless) AS nameless, sum(retests) AS retests,
       sum(with_rungs) AS with_rungs, sum(busy_ms) AS busy_ms, sum(retest_ms) AS retest_ms, sum(pass_ms) AS pass_ms,
       sum(cycles) AS cycles, sum(cycle_ms) AS cycle_ms, sum(handlings) AS handlings, sum(handling_ms) AS handling_ms,
       max(last_ms) AS last_ms, count(u.unit) AS units, coalesce(sum(u.passed_at = 1), 0) AS passed_1,
       coalesce(sum(u.passed_at <= 2), 0) AS passed_2, coalesce(sum(u.passed_at <= 3), 0) AS passed_3, count(u.passed_at) AS passed,
       coalesce(sum(u.attempts > 1), 0) AS retested, coalesce(sum(u.passed_at > 1 AND NOT EXISTS
         (SELECT 1 FROM disposition d WHERE d.unit = u.unit AND d.disposition = 'rework' AND d.leaf BETWEEN u.first_leaf AND
          (SELECT w.leaf FROM attempt w WHERE w.unit = u.unit AND w.lot = u.lot AND w.number = u.passed_at))), 0) AS recovered,
       coalesce(sum(n.slot = u.fail_slot), 0) AS same_slot,
       coalesce(sum(n.slot = u.fail_slot AND u.passed_at IS 2), 0) AS same_passed,
       coalesce(sum(n.slot <> u.fail_slot), 0) AS other_slot,
       coalesce(sum(n.slot <> u.fail_slot AND u.passed_at IS 2), 0) AS other_passed
FROM attempt_adds a
JOIN attempt t ON t.leaf = a.leaf
LEFT JOIN unit_lot u ON u.unit = t.unit AND u.lot = t.lot AND u.first_leaf = t.leaf
LEFT JOIN attempt n ON u.attempts > 1 AND u.first_outcome <> 0 AND n.unit = u.unit AND n.lot = u.lot AND n.number = 2
WHERE t.purpose IS NULL
GROUP BY a.half, a.slot, a.lot, a.model, a.profile;

CREATE VIEW tally_fault_recount AS
SELECT c.half, c.slot, c.lot, c.model, c.profile, coalesce(a.fault, 0) AS fault, coalesce(a.step, 0) AS step, count(*) AS attempts,
       sum(a.number IS NOT NULL AND NOT EXISTS
           (SELECT 1 FROM attempt b WHERE b.unit = a.unit AND b.lot = a.lot AND b.number < a.number AND b.outcome <> 0)) AS units
FROM attempt a JOIN attempt_cell c ON c.leaf = a.leaf
WHERE a.outcome NOT IN (0, 3) AND a.purpose IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7;

-- nobody wrote a purpose before 006, but a station may have run between the two
DELETE FROM tally;
DELETE FROM tally_fault;
INSERT INTO tally SELECT * FROM tally_recount;
INSERT INTO tally_fault SELECT * FROM tally_fault_recount;
