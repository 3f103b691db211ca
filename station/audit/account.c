/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/account.h"

#include "base/grow.h"
#include "base/hash.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOB_MAX = 65, OPEN_MAX = 4096 };

struct unit {
    uint64_t mac, leaf;
};
struct serial {
    uint64_t mac, leaf;
    size_t text; /* place in the pool */
};
/* The job's UUID, or the front of its SHA-256 where it is something else. */
struct ended {
    uint8_t job[16];
    uint64_t leaf;
};
struct open {
    char job[JOB_MAX];
    uint64_t leaf;
    int64_t run;
};

struct account {
    struct unit *unit;
    size_t n_units, cap_units;
    struct serial *serial;
    size_t n_serials, cap_serials;
    char *pool; /* serial numbers, each with its closing zero */
    size_t pool_n, pool_cap;
    struct open *open;
    size_t n_open, cap_open;
    struct ended *ended;
    size_t n_ended, cap_ended;
};

enum fl_err account_new(struct account **out, struct fl_why *why)
{
    *out = calloc(1, sizeof **out);
    return *out ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
}

void account_free(struct account *a)
{
    if (!a)
        return;
    free(a->unit);
    free(a->serial);
    free(a->pool);
    free(a->open);
    free(a->ended);
    free(a);
}

void account_clear(struct account *a)
{
    a->n_units = a->n_serials = a->pool_n = a->n_open = a->n_ended = 0;
}

/* ---- taking ----------------------------------------------------------------------------------------------------------- */

/* The hex digits of a MAC or EUI-64 as one number. */
static uint64_t mac_number(const char *text)
{
    uint64_t n = 0;
    for (; *text; text++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, *text);
        if (at)
            n = n << 4 | (uint64_t)(at - digits);
    }
    return n;
}

static enum fl_err begin(struct account *a, uint64_t index, const struct leaf_view *v, const json_t *o)
{
    if (a->n_open == OPEN_MAX) /* more than any station has slots: the log is odd enough without this one */
        return FL_OK;
    struct open *p = fl_grow(a->open, a->n_open, 1, &a->cap_open, sizeof *p);
    if (!p)
        return FL_NOMEM;
    a->open = p;
    p += a->n_open++;
    *p = (struct open){.leaf = index, .run = v->boot};
    (void)snprintf(p->job, sizeof p->job, "%s", fl_json_text(o, "job"));
    return FL_OK;
}

static void end(struct account *a, const json_t *o)
{
    const char *job = fl_json_text(o, "job");
    for (size_t i = 0; *job && i < a->n_open; i++)
        if (strcmp(a->open[i].job, job) == 0) {
            memmove(&a->open[i], &a->open[i + 1], (a->n_open - i - 1) * sizeof *a->open);
            a->n_open--;
            return;
        }
}

static enum fl_err job_bytes(struct leaf_text job, uint8_t out[static 16])
{
    uint8_t digest[FL_SHA256_SIZE];
    size_t n = 0;
    memset(out, 0, 16);
    for (size_t i = 0; i < job.n && n <= 32; i++) {
        char c = job.p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0 && c == '-')
            continue;
        if (digit < 0 || n == 32)
            n = 33;
        else
            out[n / 2] = (uint8_t)(out[n / 2] << 4 | digit), n++;
    }
    if (n == 32)
        return FL_OK;
    enum fl_err err = fl_sha256(job.p, job.n, digest);
    if (!err)
        memcpy(out, digest, 16);
    return err;
}

static enum fl_err keep_end(struct account *a, uint64_t index, struct leaf_text job)
{
    struct ended e = {.leaf = index};
    if (!job.p || !job.n)
        return FL_OK;
    enum fl_err err = job_bytes(job, e.job);
    if (err)
        return err;
    struct ended *p = fl_grow(a->ended, a->n_ended, 1, &a->cap_ended, sizeof *p);
    if (!p)
        return FL_NOMEM;
    a->ended = p;
    a->ended[a->n_ended++] = e;
    return FL_OK;
}

static enum fl_err take_serial(struct account *a, uint64_t index, const json_t *o)
{
    const char *text = fl_json_text(o, "serial");
    size_t n = strlen(text);
    if (!n || n >= ACCOUNT_SERIAL_TEXT || strcmp(fl_json_text(o, "outcome"), "PASS") != 0)
        return FL_OK;
    struct serial *serial = fl_grow(a->serial, a->n_serials, 1, &a->cap_serials, sizeof *serial);
    if (!serial)
        return FL_NOMEM;
    a->serial = serial;
    char *pool = fl_grow(a->pool, a->pool_n, n + 1, &a->pool_cap, 1);
    if (!pool)
        return FL_NOMEM;
    a->pool = pool;
    memcpy(a->pool + a->pool_n, text, n + 1);
    a->serial[a->n_serials++] = (struct serial){mac_number(fl_json_text(o, "mac")), index, a->pool_n};
    a->pool_n += n + 1;
    return FL_OK;
}

