/* SPDX-License-Identifier: Apache-2.0
 * The reports. Sums come from the tallies (db/004_statistics.sql, by days db/010_days.sql), never from the attempts one by one. */
#include "report/engine.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define PART(symbol, name_, title_, note_, sql_, columns_, chart_)                                                    \
    static const struct engine_part symbol = {name_, title_, note_, sql_, columns_, N(columns_), chart_}
#define GROUPED(sums, from) "WITH g AS MATERIALIZED (SELECT {key} AS k, " sums " FROM " from " WHERE {where} GROUP BY 1) "

/* ---- yield ------------------------------------------------------------------------------------------------ */

static const char yield_sql[] =
    GROUPED("sum(t.units) AS units, sum(t.passed_1) AS p1, sum(t.passed_2) AS p2, sum(t.passed_3) AS p3, sum(t.passed) AS p, "
            "sum(t.retested) AS again, sum(t.recovered) AS won", "{cells}")
    "SELECT {label}, units, p1, p2, p3, p, again, won, units - p1 FROM g WHERE units > 0 ORDER BY g.k";
static const struct engine_column yield_columns[] = {
    {NULL, NULL, TABLE_TEXT, CELL_LABEL, 0, 0, 0, 0},
    {"units", "units", TABLE_INT, CELL_INT, 1, 0, 0, 0},
    {"first_passed", "passed 1st", TABLE_INT, CELL_INT, 2, 0, 0, 0},
    {"first_pass_yield", "first-pass", TABLE_PERCENT, CELL_RATIO, 2, 1, 0, 0},
    {"first_low", "95 % from", TABLE_PERCENT, CELL_LOW, 2, 1, 0, 0},
    {"first_high", "to", TABLE_PERCENT, CELL_HIGH, 2, 1, 0, 0},
    {"second_pass_yield", "second", TABLE_PERCENT, CELL_RATIO, 3, 1, 0, 0},
    {"third_pass_yield", "third", TABLE_PERCENT, CELL_RATIO, 4, 1, 0, 0},
    {"last_pass_yield", "last-pass", TABLE_PERCENT, CELL_RATIO, 5, 1, 0, 0},
    {"last_low", "95 % from", TABLE_PERCENT, CELL_LOW, 5, 1, 0, 0},
    {"last_high", "to", TABLE_PERCENT, CELL_HIGH, 5, 1, 0, 0},
    {"retest_rate", "retested", TABLE_PERCENT, CELL_RATIO, 6, 1, 0, 0},
    {"recovery_rate", "recovered", TABLE_PERCENT, CELL_RATIO, 7, 8, 0, 0},
};
static const struct sheet_chart yield_chart = {"line", NULL, {"first_pass_yield", "first_low", "last_pass_yield"}, "%"};
PART(yield_part, "yield", "Yield", "units by their attempt 1; 95 % from, to: Wilson's interval; recovered: of those that failed at first", yield_sql,
     yield_columns, &yield_chart);

static const char steps_sql[] =
    "SELECT p.name, g.attempts, g.firsts, g.first_passed, g.ms FROM (SELECT t.step, sum(t.attempts) AS attempts, sum(t.firsts) AS firsts, "
    "sum(t.first_passed) AS first_passed, sum(t.ms) AS ms FROM {step} WHERE {where} GROUP BY t.step) g JOIN step p ON p.id = g.step ORDER BY g.step";
static const struct engine_column steps_columns[] = {
    {"step", "step", TABLE_TEXT, CELL_TEXT, 0, 0, 0, 0},
    {"attempts", "attempts", TABLE_INT, CELL_INT, 1, 0, 0, 0},
    {"first_tries", "first tries", TABLE_INT, CELL_INT, 2, 0, 0, 0},
    {"first_passed", "at once", TABLE_INT, CELL_INT, 3, 0, 0, 0},
    {"step_yield", "step yield", TABLE_PERCENT, CELL_RATIO, 3, 2, 0, 0},
    {"low", "95 % from", TABLE_PERCENT, CELL_LOW, 3, 2, 0, 0},
    {"high", "to", TABLE_PERCENT, CELL_HIGH, 3, 2, 0, 0},
    {"mean_s", "mean s", TABLE_REAL, CELL_MEAN, 4, 1, 0.001, 2},
};
PART(steps_part, "steps", "Steps", "first tries of units; at once: went through without a rung of recovery", steps_sql, steps_columns, NULL);

