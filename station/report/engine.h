/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.h: inside report/ only: a report is a row of a table: its name, its queries, their columns, a chart. One
 * function turns the rows of a query into a table; specs.c holds the rows.
 */
#ifndef FL_REPORT_ENGINE_H
#define FL_REPORT_ENGINE_H

#include "report/filter.h"
#include "report/sheet.h"

/* What a cell is, from columns a and b of the query's row. */
enum cell_kind {
    CELL_LABEL, /* the group's words, column 0 */
    CELL_TEXT,
    CELL_INT,
    CELL_REAL,  /* a x scale */
    CELL_RATIO, /* a of b */
    CELL_LOW,   /* Wilson's interval of a of b */
    CELL_HIGH,
    CELL_MEAN,       /* a / b x scale */
    CELL_SHARE,      /* a of the sum of all rows' a */
    CELL_CUMULATIVE, /* the same, of this row and those above */
    CELL_WHAT,       /* of the fault named by a: the sentence */
    CELL_WHO,        /* and who acts */
    CELL_WORSE_P,    /* do a of b fail more often than in the other rows? Fisher, Holm over the rows */
    CELL_WORSE,      /* "worse" when that is at most 5 % */
    CELL_TIME,       /* milliseconds as a time in the reader's zone */
};

struct engine_column {
    const char *name, *title; /* name NULL: the group's */
    enum table_type type;
    enum cell_kind kind;
    int a, b;
    double scale;
    int decimals;
};
struct engine_part {
    const char *name, *title, *note;
    const char *sql; /* for filter_prepare */
    const struct engine_column *columns;
    size_t n_columns;
    const struct sheet_chart *chart;
};
struct report_spec {
    const char *name, *title;
    const char *line; /* of the help */
    enum group group; /* unless the question names another */
    bool fixed;       /* the group cannot be chosen */
    const struct engine_part *parts[SHEET_PARTS_MAX];
    /* what no table says; may be NULL. Runs before the parts. */
    enum fl_err (*facts)(struct report *r, const struct filter *f, struct sheet *s, struct fl_why *why);
};
extern const struct report_spec report_specs[]; /* ends with a row whose name is NULL */

/* Run one part and add it to the sheet. */
FL_MUST enum fl_err engine_part(struct report *r, const struct filter *f, const struct engine_part *p, struct sheet *s,
                                struct fl_why *why);

/* facts of several reports (facts.c, blame_report.c) */
FL_MUST enum fl_err facts_yield(struct report *r, const struct filter *f, struct sheet *s, struct fl_why *why);
FL_MUST enum fl_err facts_summary(struct report *r, const struct filter *f, struct sheet *s, struct fl_why *why);
FL_MUST enum fl_err facts_blame(struct report *r, const struct filter *f, struct sheet *s, struct fl_why *why);
/* First-pass <= second <= third <= last-pass <= all units, in every cell that the report is made of. FL_MISMATCH. */
FL_MUST enum fl_err facts_check(struct report *r, const struct filter *f, struct fl_why *why);

#endif
