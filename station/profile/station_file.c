/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/station_file.h"

#include "base/file.h"
#include "profile/settings.h"

#include <stdlib.h>
#include <string.h>

static void free_hook(struct profile_hook *h)
{
    for (size_t i = 0; h->argv[i]; i++)
        free((char *)(uintptr_t)h->argv[i]);
}

void station_file_fini(struct station_file *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->slots[i].port);
        free(s->slots[i].reset);
        free(s->slots[i].power_cycle);
    }
    free(s->scanner.port);
    for (int i = 0; i < STATION_PATTERNS; i++)
        free(s->scanner.patterns[i]);
    free(s->labels.printer);
    free(s->labels.template);
    free(s->labels.qr);
    free(s->anchor.url);
    free(s->anchor.ca);
    free_hook(&s->before);
    free_hook(&s->after);
    free(s->slots);
    free(s->station);
    memset(s, 0, sizeof *s);
}

static struct place place_in(const struct node *item, const char *key)
{
    const struct node *n = tree_get(item, key);
    return n ? n->at : item->at;
}

/* Each slot number and each port once. Slots in file order; `item` is the first one's node. */
static void check_once(const struct station_settings *s, const struct node *first, struct critic *c)
{
    const struct station_settings_slot *slots = s->slots.items;
    const struct node *item = first;
    for (size_t i = 0; i < s->slots.n; i++, item = item->next) {
        bool number_done = false, port_done = false;
        for (size_t k = 0; k < i; k++) {
            if (!number_done && slots[i].slot && slots[k].slot == slots[i].slot) {
                critic_problem(c, place_in(item, "slot"), "slot %u is here twice, expected each number once",
                               slots[i].slot);
                number_done = true;
            }
            if (!port_done && slots[i].port && slots[k].port && strcmp(slots[i].port, slots[k].port) == 0) {
                critic_problem(c, place_in(item, "port"),
                               "the port %s is that of slot %u already, expected each port once", slots[i].port, slots[k].slot);
                port_done = true;
            }
        }
    }
}

static bool copy(const char *from, char **to)
{
    if (from)
        *to = strdup(from);
    return !from || *to;
}

static bool copy_hook(const struct settings_hook *from, struct profile_hook *to)
{
    struct profile_hook h;
    settings_hook(from, &h);
    to->within_ms = h.within_ms;
    for (size_t i = 0; h.argv[i]; i++)
        if (!(to->argv[i] = strdup(h.argv[i])))
            return false;
    return true;
}

static bool copy_scanner(const struct station_settings *s, struct station_scanner *to)
{
    bool ok = copy(s->scanner.port, &to->port);
    to->baud = s->scanner.baud;
    for (int i = 0; i < STATION_PATTERNS; i++)
        ok = ok && copy(s->scanner.patterns[i], &to->patterns[i]);
    return ok;
}

static bool copy_labels(const struct station_settings *s, const char *path, struct station_labels *to)
{
    char *dir = s->labels.template ? fl_path_dir(path) : NULL;
    bool ok = copy(s->labels.printer, &to->printer) && copy(s->labels.qr, &to->qr) && (!s->labels.template || dir);
    if (ok && dir)
        ok = (to->template = fl_path_join(dir, s->labels.template)) != NULL;
    free(dir);
    return ok;
}

static bool copy_anchor(const struct station_settings *s, const char *path, struct station_anchor *to)
{
    char *dir = s->anchor.ca ? fl_path_dir(path) : NULL;
    bool ok = copy(s->anchor.url, &to->url) && (!s->anchor.ca || dir);
    if (ok && dir)
        ok = (to->ca = fl_path_join(dir, s->anchor.ca)) != NULL;
    to->minutes = s->anchor.minutes;
    free(dir);
    return ok;
}

static enum fl_err publish(const struct station_settings *s, const char *path, struct station_file *out)
{
    const struct station_settings_slot *slots = s->slots.items;
    out->slots = calloc(s->slots.n, sizeof *out->slots);
    if (!out->slots || !copy(s->station, &out->station) || !copy_hook(&s->before, &out->before) ||
        !copy_hook(&s->after, &out->after) || !copy_labels(s, path, &out->labels) ||
        !copy_anchor(s, path, &out->anchor) || !copy_scanner(s, &out->scanner))
        return FL_NOMEM;
    out->lots_required = s->lots == 1;
    for (; out->n < s->slots.n; out->n++) {
        struct station_slot *to = &out->slots[out->n];
        const struct station_settings_slot *from = &slots[out->n];
        to->slot = (int)from->slot;
        to->fixture = from->fixture;
        if (!copy(from->port, &to->port) || !copy(from->reset, &to->reset) ||
            !copy(from->power_cycle, &to->power_cycle)) {
            out->n++;
            return FL_NOMEM;
        }
    }
    return FL_OK;
}

enum fl_err station_file_load(const char *path, struct station_file *out, struct profile_problems *problems)
{
    struct profile_problems notes = {NULL, 0};
    struct critic c = {.path = path, .problems = problems, .notes = &notes};
    struct station_settings s = {0};
    struct fl_buf text = FL_BUF(TREE_BYTES_MAX);
    memset(out, 0, sizeof *out);
    struct node *tree = tree_load(path, station_keys, &text, &c);
    if (tree) {
        const struct node *list = tree_get(tree, "slots");
        schema_read(station_keys, tree, &s, &c);
        if (s.slots.n)
            check_once(&s, list->first, &c);
    }
    critic_sort(&c);
    enum fl_err err = c.err;
    if (!err)
        err = publish(&s, path, out);
    if (err)
        station_file_fini(out);
    free(s.slots.items);
    tree_free(tree);
    fl_buf_fini(&text);
    profile_problems_fini(&notes);
    return err;
}