/* ---- why units fail ----------------------------------------------------------------------------------------- */

static const char pareto_sql[] =
    "SELECT coalesce(w.text, '(none told)'), g.units, g.attempts FROM (SELECT t.fault, sum(t.units) AS units, sum(t.attempts) AS attempts "
    "FROM {faults} WHERE {where} GROUP BY t.fault) g LEFT JOIN word w ON w.id = g.fault ORDER BY 2 DESC, 3 DESC, 1";
static const struct engine_column pareto_columns[] = {
    {"fault", "fault", TABLE_TEXT, CELL_TEXT, 0, 0, 0, 0},
    {"units", "units", TABLE_INT, CELL_INT, 1, 0, 0, 0},
    {"share", "share", TABLE_PERCENT, CELL_SHARE, 1, 0, 0, 0},
    {"cumulative", "cumul.", TABLE_PERCENT, CELL_CUMULATIVE, 1, 0, 0, 0},
    {"attempts", "attempts", TABLE_INT, CELL_INT, 2, 0, 0, 0},
    {"what", "what it is", TABLE_TEXT, CELL_WHAT, 0, 0, 0, 0},
};
static const struct sheet_chart pareto_chart = {"pareto", "fault", {"units", "cumulative", NULL}, "units"};
PART(pareto_part, "pareto", "Why units fail", "each unit once, by its first attempt that did not pass; attempts: all that ended so", pareto_sql,
     pareto_columns, &pareto_chart);
PART(summary_faults, "faults", "Why units fail", "each unit once, by its first attempt that did not pass; attempts: all that ended so",
     pareto_sql, pareto_columns, &pareto_chart);

static const char where_sql[] =
    "WITH g AS MATERIALIZED (SELECT {key} AS k, t.fault, t.step, sum(t.units) AS units, sum(t.attempts) AS attempts FROM {faults} "
    "WHERE {where} GROUP BY 1, 2, 3) SELECT {label}, coalesce(w.text, '(none told)'), s.text, g.units, g.attempts, sum(g.units) OVER () FROM g "
    "LEFT JOIN word w ON w.id = g.fault LEFT JOIN word s ON s.id = g.step WHERE g.units > 0 ORDER BY 4 DESC, 5 DESC, 2, g.k LIMIT 200";
static const struct engine_column where_columns[] = {
    {NULL, NULL, TABLE_TEXT, CELL_LABEL, 0, 0, 0, 0},
    {"fault", "fault", TABLE_TEXT, CELL_TEXT, 1, 0, 0, 0},
    {"step", "step", TABLE_TEXT, CELL_TEXT, 2, 0, 0, 0},
    {"units", "units", TABLE_INT, CELL_INT, 3, 0, 0, 0},
    {"share", "share", TABLE_PERCENT, CELL_RATIO, 3, 5, 0, 0}, /* of all, also of those that are not shown */
    {"attempts", "attempts", TABLE_INT, CELL_INT, 4, 0, 0, 0},
};
PART(where_part, "where", "And where", "the 200 most frequent", where_sql, where_columns, NULL);

static const char faults_sql[] =
    "SELECT coalesce(w.text, '(none told)'), s.text, g.attempts, g.units FROM (SELECT t.fault, t.step, sum(t.attempts) AS attempts, "
    "sum(t.units) AS units FROM {faults} WHERE {where} GROUP BY 1, 2) g LEFT JOIN word w ON w.id = g.fault "
    "LEFT JOIN word s ON s.id = g.step ORDER BY 3 DESC, 4 DESC, 1, 2";
static const struct engine_column faults_columns[] = {
    {"fault", "fault", TABLE_TEXT, CELL_TEXT, 0, 0, 0, 0},
    {"step", "step", TABLE_TEXT, CELL_TEXT, 1, 0, 0, 0},
    {"attempts", "attempts", TABLE_INT, CELL_INT, 2, 0, 0, 0},
    {"share", "share", TABLE_PERCENT, CELL_SHARE, 2, 0, 0, 0},
    {"units", "first of unit", TABLE_INT, CELL_INT, 3, 0, 0, 0},
    {"who", "who acts", TABLE_TEXT, CELL_WHO, 0, 0, 0, 0},
    {"what", "what it is", TABLE_TEXT, CELL_WHAT, 0, 0, 0, 0},
};
static const struct sheet_chart faults_chart = {"bar", "fault", {"attempts", NULL, NULL}, "attempts"};
PART(faults_part, "faults", "Attempts that did not pass", "ABORTED ones left out", faults_sql, faults_columns, &faults_chart);

