/* SPDX-License-Identifier: Apache-2.0
 * A unit's life as people read it, and as a table: both from what report_trace found. */
#include "report/report.h"

#include "base/utf8.h"
#include "event/fault.h"
#include "report/table.h"

#include <stdlib.h>
#include <string.h>

/* ---- text ------------------------------------------------------------------------------------------------- */

/* What somebody or some board said: on one line, and nothing that a terminal would obey. */
static void said(struct fl_buf *b, const char *text)
{
    char *copy = strdup(text);
    if (copy)
        fl_utf8_clean(copy, false);
    fl_buf_adds(b, copy ? copy : "");
    free(copy);
}

/* The same with its lines kept, each under the one before. */
static void said_lines(struct fl_buf *b, const char *label, const char *text)
{
    char *copy = strdup(text), *rest = copy, *line;
    while (copy && (line = strsep(&rest, "\n")))
        if (*line) {
            fl_utf8_clean(line, false);
            fl_buf_addf(b, "  %-8s %s\n", label, line);
            label = "";
        }
    free(copy);
}

static void member(struct fl_buf *b, const char *label, const json_t *o, const char *key, const char *after)
{
    const json_t *v = json_object_get(o, key);
    if (json_is_integer(v))
        fl_buf_addf(b, "%s%lld%s", label, (long long)json_integer_value(v), after);
    else if (json_is_string(v) && *json_string_value(v)) {
        fl_buf_adds(b, label);
        said(b, json_string_value(v));
        fl_buf_adds(b, after);
    }
}

static void head_line(const json_t *a, struct fl_buf *b)
{
    const char *fault = fl_json_text(a, "fault");
    const struct fault *f = fault_find(fault);
    fl_buf_addf(b, "\n%s  slot %lld  %s", fl_json_text(a, "start"), (long long)fl_json_int(a, "slot", 0), fl_json_text(a, "outcome"));
    if (*fault)
        fl_buf_addf(b, " %s", fault);
    if (f)
        fl_buf_addf(b, " (%s)", f->what);
    fl_buf_adds(b, "\n");
}

static void where_lines(const json_t *a, struct fl_buf *b)
{
    member(b, "  attempt  number ", a, "number", "");
    member(b, json_object_get(a, "number") ? ", lot " : "  attempt  lot ", a, "lot", "");
    member(b, json_object_get(a, "number") ? ", " : "  attempt  ", a, "ms", " ms");
    member(b, ", operator ", a, "operator", "");
    member(b, ", does not count: ", a, "purpose", "");
    member(b, ", serial number ", a, "serial", "");
    member(b, ", leaf ", a, "leaf", "");
    member(b, " (started by leaf ", a, "start_leaf", ")");
    member(b, "\n  port     ", a, "port", "");
    member(b, ", bridge ", a, "bridge", "");
    member(b, " ", a, "bridge_serial", "");
    member(b, " (", a, "bridge_product", ")");
    member(b, ", driver ", a, "bridge_driver", "");
    member(b, ", latency timer ", a, "latency_ms", " ms");
    if (json_is_integer(json_object_get(a, "low_latency")))
        fl_buf_adds(b, fl_json_int(a, "low_latency", 0) ? ", low latency" : ", no low-latency mode");
    member(b, "\n  stopped  at step ", a, "step", "");
    member(b, "\n  why      ", a, "why", "");
    member(b, "\n  profile  ", a, "profile", "");
    member(b, " ", a, "profile_version", "");
    member(b, " ", a, "profile_hash", "");
    member(b, "\n  loader   ", a, "loader", "");
    member(b, ", ", a, "baud", " baud");
    member(b, ", ", a, "plain_bytes", " bytes of image");
    member(b, ", ", a, "bytes_out", " sent");
    member(b, ", ", a, "tries", fl_json_int(a, "tries", 1) == 1 ? " try" : " tries");
    fl_buf_adds(b, "\n");
}

