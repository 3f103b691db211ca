/* SPDX-License-Identifier: Apache-2.0
 * How the station does: attempts, units, yields, faults, slots. */
#include "cli/cli.h"

#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>

static int run_report_summary(int argc, char **argv);

const struct cli_verb cmd_report_summary = {
    .name = "report summary",
    .line = "attempts, units, yields, faults, slots",
    .help =
        "usage: flashline report summary [--data DIR] [--format text|json]\n"
        "\n"
        "  first-pass yield   units whose first attempt was PASS, of all units; a unit counts once for each lot, and its\n"
        "                     first attempt stays its first for ever\n"
        "  second, third      units that passed at their second, third attempt at the latest\n"
        "  last-pass yield    units that passed at any attempt\n"
        "  does not count     ABORTED attempts, which the operator ended; FAIL, ERROR and INTERRUPTED count as not passing\n"
        "  faults             each unit by what its first failing attempt ended with, most frequent first; beside it, all\n"
        "                     attempts that ended so\n"
        "\n"
        "exit: 0 shown, 2 usage, 3 the records could not be read\n"
        "\n"
        "example:\n"
        "  flashline report summary --data /var/lib/flashline --format json | jq .first_pass_yield\n",
    .run = run_report_summary,
};

static enum fl_err write_summary(const struct report_summary *s, int format, struct fl_buf *out)
{
    if (format == CLI_TEXT_OUT)
        return report_summary_text(s, out);
    json_t *o = report_summary_json(s);
    char *text = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(8)) : NULL;
    if (text) {
        fl_buf_adds(out, text);
        fl_buf_addc(out, '\n');
    }
    free(text);
    json_decref(o);
    return text ? fl_buf_err(out, NULL) : FL_NOMEM;
}

static int summary(const char *data, int format)
{
    struct report *r = NULL;
    struct report_summary s = {.pareto = NULL};
    struct fl_why why = {0, ""};
    struct fl_buf out = FL_BUF(16u << 20);
    int code = CLI_OK;
    enum fl_err err = report_open(data, &r, &why);
    if (!err)
        err = report_summary(r, &s, &why);
    if (err)
        code = cli_fail(CLI_STATION, "%s", why.text);
    else if (write_summary(&s, format, &out) || fputs(fl_buf_text(&out), stdout) == EOF || fflush(stdout) != 0)
        code = cli_fail(CLI_STATION, "the summary could not be written out");
    fl_buf_fini(&out);
    report_summary_fini(&s);
    report_close(r);
    return code;
}

static int run_report_summary(int argc, char **argv)
{
    const char *data = NULL, *format = NULL;
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_report_summary, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_report_summary, "'%s' is not expected", argv[0]);
    if (cli_format(format) < 0)
        return cli_usage(&cmd_report_summary, "--format is text or json, not '%s'", format);
    char *dir = cli_data_dir(data);
    code = dir ? summary(dir, cli_format(format)) : cli_fail(CLI_STATION, "out of memory");
    free(dir);
    return code;
}
