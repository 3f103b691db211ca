/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h: rows of a report, and how they are written: aligned text, CSV (RFC 4180), JSON, HTML.
 *
 * A table has a name, columns and rows of cells; a renderer knows nothing of what they mean. The first failure (no
 * memory) sticks: a builder adds all and the renderer says it.
 *
 * Thread rule: one owner.
 */
#ifndef FL_REPORT_TABLE_H
#define FL_REPORT_TABLE_H

#include "base/buf.h"
#include "base/json.h"

enum table_type {
    TABLE_TEXT,
    TABLE_INT,
    TABLE_PERCENT, /* a ratio 0..1: text "87.5 %", JSON and CSV the ratio */
    TABLE_REAL,
};
struct table_column {
    const char *name;  /* of the JSON member and the CSV column; ends with the unit where it has one: "cycle_s" */
    const char *title; /* above the column of text */
    enum table_type type;
};

enum { TABLE_COLUMNS_MAX = 24, TABLE_DIGITS = 8 /* of a number that is not whole, in CSV and JSON alike */ };

struct table; /* opaque */

/* A ratio as people read it: "97.8 %". What is neither all nor nothing is never shown as 100.0 or 0.0 %: it gets as many digits
 * more as that takes, "99.999 %". */
void table_percent(double ratio, char out[static 24]);

/* Columns are copied, their words borrowed. NULL: no memory. */
struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table *t); /* NULL is fine */

/* Cells of a row from left to right; table_end closes it, cells that were left out are empty. */
void table_text(struct table *t, const char *text); /* copied; NULL: empty */
void table_int(struct table *t, int64_t v);
void table_ratio(struct table *t, int64_t part, int64_t whole); /* whole 0: empty */
void table_share(struct table *t, double ratio);             /* of TABLE_PERCENT, 0..1 */
void table_real(struct table *t, double v, int decimals); /* as many of them in text; TABLE_DIGITS elsewhere */
void table_none(struct table *t);
void table_end(struct table *t);

size_t table_rows(const struct table *t);
/* NULL: there is none. */
const struct table_column *table_column_at(const struct table *t, size_t column);
const struct table_column *table_column_named(const struct table *t, const char *name);

/* A line of titles, a rule, the rows; numbers to the right; no blanks at line ends; `indent` blanks in front. */
FL_MUST enum fl_err table_write_text(const struct table *t, size_t indent, struct fl_buf *out);
/* A header line and the rows, each ended with CRLF, quoted where RFC 4180 asks. */
FL_MUST enum fl_err table_write_csv(const struct table *t, struct fl_buf *out);
/* The same without the header line: what follows a table whose header is written. */
FL_MUST enum fl_err table_write_csv_rows(const struct table *t, struct fl_buf *out);
/* A <table> with the titles in its head; of class wide when it has more than 12 columns. */
FL_MUST enum fl_err table_write_html(const struct table *t, struct fl_buf *out);
/* An array of objects; empty cells are null. New reference; NULL: no memory. */
json_t *table_json(const struct table *t);

#endif