static enum fl_err take_unit(struct account *a, uint64_t index, const json_t *o)
{
    struct unit *p = fl_grow(a->unit, a->n_units, 1, &a->cap_units, sizeof *p);
    if (!p)
        return FL_NOMEM;
    a->unit = p;
    a->unit[a->n_units++] = (struct unit){mac_number(fl_json_text(o, "mac")), index};
    return FL_OK;
}

enum fl_err account_take(struct account *a, uint64_t index, const struct leaf_view *v, const uint8_t *rec, size_t n)
{
    bool start = leaf_text_is(v->event, "attempt_start"), result = leaf_text_is(v->event, "attempt_result");
    bool final = leaf_text_is(v->event, "unit_final"), interrupted = leaf_text_is(v->event, "interrupted");
    json_t *o;
    if (!start && !result && !final && !interrupted)
        return FL_OK;
    enum fl_err err = fl_json_parse(rec, n, &o, NULL);
    if (err)
        return err == FL_NOMEM ? err : FL_OK; /* what is malformed was said already */
    if (start)
        err = begin(a, index, v, o);
    else if (final)
        err = take_unit(a, index, o);
    else
        end(a, o);
    if (!err && (result || interrupted))
        err = keep_end(a, index, v->job);
    if (!err && result)
        err = take_serial(a, index, o);
    json_decref(o);
    return err;
}

/* ---- units ------------------------------------------------------------------------------------------------------------ */

static int by_mac(const void *x, const void *y)
{
    const struct unit *a = x, *b = y;
    return a->mac != b->mac ? (a->mac < b->mac ? -1 : 1) : a->leaf < b->leaf ? -1 : a->leaf > b->leaf;
}

static void mac_text(uint64_t mac, char out[static ACCOUNT_SERIAL_TEXT])
{
    int bytes = mac >> 48 ? 8 : 6;
    for (int i = 0; i < bytes; i++)
        (void)snprintf(out + 3 * i, 4, "%02x%s", (unsigned)(mac >> (8 * (bytes - 1 - i)) & 0xff), i + 1 < bytes ? ":" : "");
}

static void end_units(struct account *a, struct account_result *out)
{
    if (a->n_units)
        qsort(a->unit, a->n_units, sizeof *a->unit, by_mac);
    out->certified = a->n_units;
    for (size_t i = 0, n; i < a->n_units; i += n) {
        for (n = 1; i + n < a->n_units && a->unit[i + n].mac == a->unit[i].mac; n++)
            ;
        out->units++;
        if (n == 1)
            continue;
        struct account_twice *t = out->n_twice < ACCOUNT_LIST_MAX ? &out->twice[out->n_twice] : NULL;
        out->n_twice++;
        for (size_t k = 0; t && k < n && k < ACCOUNT_LEAVES_MAX; k++)
            t->leaf[k] = a->unit[i + k].leaf;
        if (t) {
            t->n = n;
            mac_text(a->unit[i].mac, t->what);
        }
    }
}

/* ---- ends of attempts ------------------------------------------------------------------------------------------------- */

static int by_job(const void *x, const void *y)
{
    const struct ended *a = x, *b = y;
    int c = memcmp(a->job, b->job, sizeof a->job);
    return c ? c : a->leaf < b->leaf ? -1 : a->leaf > b->leaf;
}

/* The list keeps those that come first in the log. */
static void twice_ended(uint64_t first, uint64_t again, struct account_result *out)
{
    struct account_ended *at = out->ended_twice;
    if (out->n_ended_twice < ACCOUNT_LIST_MAX)
        at += out->n_ended_twice;
    else
        for (size_t i = 1; i < ACCOUNT_LIST_MAX; i++)
            if (out->ended_twice[i].again > at->again)
                at = &out->ended_twice[i];
    if (out->n_ended_twice++ < ACCOUNT_LIST_MAX || again < at->again)
        *at = (struct account_ended){first, again};
}

static void end_jobs(struct account *a, struct account_result *out)
{
    if (a->n_ended)
        qsort(a->ended, a->n_ended, sizeof *a->ended, by_job);
    for (size_t i = 1, first = 0; i < a->n_ended; i++) {
        if (memcmp(a->ended[i].job, a->ended[first].job, sizeof a->ended[i].job) == 0)
            twice_ended(a->ended[first].leaf, a->ended[i].leaf, out);
        else
            first = i;
    }
}

/* ---- serial numbers --------------------------------------------------------------------------------------------------- */

