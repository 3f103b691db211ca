/* SPDX-License-Identifier: Apache-2.0
 *
 * sheet.h: a report that is ready to be shown: facts, tables, charts; and the four ways of writing it.
 *
 *   text   for a terminal       csv    one table, RFC 4180: the first one, or the one that is named
 *   json   one object           html   one file that needs nothing else and prints on A4
 *
 * A renderer knows nothing of what the numbers mean; what makes a sheet knows nothing of how it is shown. The first failure
 * (no memory) sticks and the renderer says it.
 *
 * Thread rule: one owner.
 */
#ifndef FL_REPORT_SHEET_H
#define FL_REPORT_SHEET_H

#include "report/table.h"

enum { SHEET_PARTS_MAX = 6, SHEET_FACTS_MAX = 32, SHEET_SERIES_MAX = 3 };

/* What a part looks like as a picture: columns of its table. */
struct sheet_chart {
    const char *type;  /* "line", "bar", "pareto": bars and the cumulative share as a line */
    const char *label; /* column along the bottom; NULL: the first */
    const char *series[SHEET_SERIES_MAX];
    const char *unit;  /* of the axis: "%" or a word */
};

struct sheet_part {
    const char *name, *title; /* borrowed: literals */
    const char *note;         /* below the title; NULL: none */
    struct table *table;      /* owned */
    const struct sheet_chart *chart; /* NULL: none */
};
struct sheet_fact {
    const char *title; /* borrowed */
    char *words;       /* owned */
};

struct sheet {
    const char *name, *title; /* "yield", "Yield" */
    char *about;              /* owned: which station, which part of the records, since when */
    json_t *json;             /* owned: the facts by name, in order */
    struct sheet_fact facts[SHEET_FACTS_MAX];
    size_t n_facts;
    struct sheet_part parts[SHEET_PARTS_MAX];
    size_t n_parts;
    char *text; /* owned: sentences under the facts, lines ended by newline; NULL: none */
    bool bad;
};

void sheet_init(struct sheet *s, const char *name, const char *title);
void sheet_fini(struct sheet *s);

/* A fact by name for programs and by title for people. `words` as printf. json may be NULL: for people only (the same goes for title
 * NULL: for programs only); it is taken. */
void sheet_fact(struct sheet *s, const char *name, json_t *json, const char *title, const char *fmt, ...) FL_PRINTF(5, 6);
/* Takes the table. */
void sheet_part(struct sheet *s, const struct sheet_part *part);

FL_MUST enum fl_err sheet_text(const struct sheet *s, struct fl_buf *out);
/* `part` NULL: the first. FL_NOT_FOUND: there is no such part. A sheet without tables gives its facts. */
FL_MUST enum fl_err sheet_csv(const struct sheet *s, const char *part, struct fl_buf *out);
json_t *sheet_json(const struct sheet *s); /* new reference; NULL: no memory */
FL_MUST enum fl_err sheet_html(const struct sheet *s, struct fl_buf *out);

#endif
