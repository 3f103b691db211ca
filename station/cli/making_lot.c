/* SPDX-License-Identifier: Apache-2.0
 * The lot that is made: is it what the command line says? */
#include "cli/making.h"

#include "record/lots.h"

#include <string.h>

static bool pins(const json_t *lot, const struct profile *p)
{
    const json_t *list = json_object_get(lot, "profiles");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(fl_json_text(json_array_get(list, i), "hash"), p->hash) == 0)
            return true;
    return false;
}

int making_lot(const struct cli_verb *verb, const char *data, const char *lot, const struct profile *const *profiles, size_t n,
               uint64_t *planned, json_t **facts)
{
    json_t *lots = NULL;
    struct fl_why why = {0, ""};
    int code = CLI_OK;
    enum fl_err err = lots_read(data, lot, &lots, &why);
    if (err == FL_ARG)
        return cli_usage(verb, "%s: flashline lot open makes one", why.text);
    if (err)
        return cli_fail(CLI_STATION, "%s", why.text);
    const json_t *l = json_array_get(lots, 0);
    if (strcmp(fl_json_text(l, "state"), "open") != 0)
        code = cli_usage(verb, "lot %s is %s", lot, strcmp(fl_json_text(l, "state"), "closed") == 0 ? "closed" : "not open");
    for (size_t i = 0; i < n && !code; i++)
        if (!pins(l, profiles[i]))
            code = cli_usage(verb, "lot %s was not opened with what %s is now: the profile or an image of it is another", lot,
                             profiles[i]->path);
    *planned = (uint64_t)fl_json_int(l, "planned", 0);
    *facts = json_incref((json_t *)(uintptr_t)l);
    json_decref(lots);
    return code;
}
