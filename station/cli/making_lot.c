/* SPDX-License-Identifier: Apache-2.0
 * The lot that is made: is it what the command line says? */
#include "cli/making.h"

#include "store/lots.h"

#include <string.h>

static bool pins(const json_t *lot, const struct profile *p)
{
    const json_t *list = json_object_get(lot, "profiles");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(fl_json_text(json_array_get(list, i), "hash"), p->hash) == 0)
            return true;
    return false;
}

enum fl_err making_lot_check(const char *data, const char *lot, const struct profile *const *profiles, size_t n, json_t **facts,
                             struct fl_why *why)
{
    json_t *lots = NULL;
    *facts = NULL;
    enum fl_err err = lots_read(data, lot, &lots, why);
    if (err)
        return err;
    json_t *l = json_array_get(lots, 0);
    if (strcmp(fl_json_text(l, "state"), "open") != 0)
        err = fl_fail(why, FL_REFUSED, "lot %s is %s", lot, strcmp(fl_json_text(l, "state"), "closed") == 0 ? "closed" : "not open");
    for (size_t i = 0; i < n && !err; i++)
        if (!pins(l, profiles[i]))
            err = fl_fail(why, FL_REFUSED, "lot %s was not opened with what %s is now: the profile or an image of it is another",
                          lot, profiles[i]->path);
    *facts = json_incref(l);
    json_decref(lots);
    return err;
}

int making_lot(const struct cli_verb *verb, const char *data, const char *lot, const struct profile *const *profiles, size_t n,
               uint64_t *planned, json_t **facts)
{
    struct fl_why why = {0, ""};
    enum fl_err err = making_lot_check(data, lot, profiles, n, facts, &why);
    *planned = (uint64_t)fl_json_int(*facts, "planned", 0);
    if (err == FL_ARG)
        return cli_usage(verb, "%s: flashline lot open makes one", why.text);
    return !err ? CLI_OK : err == FL_REFUSED ? cli_usage(verb, "%s", why.text) : cli_fail(CLI_STATION, "%s", why.text);
}