/* A serial number taken apart, for sorting: what stands in front of the digits at its end, how many they are, their value. */
struct number {
    const char *text;
    size_t front, digits;
    uint64_t value, mac, leaf;
};

static struct number number_of(const struct account *a, const struct serial *s)
{
    struct number n = {.text = a->pool + s->text, .mac = s->mac, .leaf = s->leaf};
    size_t len = strlen(n.text);
    while (n.digits < len && n.digits < 18 && n.text[len - 1 - n.digits] >= '0' && n.text[len - 1 - n.digits] <= '9')
        n.digits++;
    n.front = len - n.digits;
    n.value = n.digits ? strtoull(n.text + n.front, NULL, 10) : 0;
    return n;
}

static int same_front(const struct number *a, const struct number *b)
{
    int c = a->front == b->front ? memcmp(a->text, b->text, a->front) : a->front < b->front ? -1 : 1;
    return c ? c : a->digits < b->digits ? -1 : a->digits > b->digits;
}

static int by_number(const void *x, const void *y)
{
    const struct number *a = x, *b = y;
    int c = same_front(a, b);
    if (!c)
        c = a->value < b->value ? -1 : a->value > b->value;
    return c ? c : a->leaf < b->leaf ? -1 : a->leaf > b->leaf;
}

/* The number of a range with this value. */
static void number_text(const struct number *like, uint64_t value, char out[static ACCOUNT_SERIAL_TEXT])
{
    (void)snprintf(out, ACCOUNT_SERIAL_TEXT, "%.*s%0*" PRIu64, (int)like->front, like->text, (int)like->digits, value);
}

static void hole(struct account_range *r, const struct number *like, uint64_t from, uint64_t to)
{
    r->missing += to - from + 1;
    if (r->n_holes < ACCOUNT_HOLES_MAX) {
        number_text(like, from, r->hole[r->n_holes].first);
        number_text(like, to, r->hole[r->n_holes].last);
    }
    r->n_holes++;
}

/* One serial number, n times in the log: how many units had it? */
static void end_number(const struct number *list, size_t n, struct account_result *out)
{
    bool two = false;
    for (size_t i = 1; i < n; i++)
        two |= list[i].mac != list[0].mac;
    if (!two)
        return;
    struct account_twice *t = out->n_serials_twice < ACCOUNT_LIST_MAX ? &out->serials_twice[out->n_serials_twice] : NULL;
    out->n_serials_twice++;
    for (size_t i = 0; t && i < n && i < ACCOUNT_LEAVES_MAX; i++)
        t->leaf[i] = list[i].leaf;
    if (t) {
        t->n = n;
        (void)snprintf(t->what, sizeof t->what, "%s", list[0].text);
    }
}

/* Numbers of one range, sorted. Those without digits at their end are no range, but can come twice. */
static void end_range(const struct number *list, size_t n, struct account_result *out)
{
    struct account_range r = {.given = 0};
    for (size_t i = 0, k; i < n; i += k) {
        for (k = 1; i + k < n && list[i + k].value == list[i].value; k++)
            ;
        if (i && list[i].value > list[i - 1].value + 1)
            hole(&r, &list[i], list[i - 1].value + 1, list[i].value - 1);
        end_number(&list[i], k, out);
        r.given++;
    }
    if (!list[0].digits)
        return;
    number_text(&list[0], list[0].value, r.first);
    number_text(&list[0], list[n - 1].value, r.last);
    if (out->n_ranges < ACCOUNT_LIST_MAX)
        out->range[out->n_ranges] = r;
    out->n_ranges++;
}

static enum fl_err end_serials(struct account *a, struct account_result *out)
{
    struct number *list = a->n_serials ? malloc(a->n_serials * sizeof *list) : NULL;
    if (a->n_serials && !list)
        return FL_NOMEM;
    for (size_t i = 0; i < a->n_serials; i++)
        list[i] = number_of(a, &a->serial[i]);
    if (a->n_serials)
        qsort(list, a->n_serials, sizeof *list, by_number);
    for (size_t i = 0, n; i < a->n_serials; i += n) {
        /* where there are no digits, only the same text goes together */
        for (n = 1; i + n < a->n_serials && same_front(&list[i], &list[i + n]) == 0; n++)
            ;
        end_range(&list[i], n, out);
    }
    free(list);
    return FL_OK;
}

enum fl_err account_end(struct account *a, int64_t run, struct account_result *out)
{
    memset(out, 0, sizeof *out);
    end_units(a, out);
    end_jobs(a, out);
    for (size_t i = 0; i < a->n_open; i++) {
        if (run >= 0 && a->open[i].run == run)
            continue; /* under way */
        if (out->n_endless < ACCOUNT_LIST_MAX)
            out->endless[out->n_endless] = a->open[i].leaf;
        out->n_endless++;
    }
    return end_serials(a, out);
}