/* ---- slots -------------------------------------------------------------------------------------------------- */

static const char slots_sql[] =
    GROUPED("sum(t.attempts) AS attempts, sum(t.pass) AS pass, sum(t.fail) AS fail, sum(t.error) AS error, sum(t.aborted) AS aborted, "
            "sum(t.interrupted) AS interrupted, sum(t.units) AS units, sum(t.passed_1) AS p1, sum(t.recovered) AS won, "
            "sum(t.pass_ms) AS pass_ms, sum(t.with_rungs) AS rungs", "{cells}")
    "SELECT {label}, attempts, pass, fail, error, aborted, interrupted, attempts - aborted, units, p1, units - p1, won, "
    "CAST(round(pass_ms * 1.0 / nullif(pass, 0)) AS INTEGER), rungs FROM g ORDER BY g.k";
static const struct engine_column slots_columns[] = {
    {"slot", "slot", TABLE_INT, CELL_INT, 0, 0, 0, 0},
    {"attempts", "attempts", TABLE_INT, CELL_INT, 1, 0, 0, 0},
    {"pass", "PASS", TABLE_INT, CELL_INT, 2, 0, 0, 0},
    {"fail", "FAIL", TABLE_INT, CELL_INT, 3, 0, 0, 0},
    {"error", "ERROR", TABLE_INT, CELL_INT, 4, 0, 0, 0},
    {"aborted", "ABORTED", TABLE_INT, CELL_INT, 5, 0, 0, 0},
    {"interrupted", "INTERR.", TABLE_INT, CELL_INT, 6, 0, 0, 0},
    {"pass_rate", "pass rate", TABLE_PERCENT, CELL_RATIO, 2, 7, 0, 0},
    {"units", "units", TABLE_INT, CELL_INT, 8, 0, 0, 0},
    {"first_pass_yield", "first-pass", TABLE_PERCENT, CELL_RATIO, 9, 8, 0, 0},
    {"first_low", "95 % from", TABLE_PERCENT, CELL_LOW, 9, 8, 0, 0},
    {"first_high", "to", TABLE_PERCENT, CELL_HIGH, 9, 8, 0, 0},
    {"recovery_rate", "recovered", TABLE_PERCENT, CELL_RATIO, 11, 10, 0, 0},
    {"pass_ms", "ms a PASS", TABLE_INT, CELL_INT, 12, 0, 0, 0},
    {"rungs", "with rungs", TABLE_INT, CELL_INT, 13, 0, 0, 0},
    {"worse_p", "p", TABLE_REAL, CELL_WORSE_P, 10, 8, 0, 0},
    {"flag", "", TABLE_TEXT, CELL_WORSE, 0, 0, 0, 0},
};
static const struct sheet_chart slots_chart = {"bar", "slot", {"first_pass_yield", NULL, NULL}, "%"};
PART(slots_part, "slots", "Slots",
     "units where their attempt 1 was; p: fails more often than the other slots by chance alone (Fisher, Holm), worse: at most 5 %; recovered "
     "units point to contact or cable",
     slots_sql, slots_columns, &slots_chart);

/* Of the newest records, whatever was asked for: what a cable carries is a question of now. */
static const char speeds_sql[] =
    "SELECT s.slot, s.port, trim(coalesce(b.usb_id, '') || ' ' || coalesce(b.driver, '')), count(*), sum(a.rungs > 0), "
    "max(CASE WHEN a.outcome = 0 AND a.rungs = 0 THEN a.baud END), coalesce(CAST(n.baud AS TEXT), 'the profile''s'), n.burst, n.flash_block "
    "FROM attempt a JOIN slot s ON s.id = a.slot LEFT JOIN bridge b ON b.id = a.bridge "
    "LEFT JOIN tuning_now n ON n.slot = s.slot AND n.port = s.port AND n.usb_id = coalesce(b.usb_id, '') AND n.driver = coalesce(b.driver, '') "
    "WHERE a.leaf > (SELECT max(leaf) FROM attempt) - 20000 AND a.baud > 0 AND (:slot IS NULL OR s.slot = :slot) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
