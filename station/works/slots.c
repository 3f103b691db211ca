/* SPDX-License-Identifier: Apache-2.0 */
#include "works/slots.h"

#include "link/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_MAX = 999 };

/* ---- "usb:1-1.*", "usb:1-*" ---------------------------------------------------------------------------- */

/* All sockets of the hub at that place, or of the root hub of that bus. */
static bool is_hub(const char *port)
{
    size_t n = strlen(port);
    return strncmp(port, "usb:", 4) == 0 && n > 6 && (strcmp(port + n - 2, ".*") == 0 || strcmp(port + n - 2, "-*") == 0);
}

/* A slot like `from`, another number, another port. */
static bool add_slot(struct station_file *out, const struct station_slot *from, int number, const char *port)
{
    struct station_slot *s = realloc(out->slots, (out->n + 1) * sizeof *s);
    if (!s)
        return false;
    out->slots = s;
    s += out->n++;
    *s = (struct station_slot){.slot = number, .fixture = from->fixture, .port = strdup(port),
                               .reset = from->reset ? strdup(from->reset) : NULL,
                               .power_cycle = from->power_cycle ? strdup(from->power_cycle) : NULL};
    return s->port && !s->reset == !from->reset && !s->power_cycle == !from->power_cycle;
}

static enum fl_err take_hub_apart(const struct station_slot *from, struct station_file *out, struct fl_why *why)
{
    char hub[LINK_TEXT_MAX];
    link_place *places = NULL;
    size_t n = 0;
    (void)snprintf(hub, sizeof hub, "%.*s", (int)strlen(from->port + 4) - 2, from->port + 4);
    enum fl_err err = link_hub_places(hub, &places, &n, why);
    bool ok = !err;
    for (size_t i = 0; i < n && ok; i++) {
        char port[LINK_TEXT_MAX + 4];
        (void)snprintf(port, sizeof port, "usb:%s", places[i]);
        ok = add_slot(out, from, from->slot + (int)i, port);
    }
    free(places);
    if (err)
        return fl_why_wrap(why, FL_ARG, "slot %d: ", from->slot);
    return ok ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
}

static enum fl_err take_hubs_apart(struct station_file *s, struct fl_why *why)
{
    struct station_file whole = {.slots = s->slots, .n = s->n}; /* the slots as they were written */
    enum fl_err err = FL_OK;
    bool any = false;
    for (size_t i = 0; i < s->n; i++)
        any = any || is_hub(s->slots[i].port);
    if (!any)
        return FL_OK;
    s->slots = NULL;
    s->n = 0;
    for (size_t i = 0; i < whole.n && !err; i++) {
        const struct station_slot *slot = &whole.slots[i];
        if (is_hub(slot->port))
            err = take_hub_apart(slot, s, why);
        else if (!add_slot(s, slot, slot->slot, slot->port))
            err = fl_fail(why, FL_NOMEM, "out of memory");
    }
    station_file_fini(&whole);
    return err;
}

/* ---- what must hold ---------------------------------------------------------------------------------- */

static enum fl_err check(const struct station_file *s, struct fl_why *why)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct station_slot *a = &s->slots[i];
        if (link_url_check(a->port, why))
            return fl_why_wrap(why, FL_ARG, "slot %d: ", a->slot);
        if (a->slot > SLOT_MAX)
            return fl_fail(why, FL_ARG, "slot %d: numbers end at %d", a->slot, SLOT_MAX);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(a->port, s->slots[k].port) == 0)
                return fl_fail(why, FL_ARG, "the port %s is given twice", a->port);
            if (a->slot == s->slots[k].slot)
                return fl_fail(why, FL_ARG, "slot %d is both %s and %s", a->slot, s->slots[k].port, a->port);
        }
    }
    return FL_OK;
}

enum fl_err slots_resolve(struct station_file *s, struct fl_why *why)
{
    enum fl_err err = take_hubs_apart(s, why);
    return err ? err : check(s, why);
}
