/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/slots.h"

#include "link/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_MAX = 999 };

static int from_file(const char *path, struct station_file *out)
{
    struct profile_problems problems = {0};
    int code = station_file_load(path, out, &problems) ? CLI_USAGE : CLI_OK;
    for (size_t i = 0; i < problems.n; i++)
        fprintf(stderr, "%s\n", problems.list[i].text);
    profile_problems_fini(&problems);
    return code;
}

static int from_ports(const struct cli_list *ports, struct station_file *out)
{
    out->slots = calloc(ports->n + 1, sizeof *out->slots);
    if (!out->slots)
        return cli_fail(CLI_STATION, "out of memory");
    for (size_t i = 0; i < ports->n; i++, out->n++) {
        out->slots[i].slot = (int)i + 1;
        out->slots[i].port = strdup(ports->items[i]);
        if (!out->slots[i].port)
            return cli_fail(CLI_STATION, "out of memory");
    }
    return CLI_OK;
}

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

static int take_hub_apart(const struct cli_verb *verb, const struct station_slot *from, struct station_file *out)
{
    char hub[LINK_TEXT_MAX];
    struct fl_why why = {0};
    link_place *places = NULL;
    size_t n = 0;
    (void)snprintf(hub, sizeof hub, "%.*s", (int)strlen(from->port + 4) - 2, from->port + 4);
    enum fl_err err = link_hub_places(hub, &places, &n, &why);
    bool ok = !err;
    for (size_t i = 0; i < n && ok; i++) {
        char port[LINK_TEXT_MAX + 4];
        (void)snprintf(port, sizeof port, "usb:%s", places[i]);
        ok = add_slot(out, from, from->slot + (int)i, port);
    }
    free(places);
    if (err)
        return cli_usage(verb, "slot %d: %s", from->slot, why.text);
    return ok ? CLI_OK : cli_fail(CLI_STATION, "out of memory");
}

static int take_hubs_apart(const struct cli_verb *verb, struct station_file *s)
{
    struct station_file whole = {.slots = s->slots, .n = s->n}; /* the slots as they were written */
    int code = CLI_OK;
    bool any = false;
    for (size_t i = 0; i < s->n; i++)
        any = any || is_hub(s->slots[i].port);
    if (!any)
        return CLI_OK;
    s->slots = NULL;
    s->n = 0;
    for (size_t i = 0; i < whole.n && !code; i++) {
        const struct station_slot *slot = &whole.slots[i];
        if (is_hub(slot->port))
            code = take_hub_apart(verb, slot, s);
        else if (!add_slot(s, slot, slot->slot, slot->port))
            code = cli_fail(CLI_STATION, "out of memory");
    }
    station_file_fini(&whole);
    return code;
}

/* ---- what must hold ---------------------------------------------------------------------------------- */

static int check(const struct cli_verb *verb, const struct station_file *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct fl_why why = {0};
        const struct station_slot *a = &s->slots[i];
        if (link_url_check(a->port, &why))
            return cli_usage(verb, "slot %d: %s", a->slot, why.text);
        if (a->slot > SLOT_MAX)
            return cli_usage(verb, "slot %d: numbers end at %d", a->slot, SLOT_MAX);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(a->port, s->slots[k].port) == 0)
                return cli_usage(verb, "the port %s is given twice", a->port);
            if (a->slot == s->slots[k].slot)
                return cli_usage(verb, "slot %d is both %s and %s", a->slot, s->slots[k].port, a->port);
        }
    }
    return CLI_OK;
}

int cli_slots_load(const struct cli_verb *verb, const char *path, const struct cli_list *ports,
                   struct station_file *out)
{
    int code = path ? from_file(path, out) : from_ports(ports, out);
    if (!code)
        code = take_hubs_apart(verb, out);
    return code ? code : check(verb, out);
}