static const struct engine_column speeds_columns[] = {
    {"slot", "slot", TABLE_INT, CELL_INT, 0, 0, 0, 0},
    {"port", "port", TABLE_TEXT, CELL_TEXT, 1, 0, 0, 0},
    {"bridge", "bridge", TABLE_TEXT, CELL_TEXT, 2, 0, 0, 0},
    {"attempts", "attempts", TABLE_INT, CELL_INT, 3, 0, 0, 0},
    {"rungs", "with rungs", TABLE_INT, CELL_INT, 4, 0, 0, 0},
    {"held_baud", "held at baud", TABLE_INT, CELL_INT, 5, 0, 0, 0},
    {"next_baud", "begins at", TABLE_TEXT, CELL_TEXT, 6, 0, 0, 0},
    {"burst", "burst", TABLE_INT, CELL_INT, 7, 0, 0, 0},
    {"block", "block", TABLE_INT, CELL_INT, 8, 0, 0, 0},
};
PART(speeds_part, "speeds", "Speeds",
     "of the newest 20,000 records; held: the highest speed at which a unit passed without recovery; begins at: what the next unit starts with, "
     "bytes at once and bytes a block where they are limited too",
     speeds_sql, speeds_columns, NULL);

/* ---- throughput --------------------------------------------------------------------------------------------- */

#define RUN "sum(t.attempts) AS attempts, sum(t.pass) AS pass, count(DISTINCT t.half) AS halves"
#define TIMES                                                                                                     \
    RUN ", sum(t.cycles) AS cycles, sum(t.cycle_ms) AS cycle_ms, sum(t.handlings) AS handlings, sum(t.handling_ms) AS handling_ms, " \
    "sum(t.busy_ms) AS busy_ms, sum(t.retest_ms) AS retest_ms"
/* of half hours that are cut, run time counts this side */
#define LOST "l AS MATERIALIZED (SELECT k, sum(lost) AS ms FROM (SELECT DISTINCT {key} AS k, t.at, t.lost FROM {pieces} WHERE {where}) GROUP BY 1) "
#define RUN_MS "halves * 1800000 - coalesce(l.ms, 0)"
#define FLASH                                                                                                     \
    "f AS MATERIALIZED (SELECT {key} AS k, sum(t.pass_ms) AS ms FROM {step_halves} WHERE {where} AND "             \
    "t.step NOT IN (SELECT id FROM step WHERE name IN ('boot-check', 'record')) GROUP BY 1) "
static const char throughput_sql[] =
    "WITH g AS MATERIALIZED (SELECT {key} AS k, " TIMES " FROM {halves} WHERE {where} GROUP BY 1), " FLASH ", " LOST
    "SELECT {label}, attempts, pass, " RUN_MS ", cycle_ms, cycles, f.ms, handling_ms, handlings, retest_ms, busy_ms, "
    "1 + f.ms * 1.0 / pass / nullif(handling_ms * 1.0 / nullif(handlings, 0), 0) FROM g LEFT JOIN f ON f.k IS g.k LEFT JOIN l ON l.k IS g.k ORDER BY g.k";
static const struct engine_column throughput_columns[] = {
    {NULL, NULL, TABLE_TEXT, CELL_LABEL, 0, 0, 0, 0},
    {"attempts", "attempts", TABLE_INT, CELL_INT, 1, 0, 0, 0},
    {"pass", "PASS", TABLE_INT, CELL_INT, 2, 0, 0, 0},
    {"run_h", "run h", TABLE_REAL, CELL_REAL, 3, 0, 1 / 3600000.0, 1},
    {"units_per_run_hour", "PASS / run h", TABLE_REAL, CELL_MEAN, 2, 3, 3600000, 1},
    {"cycle_s", "cycle s", TABLE_REAL, CELL_MEAN, 4, 5, 0.001, 1},
    {"flash_s", "flash s", TABLE_REAL, CELL_MEAN, 6, 2, 0.001, 1},
    {"handling_s", "handling s", TABLE_REAL, CELL_MEAN, 7, 8, 0.001, 1},
    {"retest_share", "retest time", TABLE_PERCENT, CELL_RATIO, 9, 10, 0, 0},
    {"slots_fed", "slots fed", TABLE_REAL, CELL_REAL, 11, 0, 1, 1},
};
static const struct sheet_chart throughput_chart = {"bar", NULL, {"units_per_run_hour", NULL, NULL}, "PASS an hour of run time"};
PART(throughput_part, "throughput", "Throughput",
     "run time: half hours with an attempt in them, or the part of one that is asked; cycle: start to start in a slot, handling: end to the next unit's start, pauses over "
     "10 minutes left out; flash: connect to verified; slots fed: how many one operator keeps busy, 1 + flash / handling",
     throughput_sql, throughput_columns, &throughput_chart);

