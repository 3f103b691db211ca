/* SPDX-License-Identifier: Apache-2.0
 * What was found, kept in the report: which finding is the worst, and what it takes from the trust in the records. */
#include "audit/verify_run.h"

#include "base/utf8.h"

#include <stdio.h>

static const struct {
    const char *name, *text;
} classes[] = {
#define X(id, name, text) {name, text},
    AUDIT_CLASSES(X)
#undef X
};

const char *audit_class_name(enum audit_class c)
{
    return (size_t)c < AUDIT_CLASS_COUNT ? classes[c].name : "?";
}

const char *audit_class_text(enum audit_class c)
{
    return (size_t)c < AUDIT_CLASS_COUNT ? classes[c].text : "?";
}

int audit_class_exit(enum audit_class c)
{
    return c == AUDIT_GOOD ? 0 : 9 + (int)c;
}

/* Is a finding of this class about records, heads and signatures, and not about what is kept beside them? */
static bool class_of_log(enum audit_class c)
{
    static const enum audit_class beside[] = {AUDIT_COPY,     AUDIT_NODE,  AUDIT_ROWS,   AUDIT_SCHEMA,
                                              AUDIT_DATABASE, AUDIT_TOKEN, AUDIT_WITNESS};
    bool of_log = true;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        of_log &= c != beside[i];
    return of_log;
}

/* What is wrong with records comes first, then heads over records that are right, then what lies beside. */
static int rank(const struct audit_finding *f)
{
    return f->beside ? 2 : f->covered ? 1 : 0;
}

static bool worse(const struct audit_finding *a, const struct audit_finding *b)
{
    return rank(a) != rank(b) ? rank(a) < rank(b) : a->first < b->first;
}

const struct audit_finding *audit_worst(const struct audit_report *r)
{
    const struct audit_finding *worst = NULL;
    size_t n = r->n_findings < AUDIT_FINDINGS_MAX ? r->n_findings : AUDIT_FINDINGS_MAX;
    for (size_t i = 0; i < n; i++)
        if (!worst || worse(&r->finding[i], worst))
            worst = &r->finding[i];
    return worst;
}

static void keep(struct audit_report *r, const struct audit_finding *f)
{
    const struct audit_finding *worst = audit_worst(r);
    bool worst_now = !worst || worse(f, worst);
    size_t at = r->n_findings++;
    if (!f->beside) {
        r->n_log_findings++;
        /* only what is found out later reaches below what was trusted already (audit_retreat) */
        if (r->has_trusted && r->trusted_size > f->first)
            r->has_trusted = false;
    }
    /* a long list of later findings must not push the worst one out */
    if (at >= AUDIT_FINDINGS_MAX) {
        if (!worst_now)
            return;
        at = AUDIT_FINDINGS_MAX - 1;
    }
    r->finding[at] = *f;
    if (worst_now)
        r->verdict = f->class;
}

/* What is quoted may come from a damaged log. */
static void say(struct audit_finding *f, const char *fmt, va_list ap) FL_PRINTF(2, 0);
static void say(struct audit_finding *f, const char *fmt, va_list ap)
{
    (void)vsnprintf(f->text, sizeof f->text, fmt, ap);
    fl_utf8_clean(f->text, false);
}

void audit_add(struct audit_report *r, enum audit_class class, uint64_t first, uint64_t last,
               const char *fmt, ...)
{
    struct audit_finding f = {.class = class, .beside = !class_of_log(class), .first = first, .last = last};
    va_list ap;
    va_start(ap, fmt);
    say(&f, fmt, ap);
    va_end(ap);
    keep(r, &f);
}

void audit_add_beside(struct audit_report *r, enum audit_class class, const char *fmt, ...)
{
    struct audit_finding f = {.class = class, .beside = true};
    va_list ap;
    va_start(ap, fmt);
    say(&f, fmt, ap);
    va_end(ap);
    keep(r, &f);
}

void audit_doubt(struct audit_run *r, enum audit_class class, uint64_t first, uint64_t last, const char *fmt, ...)
{
    struct audit_finding f = {.class = class, .head = true, .first = first, .last = last};
    va_list ap;
    va_start(ap, fmt);
    say(&f, fmt, ap);
    va_end(ap);
    r->doubt = true;
    r->doubts++;
    keep(r->out, &f);
}
