/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/telling.h"

#include <stdio.h>
#include <stdlib.h>

static int run_scan(int argc, char **argv);

const struct cli_verb cmd_scan = {
    .name = "scan",
    .line = "hand a code to the line at work, as if its scanner had read it",
    .help =
        "usage: flashline scan CODE [--data DIR]\n"
        "\n"
        "  --data DIR          the folder of the station at work\n"
        "\n"
        "What a code means (operator, lot, serial number, slot) the patterns under `scanner` in the station file say. A\n"
        "code that fits nothing, or two of them, does nothing.\n"
        "\n"
        "exit: 0 done; 2 nothing was done, the sentence says why; 3 no line is at work\n"
        "\n"
        "example:\n"
        "  flashline scan OP-eva\n",
    .run = run_scan,
};

static int run_scan(int argc, char **argv)
{
    const char *data = NULL;
    const struct cli_opt table[] = {{"data", CLI_TEXT, &data}, {NULL, CLI_FLAG, NULL}};
    struct fl_why why = {0, ""};
    json_t *answer = NULL;
    bool done;
    int code = cli_options(&cmd_scan, table, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 1)
        return cli_usage(&cmd_scan, "one code");
    if (!cli_is_words(argv[0]))
        return cli_usage(&cmd_scan, "a code is text in UTF-8");
    char *dir = cli_data_dir(data);
    if (!dir)
        return cli_fail(CLI_STATION, "out of memory");
    enum fl_err err = tell_ask(dir, "scan", json_pack("{ss}", "code", argv[0]), &answer, &why);
    if (err)
        code = cli_fail(err == FL_REFUSED || err == FL_FORMAT ? CLI_USAGE : CLI_STATION, "%s", why.text);
    else
        cli_print("%s\n", fl_json_text(answer, "said"));
    json_decref(answer);
    free(dir);
    return code;
}
