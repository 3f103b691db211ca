/* SPDX-License-Identifier: Apache-2.0
 * One unit's whole life. */
#include "cli/cli.h"

#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_trace(int argc, char **argv);

const struct cli_verb cmd_trace = {
    .name = "trace",
    .line = "one unit's whole life, by its MAC",
    .help =
        "usage: flashline trace MAC [--data DIR] [--format text|json|csv]\n"
        "\n"
        "  MAC is 12 hex digits (or 16 of an EUI-64), with colons, dashes or nothing between, in either case.\n"
        "\n"
        "Prints every attempt: when, in which slot, behind which bridge, how it ended and why, what was flashed (profile,\n"
        "images with their SHA-256), the rungs of recovery it needed, and the leaves that prove it.\n"
        "\n"
        "exit: 0 found, 1 this station never saw the unit, 2 usage or no MAC, 3 the records could not be read\n"
        "\n"
        "example:\n"
        "  flashline trace 24-6F-28-AA-BB-CC --data /var/lib/flashline\n",
    .run = run_trace,
};

static enum fl_err write_trace(const json_t *trace, const char *format, struct fl_buf *out)
{
    if (strcmp(format, "text") == 0)
        return report_trace_text(trace, out);
    if (strcmp(format, "csv") == 0) {
        struct table *t = report_trace_table(trace);
        enum fl_err err = t ? table_write_csv(t, out) : FL_NOMEM;
        table_free(t);
        return err;
    }
    char *s = json_dumps(trace, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (s) {
        fl_buf_adds(out, s);
        fl_buf_addc(out, '\n');
    }
    free(s);
    return s ? fl_buf_err(out, NULL) : FL_NOMEM;
}

static int trace(const char *data, const char *mac, const char *format)
{
    struct report *r = NULL;
    json_t *found = NULL;
    struct fl_why why = {0, ""};
    struct fl_buf out = FL_BUF(64u << 20);
    int code = CLI_OK;
    enum fl_err err = report_open(data, &r, &why);
    if (err) {
        code = CLI_STATION;
    } else {
        err = report_trace(r, mac, &found, &why);
        code = err == FL_ARG ? CLI_USAGE : err == FL_NOT_FOUND ? CLI_NOT_PASS : err ? CLI_STATION : CLI_OK;
    }
    if (code) {
        (void)cli_fail(code, "%s", why.text);
    } else if (write_trace(found, format, &out) || fputs(fl_buf_text(&out), stdout) == EOF || fflush(stdout) != 0) {
        code = cli_fail(CLI_STATION, "the trace could not be written out");
    }
    fl_buf_fini(&out);
    json_decref(found);
    report_close(r);
    return code;
}

static int run_trace(int argc, char **argv)
{
    const char *data = NULL, *format = "text";
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_trace, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 1)
        return cli_usage(&cmd_trace, argc ? "one MAC at a time" : "which MAC?");
    if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0 && strcmp(format, "csv") != 0)
        return cli_usage(&cmd_trace, "--format is text, json or csv, not '%s'", format);
    char *dir = cli_data_dir(data);
    code = dir ? trace(dir, argv[0], format) : cli_fail(CLI_STATION, "out of memory");
    free(dir);
    return code;
}
