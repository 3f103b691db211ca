/* SPDX-License-Identifier: Apache-2.0 */
#include "event/board.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct board {
    pthread_mutex_t lock;   /* guards everything below; a leaf */
    struct tally *tally;
    size_t n;
    struct slot_view view[];
};

struct board *board_new(size_t slots)
{
    struct board *b = calloc(1, sizeof *b + slots * sizeof b->view[0]);
    if (!b)
        return NULL;
    b->n = slots;
    b->tally = tally_new();
    if (!b->tally || pthread_mutex_init(&b->lock, NULL) != 0) {
        tally_free(b->tally);
        free(b);
        return NULL;
    }
    for (size_t i = 0; i < slots; i++)
        b->view[i] = (struct slot_view){.step = "", .fault = "", .leaf = -1};
    return b;
}

void board_free(struct board *b)
{
    if (b) {
        (void)pthread_mutex_destroy(&b->lock);
        tally_free(b->tally);
        free(b);
    }
}

size_t board_slots(const struct board *b)
{
    return b->n;
}

struct tally *board_tally(const struct board *b)
{
    return b->tally;
}

void board_put(struct board *b, size_t i, const struct slot_view *v)
{
    (void)pthread_mutex_lock(&b->lock);
    struct slot_view *at = &b->view[i], old = *at;
    *at = *v;
    memcpy(at->said, old.said, sizeof at->said);
    at->said_ms = old.said_ms;
    at->refused = old.refused;
    at->changes = old.changes + 1;
    (void)pthread_mutex_unlock(&b->lock);
}

void board_say(struct board *b, int slot, bool refused, const char *text, uint64_t now_ms)
{
    (void)pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < b->n; i++) {
        struct slot_view *v = &b->view[i];
        if (slot < 1 || v->slot != slot)
            continue;
        (void)snprintf(v->said, sizeof v->said, "%s", text);
        fl_utf8_clean(v->said, false); /* a letter that was cut in two */
        v->said_ms = now_ms;
        v->refused = refused;
        v->changes++;
    }
    (void)pthread_mutex_unlock(&b->lock);
}

void board_progress(struct board *b, size_t i, uint64_t done, uint64_t total)
{
    (void)pthread_mutex_lock(&b->lock);
    b->view[i].done = done;
    b->view[i].total = total;
    b->view[i].changes++;
    (void)pthread_mutex_unlock(&b->lock);
}

void board_get(const struct board *b, size_t i, struct slot_view *out)
{
    pthread_mutex_t *lock = &((struct board *)(uintptr_t)b)->lock; /* reading is const to the caller */
    (void)pthread_mutex_lock(lock);
    *out = b->view[i];
    (void)pthread_mutex_unlock(lock);
}
