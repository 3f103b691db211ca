/* SPDX-License-Identifier: Apache-2.0
 * recount.h: the tallies counted again from what each attempt adds (views attempt_tally, attempt_tally_fault, attempt_tally_step), in
 * the columns of tables tally, tally_fault and tally_step. */
#ifndef FL_TESTS_RECORD_RECOUNT_H
#define FL_TESTS_RECORD_RECOUNT_H

#define T_TALLY_AGAIN                                                                                                              \
    "SELECT half, slot, lot, model, profile, sum(attempts), sum(pass), sum(fail), sum(error), sum(aborted), sum(interrupted), "    \
    "sum(nameless), sum(retests), sum(with_rungs), sum(busy_ms), sum(retest_ms), sum(pass_ms), sum(cycles), sum(cycle_ms), "       \
    "sum(handlings), sum(handling_ms), max(last_ms), sum(units), sum(passed_1), sum(passed_2), sum(passed_3), sum(passed), "       \
    "sum(retested), sum(recovered), sum(same_slot), sum(same_passed), sum(other_slot), sum(other_passed) FROM attempt_tally "      \
    "GROUP BY half, slot, lot, model, profile"
#define T_FAULT_AGAIN                                                                                                              \
    "SELECT half, slot, lot, model, profile, fault, step, sum(attempts), sum(units) FROM attempt_tally_fault "                     \
    "GROUP BY half, slot, lot, model, profile, fault, step"
#define T_STEP_AGAIN                                                                                                               \
    "SELECT half, slot, lot, model, profile, step, sum(attempts), sum(ms), sum(pass_ms), sum(firsts), sum(first_passed) "          \
    "FROM attempt_tally_step GROUP BY half, slot, lot, model, profile, step"

#endif
