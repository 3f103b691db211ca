/* SPDX-License-Identifier: Apache-2.0 */
#include "report/table.h"

#include "base/grow.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cell {
    enum { NONE, TEXT, INT, RATIO, SHARE, REAL } kind;
    int64_t a, b; /* of INT, RATIO; a: where the text begins in `words`; decimals of REAL */
    double v;     /* of SHARE, REAL */
};

enum { WORDS_MAX = 1 << 30 };

struct table {
    struct table_column columns[TABLE_COLUMNS_MAX];
    size_t n_columns, rows, cap; /* cap: in cells */
    size_t at;                   /* next cell of the row being built */
    struct cell *cells;          /* rows * n_columns, and the row being built */
    struct fl_buf words;         /* of all TEXT cells, one behind the other, each ended by zero: a million cells are no million blocks */
    bool bad;
};

struct table *table_new(const struct table_column *columns, size_t n)
{
    struct table *t = n <= TABLE_COLUMNS_MAX ? calloc(1, sizeof *t) : NULL;
    if (t) {
        memcpy(t->columns, columns, n * sizeof *columns);
        t->n_columns = n;
        t->words = FL_BUF(WORDS_MAX);
    }
    return t;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    fl_buf_fini(&t->words);
    free(t->cells);
    free(t);
}

static struct cell *next_cell(struct table *t)
{
    size_t i = t->rows * t->n_columns + t->at;
    if (t->bad || t->at == t->n_columns) {
        t->bad = true;
        return NULL;
    }
    struct cell *cells = fl_grow(t->cells, i, 1, &t->cap, sizeof *cells);
    if (!cells) {
        t->bad = true;
        return NULL;
    }
    t->cells = cells;
    t->at++;
    t->cells[i] = (struct cell){.kind = NONE};
    return &t->cells[i];
}

void table_text(struct table *t, const char *text)
{
    struct cell *c = next_cell(t);
    if (!c || !text)
        return;
    *c = (struct cell){.kind = TEXT, .a = (int64_t)t->words.len};
    fl_buf_add(&t->words, text, strlen(text) + 1);
    t->bad |= fl_buf_err(&t->words, NULL) != FL_OK;
}

void table_int(struct table *t, int64_t v)
{
    struct cell *c = next_cell(t);
    if (c)
        *c = (struct cell){.kind = INT, .a = v};
}

void table_ratio(struct table *t, int64_t part, int64_t whole)
{
    struct cell *c = next_cell(t);
    if (c && whole)
        *c = (struct cell){.kind = RATIO, .a = part, .b = whole};
}

void table_share(struct table *t, double ratio)
{
    struct cell *c = next_cell(t);
    if (c)
        *c = (struct cell){.kind = SHARE, .v = ratio};
}

void table_real(struct table *t, double v, int decimals)
{
    struct cell *c = next_cell(t);
    if (c)
        *c = (struct cell){.kind = REAL, .v = v, .a = decimals};
}

void table_none(struct table *t)
{
    (void)next_cell(t);
}

void table_end(struct table *t)
{
    while (t->at < t->n_columns && next_cell(t))
        ;
    if (!t->bad) {
        t->at = 0;
        t->rows++;
    }
}

size_t table_rows(const struct table *t)
{
    return t->rows;
}

const struct table_column *table_column_at(const struct table *t, size_t column)
{
    return column < t->n_columns ? &t->columns[column] : NULL;
}

const struct table_column *table_column_named(const struct table *t, const char *name)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (strcmp(t->columns[c].name, name) == 0)
            return &t->columns[c];
    return NULL;
}

static const struct cell *cell_at(const struct table *t, size_t row, size_t column)
{
    return &t->cells[row * t->n_columns + column];
}

/* ---- text ------------------------------------------------------------------------------------------ */

static const char *cell_text(const struct table *t, const struct cell *c)
{
    return (const char *)t->words.bytes + c->a;
}

static double cell_number(const struct cell *c)
{
    return c->kind == RATIO ? (double)c->a / (double)c->b : c->v;
}

