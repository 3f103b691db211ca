/* SPDX-License-Identifier: Apache-2.0
 * The station in a glance: its log, its last hour, what each slot did last. */
#include "cli/cli.h"

#include "base/clock.h"
#include "record/tell.h"
#include "report/live.h"
#include "store/line_past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_status(int argc, char **argv);

const struct cli_verb cmd_status = {
    .name = "status",
    .line = "the station in a glance: its last hour, and what each slot did last",
    .help =
        "usage: flashline status [--data DIR] [--format text|json | --json]\n"
        "\n"
        "Read from the records, beside a running station too; the slots of a line at work are asked of it. JSON, one object:\n"
        "  {\"log\": {\"station\", \"leaves\", \"verified_ms\", \"last_ms\", \"open\", ...}, \"hour\": {\"attempts\", \"pass\",\n"
        "   \"fail\", \"error\", \"first\", \"first_passed\", ...}, \"slots\": [{\"slot\", \"outcome\", \"fault\", \"mac\", \"leaf\"}],\n"
        "   \"line\": {\"lot\", \"product\", \"alarm\", \"stopped\": [slot, 0 the whole line], \"said\", \"refused\" (the last scan),\n"
        "   \"slots\": [{\"slot\", \"state\", \"fault\", \"mac\"}]},\n"
        "   \"outbox\": [{\"kind\", \"target\", \"waiting\", \"given_up\", \"why\"}]}; line is null when none is at work, {\"trouble\"} when\n"
        "it does not answer; outbox is empty when all labels and heads leave as they should\n"
        "\n"
        "exit: 0 told, 2 usage, 3 there is no station or it could not be read\n"
        "\n"
        "example:\n"
        "  flashline status --data /var/lib/flashline --format json\n",
    .run = run_status,
};

enum { SLOTS_MAX = 1024, HOUR_MS = 3600000 };

static json_t *slots_json(const struct slot_view *v, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_pack("{si ss ss* ss* sI}", "slot", v[i].slot, "outcome", outcome_name(v[i].outcome), "fault",
                                                    v[i].fault[0] ? v[i].fault : NULL, "mac", v[i].mac[0] ? v[i].mac : NULL, "leaf",
                                                    (json_int_t)v[i].leaf));
    return list;
}

static void say_time(const char *label, int64_t ms)
{
    char text[FL_TIME_TEXT] = "never";
    if (ms)
        fl_time_format(ms, text);
    cli_print("%-16s %s\n", label, text);
}

/* How many of the line's slots are in this state. */
static size_t in_state(const json_t *slots, const char *state)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(slots); i++)
        n += strcmp(fl_json_text(json_array_get(slots, i), "state"), state) == 0;
    return n;
}

static void say_line(const json_t *line)
{
    static const char *const states[] = {"connect", "work", "record", "pass", "fail", "error", "aborted", "empty", "closed"};
    const json_t *slots = json_object_get(line, "slots");
    const char *comma = "";
    if (!line) {
        cli_print("line             none at work\n");
        return;
    }
    if (fl_json_text(line, "trouble")[0]) {
        cli_print("line             at work, but it does not say what it does: %s\n", fl_json_text(line, "trouble"));
        return;
    }
    cli_print("line             at work%s%s, %zu slot%s: ", fl_json_text(line, "lot")[0] ? ", lot " : "", fl_json_text(line, "lot"),
           json_array_size(slots), json_array_size(slots) == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        size_t k = in_state(slots, states[i]);
        if (k) {
            cli_print("%s%zu %s", comma, k, states[i]);
            comma = ", ";
        }
    }
    putchar('\n');
    if (fl_json_text(line, "alarm")[0])
        cli_print("alarm            %s\n", fl_json_text(line, "alarm"));
}

/* Rare ends: where there is none, there is no word. */
static void say_some(const json_t *hour, const char *key, const char *word)
{
    if (fl_json_int(hour, key, 0))
        cli_print(", %lld %s", (long long)fl_json_int(hour, key, 0), word);
}

static void say_stuck(const json_t *stuck)
{
    const json_t *e;
    size_t i;
    json_array_foreach(stuck, i, e) {
        long long waiting = (long long)fl_json_int(e, "waiting", 0), given_up = (long long)fl_json_int(e, "given_up", 0);
        cli_print("outbox           %s for %s:", fl_json_text(e, "kind"), fl_json_text(e, "target"));
        if (waiting)
            cli_print(" %lld wait%s%s", waiting, waiting == 1 ? "s" : "", given_up ? "," : "");
        if (given_up)
            cli_print(" %lld given up", given_up);
        cli_print(": %s\n", fl_json_text(e, "why"));
    }
}

