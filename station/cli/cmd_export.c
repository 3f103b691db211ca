/* SPDX-License-Identifier: Apache-2.0
 * The whole log as a folder for an auditor who has neither this program nor SQLite. */
#include "cli/cli.h"

#include "base/json.h"
#include "prove/export_bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_export(int argc, char **argv);

const struct cli_verb cmd_export = {
    .name = "export",
    .line = "the signed log as a folder that an auditor can check with standard tools",
    .help =
        "usage: flashline export --bundle DIR [options]\n"
        "\n"
        "  --bundle DIR        the folder to make; it must not be there, or be empty\n"
        "  --data DIR          the station's folder (default $XDG_DATA_HOME/flashline, else ~/.local/share/flashline).\n"
        "                      A station may be at work in it\n"
        "  --format text|json\n"
        "\n"
        "DIR gets the records (one a line), the signed heads, the tree as C2SP tiles, heads that witnesses signed, timestamps, a\n"
        "README for somebody who never saw this program, verify.sh (one certificate, with openssl and coreutils) and\n"
        "audit.py (the whole log, with Python 3 and openssl). `flashline audit DIR` and `flashline-verify DIR` read it too.\n"
        "\n"
        "exit: 0 written, 2 usage, 3 it could not be read or written\n"
        "\n"
        "example:\n"
        "  flashline export --bundle /media/stick/line-3-a --data /var/lib/flashline\n",
    .run = run_export,
};

static int say(const char *dir, const struct export_done *d, int format)
{
    if (format == CLI_TEXT_OUT) {
        cli_print("%s: %llu records, %llu tiles, %llu heads, %llu witnessed, %llu timestamps\n", dir, (unsigned long long)d->records,
               (unsigned long long)d->tiles, (unsigned long long)d->heads, (unsigned long long)d->witnesses, (unsigned long long)d->anchors);
        return fflush(stdout) == 0 ? CLI_OK : CLI_STATION;
    }
    json_t *o = json_pack("{so,sI,sI,sI,sI,sI}", "bundle", fl_json_dirty(dir, strlen(dir)), "records", (json_int_t)d->records, "tiles",
                          (json_int_t)d->tiles, "heads",
                          (json_int_t)d->heads, "witnesses", (json_int_t)d->witnesses, "anchors", (json_int_t)d->anchors);
    int code = o && json_dumpf(o, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF && fflush(stdout) == 0 ? CLI_OK : CLI_STATION;
    json_decref(o);
    return code;
}

static int run_export(int argc, char **argv)
{
    const char *data = NULL, *format = NULL, *bundle = NULL;
    struct export_done done_with;
    struct fl_why why = {0, ""};
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &data}, {"bundle", CLI_TEXT, &bundle}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_export, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc || !bundle)
        return argc ? cli_usage(&cmd_export, "'%s' is not expected", argv[0]) : cli_usage(&cmd_export, "where to? --bundle DIR");
    if (cli_format(format) < 0)
        return cli_usage(&cmd_export, "--format is text or json, not '%s'", format);
    char *dir = cli_data_dir(data);
    enum fl_err err = dir ? export_bundle(dir, bundle, &done_with, &why) : fl_fail(&why, FL_NOMEM, "out of memory");
    free(dir);
    if (err)
        return cli_fail(err == FL_EXISTS ? CLI_USAGE : CLI_STATION, "%s", why.text);
    return say(bundle, &done_with, cli_format(format));
}
