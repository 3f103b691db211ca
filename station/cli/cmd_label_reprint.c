/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/telling.h"

static int run_reprint(int argc, char **argv);

const struct cli_verb cmd_label_reprint = {
    .name = "label reprint",
    .line = "print a unit's newest label once more, for the record",
    .help =
        "usage: flashline label reprint MAC [--operator ID] [--data DIR] [--format text|json]\n"
        "\n"
        "  --operator ID       who asks for it\n"
        "  --data DIR          the folder of the station at work (`flashline run` prints)\n"
        "  --format text|json\n"
        "\n"
        "The same bytes go to the same printer. That it was printed again, when and by whom is recorded.\n"
        "\n"
        "exit: 0 recorded, and on its way to the printer; 2 usage, or the unit never had a label; 3 no line is at work\n"
        "\n"
        "example:\n"
        "  flashline label reprint 24:6f:28:aa:bb:cc --operator eva\n",
    .run = run_reprint,
};

static int run_reprint(int argc, char **argv)
{
    struct telling t = TELLING_INIT;
    const struct cli_opt table[] = {TELLING_OPTIONS(t), {NULL, CLI_FLAG, NULL}};
    struct fl_why why = {0, ""};
    json_t *answer = NULL;
    bool done;
    int code = cli_options(&cmd_label_reprint, table, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 1)
        return cli_usage(&cmd_label_reprint, "which unit? One MAC");
    if (cli_format(t.format) < 0)
        return cli_usage(&cmd_label_reprint, "--format is text or json, not '%s'", t.format);
    t.dir = cli_data_dir(t.data);
    json_t *request = json_pack("{ss,ss}", "mac", argv[0], "operator", t.operator_id ? t.operator_id : "");
    if (!t.dir || !request) {
        json_decref(request);
        code = cli_fail(CLI_STATION, "out of memory");
    } else {
        enum fl_err err = tell_ask(t.dir, "reprint", request, &answer, &why);
        if (err)
            code = cli_fail(err == FL_ARG || err == FL_REFUSED ? CLI_USAGE : CLI_STATION, "%s", why.text);
        else
            code = telling_say(&t, json_pack("{ss}", "mac", argv[0]), fl_json_int(answer, "leaf", -1),
                               "the label of %s is printed again", argv[0]);
    }
    json_decref(answer);
    telling_close(&t);
    return code;
}
