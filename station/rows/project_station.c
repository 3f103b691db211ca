/* SPDX-License-Identifier: Apache-2.0
 * The station, its runs, and what it flashes. */
#include "rows/project_rows.h"

static const struct statement list[] = {
    {BIT(LOG_OPEN), NULL, NULL,
     "INSERT INTO station (leaf, name, origin, vkey, opened_ms) VALUES (:leaf, :station, :origin, :vkey, :time)"},
    {BIT(BOOT), NULL, NULL,
     "INSERT INTO boot (leaf, at_ms, sw, host) VALUES (:leaf, :time, " WORD(":sw") ", " WORD(":host") ")"},

    {BIT(PROFILE), NULL, NULL,
     /* an attempt or a lot may have named the hash before: then the name comes to its row now */
     "INSERT INTO profile (hash, name, version, leaf) VALUES (:hash, :name, :version, :leaf) "
     "ON CONFLICT (hash) DO UPDATE SET name = excluded.name, version = excluded.version, leaf = excluded.leaf"},
    {BIT(PROFILE), NULL, "images",
     "INSERT INTO image (sha256, size, leaf) VALUES (:i_sha256, :i_size, :leaf) ON CONFLICT (sha256) DO NOTHING"},
    {BIT(PROFILE), NULL, "images",
     "INSERT INTO profile_image (profile, offset, image, file) "
     "VALUES ((SELECT id FROM profile WHERE hash = :hash), :i_offset, (SELECT id FROM image WHERE sha256 = :i_sha256), :i_file)"},

    {BIT(CONFIG), NULL, NULL,
     "INSERT INTO config_change (leaf, at_ms, operator, what, text) VALUES (:leaf, :time, " OPERATOR ", :what, :text)"},
};

const struct statements project_station = {list, sizeof list / sizeof *list};