/* What the line did: how often, and to blocks of which length at which speed. */
static void damage_lines(const json_t *a, struct fl_buf *b)
{
    static const struct {
        const char *key, *label;
    } parts[] = {{"refused", "refused as damaged"}, {"lost", "of them with bytes missing"}, {"changed", "with bytes changed"},
                 {"silent", "not answered"}, {"cut", "answers damaged"}};
    const json_t *e;
    size_t i;
    json_array_foreach(json_object_get(a, "damage"), i, e) {
        const char *sep = "  line     ";
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
            long long n = fl_json_int(e, parts[k].key, 0);
            if (n)
                fl_buf_addf(b, "%s%lld %s", sep, n, parts[k].label);
            sep = n ? ", " : sep;
        }
        fl_buf_addc(b, '\n');
    }
    json_array_foreach(json_object_get(a, "blocks"), i, e)
        fl_buf_addf(b, "  blocks   at %lld baud, up to %lld bytes: %lld of %lld refused\n", (long long)fl_json_int(e, "baud", 0),
                    (long long)fl_json_int(e, "bytes", 0), (long long)fl_json_int(e, "refused", 0),
                    (long long)fl_json_int(e, "sent", 0));
}

static void list_lines(const json_t *a, struct fl_buf *b)
{
    const json_t *e;
    size_t i;
    json_array_foreach(json_object_get(a, "images"), i, e) {
        fl_buf_addf(b, "  image    0x%06llx ", (unsigned long long)fl_json_int(e, "offset", 0));
        said(b, fl_json_text(e, "file"));
        fl_buf_addf(b, ", %lld bytes, sha256 %s\n", (long long)fl_json_int(e, "size", 0), fl_json_text(e, "sha256"));
    }
    json_array_foreach(json_object_get(a, "rungs"), i, e)
        fl_buf_addf(b, "  rung     %s x%lld%s%s because of %s (%lld)\n", fl_json_text(e, "rung"), (long long)fl_json_int(e, "count", 0),
                    *fl_json_text(e, "step") ? " in " : "", fl_json_text(e, "step"), fl_json_text(e, "cause"), (long long)fl_json_int(e, "value", 0));
    damage_lines(a, b);
    json_array_foreach(json_object_get(a, "regions"), i, e) {
        const char *found = fl_json_text(e, "md5_found"), *want = fl_json_text(e, "md5_expected");
        fl_buf_addf(b, "  region   0x%06llx %lld bytes %s, md5 %s", (unsigned long long)fl_json_int(e, "offset", 0),
                    (long long)fl_json_int(e, "size", 0), fl_json_text(e, "state"), want);
        if (*found && strcmp(found, want) != 0)
            fl_buf_addf(b, ", found %s", found);
        fl_buf_adds(b, "\n");
    }
    json_array_foreach(json_object_get(a, "measures"), i, e) {
        fl_buf_adds(b, "  measured ");
        said(b, fl_json_text(e, "name"));
        fl_buf_addf(b, " = %.12g", json_number_value(json_object_get(e, "value")));
        member(b, " ", e, "unit", "");
        const json_t *low = json_object_get(e, "low"), *high = json_object_get(e, "high");
        bool limits = json_is_number(low) || json_is_number(high);
        fl_buf_adds(b, limits ? ", limits " : "");
        if (json_is_number(low))
            fl_buf_addf(b, "%.12g", json_number_value(low));
        fl_buf_adds(b, limits ? ".." : "");
        if (json_is_number(high))
            fl_buf_addf(b, "%.12g", json_number_value(high));
        member(b, ": ", e, "verdict", "");
        fl_buf_adds(b, "\n");
    }
    said_lines(b, "boot", fl_json_text(a, "boot_text"));
    json_array_foreach(json_object_get(a, "hooks"), i, e) {
        member(b, "  command  ", e, "hook", "");
        member(b, " exit ", e, "exit_code", "");
        member(b, ", ", e, "ms", " ms");
        fl_buf_adds(b, "\n");
        said_lines(b, "", fl_json_text(e, "output"));
    }
    const json_t *steps = json_object_get(a, "steps");
    if (json_array_size(steps))
        fl_buf_adds(b, "  steps   ");
    json_array_foreach(steps, i, e)
        fl_buf_addf(b, " %s %lld ms%s", fl_json_text(e, "step"), (long long)fl_json_int(e, "ms", 0),
                    i + 1 < json_array_size(steps) ? "," : "\n");
}

