/* SPDX-License-Identifier: Apache-2.0
 * What people did and said. */
#include "rows/project_rows.h"

static const struct statement list[] = {
    {BIT(OPERATOR), NULL, NULL,
     "INSERT INTO shift (leaf, at_ms, operator, shift, change) VALUES (:leaf, :time, " OPERATOR ", :shift, "
     "coalesce(:change, 'begin'))"},
    {BIT(NOTE), NULL, NULL,
     "INSERT INTO note (leaf, at_ms, unit, lot, operator, text) VALUES (:leaf, :time, :mac, " LOT ", " OPERATOR ", :text)"},
    {BIT(DISPOSITION), NULL, NULL,
     "INSERT INTO disposition (leaf, at_ms, unit, lot, operator, disposition, why) "
     "VALUES (:leaf, :time, :mac, " LOT ", " OPERATOR ", :disposition, :why)"},
};

const struct statements project_people = {list, sizeof list / sizeof *list};
