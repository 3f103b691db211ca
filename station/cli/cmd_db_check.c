/* SPDX-License-Identifier: Apache-2.0
 * The database: file, schema, log, and every row against the leaves. */
#include "cli/cli.h"

#include "cli/audit_words.h"
#include "cli/signer_look.h"
#include "store/db.h"

#include <stdio.h>
#include <stdlib.h>

static int run_check(int argc, char **argv);

const struct cli_verb cmd_db_check = {
    .name = "db check",
    .line = "the database: file, schema, log, every row against the records",
    .help =
        "usage: flashline db check [--data DIR] [--format text|json]\n"
        "\n"
        "Reads only; a flashline may be at work there. Rows that are wrong are made anew by flashline db rebuild. Whether the\n"
        "records themselves are what was signed is better asked with a key from outside: flashline audit --key.\n"
        "\n"
        "exit: 0 all is well, 1 something was found, 2 usage, 3 it could not be read\n"
        "\n"
        "example:\n"
        "  flashline db check --data /var/lib/flashline\n",
    .run = run_check,
};

static void print_text(const char *data, const struct check_result *r)
{
    const struct audit_report *a = &r->report;
    size_t n = a->n_findings < AUDIT_FINDINGS_MAX ? a->n_findings : AUDIT_FINDINGS_MAX;
    cli_print("folder       %s\nrecords      %llu\n", data, (unsigned long long)a->leaves);
    if (r->rows_checked)
        cli_print("rows         %llu compared\n", (unsigned long long)r->rows);
    else
        puts("rows         not compared: the database is of an older version, or too damaged; a station that starts brings an\n"
             "             older one up to date");
    for (size_t i = 0; i < n; i++)
        cli_print("%-12s %s\n", audit_class_name(a->finding[i].class), a->finding[i].text);
    puts(a->verdict == AUDIT_GOOD ? "all is well" : "NOT well");
}

static int check(const char *data, int format)
{
    struct check_result *r = malloc(sizeof *r);
    struct fl_why why = {0, ""};
    struct remembered *signer = cli_signer_look(data);
    const struct check_config c = {.data = data, .signer = signer};
    if (!r) {
        free(signer);
        return cli_fail(CLI_STATION, "out of memory");
    }
    int code = CLI_OK;
    if (check_folder(&c, r, &why))
        code = cli_fail(CLI_STATION, "%s", why.text);
    else if (format == CLI_JSON_OUT && audit_print_json(data, r) != FL_OK)
        code = cli_fail(CLI_STATION, "the result could not be written out");
    else if (format != CLI_JSON_OUT)
        print_text(data, r);
    if (!code && r->report.verdict != AUDIT_GOOD)
        code = CLI_NOT_PASS;
    free(r);
    free(signer);
    return fflush(stdout) == 0 ? code : cli_fail(CLI_STATION, "the result could not be written out");
}

static int run_check(int argc, char **argv)
{
    const char *data = NULL, *format = NULL;
    const struct cli_opt options[] = {{"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_db_check, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_db_check, "'%s' is not expected", argv[0]);
    if (cli_format(format) < 0)
        return cli_usage(&cmd_db_check, "--format is text or json, not '%s'", format);
    char *dir = cli_data_dir(data);
    code = dir ? check(dir, cli_format(format)) : cli_fail(CLI_STATION, "out of memory");
    free(dir);
    return code;
}
