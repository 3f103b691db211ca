/* SPDX-License-Identifier: Apache-2.0
 * One unit's whole life; and the reverse: every unit of a lot, with an image, through a slot, a bridge, a program version. */
#include "cli/cli.h"

#include "report/recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_trace(int argc, char **argv);

const struct cli_verb cmd_trace = {
    .name = "trace",
    .line = "one unit's whole life; or all units of a lot, image, slot, bridge, program",
    .help =
        "usage: flashline trace MAC|SERIAL [--data DIR] [--format text|json|csv]\n"
        "       flashline trace [--lot NAME] [--image SHA256] [--slot N] [--bridge SERIAL] [--program VERSION]\n"
        "                       [--since T] [--until T] [--zone Z] [--data DIR] [--format text|json|csv]\n"
        "\n"
        "One unit: every attempt: when, in which slot, behind which bridge, how it ended and why, what was flashed (profile,\n"
        "images with their SHA-256), the rungs of recovery it needed, what was measured, what the board and the\n"
        "commands around it said, the leaves that prove it; labels, notes and dispositions.\n"
        "  MAC is 12 hex digits (or 16 of an EUI-64), with colons, dashes or nothing between, in either case.\n"
        "\n"
        "The reverse: every unit of which all that is asked holds, one line a unit and lot. This is the recall: in CSV (RFC\n"
        "4180) or JSON all of them, in text the first 200.\n"
        "  --image    64 hex digits, or the first 8 or more: units that received it, also where the attempt then failed\n"
        "  --since, --until   2026-11-22, 2026-11-22T08:30:15, or 24h, 7d ago, in --zone (UTC, local, +08:00)\n"
        "  newer      attempts of the unit after the one shown that may have changed it again\n"
        "\n"
        "exit: 0 found, 1 this station never saw it, 2 usage, 3 the records could not be read\n"
        "\n"
        "example:\n"
        "  flashline trace 24-6F-28-AA-BB-CC --data /var/lib/flashline\n"
        "  flashline trace --lot WO-17 --format csv >recall.csv\n"
        "  flashline trace --image d85f7321 --slot 7 --since 2026-11-20 --until 2026-11-21\n",
    .run = run_trace,
};

enum { CHUNK = 2000, SHOWN = 200 };

static bool put(struct fl_buf *b)
{
    bool ok = fl_buf_err(b, NULL) == FL_OK && fwrite(fl_buf_text(b), 1, b->len, stdout) == b->len;
    fl_buf_clear(b);
    return ok;
}

/* ---- one unit ------------------------------------------------------------------------------------------- */

static enum fl_err write_unit(json_t *trace, const char *format, struct fl_buf *out)
{
    if (strcmp(format, "text") == 0)
        return report_trace_text(trace, out);
    if (strcmp(format, "csv") == 0) {
        struct table *t = report_trace_table(trace);
        enum fl_err err = t ? table_write_csv(t, out) : FL_NOMEM;
        table_free(t);
        return err;
    }
    return fl_json_write(json_incref(trace), JSON_INDENT(2) | JSON_PRESERVE_ORDER, out);
}

static enum fl_err one_unit(struct report *r, const char *name, const char *format, struct fl_why *why)
{
    json_t *found = NULL;
    struct fl_buf out = FL_BUF(64u << 20);
    enum fl_err err = report_trace(r, name, &found, why);
    if (!err && (write_unit(found, format, &out) || !put(&out)))
        err = fl_fail(why, FL_IO, "the trace could not be written out");
    fl_buf_fini(&out);
    json_decref(found);
    return err;
}

/* ---- many ----------------------------------------------------------------------------------------------- */

static enum fl_err write_json(const struct table *t, bool first, struct fl_buf *out)
{
    json_t *rows = table_json(t), *row;
    size_t i;
    enum fl_err err = rows ? FL_OK : FL_NOMEM;
    json_array_foreach(rows, i, row) {
        char *text = json_dumps(row, JSON_COMPACT);
        err = text ? err : FL_NOMEM;
        fl_buf_addf(out, "%s\n%s", first && i == 0 ? "" : ",", text ? text : "");
        free(text);
    }
    json_decref(rows);
    return err ? err : fl_buf_err(out, NULL);
}

