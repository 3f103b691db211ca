/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/telling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int telling_open(struct telling *t, const struct cli_verb *verb)
{
    struct fl_why why = {0, ""};
    if (cli_format(t->format) < 0)
        return cli_usage(verb, "--format is text or json, not '%s'", t->format);
    int code = cli_secret(t->credential, t->passphrase_fd, &t->passphrase);
    if (code)
        return code;
    t->dir = cli_data_dir(t->data);
    if (!t->dir)
        return cli_fail(CLI_STATION, "out of memory");
    const struct tell_config c = {.data = t->dir, .passphrase = t->passphrase, .signer_apart = true};
    return tell_open(&c, &t->teller, &why) ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}

int telling_event(struct telling *t, enum event_kind kind, json_t *body, int64_t *leaf)
{
    struct fl_why why = {0, ""};
    if (body && t->operator_id && kind != EVENT_PROFILE && /* a profile is the same whoever brings it */
        fl_json_set_dirty(body, "operator", t->operator_id, strlen(t->operator_id)) != FL_OK) {
        json_decref(body);
        body = NULL;
    }
    if (!body)
        return cli_fail(CLI_STATION, "out of memory");
    enum fl_err err = tell_event(t->teller, kind, body, leaf, &why);
    return !err ? CLI_OK : cli_fail(err == FL_REFUSED || err == FL_FORMAT ? CLI_USAGE : CLI_STATION, "%s", why.text);
}

void telling_close(struct telling *t)
{
    tell_close(t->teller);
    cli_passphrase_free(t->passphrase);
    free(t->dir);
}

int telling_say(const struct telling *t, json_t *o, int64_t leaf, const char *fmt, ...)
{
    int code = CLI_OK;
    if (cli_format(t->format) == CLI_JSON_OUT) {
        if (!o || json_object_set_new(o, "leaf", json_integer(leaf)) != 0 || json_dumpf(o, stdout, JSON_COMPACT) != 0)
            code = CLI_STATION;
        putchar('\n');
    } else {
        va_list ap;
        va_start(ap, fmt);
        cli_vfprint(stdout, fmt, ap);
        va_end(ap);
        cli_print(" (leaf %lld)\n", (long long)leaf);
    }
    json_decref(o);
    return fflush(stdout) != 0 ? cli_fail(CLI_STATION, "the result could not be written out") : code;
}
