/* SPDX-License-Identifier: Apache-2.0 */
#include "event/parcel.h"

#include "event/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum fl_err hang_on(struct event *e, struct parcel *p)
{
    struct parcel **end = &e->parcels;
    while (*end)
        end = &(*end)->next;
    *end = p;
    return FL_OK;
}

static bool put_text(char *to, size_t cap, const char *text)
{
    size_t n = strlen(text);
    if (n < cap)
        memcpy(to, text, n + 1);
    return n < cap;
}

enum fl_err event_parcel(struct event *e, const char *kind, const char *target, const char *job, const void *bytes, size_t n)
{
    struct parcel *p = calloc(1, sizeof *p);
    if (!p)
        return FL_NOMEM;
    bool ok = *kind && !(job && e && e->kind != EVENT_KIND_COUNT) && n <= PARCEL_BYTES_MAX && put_text(p->kind, sizeof p->kind, kind) &&
              put_text(p->target, sizeof p->target, target ? target : "") && put_text(p->job, sizeof p->job, job ? job : "");
    p->bytes = ok ? malloc(n + 1) : NULL;
    if (!p->bytes) {
        free(p);
        return ok ? FL_NOMEM : FL_ARG;
    }
    if (n)
        memcpy(p->bytes, bytes, n);
    p->n = n;
    return hang_on(e, p);
}

enum fl_err event_parcel_result(struct event *e, int64_t id, enum parcel_state state, int64_t next_ms, const char *why)
{
    struct parcel *p = id > 0 ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return id > 0 ? FL_NOMEM : FL_ARG;
    p->id = id;
    p->state = state;
    p->next_ms = next_ms;
    (void)snprintf(p->why, sizeof p->why, "%s", why ? why : "");
    return hang_on(e, p);
}

void parcels_free(struct parcel *p)
{
    while (p) {
        struct parcel *next = p->next;
        free(p->bytes);
        free(p);
        p = next;
    }
}

void parcel_job(int64_t leaf, char out[static PARCEL_JOB_MAX])
{
    (void)snprintf(out, PARCEL_JOB_MAX, "leaf:%lld", (long long)leaf);
}
