/* SPDX-License-Identifier: Apache-2.0
 * The line: stops and what it learned about its bridges. */
#include "rows/project_rows.h"

static const struct statement list[] = {
    {BIT(LINE_STOP), NULL, NULL,
     "INSERT INTO line_stop (leaf, at_ms, slot, rule, lot, why) VALUES (:leaf, :time, :slot, :rule, " LOT ", :why)"},
    {BIT(LINE_REOPEN), NULL, NULL,
     "UPDATE line_stop SET reopened = :leaf, reopened_ms = :time, reopened_by = " OPERATOR ", reason = :why "
     "WHERE reopened IS NULL AND slot IS :slot"},
    {BIT(TUNING), NULL, NULL,
     "INSERT INTO tuning (leaf, at_ms, slot, bridge, what, baud, rung, ram_block, flash_block, burst, gap_us, rom_only, "
     "slow_reset, late_speed) "
     "VALUES (:leaf, :time, " SLOT ", " BRIDGE ", :what, :baud, :rung, :ram_block, :flash_block, :burst, :gap_us, :rom_only, "
     ":slow_reset, :late_speed)"},
};

const struct statements project_line = {list, sizeof list / sizeof *list};
