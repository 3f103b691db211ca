/* SPDX-License-Identifier: Apache-2.0
 * Tables and views for other programs. */
#include "cli/cli.h"

#include "store/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_export(int argc, char **argv);

const struct cli_verb cmd_db_export = {
    .name = "db export",
    .line = "a table or view as CSV, JSON or SQL, or all of it as SQL",
    .help =
        "usage: flashline db export TABLE [--format csv|json|sql] [--data DIR]\n"
        "       flashline db export --format sql [--data DIR]\n"
        "       flashline db export --list [--data DIR]\n"
        "\n"
        "  TABLE               a table or view of db/README.md: attempt_view, unit_view, lot_view, record, ...\n"
        "  --format            csv as in RFC 4180 (the default), json: one object a line (hashes are hex in both); sql: statements\n"
        "                      that sqlite3 reads back. Without a TABLE: the whole database, which is a station's again then\n"
        "  --list              names and kinds of what there is\n"
        "\n"
        "To standard output. A flashline may be at work there: what comes is one moment's state. For a database to ask SQL of,\n"
        "take a copy: flashline db backup.\n"
        "\n"
        "exit: 0 written, 2 usage or no such table, 3 the records could not be read\n"
        "\n"
        "example:\n"
        "  flashline db export attempt_view --data /var/lib/flashline > attempts.csv\n"
        "  flashline db export --format sql | sqlite3 copy.db\n",
    .run = run_export,
};

static enum fl_err to_stdout(void *ctx, const void *bytes, size_t n)
{
    (void)ctx;
    return fwrite(bytes, 1, n, stdout) == n ? FL_OK : FL_IO;
}

static int list(const char *dir)
{
    json_t *names = NULL;
    struct fl_why why = {0, ""};
    if (export_names(dir, &names, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    for (size_t i = 0; i < json_array_size(names); i++)
        cli_print("%-20s %s\n", fl_json_text(json_array_get(names, i), "name"), fl_json_text(json_array_get(names, i), "type"));
    json_decref(names);
    return CLI_OK;
}

static int export_one(const char *dir, const char *table, enum export_form form)
{
    struct fl_why why = {0, "the rows could not be written out"};
    enum fl_err err = table ? export_table(dir, table, form, to_stdout, NULL, &why) : export_database(dir, to_stdout, NULL, &why);
    if (err && ferror(stdout) && cli_reader_gone())
        return CLI_STATION;
    return err == FL_ARG ? cli_usage(&cmd_db_export, "%s (--list tells what there is)", why.text)
           : err         ? cli_fail(CLI_STATION, "%s", why.text)
                         : CLI_OK;
}

static int run_export(int argc, char **argv)
{
    const char *data = NULL, *format = NULL;
    bool names = false, done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {"list", CLI_FLAG, &names}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_db_export, options, &argc, &argv, &done);
    if (done)
        return code;
    if (names && format)
        return cli_usage(&cmd_db_export, "--list has one form: names and kinds");
    format = format ? format : "csv";
    bool sql = strcmp(format, "sql") == 0;
    if (names ? argc > 0 : argc > 1 || (argc == 0 && !sql))
        return cli_usage(&cmd_db_export, argc ? "one table at a time" : "which table? (--list tells what there is)");
    if (strcmp(format, "csv") != 0 && strcmp(format, "json") != 0 && !sql)
        return cli_usage(&cmd_db_export, "--format is csv, json or sql, not '%s'", format);
    char *dir = cli_data_dir(data);
    code = !dir    ? cli_fail(CLI_STATION, "out of memory")
           : names ? list(dir)
                   : export_one(dir, argc ? argv[0] : NULL, sql ? EXPORT_SQL : strcmp(format, "csv") == 0 ? EXPORT_CSV : EXPORT_JSON);
    free(dir);
    return !code && fflush(stdout) != 0 ? cli_fail(CLI_STATION, "the rows could not be written out") : code;
}