static enum fl_err write_rows(const struct table *t, const char *format, size_t before, struct fl_buf *out)
{
    if (strcmp(format, "json") == 0)
        return write_json(t, before == 0, out);
    if (strcmp(format, "csv") == 0)
        return before ? table_write_csv_rows(t, out) : table_write_csv(t, out);
    return before ? FL_OK : table_write_text(t, 0, out);
}

static enum fl_err many_units(struct report *r, const struct recall_query *q, const char *format, struct fl_why *why)
{
    struct recall *c;
    struct fl_buf out = FL_BUF(64u << 20);
    size_t n = 0, got = 1;
    bool json = strcmp(format, "json") == 0, text = strcmp(format, "text") == 0;
    enum fl_err err = recall_open(r, q, &c, why);
    if (err)
        return err;
    if (json)
        fl_buf_adds(&out, "{\"units\":[");
    while (!err && got) {
        struct table *t;
        err = recall_next(c, text && n == 0 ? SHOWN : CHUNK, &t, why);
        got = err ? 0 : table_rows(t);
        if (!err && (got || n == 0) && (write_rows(t, format, n, &out) || !put(&out)))
            err = fl_fail(why, FL_IO, "the units could not be written out");
        n += got;
        table_free(t);
    }
    if (json)
        fl_buf_addf(&out, "],\"count\":%zu}\n", n);
    if (text)
        fl_buf_addf(&out, "\n%zu unit%s%s\n", n, n == 1 ? "" : "s", n > SHOWN ? ", the first 200 shown: --format csv gives all" : "");
    if (!err && !put(&out))
        err = fl_fail(why, FL_IO, "the units could not be written out");
    fl_buf_fini(&out);
    recall_close(c);
    return err;
}

/* ---- the verb ------------------------------------------------------------------------------------------- */

static int trace(const char *data, const char *name, const struct recall_query *q, const char *format)
{
    struct report *r = NULL;
    struct fl_why why = {0, ""};
    int code = CLI_OK;
    enum fl_err err = report_open(data, &r, &why);
    if (err) {
        code = CLI_STATION;
    } else {
        err = name ? one_unit(r, name, format, &why) : many_units(r, q, format, &why);
        if (!err && fflush(stdout) != 0)
            err = fl_fail(&why, FL_IO, "the trace could not be written out");
        code = err == FL_ARG ? CLI_USAGE : err == FL_NOT_FOUND ? CLI_NOT_PASS : err ? CLI_STATION : CLI_OK;
    }
    if (code && !(ferror(stdout) && cli_reader_gone()))
        (void)cli_fail(code, "%s", why.text);
    report_close(r);
    return code;
}

static int run_trace(int argc, char **argv)
{
    const char *data = NULL, *format = "text";
    struct recall_query q = {.lot = NULL};
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {"lot", CLI_TEXT, &q.lot}, {"image", CLI_TEXT, &q.image},
        {"slot", CLI_TEXT, &q.slot}, {"bridge", CLI_TEXT, &q.bridge}, {"program", CLI_TEXT, &q.program}, {"since", CLI_TEXT, &q.since},
        {"until", CLI_TEXT, &q.until}, {"zone", CLI_TEXT, &q.zone}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_trace, options, &argc, &argv, &done);
    if (done)
        return code;
    bool reverse = q.lot || q.image || q.slot || q.bridge || q.program || q.since || q.until;
    if (argc > 1 || (argc && reverse))
        return cli_usage(&cmd_trace, reverse ? "a unit, or what units have in common, not both" : "one unit at a time");
    if (!argc && !reverse)
        return cli_usage(&cmd_trace, "which unit?");
    if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0 && strcmp(format, "csv") != 0)
        return cli_usage(&cmd_trace, "--format is text, json or csv, not '%s'", format);
    char *dir = cli_data_dir(data);
    code = dir ? trace(dir, argc ? argv[0] : NULL, &q, format) : cli_fail(CLI_STATION, "out of memory");
    free(dir);
    return code;
}
