/* SPDX-License-Identifier: Apache-2.0
 * Certificates and heads, one or ten thousand, with the auditor's key. Needs no station. */
#include "cli/cli.h"

#include "audit/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_verify(int argc, char **argv);

const struct cli_verb cmd_verify = {
    .name = "verify",
    .line = "check birth certificates and signed heads, and all of them against each other",
    .help =
        "usage: flashline verify FILE... --key VKEY [options]\n"
        "       flashline verify BUNDLE --key VKEY [options]\n"
        "\n"
        "Needs no station. An auditor who wants none of it installs flashline-verify, which does the same.\n"
        "\n" INSPECT_HELP "\n"
        "example:\n"
        "  flashline verify *.tlog-proof --key line-3-a.example+991df877+AQOh...\n",
    .run = run_verify,
};

static int run_verify(int argc, char **argv)
{
    const char *format = NULL;
    struct inspect in = {.json = false};
    struct cli_list keys = {NULL, 0, 0}, heads = {NULL, 0, 0};
    struct fl_buf out = FL_BUF(INSPECT_OUT_MAX);
    struct fl_why why = {0, ""};
    bool done;
    const struct cli_opt options[] = {
        {"key", CLI_LIST, &keys},      {"quorum", CLI_UINT, &in.trust.quorum},   {"quiet", CLI_FLAG, &in.quiet},
        {"format", CLI_TEXT, &format}, {"head", CLI_LIST, &heads},               {"ca", CLI_TEXT, &in.trust.ca},
        {"policy", CLI_TEXT, &in.trust.policy}, {"pass", CLI_FLAG, &in.pass},
        {NULL, CLI_FLAG, NULL},
    };
    int code = cli_options(&cmd_verify, options, &argc, &argv, &done);
    if (!done && !argc) {
        code = cli_usage(&cmd_verify, "which files?");
    } else if (!done && cli_format(format) < 0) {
        code = cli_usage(&cmd_verify, "--format is text or json, not '%s'", format);
    } else if (!done) {
        in.json = cli_format(format) == CLI_JSON_OUT;
        in.trust.keys = keys.items;
        in.trust.n_keys = keys.n;
        in.heads = heads.items;
        in.n_heads = heads.n;
        in.paths = (const char *const *)argv;
        in.n_paths = (size_t)argc;
        code = inspect_run(&in, &out, &why);
        if (fwrite(out.bytes ? (const void *)out.bytes : "", 1, out.len, stdout) != out.len || fflush(stdout) != 0)
            code = cli_fail(CLI_STATION, "the verdict could not be written out");
        else if (why.text[0] && code == CLI_USAGE)
            code = cli_usage(&cmd_verify, "%s", why.text);
        else if (why.text[0])
            code = cli_fail(code, "%s", why.text);
    }
    fl_buf_fini(&out);
    free(keys.items);
    free(heads.items);
    return code;
}
