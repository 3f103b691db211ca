/* SPDX-License-Identifier: Apache-2.0
 * An engineer answers for a clock that was ahead: the one way back to an earlier date. */
#include "cli/cli.h"

#include "cli/passphrase.h"
#include "record/recorder.h"

#include <stdio.h>
#include <stdlib.h>

static int run_key_clock(int argc, char **argv);

const struct cli_verb cmd_key_clock = {
    .name = "key clock",
    .line = "go on after the clock was ahead: said by an engineer, kept in the log",
    .help =
        "usage: flashline key clock --operator ID --why TEXT [--data DIR] [--passphrase-fd N | --credential NAME]\n"
        "\n"
        "  --operator ID       the engineer who answers for it\n"
        "  --why TEXT          how it came\n"
        "  --data DIR          the station's folder, at rest\n"
        "\n"
        "A signer signs nothing that is dated more than two minutes before its last signature: else records could be dated\n"
        "back. When a clock was far ahead, records were signed under it, and it was then set right, the station would rest until\n"
        "that date. See that the clock is right now; then this records the step back with your name (as its tag) and reason, and\n"
        "the signer goes on from today. `flashline audit` lists it for ever, with how far it was and why: it is a hole in the\n"
        "order of times, and everybody sees whose. Records between two timestamps of an authority stay bound by those.\n"
        "With a signer of another user: start that one with --set-clock, once, and then say this.\n"
        "\n"
        "exit: 0 recorded, 2 usage, or the clock is not behind, 3 refused\n"
        "\n"
        "example:\n"
        "  flashline key clock --operator eva --why \"battery of the clock changed, it had come up in 2031\"\n",
    .run = run_key_clock,
};

struct options {
    const char *data, *credential;
    struct recorder_clock clock;
    unsigned fd;
};

static int set(const struct options *o, const char *secret)
{
    struct recorder_opened opened;
    struct recorder *r = NULL;
    struct fl_why why = {0, ""};
    const struct recorder_config c = {.data = o->data, .passphrase = secret, .signer_apart = true, .clock = &o->clock};
    enum fl_err err = recorder_open(&c, &r, &opened, &why);
    if (err)
        return cli_fail(err == FL_STATE && !opened.closed ? CLI_USAGE : CLI_STATION, "%s", why.text);
    recorder_close(r);
    cli_print("The step back is in the log of %s, which has %lld records. It goes on from today.\n", opened.origin, (long long)opened.leaves);
    return CLI_OK;
}

static int run_key_clock(int argc, char **argv)
{
    struct options o = {.fd = CLI_NO_PASSPHRASE};
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &o.data},       {"passphrase-fd", CLI_UINT, &o.fd}, {"credential", CLI_TEXT, &o.credential},
        {"operator", CLI_WORDS, &o.clock.operator_id}, {"why", CLI_WORDS, &o.clock.why}, {NULL, CLI_FLAG, NULL},
    };
    char *secret = NULL;
    bool done;
    int code = cli_options(&cmd_key_clock, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_key_clock, "'%s' is not expected", argv[0]);
    if (!o.clock.operator_id || !*o.clock.operator_id || !o.clock.why || !*o.clock.why)
        return cli_usage(&cmd_key_clock, "--operator and --why say who answers for it, and why");
    char *dir = cli_data_dir(o.data);
    o.data = dir;
    code = dir ? cli_secret(o.credential, o.fd, &secret) : cli_fail(CLI_STATION, "out of memory");
    if (!code)
        code = set(&o, secret);
    cli_passphrase_free(secret);
    free(dir);
    return code;
}
