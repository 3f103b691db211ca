/* SPDX-License-Identifier: Apache-2.0 */
#include "line/desk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct desk {
    pthread_mutex_t lock; /* guards the rest */
    char who[ATTEMPT_TEXT_MAX];
    int picked; /* slot that was scanned last; 0 none */
    uint64_t picked_ms;
    size_t n;
    struct {
        int slot;
        char serial[ATTEMPT_TEXT_MAX];
    } of[];
};

struct desk *desk_new(const char *operator_id, const int *slots, size_t n_slots)
{
    struct desk *d = calloc(1, sizeof *d + n_slots * sizeof d->of[0]);
    if (d && pthread_mutex_init(&d->lock, NULL) != 0) {
        free(d);
        return NULL;
    }
    if (!d)
        return NULL;
    (void)snprintf(d->who, sizeof d->who, "%s", operator_id ? operator_id : "");
    d->n = n_slots;
    for (size_t i = 0; i < n_slots; i++)
        d->of[i].slot = slots[i];
    return d;
}

void desk_free(struct desk *d)
{
    if (d)
        (void)pthread_mutex_destroy(&d->lock);
    free(d);
}

static size_t place(const struct desk *d, int slot)
{
    size_t i = 0;
    while (i < d->n && d->of[i].slot != slot)
        i++;
    return i;
}

enum fl_err desk_operator(struct desk *d, const char *name, struct fl_why *said)
{
    (void)pthread_mutex_lock(&d->lock);
    (void)snprintf(d->who, sizeof d->who, "%s", name);
    (void)pthread_mutex_unlock(&d->lock);
    return fl_fail(said, FL_OK, "%s stands at the line", name);
}

enum fl_err desk_slot(struct desk *d, const char *number, uint64_t now_ms, int *concerns, struct fl_why *said)
{
    char *end;
    long v = strtol(number, &end, 10);
    int slot = *end || v < 1 || v > DESK_SLOT_MAX ? 0 : (int)v;
    enum fl_err err = FL_OK;
    (void)pthread_mutex_lock(&d->lock);
    if (!slot || place(d, slot) == d->n) {
        err = fl_fail(said, FL_NOT_FOUND, "there is no slot '%s' here: nothing is done", number);
    } else {
        d->picked = *concerns = slot;
        d->picked_ms = now_ms;
    }
    (void)pthread_mutex_unlock(&d->lock);
    return err ? err : fl_fail(said, FL_OK, "slot %d: now its serial number", slot);
}

static int waits_for_locked(const struct desk *d, uint64_t now_ms)
{
    bool picked = d->picked && now_ms - d->picked_ms <= DESK_SLOT_MS;
    return picked ? d->picked : d->n == 1 ? d->of[0].slot : 0;
}

int desk_waits_for(struct desk *d, uint64_t now_ms)
{
    (void)pthread_mutex_lock(&d->lock);
    int slot = waits_for_locked(d, now_ms);
    (void)pthread_mutex_unlock(&d->lock);
    return slot;
}

enum fl_err desk_serial(struct desk *d, const char *serial, uint64_t now_ms, int *concerns, struct fl_why *said)
{
    enum fl_err err = FL_OK;
    (void)pthread_mutex_lock(&d->lock);
    int slot = waits_for_locked(d, now_ms), taken = 0;
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->of[i].serial, serial) == 0)
            taken = d->of[i].slot;
    if (taken && taken != slot)
        err = fl_fail(said, FL_EXISTS, "'%s' waits for slot %d already: nothing is done", serial, taken);
    else if (!slot)
        err = fl_fail(said, FL_STATE, "'%s' is for which slot? Scan the slot first: nothing is done", serial);
    else
        (void)snprintf(d->of[place(d, slot)].serial, ATTEMPT_TEXT_MAX, "%s", serial);
    d->picked = 0;
    *concerns = slot ? slot : taken ? taken : *concerns;
    (void)pthread_mutex_unlock(&d->lock);
    return err ? err : fl_fail(said, FL_OK, "'%s' is for the next unit in slot %d", serial, slot);
}

void desk_who(struct desk *d, char out[static ATTEMPT_TEXT_MAX])
{
    (void)pthread_mutex_lock(&d->lock);
    memcpy(out, d->who, sizeof d->who);
    (void)pthread_mutex_unlock(&d->lock);
}

void desk_number(struct desk *d, int slot, char out[static ATTEMPT_TEXT_MAX])
{
    (void)pthread_mutex_lock(&d->lock);
    size_t i = place(d, slot);
    (void)snprintf(out, ATTEMPT_TEXT_MAX, "%s", i < d->n ? d->of[i].serial : "");
    (void)pthread_mutex_unlock(&d->lock);
}

void desk_forget(struct desk *d, int slot, const char *serial)
{
    (void)pthread_mutex_lock(&d->lock);
    size_t i = place(d, slot);
    if (i < d->n && strcmp(d->of[i].serial, serial) == 0)
        d->of[i].serial[0] = 0;
    (void)pthread_mutex_unlock(&d->lock);
}
