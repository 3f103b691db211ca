/* SPDX-License-Identifier: Apache-2.0
 * Lots and serial numbers. */
#include "rows/project_rows.h"

static const struct statement list[] = {
    {BIT(LOT_OPEN), NULL, NULL,
     "UPDATE lot SET product = :product, planned = :planned, authorised = :authorised, duplicates = coalesce(:duplicates, 'refuse'), "
     "tries = :lot_tries, rules = :rules, opened = :leaf, opened_ms = :time, opened_by = " OPERATOR " WHERE name = :lot"},
    {BIT(LOT_OPEN), NULL, "profiles",
     "INSERT INTO lot_profile (lot, profile, leaf) VALUES (" LOT ", (SELECT id FROM profile WHERE hash = :i_hash), :leaf)"},
    {BIT(LOT_CLOSE), NULL, NULL,
     "UPDATE lot SET closed = :leaf, closed_ms = :time, closed_by = " OPERATOR " WHERE name = :lot"},

    {BIT(SERIAL), NULL, NULL,
     "INSERT INTO serial (serial, state, lot, unit, leaf) SELECT :serial, 'reserved', " LOT ", :mac, :leaf WHERE :state = 'reserved' "
     "ON CONFLICT (serial) DO UPDATE SET state = 'reserved', lot = excluded.lot, unit = excluded.unit, leaf = excluded.leaf "
     "WHERE state <> 'confirmed'"},
    {BIT(SERIAL), NULL, NULL,
     "UPDATE serial SET state = 'returned', unit = NULL, leaf = :leaf WHERE serial = :serial AND state = 'reserved' "
     "AND :state = 'returned'"},
    {BIT(LABEL), NULL, NULL,
     "INSERT INTO label (leaf, at_ms, unit, lot, serial, attempt, operator, state, printer) VALUES "
     "(:leaf, :time, :mac, " LOT ", " SERIAL ", :attempt, " OPERATOR ", :state, :printer)"},
};

const struct statements project_lots = {list, sizeof list / sizeof *list};
