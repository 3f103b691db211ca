/* SPDX-License-Identifier: Apache-2.0
 * Lots as the records have them. */
#include "cli/cli.h"

#include "store/db.h"
#include "store/folder.h"
#include "store/lots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_show(int argc, char **argv);

const struct cli_verb cmd_lot_show = {
    .name = "lot show",
    .line = "lots: state, quantities, what they are flashed with",
    .help =
        "usage: flashline lot show [NAME] [--data DIR] [--format text|json]\n"
        "\n"
        "exit: 0 shown, 2 usage or no such lot, 3 the records could not be read\n"
        "\n"
        "example:\n"
        "  flashline lot show L-2026-118 --data /var/lib/flashline\n",
    .run = run_show,
};

static void number(const char *word, const json_t *lot, const char *key)
{
    const json_t *v = json_object_get(lot, key);
    if (json_is_integer(v))
        cli_print("  %s %lld", word, (long long)json_integer_value(v));
}

static void by(const char *word, const json_t *lot, const char *when, const char *who)
{
    if (*fl_json_text(lot, when))
        cli_print("  %-10s  %s%s%s\n", word, fl_json_text(lot, when), *fl_json_text(lot, who) ? " by " : "", fl_json_text(lot, who));
}

static void print_value(const json_t *v)
{
    if (json_is_integer(v))
        cli_print("%lld", (long long)json_integer_value(v));
    else if (json_is_string(v))
        cli_print("%s", json_string_value(v));
    for (size_t i = 0; i < json_array_size(v); i++) {
        cli_print("%s", i ? " " : "");
        print_value(json_array_get(v, i));
    }
}

/* One line for each: "line        same_fault 4, yield 70, after 20". */
static void print_rules(const json_t *rules)
{
    const char *name, *key;
    const json_t *v, *limit;
    json_object_foreach((json_t *)(uintptr_t)rules, name, v) {
        const char *comma = "";
        cli_print("  %-10s  ", name);
        print_value(v);
        json_object_foreach((json_t *)(uintptr_t)v, key, limit) {
            cli_print("%s%s ", comma, key);
            print_value(limit);
            comma = ", ";
        }
        putchar('\n');
    }
}

static void print_lot(const json_t *lot)
{
    const json_t *profiles = json_object_get(lot, "profiles"), *rules = json_object_get(lot, "rules");
    cli_print("%s  %s", fl_json_text(lot, "lot"), fl_json_text(lot, "state"));
    if (*fl_json_text(lot, "product"))
        cli_print("  %s", fl_json_text(lot, "product"));
    cli_print("\n  %-10s", "units");
    number("passed", lot, "passed");
    number("of", lot, "authorised");
    number("wanted", lot, "planned");
    number("tried", lot, "units");
    number("running", lot, "running");
    putchar('\n');
    cli_print("  %-10s  a unit that has passed is %s", "rules", strcmp(fl_json_text(lot, "duplicates"), "reflash") == 0 ? "reflashed" : "refused");
    if (fl_json_int(lot, "tries", 0))
        cli_print("; rework after %lld failures", (long long)fl_json_int(lot, "tries", 0));
    putchar('\n');
    print_rules(rules);
    for (size_t i = 0; i < json_array_size(profiles); i++) {
        const json_t *p = json_array_get(profiles, i);
        cli_print("  %-10s  %s %s %.16s...\n", "profile", fl_json_text(p, "name"), fl_json_text(p, "version"), fl_json_text(p, "hash"));
    }
    by("opened", lot, "opened", "opened_by");
    by("closed", lot, "closed", "closed_by");
}

static int show(const char *data, const char *name, int format)
{
    json_t *lots = NULL;
    struct fl_why why = {0, ""};
    struct db_reader reader;
    enum fl_err err = folder_open_reader(data, true, &reader, &why);
    if (!err)
        err = lots_read(reader.db, name, &lots, &why);
    db_close_reader(&reader);
    if (err)
        return cli_fail(err == FL_ARG ? CLI_USAGE : CLI_STATION, "%s", why.text);
    int code = CLI_OK;
    if (format == CLI_JSON_OUT) {
        json_t *o = json_pack("{sO}", "lots", lots);
        if (!o || json_dumpf(o, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0)
            code = CLI_STATION;
        putchar('\n');
        json_decref(o);
    }
    for (size_t i = 0; format != CLI_JSON_OUT && i < json_array_size(lots); i++)
        print_lot(json_array_get(lots, i));
    if (format != CLI_JSON_OUT && !json_array_size(lots))
        puts("no lots");
    json_decref(lots);
    return code || fflush(stdout) != 0 ? cli_fail(CLI_STATION, "the lots could not be written out") : CLI_OK;
}

static int run_show(int argc, char **argv)
{
    const char *data = NULL, *format = NULL;
    const struct cli_opt options[] = {{"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_lot_show, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc > 1)
        return cli_usage(&cmd_lot_show, "one lot at a time, or none for all");
    if (cli_format(format) < 0)
        return cli_usage(&cmd_lot_show, "--format is text or json, not '%s'", format);
    char *dir = cli_data_dir(data);
    code = dir ? show(dir, argc ? argv[0] : NULL, cli_format(format)) : cli_fail(CLI_STATION, "out of memory");
    free(dir);
    return code;
}