static int tell(const json_t *log, const json_t *line, const json_t *hour, const json_t *stuck, const struct slot_view *v, size_t n, int format)
{
    if (format == CLI_JSON_OUT) {
        json_t *o = json_pack("{sO sO so sO sO}", "log", log, "hour", hour, "slots", slots_json(v, n), "line",
                              line ? line : json_null(), "outbox", stuck);
        int bad = !o || json_dumpf(o, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF;
        json_decref(o);
        return bad ? cli_fail(CLI_STATION, "the status could not be written out") : CLI_OK;
    }
    long long open = (long long)fl_json_int(log, "open", 0), attempts = (long long)fl_json_int(hour, "attempts", 0);
    cli_print("station          %s (%s)\n", fl_json_text(log, "station"), fl_json_text(log, "origin"));
    cli_print("records          %lld, %lld attempt%s under way\n", (long long)fl_json_int(log, "leaves", 0), open, open == 1 ? "" : "s");
    say_line(line);
    say_time("verified whole", fl_json_int(log, "verified_ms", 0));
    say_time("last attempt", fl_json_int(log, "last_ms", 0));
    cli_print("last hour        %lld attempt%s: %lld PASS, %lld FAIL, %lld ERROR",
           attempts, attempts == 1 ? "" : "s", (long long)fl_json_int(hour, "pass", 0), (long long)fl_json_int(hour, "fail", 0),
           (long long)fl_json_int(hour, "error", 0));
    say_some(hour, "aborted", "ABORTED");
    say_some(hour, "interrupted", "INTERRUPTED");
    cli_print("; %lld of %lld units at the first attempt\n", (long long)fl_json_int(hour, "first_passed", 0),
              (long long)fl_json_int(hour, "first", 0));
    say_stuck(stuck);
    for (size_t i = 0; i < n; i++)
        cli_print("slot %-4d        %-11s %s%s%s\n", v[i].slot, outcome_name(v[i].outcome), v[i].mac[0] ? v[i].mac : "no MAC",
                  v[i].fault[0] ? " " : "",
                  v[i].fault);
    return fflush(stdout) == 0 ? CLI_OK : cli_fail(CLI_STATION, "the status could not be written out");
}

static int status(const char *data, int format)
{
    struct report *r = NULL;
    struct fl_why why = {0, ""};
    json_t *log = NULL, *course = NULL, *line = NULL, *stuck = NULL;
    size_t n = 0;
    int64_t now = fl_wall_ms() + 1;
    struct slot_view *v = calloc(SLOTS_MAX, sizeof *v);
    enum fl_err err = v ? report_open(data, &r, &why) : fl_fail(&why, FL_NOMEM, "out of memory");
    if (!err)
        err = report_log(r, &log, &why);
    if (!err)
        err = report_course(r, now - HOUR_MS, now, 1, &course, &why);
    if (!err)
        err = report_slots_now(r, v, SLOTS_MAX, &n, &why);
    if (!err)
        err = line_past_stuck(data, &stuck, &why);
    enum fl_err asked = err ? err : tell_ask(data, "status", NULL, &line, &why);
    if (!err && asked && asked != FL_NOT_FOUND) /* that is not the same as none being there */
        line = json_pack("{ss}", "trouble", why.text);
    int code = err ? cli_fail(CLI_STATION, "%s", why.text) : tell(log, line, json_object_get(course, "totals"), stuck, v, n, format);
    json_decref(log);
    json_decref(course);
    json_decref(line);
    json_decref(stuck);
    report_close(r);
    free(v);
    return code;
}

static int run_status(int argc, char **argv)
{
    const char *data = NULL, *format = NULL;
    bool json = false;
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {"json", CLI_FLAG, &json}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_status, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_status, "'%s' is one word too many", argv[0]);
    if (json && format)
        return cli_usage(&cmd_status, "one of --json and --format");
    if (cli_format(format) < 0)
        return cli_usage(&cmd_status, "--format is text or json, not '%s'", format);
    char *dir = cli_data_dir(data);
    code = dir ? status(dir, json ? CLI_JSON_OUT : cli_format(format)) : cli_fail(CLI_STATION, "out of memory");
    free(dir);
    return code;
}
