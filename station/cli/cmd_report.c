/* SPDX-License-Identifier: Apache-2.0
 * How the station does: the reports of station/report/specs.c, as text, CSV, JSON or HTML. */
#include "cli/cli.h"

#include "report/report.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 1000 };
#define NOT_SAID UINT_MAX

static int run_report(int argc, char **argv);

const struct cli_verb cmd_report = {
    .name = "report",
    .line = "yields, faults, slots, throughput, lots, shifts, and who is guilty",
    .help =
        "usage: flashline report NAME [--data DIR] [--format text|csv|json|html] [--part PART] [filters]\n"
        "\n"
        "  summary     attempts, units, yields, steps, faults, slots\n"
        "  yield       first, second, third and last pass, retests, recovery, with intervals   (by day)\n"
        "  pareto      each unit by its first failing attempt, and where                       (by slot)\n"
        "  slots       slots beside each other; one that is worse than the others is flagged\n"
        "  throughput  units an hour, cycle, flash and handling time                           (by day)\n"
        "  faults      all attempts that did not pass, by fault and step, and who acts\n"
        "  units       units one by one, newest first                                          (--limit 1000)\n"
        "  lot         lots: times, yields, planned and still open\n"
        "  shift       shifts: times, yields, units an hour\n"
        "  blame       who is guilty: unit, slot, bridge, lot, image or hour, or nobody\n"
        "\n"
        "filters:\n"
        "  --lot NAME, --product NAME, --slot N, --bridge VID:PID\n"
        "  --since T, --until T   by when an attempt began: 2026-11-22, 2026-11-22T08:12:30, or 24h, 7d ago: exactly there\n"
        "  --group-by             hour, shift, day, lot, slot, bridge, profile or none: for yield, pareto, throughput\n"
        "  --zone                 UTC (unless told otherwise), local, or an offset such as +08:00\n"
        "  --shifts               when they begin, any minute: 06:15,14:15,22:15 (unless told otherwise 06:00,14:00,22:00);\n"
        "                         for the report shift and --group-by shift\n"
        "  --limit N              rows of units; 0: all\n"
        "\n"
        "  first-pass yield   units whose first attempt was PASS, of all units; a unit counts once for each lot, and its\n"
        "                     first attempt stays its first for ever\n"
        "  last-pass yield    units that passed at any attempt\n"
        "  does not count     ABORTED attempts, golden samples, known-bad samples and dry runs; FAIL, ERROR and INTERRUPTED count\n"
        "                     as not passing\n"
        "  from, to           95 % Wilson interval: where the yield may really lie\n"
        "\n"
        "CSV (RFC 4180) holds the first table, or the one that --part names (for example yield, steps, facts). HTML is one file\n"
        "with its charts inside: it needs no network and prints on A4.\n"
        "\n"
        "exit: 0 shown, 2 usage, or a lot, slot or time that is none, 3 the records could not be read or contradict themselves\n"
        "\n"
        "example:\n"
        "  flashline report summary --format json | jq .first_pass_yield\n"
        "  flashline report yield --lot WO-17 --group-by hour --since 2026-11-22\n"
        "  flashline report blame --since 7d\n"
        "  flashline report shift --zone local --format html >shifts.html\n",
    .run = run_report,
};

static enum fl_err write_sheet(const struct sheet *s, const char *format, const char *part, struct fl_buf *out)
{
    if (strcmp(format, "text") == 0)
        return sheet_text(s, out);
    if (strcmp(format, "csv") == 0)
        return sheet_csv(s, part, out);
    if (strcmp(format, "html") == 0)
        return sheet_html(s, out);
    return fl_json_write(sheet_json(s), JSON_INDENT(2) | JSON_REAL_PRECISION(TABLE_DIGITS), out);
}

static int write_out(const struct sheet *s, const char *format, const char *part)
{
    struct fl_buf out = FL_BUF(1u << 30);
    int code = CLI_OK;
    enum fl_err err = write_sheet(s, format, part, &out);
    if (err == FL_NOT_FOUND)
        code = cli_fail(CLI_USAGE, "the report %s has no part '%s'", s->name, part);
    else if (err || fwrite(fl_buf_text(&out), 1, out.len, stdout) != out.len || fflush(stdout) != 0)
        code = !err && cli_reader_gone() ? CLI_STATION : cli_fail(CLI_STATION, "the report could not be written out");
    fl_buf_fini(&out);
    return code;
}

static int report(const char *data, const char *name, const struct report_query *q, const char *format, const char *part)
{
    struct report *r = NULL;
    struct sheet s;
    struct fl_why why = {0, ""};
    enum fl_err err = report_open(data, &r, &why);
    int code = err ? CLI_STATION : CLI_OK;
    if (!err) {
        err = report_run(r, name, q, &s, &why);
        code = err == FL_ARG || err == FL_NOT_FOUND ? CLI_USAGE : err ? CLI_STATION : CLI_OK;
    }
    if (code) {
        (void)cli_fail(code, "%s", why.text);
    } else {
        code = write_out(&s, format, part);
        sheet_fini(&s);
    }
    report_close(r);
    return code;
}

static bool is_report(const char *name)
{
    const char *known;
    for (size_t i = 0; report_spec_line(i, &known); i++)
        if (strcmp(known, name) == 0)
            return true;
    return false;
}

static int run_report(int argc, char **argv)
{
    const char *data = NULL, *format = "text", *part = NULL;
    struct report_query q = {.limit = 0};
    unsigned limit = NOT_SAID;
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {"part", CLI_TEXT, &part}, {"lot", CLI_TEXT, &q.lot},
        {"product", CLI_TEXT, &q.product}, {"slot", CLI_TEXT, &q.slot}, {"bridge", CLI_TEXT, &q.bridge}, {"since", CLI_TEXT, &q.since},
        {"until", CLI_TEXT, &q.until}, {"group-by", CLI_TEXT, &q.group_by}, {"zone", CLI_TEXT, &q.zone}, {"shifts", CLI_TEXT, &q.shifts},
        {"limit", CLI_UINT, &limit}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_report, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 1)
        return cli_usage(&cmd_report, argc ? "one report at a time" : "which report?");
    if (!is_report(argv[0]))
        return cli_usage(&cmd_report, "there is no report '%s'", argv[0]);
    if (limit != NOT_SAID && strcmp(argv[0], "units") != 0)
        return cli_usage(&cmd_report, "--limit is for the report units: every other one is shown whole");
    if (q.shifts && strcmp(argv[0], "shift") != 0 && !(q.group_by && strcmp(q.group_by, "shift") == 0))
        return cli_usage(&cmd_report, "--shifts is for what is grouped by shift: the report shift, or --group-by shift");
    q.limit = limit != NOT_SAID ? limit : UNITS;
    if (strcmp(format, "text") != 0 && strcmp(format, "csv") != 0 && strcmp(format, "json") != 0 && strcmp(format, "html") != 0)
        return cli_usage(&cmd_report, "--format is text, csv, json or html, not '%s'", format);
    if (part && strcmp(format, "csv") != 0)
        return cli_usage(&cmd_report, "--part is for CSV, which holds one table");
    char *dir = cli_data_dir(data);
    code = dir ? report(dir, argv[0], &q, format, part) : cli_fail(CLI_STATION, "out of memory");
    free(dir);
    return code;
}
