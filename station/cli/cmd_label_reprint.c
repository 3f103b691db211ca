/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/telling.h"
#include "lineside/labels.h"

static int run_reprint(int argc, char **argv);

const struct cli_verb cmd_label_reprint = {
    .name = "label reprint",
    .line = "print a unit's newest label once more, for the record",
    .help =
        "usage: flashline label reprint MAC [options]\n"
        "\n"
        TELLING_HELP
        "\n"
        "The same bytes go to the same printer. That it was printed again, when and by whom is recorded. A line at work prints\n"
        "it; without one it is sent from here, with all labels that wait. A printer that is off gets it from the next line.\n"
        "\n"
        "exit: 0 recorded, and printed or waiting for its printer; 2 usage, or the unit never had a label; 3 the station failed\n"
        "\n"
        "example:\n"
        "  flashline label reprint 24:6f:28:aa:bb:cc --operator eva\n",
    .run = run_reprint,
};

static int said(enum fl_err err, const struct fl_why *why)
{
    return cli_fail(err == FL_ARG || err == FL_REFUSED ? CLI_USAGE : CLI_STATION, "%s", why->text);
}

/* The line at work has the printer. */
static int ask_the_line(const struct telling *t, const char *mac)
{
    struct fl_why why = {0, ""};
    json_t *answer = NULL;
    json_t *request = json_pack("{ss,ss}", "mac", mac, "operator", t->operator_id ? t->operator_id : "");
    enum fl_err err = request ? tell_ask(t->dir, "reprint", request, &answer, &why) : fl_fail(&why, FL_NOMEM, "out of memory");
    int64_t leaf = fl_json_int(answer, "leaf", -1);
    json_decref(answer);
    return err ? said(err, &why)
               : telling_say(t, json_pack("{ss}", "mac", mac), leaf, "the label of %s goes to its printer again", mac);
}

/* Nobody has it: it is sent from here. */
static int print_here(const struct telling *t, const char *mac)
{
    struct fl_why why = {0, ""};
    struct recorder *r = tell_recorder(t->teller);
    struct labels *labels = NULL;
    int64_t leaf = -1;
    bool gone = false;
    enum fl_err err = labels_reprint(t->dir, r, mac, t->operator_id ? t->operator_id : "", &leaf, &why);
    if (!err)
        err = labels_send(t->dir, r, &labels, &why);
    if (!err)
        err = labels_gone(labels, leaf, &gone, &why);
    labels_close(labels);
    if (err)
        return said(err, &why);
    json_t *o = json_pack("{ss,sb}", "mac", mac, "printed", gone);
    return gone ? telling_say(t, o, leaf, "the label of %s is printed again", mac)
                : telling_say(t, o, leaf, "the label of %s waits: its printer does not take it now", mac);
}

static int run_reprint(int argc, char **argv)
{
    struct telling t = TELLING_INIT;
    const struct cli_opt table[] = {TELLING_OPTIONS(t), {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_label_reprint, table, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 1)
        return cli_usage(&cmd_label_reprint, "which unit? One MAC");
    code = telling_open(&t, &cmd_label_reprint);
    if (!code)
        code = tell_at_work(t.teller) ? ask_the_line(&t, argv[0]) : print_here(&t, argv[0]);
    telling_close(&t);
    return code;
}
