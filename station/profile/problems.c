/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/problems.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_MAX = 1000 };

void profile_problems_fini(struct profile_problems *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->list[i].text);
    free(p->list);
    *p = (struct profile_problems){NULL, 0};
}

void critic_nomem(struct critic *c)
{
    c->err = FL_NOMEM;
}

static void FL_PRINTF(4, 0)
    add(struct critic *c, struct profile_problems *to, struct place at, const char *fmt, va_list ap)
{
    char sentence[SENTENCE_MAX];
    if (to->n > PROBLEMS_MAX)
        return;
    if (to->n == PROBLEMS_MAX)
        (void)snprintf(sentence, sizeof sentence, "more than %d problems, the rest is not shown",
                       PROBLEMS_MAX);
    else
        (void)vsnprintf(sentence, sizeof sentence, fmt, ap);
    struct fl_buf text = FL_BUF(SENTENCE_MAX + strlen(c->path) + 64);
    fl_buf_addf(&text, "%s:%u:%u: %s", c->path, at.line, at.column, sentence);
    for (size_t i = 0; i < to->n; i++)
        if (!text.err && strcmp(to->list[i].text, fl_buf_text(&text)) == 0) {
            fl_buf_fini(&text); /* one file can be wrong in the same way at two places inside */
            return;
        }
    struct profile_problem *list = realloc(to->list, (to->n + 1) * sizeof *list);
    if (list)
        to->list = list;
    if (!list || fl_buf_err(&text, NULL)) {
        fl_buf_fini(&text);
        critic_nomem(c);
        return;
    }
    fl_utf8_clean((char *)text.bytes, false); /* what was quoted, and the path, may hold anything: keep it one line */
    to->list[to->n++] = (struct profile_problem){(char *)text.bytes, at.line, at.column};
}

void critic_problem(struct critic *c, struct place at, const char *fmt, ...)
{
    va_list ap;
    if (!c->err)
        c->err = FL_FORMAT;
    va_start(ap, fmt);
    add(c, c->problems, at, fmt, ap);
    va_end(ap);
}

void critic_note(struct critic *c, struct place at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(c, c->notes, at, fmt, ap);
    va_end(ap);
}

static bool before(const struct profile_problem *a, const struct profile_problem *b)
{
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* Insertion: at most PROBLEMS_MAX of them, and stable. The remark that there are more stays last. */
static void sort(struct profile_problems *p)
{
    size_t n = p->n > PROBLEMS_MAX ? PROBLEMS_MAX : p->n;
    for (size_t i = 1; i < n; i++) {
        struct profile_problem x = p->list[i];
        size_t k = i;
        for (; k > 0 && before(&x, &p->list[k - 1]); k--)
            p->list[k] = p->list[k - 1];
        p->list[k] = x;
    }
}

void critic_sort(struct critic *c)
{
    sort(c->problems);
    sort(c->notes);
}
