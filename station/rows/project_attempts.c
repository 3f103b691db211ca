/* SPDX-License-Identifier: Apache-2.0
 * Attempts, the units they were about, and what is counted of them. */
#include "rows/project_rows.h"

/* the attempts of this unit in this lot that count, before this one */
#define BEFORE "(SELECT attempts FROM unit_lot WHERE unit = :mac AND lot = " LOT ")"
/* 3 is ABORTED: taken out by the operator, or not let in: no try of the unit. Golden boards and dry runs are none either */
#define COUNTS ":outcome <> 3 AND :purpose IS NULL AND :mac IS NOT NULL"

static const struct statement list[] = {
    {STARTS, NULL, NULL,
     "INSERT INTO open_attempt (job, slot, leaf, unit, lot, purpose) VALUES (:job, :slot, :leaf, :mac, " LOT ", :purpose)"},
    {STARTS, "serial", NULL,
     "INSERT INTO serial (serial, state, lot, unit, leaf) VALUES (:serial, 'reserved', " LOT ", :mac, :leaf) "
     "ON CONFLICT (serial) DO UPDATE SET state = 'reserved', lot = excluded.lot, unit = excluded.unit, leaf = excluded.leaf "
     "WHERE state <> 'confirmed'"},

    {ENDS, "mac", NULL,
     "INSERT INTO unit (mac, eui64, chip, revision, flash_id, flash_size, secure_boot, flash_encryption, first_leaf, leaf) "
     "VALUES (:mac, :eui64, " WORD(":chip") ", :revision, :flash_id, :flash_size, :secure_boot, :flash_encryption, :leaf, :leaf) "
     "ON CONFLICT (mac) DO UPDATE SET eui64 = coalesce(excluded.eui64, eui64), chip = coalesce(excluded.chip, chip), "
     "revision = coalesce(excluded.revision, revision), flash_id = coalesce(excluded.flash_id, flash_id), "
     "flash_size = coalesce(excluded.flash_size, flash_size), secure_boot = coalesce(excluded.secure_boot, secure_boot), "
     "flash_encryption = coalesce(excluded.flash_encryption, flash_encryption), leaf = excluded.leaf"},
    {ENDS, "serial", NULL,
     /* only an attempt that was let in holds its serial number */
     "UPDATE serial SET state = iif(:outcome = 0, 'confirmed', 'returned'), unit = iif(:outcome = 0, :mac, NULL), leaf = :leaf "
     "WHERE serial = :serial AND state = 'reserved' AND EXISTS (SELECT 1 FROM open_attempt WHERE job = :job)"},
    {ENDS, NULL, NULL,
     "INSERT INTO attempt (leaf, start_leaf, boot, unit, lot, number, slot, bridge, profile, operator, outcome, fault, step, "
     "loader, baud, start_ms, ms, tries, rungs, bytes_out, bytes_in, plain_bytes, purpose, serial) VALUES (:leaf, "
     "(SELECT leaf FROM open_attempt WHERE job = :job), :boot, :mac, " LOT ", "
     "CASE WHEN " COUNTS " THEN coalesce(" BEFORE ", 0) + 1 END, " SLOT ", " BRIDGE ", "
     "(SELECT id FROM profile WHERE hash = :profile), " OPERATOR ", :outcome, "
     WORD(":fault") ", " WORD(":step") ", " WORD(":loader") ", :baud, coalesce(:start_ms, :time), :ms, :tries, :rungs, "
     ":bytes_out, :bytes_in, :plain_bytes, :purpose, " SERIAL ")"},
    {ENDS, "mac", NULL,
     /* passed_at: number of the first PASS. fail_...: of the first attempt that did not pass */
     "INSERT INTO unit_lot (unit, lot, attempts, first_outcome, passed_at, fail_fault, fail_step, fail_slot, first_leaf, leaf) "
     "SELECT :mac, " LOT ", 1, :outcome, iif(:outcome = 0, 1, NULL), iif(:outcome = 0, NULL, " WORD(":fault") "), "
     "iif(:outcome = 0, NULL, " WORD(":step") "), iif(:outcome = 0, NULL, " SLOT "), :leaf, :leaf WHERE " COUNTS " "
     "ON CONFLICT (unit, lot) DO UPDATE SET attempts = attempts + 1, "
     "passed_at = coalesce(passed_at, iif(excluded.passed_at IS NULL, NULL, attempts + 1)), "
     "fail_fault = iif(fail_slot IS NULL, excluded.fail_fault, fail_fault), "
     "fail_step = iif(fail_slot IS NULL, excluded.fail_step, fail_step), "
     "fail_slot = coalesce(fail_slot, excluded.fail_slot), leaf = excluded.leaf"},
    {ENDS, "mac", NULL,
     /* the first PASS of a unit is one more of the lot's quantity; a later one is not */
     "UPDATE lot SET passed = passed + 1 WHERE id = " LOT " AND id > 0 AND " COUNTS " AND "
     "(SELECT passed_at = attempts FROM unit_lot WHERE unit = :mac AND lot = lot.id)"},
    {ENDS, NULL, NULL, "DELETE FROM open_attempt WHERE job = :job"},

    /* what a record that refers to another leaves out is there already */
    {ENDS, "profile", "=regions",
     "INSERT INTO image_region (profile, offset, size, md5, leaf) SELECT id, :r_offset, :r_size, :r_md5, :leaf FROM profile "
     "WHERE hash = :profile AND :r_size > 0 ON CONFLICT (profile, offset, size, md5) DO NOTHING"},

    /* the other tallies are kept by triggers (db/, statistics): what a step took stands in the record alone */
    {ENDS, NULL, "steps", "INSERT INTO step (name) VALUES (:t_step) ON CONFLICT (name) DO NOTHING"},
    {ENDS, NULL, "steps",
     "INSERT INTO tally_step (half, slot, lot, model, profile, step, attempts, ms, pass_ms, firsts, first_passed) "
     "SELECT c.half, c.slot, c.lot, c.model, c.profile, (SELECT id FROM step WHERE name = :t_step), 1, :t_ms, "
     "iif(a.outcome = 0, :t_ms, 0), a.number IS 1, a.number IS 1 AND :t_rungs IS NULL AND (a.outcome = 0 OR :step IS NOT :t_step) "
     "FROM attempt a JOIN attempt_cell c ON c.leaf = a.leaf WHERE a.leaf = :leaf AND a.purpose IS NULL "
     "ON CONFLICT (half, slot, lot, model, profile, step) DO UPDATE SET attempts = attempts + 1, ms = ms + excluded.ms, "
     "pass_ms = pass_ms + excluded.pass_ms, firsts = firsts + excluded.firsts, first_passed = first_passed + excluded.first_passed"},
};

const struct statements project_attempts = {list, sizeof list / sizeof *list};