enum fl_err report_trace_text(const json_t *trace, struct fl_buf *out)
{
    const json_t *u = json_object_get(trace, "unit"), *list = json_object_get(trace, "attempts"), *a;
    size_t i;
    fl_buf_addf(out, "unit %s", fl_json_text(u, "mac"));
    member(out, ", serial number ", u, "serial", "");
    member(out, ", EUI-64 ", u, "eui64", "");
    member(out, ", ", u, "chip", "");
    member(out, " ", u, "revision", "");
    member(out, ", flash ", u, "flash_id", "");
    member(out, " of ", u, "flash_size", " bytes");
    fl_buf_addf(out, ", %zu attempt%s\n", json_array_size(list), json_array_size(list) == 1 ? "" : "s");
    json_array_foreach(list, i, a) {
        head_line(a, out);
        where_lines(a, out);
        list_lines(a, out);
    }
    json_array_foreach(json_object_get(trace, "labels"), i, a) {
        fl_buf_addf(out, "\n%s  label %s", fl_json_text(a, "time"), fl_json_text(a, "state"));
        member(out, " for attempt ", a, "attempt", "");
        member(out, " by ", a, "operator", "");
        member(out, " at ", a, "printer", "");
        member(out, " (leaf ", a, "leaf", ")\n");
    }
    json_array_foreach(json_object_get(trace, "remarks"), i, a) {
        fl_buf_addf(out, "\n%s  %s", fl_json_text(a, "time"), fl_json_text(a, "what"));
        member(out, " by ", a, "operator", "");
        member(out, ": ", a, "text", "");
        member(out, " (leaf ", a, "leaf", ")\n");
    }
    return fl_buf_err(out, NULL);
}

/* ---- table ------------------------------------------------------------------------------------------------ */

static const struct table_column columns[] = {
    {"leaf", "leaf", TABLE_INT},       {"start_leaf", "start", TABLE_INT}, {"number", "number", TABLE_INT},
    {"lot", "lot", TABLE_TEXT},        {"start", "time", TABLE_TEXT},      {"ms", "ms", TABLE_INT},
    {"slot", "slot", TABLE_INT},       {"port", "port", TABLE_TEXT},       {"bridge", "bridge", TABLE_TEXT},
    {"bridge_serial", "bridge serial", TABLE_TEXT}, {"operator", "operator", TABLE_TEXT}, {"outcome", "outcome", TABLE_TEXT},
    {"fault", "fault", TABLE_TEXT},    {"step", "step", TABLE_TEXT},       {"profile", "profile", TABLE_TEXT},
    {"profile_hash", "profile hash", TABLE_TEXT},   {"loader", "loader", TABLE_TEXT}, {"baud", "baud", TABLE_INT},
    {"purpose", "sample", TABLE_TEXT}, {"serial", "serial", TABLE_TEXT},
};

struct table *report_trace_table(const json_t *trace)
{
    const json_t *a;
    size_t i;
    struct table *t = table_new(columns, sizeof columns / sizeof *columns);
    json_array_foreach(json_object_get(trace, "attempts"), i, a) {
        for (size_t c = 0; t && c < sizeof columns / sizeof *columns; c++) {
            const json_t *v = json_object_get(a, columns[c].name);
            if (json_is_integer(v))
                table_int(t, json_integer_value(v));
            else
                table_text(t, json_string_value(v));
        }
        if (t)
            table_end(t);
    }
    return t;
}