void table_percent(double ratio, char out[static 24])
{
    int decimals = 1;
    double v = 100 * ratio;
    do
        (void)snprintf(out, 24, "%.*f %%", decimals, v);
    while (v > 0 && v < 100 && (strtod(out, NULL) <= 0 || strtod(out, NULL) >= 100) && ++decimals < 9);
}

/* A cell as people read it. Text goes by itself; `room` is for the rest. */
static const char *cell_words(const struct table *t, const struct cell *c, char room[static 32])
{
    room[0] = 0;
    if (c->kind == TEXT)
        return cell_text(t, c);
    if (c->kind == INT)
        (void)snprintf(room, 32, "%lld", (long long)c->a);
    if (c->kind == RATIO || c->kind == SHARE)
        table_percent(cell_number(c), room);
    if (c->kind == REAL)
        (void)snprintf(room, 32, "%.*f", (int)c->a, c->v);
    return room;
}

/* Characters, not bytes: columns line up under UTF-8 too. */
static size_t width_of(const char *s)
{
    size_t n = strlen(s), width = 0;
    for (size_t i = 0; i < n; width++) {
        size_t k = fl_utf8_len((const uint8_t *)s + i, n - i);
        i += k ? k : 1;
    }
    return width;
}

static void pad(struct fl_buf *out, size_t n)
{
    while (n--)
        fl_buf_addc(out, ' ');
}

/* A line end inside a cell would break the table; what steers a terminal, or turns the text around it, is a bridge's serial number
 * away. As many characters as width_of says. */
static void add_shown(const char *s, struct fl_buf *out)
{
    for (size_t left = strlen(s), n; left; s += n, left -= n) {
        size_t k = fl_utf8_len((const uint8_t *)s, left);
        n = k ? k : 1;
        if ((unsigned char)*s < ' ')
            fl_buf_addc(out, ' ');
        else if (!k || fl_utf8_control((const uint8_t *)s, k))
            fl_buf_addc(out, '?');
        else
            fl_buf_add(out, s, k);
    }
}

static void write_line(const struct table *t, const size_t *width, size_t indent, size_t row, bool titles,
                       struct fl_buf *out)
{
    char room[32];
    size_t owed = indent; /* blanks not written yet: none at a line's end */
    for (size_t c = 0; c < t->n_columns; c++) {
        const char *words = titles ? t->columns[c].title : cell_words(t, cell_at(t, row, c), room);
        size_t free_room = width[c] - width_of(words);
        bool right = t->columns[c].type != TABLE_TEXT;
        if (*words) {
            pad(out, owed + (right ? free_room : 0));
            add_shown(words, out);
            owed = right ? 0 : free_room;
        } else {
            owed += width[c];
        }
        owed += 2;
    }
    fl_buf_addc(out, '\n');
}

enum fl_err table_write_text(const struct table *t, size_t indent, struct fl_buf *out)
{
    size_t width[TABLE_COLUMNS_MAX] = {0}, all = 0;
    char room[32];
    if (t->bad)
        return FL_NOMEM;
    for (size_t c = 0; c < t->n_columns; c++) {
        width[c] = width_of(t->columns[c].title);
        for (size_t r = 0; r < t->rows; r++) {
            size_t w = width_of(cell_words(t, cell_at(t, r, c), room));
            width[c] = w > width[c] ? w : width[c];
        }
        all += width[c] + (c ? 2 : 0);
    }
    write_line(t, width, indent, 0, true, out);
    pad(out, indent);
    for (size_t i = 0; i < all; i++)
        fl_buf_addc(out, '-');
    fl_buf_addc(out, '\n');
    for (size_t r = 0; r < t->rows; r++)
        write_line(t, width, indent, r, false, out);
    return fl_buf_err(out, NULL);
}

/* ---- CSV ------------------------------------------------------------------------------------------- */

static void csv_text(const char *s, struct fl_buf *out)
{
    if (!strpbrk(s, ",\"\r\n")) {
        fl_buf_adds(out, s);
        return;
    }
    fl_buf_addc(out, '"');
    for (; *s; s++) {
        if (*s == '"')
            fl_buf_addc(out, '"');
        fl_buf_addc(out, *s);
    }
    fl_buf_addc(out, '"');
}

