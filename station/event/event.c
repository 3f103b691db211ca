/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
#define X(id, name, outside) name,
    EVENT_KINDS(X)
#undef X
};

static const bool kind_outside[] = {
#define X(id, name, outside) outside,
    EVENT_KINDS(X)
#undef X
};

bool event_kind_outside(enum event_kind k)
{
    return (size_t)k < EVENT_KIND_COUNT && kind_outside[k];
}

const char *event_kind_name(enum event_kind k)
{
    return (size_t)k < EVENT_KIND_COUNT ? kind_names[k] : "?";
}

bool event_kind_parse(const char *name, enum event_kind *out)
{
    for (size_t i = 0; i < EVENT_KIND_COUNT; i++)
        if (strcmp(kind_names[i], name) == 0) {
            *out = (enum event_kind)i;
            return true;
        }
    return false;
}

enum fl_err event_job(char out[static EVENT_JOB_TEXT])
{
    uint8_t r[16];
    char hex[33];
    uint64_t ms = (uint64_t)fl_wall_ms();
    if (RAND_bytes(r + 6, sizeof r - 6) != 1)
        return FL_IO;
    /* RFC 9562, version 7: the time in front keeps the index over jobs growing at its end, where a random one
     * would touch another page of it for every record */
    for (int i = 0; i < 6; i++)
        r[i] = (uint8_t)(ms >> (40 - 8 * i));
    r[6] = (uint8_t)((r[6] & 0x0f) | 0x70);
    r[8] = (uint8_t)((r[8] & 0x3f) | 0x80); /* variant 10 */
    fl_hex(r, sizeof r, hex);
    (void)snprintf(out, EVENT_JOB_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                   hex + 20);
    return FL_OK;
}

/* ---- tickets ------------------------------------------------------------------------------------ */

enum fl_err event_ticket_init(struct event_ticket *t)
{
    memset(t, 0, sizeof *t);
    t->leaf = -1;
    t->fault = "";
    if (pthread_mutex_init(&t->lock, NULL) != 0)
        return FL_NOMEM;
    enum fl_err err = fl_cond_init(&t->answered);
    if (err)
        (void)pthread_mutex_destroy(&t->lock);
    return err;
}

void event_ticket_fini(struct event_ticket *t)
{
    (void)pthread_cond_destroy(&t->answered);
    (void)pthread_mutex_destroy(&t->lock);
}

void event_ticket_reset(struct event_ticket *t)
{
    (void)pthread_mutex_lock(&t->lock);
    t->done = false;
    t->err = FL_OK;
    t->leaf = -1;
    t->fault = "";
    (void)pthread_mutex_unlock(&t->lock);
}

static void answer(struct event_ticket *t, enum fl_err err, int64_t leaf, const char *fault, const struct fl_why *why)
{
    (void)pthread_mutex_lock(&t->lock);
    t->done = true;
    t->err = err;
    t->leaf = leaf;
    t->fault = fault;
    if (why)
        t->why = *why;
    /* under the lock: the maker may free the ticket as soon as it sees `done` */
    (void)pthread_cond_broadcast(&t->answered);
    (void)pthread_mutex_unlock(&t->lock);
}

void event_ticket_answer(struct event_ticket *t, enum fl_err err, int64_t leaf, const struct fl_why *why)
{
    answer(t, err, leaf, "", why);
}

void event_ticket_refuse(struct event_ticket *t, const char *fault, const struct fl_why *why)
{
    answer(t, FL_REFUSED, -1, fault, why);
}

const char *event_ticket_fault(struct event_ticket *t)
{
    (void)pthread_mutex_lock(&t->lock);
    const char *fault = t->done && t->err == FL_REFUSED ? t->fault : "";
    (void)pthread_mutex_unlock(&t->lock);
    return fault;
}

enum fl_err event_ticket_wait(struct event_ticket *t, struct fl_deadline d, int64_t *leaf,
                              struct fl_why *why)
{
    enum fl_err err = FL_TIMEOUT;
    (void)pthread_mutex_lock(&t->lock);
    while (!t->done)
        if (!fl_cond_wait(&t->answered, &t->lock, d) && fl_deadline_passed(d))
            break;
    if (t->done) {
        err = t->err;
        if (leaf)
            *leaf = t->leaf;
        if (err && why)
            *why = t->why;
    } else {
        (void)fl_fail(why, FL_TIMEOUT, "the recorder gave no answer in time");
    }
    (void)pthread_mutex_unlock(&t->lock);
    return err;
}

/* ---- events ------------------------------------------------------------------------------------- */

struct event *event_new(enum event_kind kind, json_t *body, struct event_ticket *t)
{
    struct event *e = body ? malloc(sizeof *e) : NULL;
    if (!e) {
        json_decref(body);
        return NULL;
    }
    *e = (struct event){.kind = kind, .body = body, .ticket = t};
    return e;
}

struct event *event_leafless(struct event_ticket *t)
{
    struct event *e = malloc(sizeof *e);
    if (e)
        *e = (struct event){.kind = EVENT_KIND_COUNT, .ticket = t};
    return e;
}

void event_free(struct event *e)
{
    if (e) {
        json_decref(e->body);
        parcels_free(e->parcels);
        free(e);
    }
}

/* ---- to the recorder ---------------------------------------------------------------------------- */

json_t *event_with_job(json_t *body)
{
    char job[EVENT_JOB_TEXT];
    if (body && !json_object_get(body, "job") && (event_job(job) || json_object_set_new(body, "job", json_string(job)) != 0)) {
        json_decref(body);
        return NULL;
    }
    return body;
}

enum fl_err event_put(struct fl_queue *facts, struct event *e, struct fl_deadline room, struct fl_why *why)
{
    enum fl_err err = e ? fl_queue_put(facts, e, room) : FL_NOMEM;
    if (!err)
        return FL_OK;
    event_free(e);
    return fl_fail(why, err, "%s", fl_err_text(err));
}

enum fl_err event_tell(struct fl_queue *facts, struct event *e, struct fl_deadline room, int64_t *leaf, struct fl_why *why)
{
    struct event_ticket t;
    if (!e || event_ticket_init(&t)) {
        event_free(e);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    e->ticket = &t;
    enum fl_err err = event_put(facts, e, room, why);
    if (!err)
        err = event_ticket_wait(&t, fl_deadline_never(), leaf, why);
    event_ticket_fini(&t);
    return err;
}

/* ---- MAC text ----------------------------------------------------------------------------------- */

void event_mac_format(const uint8_t *mac, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        fl_hex(mac + i, 1, out + 3 * i);
        out[3 * i + 2] = i + 1 < n ? ':' : 0;
    }
}

size_t event_mac_parse(const char *text, uint8_t out[static 8])
{
    char hex[17];
    size_t n = 0;
    char separator = 0;
    for (size_t i = 0; text[i]; i++) {
        char c = text[i];
        if (c == ':' || c == '-') {
            /* only between bytes, and the same one everywhere */
            if (n == 0 || n % 2 || text[i + 1] == 0 || (separator && separator != c) ||
                i != n + n / 2 - 1)
                return 0;
            separator = c;
            continue;
        }
        if (n == 16 || (separator && n % 2 == 0 && text[i - 1] != separator))
            return 0;
        hex[n++] = c;
    }
    hex[n] = 0;
    size_t bytes = n / 2;
    return (n == 12 || n == 16) && fl_unhex(hex, out, bytes) ? bytes : 0;
}
