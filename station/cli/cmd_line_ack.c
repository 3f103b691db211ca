/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/telling.h"

#include <limits.h>

#define LINE UINT_MAX /* no slot: the line itself */

static int run_ack(int argc, char **argv);

const struct cli_verb cmd_line_ack = {
    .name = "line ack",
    .line = "reopen a line or slot that a rule of the lot stopped",
    .help =
        "usage: flashline line ack --operator ID --why TEXT [--slot N] [options]\n"
        "\n"
        "  --operator ID       the engineer who answers for it\n"
        "  --why TEXT          what was found and done\n"
        "  --slot N            reopen this slot (without it: the line)\n"
        "  --data DIR          the station's folder; a flashline may be at work in it\n"
        "  --passphrase-fd N   read the key's passphrase from this descriptor (needed when none is at work)\n"
        "  --credential NAME   or from this systemd credential\n"
        "  --format text|json\n"
        "\n"
        "Both are recorded. From then on its rules count from nothing.\n"
        "\n"
        "exit: 0 reopened, 2 usage, or it is not stopped, 3 the station failed\n"
        "\n"
        "example:\n"
        "  flashline line ack --operator eva --why \"hub 2 replaced\"\n",
    .run = run_ack,
};

/* The line at work records it and goes on at once; without one it is recorded for the next start. */
static int reopen(struct telling *t, unsigned slot, const char *reason)
{
    struct fl_why why = {0, ""};
    json_t *b = json_pack("{ss,ss}", "operator", t->operator_id, "why", reason), *answer = NULL;
    int64_t leaf = -1;
    int code = CLI_OK;
    if (!b || (slot != LINE && json_object_set_new(b, "slot", json_integer(slot)) != 0)) {
        json_decref(b);
        return cli_fail(CLI_STATION, "out of memory");
    }
    if (tell_at_work(t->teller)) {
        enum fl_err err = tell_ask(t->dir, "reopen", b, &answer, &why);
        leaf = fl_json_int(answer, "leaf", -1);
        json_decref(answer);
        if (err)
            code = cli_fail(err == FL_REFUSED || err == FL_FORMAT ? CLI_USAGE : CLI_STATION, "%s", why.text);
    } else {
        code = telling_event(t, EVENT_LINE_REOPEN, b, &leaf);
    }
    if (code)
        return code;
    return slot != LINE ? telling_say(t, json_pack("{sI}", "slot", (json_int_t)slot), leaf, "slot %u is open again", slot)
                : telling_say(t, json_object(), leaf, "the line is open again");
}

static int run_ack(int argc, char **argv)
{
    struct telling t = TELLING_INIT;
    const char *reason = NULL;
    unsigned slot = LINE;
    const struct cli_opt table[] = {TELLING_OPTIONS(t), {"why", CLI_WORDS, &reason}, {"slot", CLI_UINT, &slot},
                                    {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_line_ack, table, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_line_ack, "'%s' is one word too many", argv[0]);
    if (!slot)
        return cli_usage(&cmd_line_ack, "slots are numbered from 1; without --slot it is the line");
    if (!t.operator_id || !reason)
        return cli_usage(&cmd_line_ack, "--operator and --why say who answers for it, and why");
    code = telling_open(&t, &cmd_line_ack);
    if (!code)
        code = reopen(&t, slot, reason);
    telling_close(&t);
    return code;
}