/* As printf writes it, without asking it: a recall is millions of these. */
static void csv_int(int64_t v, struct fl_buf *out)
{
    char digits[24], *p = digits + sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        *--p = '-';
    fl_buf_add(out, p, (size_t)(digits + sizeof digits - p));
}

static void csv_cell(const struct table *t, const struct cell *c, struct fl_buf *out)
{
    if (c->kind == TEXT)
        csv_text(cell_text(t, c), out);
    else if (c->kind == INT)
        csv_int(c->a, out);
    else if (c->kind != NONE)
        fl_buf_addf(out, "%.*g", TABLE_DIGITS, cell_number(c));
}

enum fl_err table_write_csv(const struct table *t, struct fl_buf *out)
{
    if (t->bad)
        return FL_NOMEM;
    for (size_t c = 0; c < t->n_columns; c++) {
        fl_buf_adds(out, c ? "," : "");
        csv_text(t->columns[c].name, out);
    }
    fl_buf_adds(out, "\r\n");
    return table_write_csv_rows(t, out);
}

enum fl_err table_write_csv_rows(const struct table *t, struct fl_buf *out)
{
    if (t->bad)
        return FL_NOMEM;
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t c = 0; c < t->n_columns; c++) {
            if (c)
                fl_buf_addc(out, ',');
            csv_cell(t, cell_at(t, r, c), out);
        }
        fl_buf_adds(out, "\r\n");
    }
    return fl_buf_err(out, NULL);
}

/* ---- HTML ------------------------------------------------------------------------------------------ */

enum { WIDE = 12 }; /* columns more than these are set smaller on paper */

static void html_cell(const char *tag, const char *words, bool number, struct fl_buf *out)
{
    fl_buf_addf(out, "<%s%s>", tag, number ? " class=\"n\"" : "");
    for (; *words; words++) {
        const char *e = *words == '<' ? "&lt;" : *words == '>' ? "&gt;" : *words == '&' ? "&amp;" : NULL;
        if (e)
            fl_buf_adds(out, e);
        else
            fl_buf_addc(out, *words);
    }
    fl_buf_addf(out, "</%s>", tag);
}

enum fl_err table_write_html(const struct table *t, struct fl_buf *out)
{
    char room[32];
    if (t->bad)
        return FL_NOMEM;
    fl_buf_addf(out, "<table%s><thead><tr>", t->n_columns > WIDE ? " class=\"wide\"" : "");
    for (size_t c = 0; c < t->n_columns; c++)
        html_cell("th", t->columns[c].title, t->columns[c].type != TABLE_TEXT, out);
    fl_buf_adds(out, "</tr></thead><tbody>\n");
    for (size_t r = 0; r < t->rows; r++) {
        fl_buf_adds(out, "<tr>");
        for (size_t c = 0; c < t->n_columns; c++)
            html_cell("td", cell_words(t, cell_at(t, r, c), room), t->columns[c].type != TABLE_TEXT, out);
        fl_buf_adds(out, "</tr>\n");
    }
    fl_buf_adds(out, "</tbody></table>");
    return fl_buf_err(out, NULL);
}

/* ---- JSON ------------------------------------------------------------------------------------------ */

static json_t *cell_json(const struct table *t, const struct cell *c)
{
    return c->kind == TEXT ? json_string(cell_text(t, c))
           : c->kind == INT ? json_integer((json_int_t)c->a)
           : c->kind == NONE ? json_null()
                             : json_real(cell_number(c));
}

json_t *table_json(const struct table *t)
{
    json_t *list = t->bad ? NULL : json_array();
    for (size_t r = 0; list && r < t->rows; r++) {
        json_t *o = json_object();
        bool bad = !o;
        for (size_t c = 0; c < t->n_columns && !bad; c++)
            bad = json_object_set_new(o, t->columns[c].name, cell_json(t, cell_at(t, r, c))) != 0;
        if (bad || json_array_append_new(list, o) != 0) {
            if (bad)
                json_decref(o);
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}