/* ---- lots and shifts ------------------------------------------------------------------------------------------- */

#define CLOSING                                                                                                   \
    RUN ", min({at}) AS first_ms, max(t.last_ms) AS last_ms, sum(t.units) AS units, sum(t.passed_1) AS p1, " \
    "sum(t.passed) AS p, sum(t.retested) AS again, sum(t.recovered) AS won"
#define CLOSING_NOTE "from: the half hour in which the first attempt began; units by their attempt 1; 95 % from, to: Wilson's interval"
#define CLOSING_COLUMNS                                                                                           \
    {NULL, NULL, TABLE_TEXT, CELL_LABEL, 0, 0, 0, 0}, {"from", "from", TABLE_TEXT, CELL_TIME, 1, 0, 0, 0},        \
    {"to", "to", TABLE_TEXT, CELL_TIME, 2, 0, 0, 0}, {"attempts", "attempts", TABLE_INT, CELL_INT, 3, 0, 0, 0},   \
    {"units", "units", TABLE_INT, CELL_INT, 4, 0, 0, 0}, {"passed", "passed", TABLE_INT, CELL_INT, 6, 0, 0, 0},   \
    {"not_passed", "not passed", TABLE_INT, CELL_INT, 7, 0, 0, 0},                                                \
    {"first_pass_yield", "first-pass", TABLE_PERCENT, CELL_RATIO, 5, 4, 0, 0},                                    \
    {"first_low", "95 % from", TABLE_PERCENT, CELL_LOW, 5, 4, 0, 0}, {"first_high", "to", TABLE_PERCENT, CELL_HIGH, 5, 4, 0, 0}, \
    {"last_pass_yield", "last-pass", TABLE_PERCENT, CELL_RATIO, 6, 4, 0, 0},                                      \
    {"last_low", "95 % from", TABLE_PERCENT, CELL_LOW, 6, 4, 0, 0}, {"last_high", "to", TABLE_PERCENT, CELL_HIGH, 6, 4, 0, 0}, \
    {"retest_rate", "retested", TABLE_PERCENT, CELL_RATIO, 8, 4, 0, 0},                                           \
    {"units_per_run_hour", "PASS / run h", TABLE_REAL, CELL_MEAN, 9, 10, 3600000, 1}
static const char shift_sql[] =
    GROUPED(CLOSING, "{halves}") ", " LOST
    "SELECT {label}, first_ms, last_ms, attempts, units, p1, p, units - p, again, pass, " RUN_MS " FROM g LEFT JOIN l ON l.k IS g.k ORDER BY g.k";
static const struct engine_column shift_columns[] = {CLOSING_COLUMNS};
static const struct sheet_chart closing_chart = {"bar", NULL, {"first_pass_yield", "last_pass_yield", NULL}, "%"};
PART(shift_part, "shifts", "Shifts", CLOSING_NOTE, shift_sql, shift_columns, &closing_chart);

static const char lot_sql[] =
    GROUPED(CLOSING, "{halves}") ", " LOST
    "SELECT {label}, first_ms, last_ms, attempts, units, p1, p, units - p, again, pass, " RUN_MS ", o.product, o.planned, o.authorised, "
    "max(0, o.planned - p) FROM g LEFT JOIN lot o ON o.id = g.k LEFT JOIN l ON l.k IS g.k ORDER BY g.k";
static const struct engine_column lot_columns[] = {
    CLOSING_COLUMNS,
    {"product", "product", TABLE_TEXT, CELL_TEXT, 11, 0, 0, 0},
    {"planned", "planned", TABLE_INT, CELL_INT, 12, 0, 0, 0},
    {"authorised", "authorised", TABLE_INT, CELL_INT, 13, 0, 0, 0},
    {"open", "still open", TABLE_INT, CELL_INT, 14, 0, 0, 0},
};
PART(lot_part, "lots", "Lots", CLOSING_NOTE, lot_sql, lot_columns, &closing_chart);

