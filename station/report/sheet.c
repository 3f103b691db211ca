/* SPDX-License-Identifier: Apache-2.0 */
#include "report/sheet.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sheet_init(struct sheet *s, const char *name, const char *title)
{
    *s = (struct sheet){.name = name, .title = title, .json = json_object()};
    s->bad = !s->json || json_object_set_new(s->json, "report", json_string(name)) != 0;
}

void sheet_fini(struct sheet *s)
{
    for (size_t i = 0; i < s->n_facts; i++)
        free(s->facts[i].words);
    for (size_t i = 0; i < s->n_parts; i++)
        table_free(s->parts[i].table);
    free(s->about);
    free(s->text);
    json_decref(s->json);
    *s = (struct sheet){.name = ""};
}

void sheet_fact(struct sheet *s, const char *name, json_t *json, const char *title, const char *fmt, ...)
{
    va_list ap;
    if (json && json_object_set_new(s->json, name, json) != 0)
        s->bad = true;
    if (!title)
        return;
    if (s->n_facts == SHEET_FACTS_MAX) {
        s->bad = true;
        return;
    }
    struct sheet_fact *f = &s->facts[s->n_facts++];
    f->title = title;
    va_start(ap, fmt);
    if (vasprintf(&f->words, fmt, ap) < 0) {
        f->words = NULL;
        s->bad = true;
    }
    va_end(ap);
}

void sheet_part(struct sheet *s, const struct sheet_part *part)
{
    if (s->n_parts == SHEET_PARTS_MAX || !part->table) {
        table_free(part->table);
        s->bad = true;
        return;
    }
    s->parts[s->n_parts++] = *part;
}

/* ---- text ------------------------------------------------------------------------------------------- */

/* A note in lines of at most 80 columns, indented by two; its words are ASCII. */
static void add_note(const char *note, struct fl_buf *out)
{
    size_t column = 0;
    for (const char *word = note; *word; word += strspn(word, " ")) {
        size_t n = strcspn(word, " ");
        bool begins = column == 0 || column + 1 + n > 80;
        fl_buf_addf(out, "%s%.*s", column == 0 ? "  " : begins ? "\n  " : " ", (int)n, word);
        column = (begins ? 2 : column + 1) + n;
        word += n;
    }
    fl_buf_addc(out, '\n');
}

enum fl_err sheet_text(const struct sheet *s, struct fl_buf *out)
{
    int width = 0;
    size_t from = out->len;
    if (s->bad)
        return FL_NOMEM;
    fl_buf_addf(out, "%s: %s\n", s->title, s->about ? s->about : "");
    for (size_t i = 0; i < s->n_facts; i++)
        width = (int)strlen(s->facts[i].title) > width ? (int)strlen(s->facts[i].title) : width;
    if (s->n_facts)
        fl_buf_addc(out, '\n');
    for (size_t i = 0; i < s->n_facts; i++)
        fl_buf_addf(out, "  %-*s  %s\n", width, s->facts[i].title, s->facts[i].words);
    if (s->text)
        fl_buf_addf(out, "\n%s", s->text);
    for (size_t i = 0; i < s->n_parts; i++) {
        const struct sheet_part *p = &s->parts[i];
        fl_buf_addf(out, "\n%s\n", p->title);
        if (p->note)
            add_note(p->note, out);
        fl_buf_addc(out, '\n');
        if (!table_rows(p->table)) {
            fl_buf_adds(out, "  nothing\n");
            continue;
        }
        enum fl_err err = table_write_text(p->table, 2, out);
        if (err)
            return err;
    }
    if (out->len > from)
        fl_utf8_clean((char *)out->bytes + from, true); /* names are a record's, or a damaged database's */
    return fl_buf_err(out, NULL);
}

/* ---- CSV and JSON ------------------------------------------------------------------------------------ */

static const struct table_column fact_columns[] = {{.name = "fact", .type = TABLE_TEXT}, {.name = "value", .type = TABLE_TEXT}};

static enum fl_err facts_csv(const struct sheet *s, struct fl_buf *out)
{
    struct table *t = table_new(fact_columns, 2);
    for (size_t i = 0; t && i < s->n_facts; i++) {
        table_text(t, s->facts[i].title);
        table_text(t, s->facts[i].words);
        table_end(t);
    }
    enum fl_err err = t ? table_write_csv(t, out) : FL_NOMEM;
    table_free(t);
    return err;
}

enum fl_err sheet_csv(const struct sheet *s, const char *part, struct fl_buf *out)
{
    if (s->bad)
        return FL_NOMEM;
    for (size_t i = 0; i < s->n_parts; i++)
        if (!part || strcmp(s->parts[i].name, part) == 0)
            return table_write_csv(s->parts[i].table, out);
    return !part || strcmp(part, "facts") == 0 ? facts_csv(s, out) : FL_NOT_FOUND;
}

json_t *sheet_json(const struct sheet *s)
{
    json_t *o = s->bad ? NULL : json_copy(s->json);
    for (size_t i = 0; o && i < s->n_parts; i++) {
        json_t *rows = table_json(s->parts[i].table);
        if (!rows || json_object_set_new(o, s->parts[i].name, rows) != 0) {
            json_decref(o);
            return NULL;
        }
    }
    return o;
}
