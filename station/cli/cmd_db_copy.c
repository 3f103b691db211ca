/* SPDX-License-Identifier: Apache-2.0
 * The database copied, and made anew. */
#include "cli/cli.h"

#include "base/json.h"
#include "ledger/copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_backup(int argc, char **argv);
static int run_rebuild(int argc, char **argv);

const struct cli_verb cmd_db_backup = {
    .name = "db backup",
    .line = "copy the database, also while a line is at work",
    .help =
        "usage: flashline db backup FILE [--data DIR] [--format text|json]\n"
        "\n"
        "FILE gets its name when the copy is whole, checked and durable; what lies there already is not touched. The copy holds\n"
        "everything but the key. Keep the file `checkpoint` with it: an older copy that is put back is then seen.\n"
        "\n"
        "exit: 0 copied, 2 usage, or FILE is there already, 3 it could not be copied\n"
        "\n"
        "example:\n"
        "  flashline db backup /mnt/nas/line-3-a.db --data /var/lib/flashline\n",
    .run = run_backup,
};

const struct cli_verb cmd_db_rebuild = {
    .name = "db rebuild",
    .line = "make all tables anew from the signed records",
    .help =
        "usage: flashline db rebuild [--data DIR] [--format text|json]\n"
        "\n"
        "Verifies the log, makes a new database of it with this program's schema, and puts it in the place of the old one, which\n"
        "stays beside it as flashline.db.TIME.bak. Names of people and what waits in the outbox are carried over. No flashline\n"
        "may be at work there.\n"
        "\n"
        "exit: 0 done, 2 usage, 3 the log does not verify, or the folder is in use; nothing is changed then\n"
        "\n"
        "example:\n"
        "  flashline db rebuild --data /var/lib/flashline\n",
    .run = run_rebuild,
};

static int say(json_t *o, int format, const char *text)
{
    int code = CLI_OK;
    if (format != CLI_JSON_OUT)
        cli_print("%s\n", text);
    else if (!o || json_dumpf(o, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF)
        code = CLI_STATION;
    json_decref(o);
    return code || fflush(stdout) != 0 ? cli_fail(CLI_STATION, "the result could not be written out") : CLI_OK;
}

static int backup(const char *dir, const char *to, int format)
{
    struct copy_made made;
    struct fl_why why = {0, ""};
    char text[300];
    enum fl_err err = copy_backup(dir, to, &made, &why);
    if (err)
        return cli_fail(err == FL_EXISTS ? CLI_USAGE : CLI_STATION, "%s", why.text);
    (void)snprintf(text, sizeof text, "%.200s: %lld records", to, (long long)made.leaves);
    return say(json_pack("{so,sI}", "backup", fl_json_dirty(to, strlen(to)), "records", (json_int_t)made.leaves), format, text);
}

static int rebuild(const char *dir, int format)
{
    struct copy_made made;
    struct fl_why why = {0, ""};
    char text[4400];
    if (copy_rebuild(dir, &made, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    (void)snprintf(text, sizeof text, "%lld rows made from %lld records; the old database is kept as %s", (long long)made.rows,
                   (long long)made.leaves, made.kept);
    return say(json_pack("{sI,sI,so}", "rows", (json_int_t)made.rows, "records", (json_int_t)made.leaves, "kept",
                         fl_json_dirty(made.kept, strlen(made.kept))), format,
               text);
}

static int run(const struct cli_verb *verb, int words, int argc, char **argv)
{
    const char *data = NULL, *format = NULL;
    const struct cli_opt options[] = {{"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(verb, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != words)
        return cli_usage(verb, argc < words ? "to which file?" : "'%s' is not expected", argc > words ? argv[words] : "");
    if (cli_format(format) < 0)
        return cli_usage(verb, "--format is text or json, not '%s'", format);
    char *dir = cli_data_dir(data);
    code = !dir  ? cli_fail(CLI_STATION, "out of memory")
           : words ? backup(dir, argv[0], cli_format(format))
                   : rebuild(dir, cli_format(format));
    free(dir);
    return code;
}

static int run_backup(int argc, char **argv)
{
    return run(&cmd_db_backup, 1, argc, argv);
}

static int run_rebuild(int argc, char **argv)
{
    return run(&cmd_db_rebuild, 0, argc, argv);
}