/* ---- units ----------------------------------------------------------------------------------------------------- */

#define MAC_TEXT                                                                                                  \
    "printf('%02x:%02x:%02x:%02x:%02x:%02x', u.unit >> 40, u.unit >> 32 & 255, u.unit >> 24 & 255, u.unit >> 16 & 255, " \
    "u.unit >> 8 & 255, u.unit & 255)"
/* The newest first attempts, by way of the index over their beginnings: the limit ends the walk. */
static const char units_sql[] =
    "SELECT " MAC_TEXT ", l.name, s.slot, f.start_ms, u.attempts, o.name, u.passed_at, w.text, p.text, u.leaf "
    "FROM {units} JOIN lot l ON l.id = u.lot "
    "JOIN slot s ON s.id = f.slot JOIN outcome o ON o.id = u.first_outcome LEFT JOIN word w ON w.id = u.fail_fault "
    "LEFT JOIN word p ON p.id = u.fail_step LEFT JOIN bridge b ON b.id = f.bridge "
    "WHERE f.start_ms >= :from_ms AND f.start_ms < :to_ms AND (:slot IS NULL OR s.slot = :slot) "
    "AND (:product IS NULL OR l.product = :product) AND (:bridge IS NULL OR b.usb_id = :bridge) "
    "ORDER BY f.start_ms DESC, f.leaf DESC LIMIT :limit";
static const struct engine_column units_columns[] = {
    {"mac", "MAC", TABLE_TEXT, CELL_TEXT, 0, 0, 0, 0},
    {"lot", "lot", TABLE_TEXT, CELL_TEXT, 1, 0, 0, 0},
    {"first_slot", "first slot", TABLE_INT, CELL_INT, 2, 0, 0, 0},
    {"first_start", "first attempt", TABLE_TEXT, CELL_TIME, 3, 0, 0, 0},
    {"attempts", "attempts", TABLE_INT, CELL_INT, 4, 0, 0, 0},
    {"first_outcome", "first", TABLE_TEXT, CELL_TEXT, 5, 0, 0, 0},
    {"passed_at", "passed at", TABLE_INT, CELL_INT, 6, 0, 0, 0},
    {"fault", "first fault", TABLE_TEXT, CELL_TEXT, 7, 0, 0, 0},
    {"step", "at step", TABLE_TEXT, CELL_TEXT, 8, 0, 0, 0},
    {"leaf", "newest leaf", TABLE_INT, CELL_INT, 9, 0, 0, 0},
};
PART(units_part, "units", "Units", "newest first; a unit counts once for each lot", units_sql, units_columns, NULL);

/* ---- the table -------------------------------------------------------------------------------------------------- */

const struct report_spec report_specs[] = {
    {"summary", "Summary", "attempts, units, yields, steps, faults, slots", GROUP_SLOT, true,
     {&summary_faults, &slots_part, &steps_part}, facts_summary},
    {"yield", "Yield", "first, second, third and last pass, retests, recovery, with intervals (by day)", GROUP_DAY, false,
     {&yield_part, &steps_part}, facts_yield},
    {"pareto", "Pareto", "each unit by its first failing attempt, and where (by slot)", GROUP_SLOT, false, {&pareto_part, &where_part}, NULL},
    {"slots", "Slots", "slots beside each other; a slot worse than the others is flagged", GROUP_SLOT, true, {&slots_part, &speeds_part},
     NULL},
    {"throughput", "Throughput", "units an hour, cycle, flash and handling time (by day)", GROUP_DAY, false, {&throughput_part}, NULL},
    {"faults", "Faults", "all attempts that did not pass, by fault and step, and who acts", GROUP_NONE, true, {&faults_part}, NULL},
    {"units", "Units", "units one by one, newest first (--limit 1000)", GROUP_NONE, true, {&units_part}, NULL},
    {"lot", "Lots", "lots: times, yields, planned and still open", GROUP_LOT, true, {&lot_part}, facts_yield},
    {"shift", "Shifts", "shifts: times, yields, units an hour", GROUP_SHIFT, true, {&shift_part}, facts_yield},
    {"blame", "Blame", "who is guilty: unit, slot, bridge, lot, image or hour", GROUP_NONE, true, {NULL}, facts_blame},
    {NULL, NULL, NULL, GROUP_NONE, true, {NULL}, NULL},
};
