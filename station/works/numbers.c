/* SPDX-License-Identifier: Apache-2.0 */
#include "works/numbers.h"

#include "base/grow.h"
#include "line/serial.h"

#include <stdlib.h>
#include <string.h>

struct owned { /* who has a number; only where a lot lets a unit in again */
    uint8_t mac[6];
    char serial[SERIAL_TEXT_MAX];
};

struct numbers {
    struct line_serials serials;
    const char *template, *lot;
    bool again;
    pthread_mutex_t lock; /* guards the rest */
    uint64_t next;        /* counter of the next new number */
    char (*returned)[SERIAL_TEXT_MAX];
    size_t n_returned, cap_returned;
    struct owned *owned;
    size_t n_owned, cap_owned;
};

/* Without memory a number is not given again: a gap, never a number twice. */
static void give_back(struct numbers *n, const char *serial)
{
    void *list = fl_grow(n->returned, n->n_returned, 1, &n->cap_returned, sizeof *n->returned);
    if (!list)
        return;
    n->returned = list;
    (void)snprintf(n->returned[n->n_returned++], SERIAL_TEXT_MAX, "%s", serial);
}

static void own(struct numbers *n, const uint8_t *mac, const char *serial)
{
    struct owned *o = n->again ? fl_grow(n->owned, n->n_owned, 1, &n->cap_owned, sizeof *o) : NULL;
    if (!o)
        return;
    n->owned = o;
    o += n->n_owned++;
    memcpy(o->mac, mac, 6);
    (void)snprintf(o->serial, sizeof o->serial, "%s", serial);
}

static const char *owned_by(const struct numbers *n, const uint8_t *mac)
{
    for (size_t i = n->n_owned; i > 0; i--)
        if (memcmp(n->owned[i - 1].mac, mac, 6) == 0)
            return n->owned[i - 1].serial;
    return NULL;
}

void numbers_past(void *numbers, const struct line_past_serial *p)
{
    struct numbers *n = numbers;
    uint64_t counter;
    if (!serial_counter(n->template, n->lot, p->serial, &counter))
        return;
    if (counter >= n->next)
        n->next = counter + 1;
    if (p->returned)
        give_back(n, p->serial);
    else if (p->confirmed && p->has_mac && strcmp(p->lot, n->lot) == 0)
        own(n, p->mac, p->serial);
}

static enum fl_err take(void *ctx, int slot, const uint8_t mac[static 6], char out[static ATTEMPT_TEXT_MAX], struct fl_why *why)
{
    struct numbers *n = ctx;
    enum fl_err err = FL_OK;
    (void)slot;
    (void)pthread_mutex_lock(&n->lock);
    const char *own_one = owned_by(n, mac);
    if (own_one)
        (void)snprintf(out, ATTEMPT_TEXT_MAX, "%s", own_one);
    else if (n->n_returned)
        (void)snprintf(out, ATTEMPT_TEXT_MAX, "%s", n->returned[--n->n_returned]);
    else
        err = serial_format(n->template, n->next++, n->lot, fl_wall_ms(), out);
    (void)pthread_mutex_unlock(&n->lock);
    return err ? fl_fail(why, err, "the serial number from '%s' is too long", n->template) : FL_OK;
}

/* Only the records know whether a refused start left the number with another unit: such a one is not asked for again. */
static void done(void *ctx, const struct attempt_facts *f)
{
    struct numbers *n = ctx;
    uint64_t counter;
    if (!serial_counter(n->template, n->lot, f->serial, &counter))
        return; /* scanned by hand */
    (void)pthread_mutex_lock(&n->lock);
    if (f->outcome == OUTCOME_PASS)
        own(n, f->mac, f->serial);
    else if (strcmp(f->fault, "serial.used") != 0 && !owned_by(n, f->mac))
        give_back(n, f->serial);
    (void)pthread_mutex_unlock(&n->lock);
}

struct numbers *numbers_new(const struct rules_set *rules, const char *lot, bool again)
{
    struct numbers *n = calloc(1, sizeof *n);
    if (!n || pthread_mutex_init(&n->lock, NULL) != 0) {
        free(n);
        return NULL;
    }
    n->serials = (struct line_serials){.take = take, .done = done, .ctx = n};
    n->template = rules->serial;
    n->next = rules->serial_first;
    n->lot = lot;
    n->again = again;
    return n;
}

void numbers_free(struct numbers *n)
{
    if (!n)
        return;
    (void)pthread_mutex_destroy(&n->lock);
    free(n->returned);
    free(n->owned);
    free(n);
}

const struct line_serials *numbers_serials(const struct numbers *n)
{
    return &n->serials;
}
