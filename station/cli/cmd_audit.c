/* SPDX-License-Identifier: Apache-2.0
 * The whole log verified from its first record, and every table against it. Reads only. */
#include "cli/cli.h"

#include "cli/audit_words.h"
#include "record/check.h"

#include <stdio.h>
#include <stdlib.h>

static int run_audit(int argc, char **argv);

const struct cli_verb cmd_audit = {
    .name = "audit",
    .line = "verify the whole signed log and every table against it",
    .help =
        "usage: flashline audit [options]\n"
        "\n"
        "  --data DIR          the station's folder or a copy of it (default $XDG_DATA_HOME/flashline). Nothing is\n"
        "                      written; a station may be at work in it\n"
        "  --key VKEY          the verifier key, from paper. Without it the station's own is used, which proves less:\n"
        "                      whoever replaced the whole folder replaced that too\n"
        "  --head FILE         a signed head of this log kept elsewhere; repeat for more. The only way to see that a log\n"
        "                      was cut off at its end or put back\n"
        "  --log-only          leave the tables out\n"
        "  --format text|json\n"
        "\n"
        "Checked are: the database file and its schema; every record's bytes, form, place, time; the stored tree; the root\n"
        "under every signed head and its signature; the heads kept elsewhere; every row of every table against what the\n"
        "records say. When something is wrong: the first bad record, what was done as far as can be told, and the newest\n"
        "head that can still be trusted.\n"
        "\n"
        "exit: 0 all is right, 2 usage, 3 it could not be read; else what is wrong: 10 changed, 11 missing, 12 order, 13 form,\n"
        "14 foreign, 15 time, 16 copy, 17 node, 18 root, 19 signature, 20 key, 21 unsigned, 22 rollback, 23 fork, 24 rows,\n"
        "25 schema, 26 database, 27 proof, 28 malformed, 29 witness, 30 token (station/audit/README.md explains each)\n"
        "\n"
        "example:\n"
        "  flashline audit --data /mnt/copy --key line-3-a.example+991df877+AQOh... --head last-month.checkpoint\n",
    .run = run_audit,
};

static int audit(const struct check_config *c, int format)
{
    struct fl_why why = {0, ""};
    struct check_result *result = malloc(sizeof *result);
    if (!result)
        return cli_fail(CLI_STATION, "out of memory");
    enum fl_err err = check_folder(c, result, &why);
    int code = CLI_OK;
    if (err)
        code = cli_fail(err == FL_FORMAT && c->vkey ? CLI_USAGE : CLI_STATION, "%s", why.text);
    else if (format == CLI_JSON_OUT ? audit_print_json(c->data, result) : audit_print_text(c->data, result))
        code = cli_fail(CLI_STATION, "the verdict could not be written out");
    else
        code = audit_class_exit(result->report.verdict);
    free(result);
    return code;
}

static int run_audit(int argc, char **argv)
{
    const char *data = NULL, *format = NULL;
    struct check_config c = {.data = NULL};
    struct cli_list heads = {NULL, 0, 0};
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &data},          {"key", CLI_TEXT, &c.vkey},     {"head", CLI_LIST, &heads},
        {"log-only", CLI_FLAG, &c.log_only}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL},
    };
    int code = cli_options(&cmd_audit, options, &argc, &argv, &done);
    if (!done && argc)
        code = cli_usage(&cmd_audit, "'%s' is not expected", argv[0]);
    else if (!done && cli_format(format) < 0)
        code = cli_usage(&cmd_audit, "--format is text or json, not '%s'", format);
    else if (!done) {
        char *dir = cli_data_dir(data);
        c.data = dir;
        c.heads = heads.items;
        c.n_heads = heads.n;
        code = dir ? audit(&c, cli_format(format)) : cli_fail(CLI_STATION, "out of memory");
        free(dir);
    }
    free(heads.items);
    return code;
}
