/* SPDX-License-Identifier: Apache-2.0
 *
 * project_rows.h: what the projection is made of: parameters and statements, a file for each noun. Internal to project*.c.
 *
 * To give a kind of leaf rows: a migration with the table, the table's name in projected_tables (project.c), a statement
 * in the noun's file, and a parameter (project_params.c) for a member that none has asked for yet. A table that triggers
 * keep from these rows is listed in projected_tables too, so that it is checked and rebuilt with them.
 */
#ifndef FL_ROWS_PROJECT_ROWS_H
#define FL_ROWS_PROJECT_ROWS_H

#include "event/event.h"
#include "rows/project.h"

enum param_type {
    PARAM_LEAF,    /* the leaf's index */
    PARAM_TEXT,    /* NULL when missing or empty */
    PARAM_TEXT0,   /* '' when missing */
    PARAM_INT,
    PARAM_INT1,    /* 1 when missing */
    PARAM_TIME,    /* RFC 3339 text as milliseconds */
    PARAM_MAC,     /* text as a 48-bit number */
    PARAM_BYTES,   /* hex as a blob, colons and dashes allowed */
    PARAM_OUTCOME, /* name as its number */
    PARAM_PURPOSE, /* name as its number; NULL: production */
    PARAM_COUNT,   /* how many elements, 0 when missing */
    PARAM_JSON,    /* any value as canonical text */
};

/* `member` may go one step into an object: "bridge/id". Of an element of an array: "./sha256", and of one that is an
 * array "./0". */
struct param {
    const char *name, *member;
    enum param_type type;
};
/* NULL: no such parameter. */
const struct param *project_param(const char *name);

#define BIT(kind) (UINT64_C(1) << EVENT_##kind)
_Static_assert(EVENT_KIND_COUNT <= 64, "kinds are bits of a 64-bit number");
#define STARTS BIT(ATTEMPT_START)
#define ENDS   (BIT(ATTEMPT_RESULT) | BIT(INTERRUPTED))

#define WORD(param) "(SELECT id FROM word WHERE text = " param ")"
#define SLOT     "(SELECT id FROM slot WHERE slot = :slot AND port = :port AND path = :path)"
#define BRIDGE   "(SELECT id FROM bridge WHERE usb_id = :usb_id AND serial = :usb_serial AND driver = :usb_driver)"
#define LOT      "(SELECT id FROM lot WHERE name = :lot)"
#define OPERATOR "(SELECT id FROM operator WHERE name = :operator)"
#define SERIAL   "(SELECT id FROM serial WHERE serial = :serial)"

/* Runs for leaves of these kinds, once, or for each element of the array. */
struct statement {
    uint64_t kinds;
    const char *needs; /* member that must be there, NULL: none */
    const char *each;  /* array to go through, NULL: once. "=regions": only where the record itself tells it, not where it refers to
                          another (abridge.h), of which this was told then */
    const char *sql;
};
struct statements {
    const struct statement *list;
    size_t n;
};
/* In this order: names first, because the others refer to them. */
extern const struct statements project_names, project_station, project_attempts, project_lots, project_people, project_line;

#endif
