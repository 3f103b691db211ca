/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "profile/profile.h"

#include <stdio.h>

enum { TEXT_MAX = 4 << 20 };

static const char help[] =
    "usage: flashline plan FILE... [--flash-size SIZE] [--format text|json]\n\n"
    "Checks each profile, then prints what it will do to a unit: gates, speeds, the bootloader's header, every\n"
    "region with its offset, its bytes as sent, its MD5, and the time its bits take on the wire. Opens no port.\n\n"
    "  --flash-size SIZE   plan for a flash of this size (4MB, 16MB): matters where flash.size is detect\n"
    "  --format json       one JSON object for each profile, one a line\n\n"
    "exit: 0 planned, 2 a profile is wrong (file:line:column on standard error)\n\n"
    "example:\n"
    "  flashline plan profiles/demo-esp32.yaml --flash-size 4MB\n";

static int print_plan(const struct profile *p, uint64_t flash_size, enum cli_format format)
{
    struct fl_why why = {0};
    struct fl_buf text = FL_BUF(TEXT_MAX);
    json_t *plan = NULL;
    int code = CLI_OK;
    enum fl_err err = profile_plan(p, flash_size, &plan, &why);
    if (!err)
        err = format == CLI_JSON_OUT ? fl_json_canonical(plan, &text, &why) : profile_plan_text(plan, &text);
    if (err == FL_NOMEM)
        code = cli_fail(CLI_STATION, "out of memory");
    else if (err)
        code = cli_fail(CLI_USAGE, "%s: %s", p->path, why.text);
    else if (format == CLI_JSON_OUT)
        puts(fl_buf_text(&text));
    else
        cli_print("%s", fl_buf_text(&text));
    json_decref(plan);
    fl_buf_fini(&text);
    return code;
}

static int plan_file(const char *path, uint64_t flash_size, enum cli_format format)
{
    struct profile_problems problems = {NULL, 0};
    struct profile *p;
    enum fl_err err = profile_load(path, &p, &problems);
    for (size_t i = 0; i < problems.n; i++)
        cli_say("%s\n", problems.list[i].text);
    profile_problems_fini(&problems);
    int code = err == FL_NOMEM ? cli_fail(CLI_STATION, "out of memory")
               : err           ? CLI_USAGE
                               : print_plan(p, flash_size, format);
    profile_free(p);
    return code;
}

static int run(int argc, char **argv)
{
    const char *size = NULL, *format = NULL;
    const struct cli_opt options[] = {
        {"flash-size", CLI_TEXT, &size}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    uint64_t bytes = 0;
    bool done;
    int code = cli_options(&cmd_plan, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc == 0)
        return cli_usage(&cmd_plan, "which FILE?");
    if (size && (!profile_parse_size(size, &bytes) || !bytes))
        return cli_usage(&cmd_plan, "--flash-size is '%s', expected a size like 4MB, 1024KB or 0x400000", size);
    if (cli_format(format) < 0)
        return cli_usage(&cmd_plan, "--format is '%s', expected text or json", format);
    for (int i = 0; i < argc; i++) {
        int one = plan_file(argv[i], bytes, (enum cli_format)cli_format(format));
        code = one > code ? one : code;
        if (i + 1 < argc && cli_format(format) == CLI_TEXT_OUT)
            putchar('\n');
    }
    return code;
}

const struct cli_verb cmd_plan = {"plan", "what a profile will do to a unit, without touching one", help, run};
