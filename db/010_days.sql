-- SPDX-License-Identifier: Apache-2.0
-- 010: the tallies once more by whole days (UTC), several times smaller: what a report over days or over everything reads.
-- `half` is the day's first half hour, so that one query reads either. Kept by triggers on the tallies themselves.
-- And indexes for the reverse questions: who was in this lot (also those whose attempts do not count), who was flashed
-- through this bridge.

CREATE TABLE tally_day (
  half    INTEGER NOT NULL CHECK (half % 48 = 0),
  slot    INTEGER NOT NULL REFERENCES slot (id),
  lot     INTEGER NOT NULL REFERENCES lot (id),
  model   INTEGER NOT NULL REFERENCES bridge_model (id),
  profile INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  pass INTEGER NOT NULL,
  fail INTEGER NOT NULL,
  error INTEGER NOT NULL,
  aborted INTEGER NOT NULL,
  interrupted INTEGER NOT NULL,
  nameless INTEGER NOT NULL,
  retests INTEGER NOT NULL,
  with_rungs INTEGER NOT NULL,
  busy_ms INTEGER NOT NULL,
  retest_ms INTEGER NOT NULL,
  pass_ms INTEGER NOT NULL,
  cycles INTEGER NOT NULL,
  cycle_ms INTEGER NOT NULL,
  handlings INTEGER NOT NULL,
  handling_ms INTEGER NOT NULL,
  units INTEGER NOT NULL,
  passed_1 INTEGER NOT NULL,
  passed_2 INTEGER NOT NULL,
  passed_3 INTEGER NOT NULL,
  passed INTEGER NOT NULL,
  retested INTEGER NOT NULL,
  recovered INTEGER NOT NULL,
  same_slot INTEGER NOT NULL,
  same_passed INTEGER NOT NULL,
  other_slot INTEGER NOT NULL,
  other_passed INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (half, slot, lot, model, profile)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER tally_day_new AFTER INSERT ON tally BEGIN
  INSERT INTO tally_day (half,
    slot, lot, model, profile, attempts, pass, fail, error, aborted, interrupted, nameless, retests, with_rungs,
    busy_ms, retest_ms, pass_ms, cycles, cycle_ms, handlings, handling_ms, units, passed_1, passed_2, passed_3,
    passed, retested, recovered, same_slot, same_passed, other_slot, other_passed, last_ms)
  VALUES (NEW.half - NEW.half % 48,
    NEW.slot, NEW.lot, NEW.model, NEW.profile, NEW.attempts, NEW.pass, NEW.fail, NEW.error, NEW.aborted,
    NEW.interrupted, NEW.nameless, NEW.retests, NEW.with_rungs, NEW.busy_ms, NEW.retest_ms, NEW.pass_ms,
    NEW.cycles, NEW.cycle_ms, NEW.handlings, NEW.handling_ms, NEW.units, NEW.passed_1, NEW.passed_2,
    NEW.passed_3, NEW.passed, NEW.retested, NEW.recovered, NEW.same_slot, NEW.same_passed, NEW.other_slot,
    NEW.other_passed, NEW.last_ms)
  ON CONFLICT (half, slot, lot, model, profile) DO UPDATE SET
    attempts = attempts + excluded.attempts, pass = pass + excluded.pass, fail = fail + excluded.fail, error =
    error + excluded.error, aborted = aborted + excluded.aborted, interrupted = interrupted +
    excluded.interrupted, nameless = nameless + excluded.nameless, retests = retests + excluded.retests,
    with_rungs = with_rungs + excluded.with_rungs, busy_ms = busy_ms + excluded.busy_ms, retest_ms = retest_ms +
    excluded.retest_ms, pass_ms = pass_ms + excluded.pass_ms, cycles = cycles + excluded.cycles, cycle_ms =
    cycle_ms + excluded.cycle_ms, handlings = handlings + excluded.handlings, handling_ms = handling_ms +
    excluded.handling_ms, units = units + excluded.units, passed_1 = passed_1 + excluded.passed_1, passed_2 =
    passed_2 + excluded.passed_2, passed_3 = passed_3 + excluded.passed_3, passed = passed + excluded.passed,
    retested = retested + excluded.retested, recovered = recovered + excluded.recovered, same_slot = same_slot +
    excluded.same_slot, same_passed = same_passed + excluded.same_passed, other_slot = other_slot +
    excluded.other_slot, other_passed = other_passed + excluded.other_passed, last_ms = max(last_ms,
    excluded.last_ms);
END;
CREATE TRIGGER tally_day_more AFTER UPDATE ON tally BEGIN
  UPDATE tally_day SET
    attempts = attempts + NEW.attempts - OLD.attempts, pass = pass + NEW.pass - OLD.pass, fail = fail + NEW.fail
    - OLD.fail, error = error + NEW.error - OLD.error, aborted = aborted + NEW.aborted - OLD.aborted,
    interrupted = interrupted + NEW.interrupted - OLD.interrupted, nameless = nameless + NEW.nameless -
    OLD.nameless, retests = retests + NEW.retests - OLD.retests, with_rungs = with_rungs + NEW.with_rungs -
    OLD.with_rungs, busy_ms = busy_ms + NEW.busy_ms - OLD.busy_ms, retest_ms = retest_ms + NEW.retest_ms -
    OLD.retest_ms, pass_ms = pass_ms + NEW.pass_ms - OLD.pass_ms, cycles = cycles + NEW.cycles - OLD.cycles,
    cycle_ms = cycle_ms + NEW.cycle_ms - OLD.cycle_ms, handlings = handlings + NEW.handlings - OLD.handlings,
    handling_ms = handling_ms + NEW.handling_ms - OLD.handling_ms, units = units + NEW.units - OLD.units,
    passed_1 = passed_1 + NEW.passed_1 - OLD.passed_1, passed_2 = passed_2 + NEW.passed_2 - OLD.passed_2,
    passed_3 = passed_3 + NEW.passed_3 - OLD.passed_3, passed = passed + NEW.passed - OLD.passed, retested =
    retested + NEW.retested - OLD.retested, recovered = recovered + NEW.recovered - OLD.recovered, same_slot =
    same_slot + NEW.same_slot - OLD.same_slot, same_passed = same_passed + NEW.same_passed - OLD.same_passed,
    other_slot = other_slot + NEW.other_slot - OLD.other_slot, other_passed = other_passed + NEW.other_passed -
    OLD.other_passed, last_ms = max(last_ms, NEW.last_ms)
  WHERE half = NEW.half - NEW.half % 48 AND slot = NEW.slot AND lot = NEW.lot AND model = NEW.model AND profile = NEW.profile;
END;

CREATE TABLE tally_step_day (
  half    INTEGER NOT NULL CHECK (half % 48 = 0),
  slot    INTEGER NOT NULL REFERENCES slot (id),
  lot     INTEGER NOT NULL REFERENCES lot (id),
  model   INTEGER NOT NULL REFERENCES bridge_model (id),
  profile INTEGER NOT NULL,
  step    INTEGER NOT NULL REFERENCES step (id),
  attempts INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  pass_ms INTEGER NOT NULL,
  firsts INTEGER NOT NULL,
  first_passed INTEGER NOT NULL,
  PRIMARY KEY (step, half, slot, lot, model, profile) -- a step's rows lie together
) STRICT, WITHOUT ROWID;

CREATE TRIGGER tally_step_day_new AFTER INSERT ON tally_step BEGIN
  INSERT INTO tally_step_day (half,
    slot, lot, model, profile, step, attempts, ms, pass_ms, firsts, first_passed)
  VALUES (NEW.half - NEW.half % 48,
    NEW.slot, NEW.lot, NEW.model, NEW.profile, NEW.step, NEW.attempts, NEW.ms, NEW.pass_ms, NEW.firsts,
    NEW.first_passed)
  ON CONFLICT (step, half, slot, lot, model, profile) DO UPDATE SET
    attempts = attempts + excluded.attempts, ms = ms + excluded.ms, pass_ms = pass_ms + excluded.pass_ms, firsts
    = firsts + excluded.firsts, first_passed = first_passed + excluded.first_passed;
END;
CREATE TRIGGER tally_step_day_more AFTER UPDATE ON tally_step BEGIN
  UPDATE tally_step_day SET
    attempts = attempts + NEW.attempts - OLD.attempts, ms = ms + NEW.ms - OLD.ms, pass_ms = pass_ms +
    NEW.pass_ms - OLD.pass_ms, firsts = firsts + NEW.firsts - OLD.firsts, first_passed = first_passed +
    NEW.first_passed - OLD.first_passed
  WHERE half = NEW.half - NEW.half % 48 AND slot = NEW.slot AND lot = NEW.lot AND model = NEW.model AND profile = NEW.profile AND step = NEW.step;
END;

INSERT INTO tally_day (half,
    slot, lot, model, profile, attempts, pass, fail, error, aborted, interrupted, nameless, retests, with_rungs,
    busy_ms, retest_ms, pass_ms, cycles, cycle_ms, handlings, handling_ms, units, passed_1, passed_2, passed_3,
    passed, retested, recovered, same_slot, same_passed, other_slot, other_passed, last_ms)
SELECT half - half % 48,
    slot, lot, model, profile, sum(attempts), sum(pass), sum(fail), sum(error), sum(aborted), sum(interrupted),
    sum(nameless), sum(retests), sum(with_rungs), sum(busy_ms), sum(retest_ms), sum(pass_ms), sum(cycles),
    sum(cycle_ms), sum(handlings), sum(handling_ms), sum(units), sum(passed_1), sum(passed_2), sum(passed_3),
    sum(passed), sum(retested), sum(recovered), sum(same_slot), sum(same_passed), sum(other_slot),
    sum(other_passed), max(last_ms)
FROM tally GROUP BY 1, slot, lot, model, profile;
INSERT INTO tally_step_day (half,
    slot, lot, model, profile, step, attempts, ms, pass_ms, firsts, first_passed)
SELECT half - half % 48,
    slot, lot, model, profile, step, sum(attempts), sum(ms), sum(pass_ms), sum(firsts), sum(first_passed)
FROM tally_step GROUP BY 1, slot, lot, model, profile, step;

CREATE INDEX attempt_lot ON attempt (lot) WHERE lot > 0;
CREATE INDEX bridge_serial ON bridge (serial) WHERE serial <> '';
