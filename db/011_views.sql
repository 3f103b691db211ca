-- SPDX-License-Identifier: Apache-2.0
-- 011: the statistics for whoever asks with SQL: the definitions of db/README.md over the tallies, with names for numbers.

-- every sum with its words; what the yields below are made of
CREATE VIEW tally_view AS
SELECT t.half * 1800000 AS from_ms, strftime('%Y-%m-%d', t.half * 1800, 'unixepoch') AS day,
       strftime('%Y-%m-%dT%H:00Z', t.half * 1800, 'unixepoch') AS hour, s.slot, l.name AS lot, l.product, m.usb_id AS bridge,
       m.driver AS bridge_driver, p.name AS profile, p.version AS profile_version, t.attempts, t.pass, t.fail, t.error, t.aborted,
       t.interrupted, t.nameless, t.retests, t.with_rungs, t.busy_ms, t.retest_ms, t.pass_ms, t.cycles, t.cycle_ms, t.handlings,
       t.handling_ms, t.units, t.passed_1, t.passed_2, t.passed_3, t.passed, t.retested, t.recovered
FROM tally t JOIN slot s ON s.id = t.slot JOIN lot l ON l.id = t.lot JOIN bridge_model m ON m.id = t.model
LEFT JOIN profile p ON p.id = t.profile;

CREATE VIEW yield_by_day AS
SELECT day, sum(units) AS units, sum(passed_1) * 1.0 / sum(units) AS first_pass, sum(passed_2) * 1.0 / sum(units) AS second_pass,
       sum(passed_3) * 1.0 / sum(units) AS third_pass, sum(passed) * 1.0 / sum(units) AS last_pass,
       sum(retested) * 1.0 / sum(units) AS retest_rate, sum(recovered) * 1.0 / nullif(sum(units) - sum(passed_1), 0) AS recovery_rate
FROM tally_view GROUP BY day HAVING sum(units) > 0;

CREATE VIEW yield_by_hour AS
SELECT hour, sum(units) AS units, sum(passed_1) * 1.0 / sum(units) AS first_pass, sum(passed_2) * 1.0 / sum(units) AS second_pass,
       sum(passed_3) * 1.0 / sum(units) AS third_pass, sum(passed) * 1.0 / sum(units) AS last_pass,
       sum(retested) * 1.0 / sum(units) AS retest_rate, sum(recovered) * 1.0 / nullif(sum(units) - sum(passed_1), 0) AS recovery_rate
FROM tally_view GROUP BY hour HAVING sum(units) > 0;

CREATE VIEW yield_by_lot AS
SELECT lot, sum(units) AS units, sum(passed_1) * 1.0 / sum(units) AS first_pass, sum(passed_2) * 1.0 / sum(units) AS second_pass,
       sum(passed_3) * 1.0 / sum(units) AS third_pass, sum(passed) * 1.0 / sum(units) AS last_pass,
       sum(retested) * 1.0 / sum(units) AS retest_rate, sum(recovered) * 1.0 / nullif(sum(units) - sum(passed_1), 0) AS recovery_rate
FROM tally_view GROUP BY lot HAVING sum(units) > 0;

CREATE VIEW yield_by_slot AS
SELECT slot, sum(units) AS units, sum(passed_1) * 1.0 / sum(units) AS first_pass, sum(passed_2) * 1.0 / sum(units) AS second_pass,
       sum(passed_3) * 1.0 / sum(units) AS third_pass, sum(passed) * 1.0 / sum(units) AS last_pass,
       sum(retested) * 1.0 / sum(units) AS retest_rate, sum(recovered) * 1.0 / nullif(sum(units) - sum(passed_1), 0) AS recovery_rate
FROM tally_view GROUP BY slot HAVING sum(units) > 0;

-- each unit once, by its first attempt that did not pass, and the slot it was in
CREATE VIEW pareto AS
SELECT coalesce(w.text, '(none told)') AS fault, st.text AS step, s.slot, l.name AS lot, sum(t.units) AS units, sum(t.attempts) AS attempts
FROM tally_fault t JOIN slot s ON s.id = t.slot JOIN lot l ON l.id = t.lot LEFT JOIN word w ON w.id = t.fault
LEFT JOIN word st ON st.id = t.step GROUP BY t.fault, t.step, s.slot, t.lot;

-- first tries of each step; the product of step_yield is the rolled throughput yield
CREATE VIEW step_yield AS
SELECT p.name AS step, sum(t.attempts) AS attempts, sum(t.ms) * 0.001 / sum(t.attempts) AS mean_s, sum(t.firsts) AS first_tries,
       sum(t.first_passed) AS at_once, sum(t.first_passed) * 1.0 / nullif(sum(t.firsts), 0) AS step_yield
FROM tally_step_day t JOIN step p ON p.id = t.step GROUP BY t.step;

CREATE VIEW slot_times AS
SELECT slot, sum(attempts) AS attempts, sum(pass) AS pass, sum(cycle_ms) * 0.001 / nullif(sum(cycles), 0) AS cycle_s,
       sum(handling_ms) * 0.001 / nullif(sum(handlings), 0) AS handling_s, sum(pass_ms) * 0.001 / nullif(sum(pass), 0) AS pass_s,
       sum(pass) * 2.0 / count(DISTINCT from_ms) AS pass_per_run_hour
FROM tally_view GROUP BY slot;

-- how a unit did in a lot
CREATE VIEW unit_lot_view AS
SELECT printf('%02x:%02x:%02x:%02x:%02x:%02x', u.unit >> 40, u.unit >> 32 & 255, u.unit >> 24 & 255, u.unit >> 16 & 255,
              u.unit >> 8 & 255, u.unit & 255) AS mac,
       l.name AS lot, u.attempts, o.name AS first_outcome, u.passed_at, w.text AS first_fault, st.text AS first_fault_step,
       s.slot AS first_fault_slot, u.first_leaf, u.leaf, u.unit
FROM unit_lot u JOIN lot l ON l.id = u.lot JOIN outcome o ON o.id = u.first_outcome LEFT JOIN word w ON w.id = u.fail_fault
LEFT JOIN word st ON st.id = u.fail_step LEFT JOIN slot s ON s.id = u.fail_slot;

-- must have no rows: first-pass <= second <= third <= last-pass <= all
CREATE VIEW yield_contradiction AS
SELECT * FROM tally_view WHERE NOT (passed_1 >= 0 AND passed_1 <= passed_2 AND passed_2 <= passed_3 AND passed_3 <= passed AND passed <= units);
