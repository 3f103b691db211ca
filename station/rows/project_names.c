/* SPDX-License-Identifier: Apache-2.0
 * Names that many records repeat: each becomes a row when the first record says it. */
#include "rows/project_rows.h"

#define WITH_OPERATOR                                                                                                          \
    (ENDS | BIT(LOT_OPEN) | BIT(LOT_CLOSE) | BIT(OPERATOR) | BIT(NOTE) | BIT(DISPOSITION) | BIT(CONFIG) | BIT(LINE_REOPEN) |   \
     BIT(SERIAL) | BIT(LABEL))
#define WITH_LOT                                                                                                               \
    (STARTS | ENDS | BIT(LOT_OPEN) | BIT(LOT_CLOSE) | BIT(NOTE) | BIT(DISPOSITION) | BIT(LINE_STOP) | BIT(SERIAL) | \
     BIT(LABEL))
#define WITH_PLACE (ENDS | BIT(TUNING))

static const struct statement list[] = {
    {BIT(BOOT), NULL, NULL,
     "INSERT INTO word (text) SELECT column1 FROM (VALUES (:sw), (:host)) WHERE column1 IS NOT NULL "
     "ON CONFLICT (text) DO NOTHING"},
    {ENDS, NULL, NULL,
     "INSERT INTO word (text) SELECT column1 FROM (VALUES (:chip), (:fault), (:step), (:loader)) "
     "WHERE column1 IS NOT NULL ON CONFLICT (text) DO NOTHING"},
    {WITH_OPERATOR, "operator", NULL,
     "INSERT INTO operator (name, leaf) VALUES (:operator, :leaf) ON CONFLICT (name) DO NOTHING"},
    {WITH_LOT, "lot", NULL, "INSERT INTO lot (name, leaf) VALUES (:lot, :leaf) ON CONFLICT (name) DO NOTHING"},
    {WITH_PLACE, NULL, NULL,
     "INSERT INTO slot (slot, port, path, leaf) VALUES (:slot, :port, :path, :leaf) ON CONFLICT (slot, port, path) DO NOTHING"},
    {WITH_PLACE, "bridge/id", NULL,
     "INSERT INTO bridge (usb_id, serial, driver, leaf) VALUES (:usb_id, :usb_serial, :usb_driver, :leaf) "
     "ON CONFLICT (usb_id, serial, driver) DO NOTHING"},
    {ENDS, "profile", NULL, "INSERT INTO profile (hash, leaf) VALUES (:profile, :leaf) ON CONFLICT (hash) DO NOTHING"},
    {BIT(LOT_OPEN), NULL, "profiles", "INSERT INTO profile (hash, leaf) VALUES (:i_hash, :leaf) ON CONFLICT (hash) DO NOTHING"},
};

const struct statements project_names = {list, sizeof list / sizeof *list};
