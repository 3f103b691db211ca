/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/wire.h"

#include "base/grow.h"

#include <stdlib.h>
#include <string.h>

static uint64_t byte_time(uint32_t baud, size_t k)
{
    return (uint64_t)k * 10u * 1000000000u / baud;
}

void sim_wire_fini(struct sim_wire *w)
{
    free(w->bytes);
    free(w->run);
    memset(w, 0, sizeof *w);
}

void sim_wire_clear(struct sim_wire *w, uint64_t now)
{
    w->head = w->len = w->run_head = w->runs = 0;
    w->free_at = now;
}

static bool make_room(struct sim_wire *w, size_t n)
{
    if (w->head + w->len + n <= w->cap)
        return true;
    if (w->head > 0) {
        memmove(w->bytes, w->bytes + w->head, w->len);
        w->head = 0;
    }
    if (w->len + n > SIM_WIRE_MAX)
        return false;
    if (w->len + n > w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 512;
        while (cap < w->len + n)
            cap *= 2;
        uint8_t *bytes = realloc(w->bytes, cap);
        if (!bytes)
            return false;
        w->bytes = bytes;
        w->cap = cap;
    }
    return true;
}

static struct sim_run *new_run(struct sim_wire *w)
{
    if (w->run_head > 0 && w->run_head + w->runs == w->run_cap) {
        memmove(w->run, w->run + w->run_head, w->runs * sizeof *w->run);
        w->run_head = 0;
    }
    struct sim_run *run = fl_grow(w->run, w->run_head + w->runs, 1, &w->run_cap, sizeof *run);
    if (!run)
        return NULL;
    w->run = run;
    return &w->run[w->run_head + w->runs++];
}

void sim_wire_put(struct sim_wire *w, uint64_t now, uint32_t baud, bool paced, const uint8_t *bytes,
                  size_t n)
{
    if (n == 0)
        return;
    if (!make_room(w, n)) {
        w->lost = true;
        return;
    }
    uint64_t start = paced && w->free_at > now ? w->free_at : now;
    struct sim_run *last = w->runs ? &w->run[w->run_head + w->runs - 1] : NULL;
    bool same = last && last->baud == baud && last->paced == paced &&
                (paced ? start == w->free_at : last->start == now);
    if (!same) {
        if (!(last = new_run(w))) {
            w->lost = true;
            return;
        }
        *last = (struct sim_run){.start = start, .baud = baud, .paced = paced};
    }
    memcpy(w->bytes + w->head + w->len, bytes, n);
    w->len += n;
    last->n += n;
    w->free_at = paced ? last->start + byte_time(baud, last->n) : now;
}

const struct sim_run *sim_wire_run(const struct sim_wire *w)
{
    return w->runs ? &w->run[w->run_head] : NULL;
}

const uint8_t *sim_wire_bytes(const struct sim_wire *w)
{
    return w->bytes + w->head;
}

uint64_t sim_wire_arrival(const struct sim_run *r, size_t k)
{
    return r->paced ? r->start + byte_time(r->baud, r->sent + k) : r->start;
}

size_t sim_wire_arrived(const struct sim_run *r, uint64_t now)
{
    size_t left = r->n - r->sent, k;
    if (now < r->start)
        return 0;
    if (!r->paced)
        return left;
    uint64_t done = (now - r->start) / 10u * r->baud / 1000000000u; /* at most one byte off */
    k = done > r->sent ? (size_t)(done - r->sent) : 0;
    if (k > left)
        k = left;
    while (k < left && sim_wire_arrival(r, k + 1) <= now)
        k++;
    while (k > 0 && sim_wire_arrival(r, k) > now)
        k--;
    return k;
}

void sim_wire_take(struct sim_wire *w, size_t n)
{
    struct sim_run *r = &w->run[w->run_head];
    r->sent += n;
    w->head += n;
    w->len -= n;
    if (r->sent == r->n) {
        w->run_head++;
        w->runs--;
    }
    if (w->len == 0)
        w->head = w->run_head = 0;
}

bool sim_wire_goes_on(const struct sim_wire *w)
{
    if (w->runs < 2)
        return false;
    const struct sim_run *r = &w->run[w->run_head];
    return r[1].start == (r->paced ? r->start + byte_time(r->baud, r->n) : r->start);
}
