/* SPDX-License-Identifier: Apache-2.0
 * A person vouches for a log that its signer does not remember. */
#include "cli/cli.h"

#include "cli/passphrase.h"
#include "record/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_key_adopt(int argc, char **argv);

const struct cli_verb cmd_key_adopt = {
    .name = "key adopt",
    .line = "make the signer believe this log, when its memory is lost or behind",
    .help =
        "usage: flashline key adopt [--data DIR] [--passphrase-fd N | --credential NAME]\n"
        "\n"
        "A signer signs only what continues what it remembers. When its memory was lost or put back, it refuses the log, and\n"
        "cannot know which of the two is wrong. Audit the log first, with the key from paper and with heads kept elsewhere\n"
        "(flashline audit --key VKEY --head FILE). When it is whole, this makes the signer remember its newest head.\n"
        "A log that is behind what the signer remembers is never adopted: that is a rollback.\n"
        "With a signer of another user: start that one with --adopt instead, once.\n"
        "\n"
        "exit: 0 believed, 2 usage, 3 refused\n"
        "\n"
        "example:\n"
        "  flashline key adopt --data /var/lib/flashline --passphrase-fd 3 3<passphrase.txt\n",
    .run = run_key_adopt,
};

struct options {
    const char *data, *credential;
    unsigned fd;
};

static int adopt(const struct options *o, const char *secret)
{
    struct recorder_opened opened;
    struct recorder *r = NULL;
    struct fl_why why = {0, ""};
    const struct recorder_config c = {.data = o->data, .passphrase = secret, .signer_apart = true, .adopt = true};
    if (recorder_open(&c, &r, &opened, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    recorder_close(r);
    cli_print("The signer remembers %s with %lld records.\n", opened.origin, (long long)opened.leaves);
    return CLI_OK;
}

static int run_key_adopt(int argc, char **argv)
{
    struct options o = {.fd = CLI_NO_PASSPHRASE};
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &o.data}, {"passphrase-fd", CLI_UINT, &o.fd}, {"credential", CLI_TEXT, &o.credential},
        {NULL, CLI_FLAG, NULL},
    };
    char *secret = NULL;
    bool done;
    int code = cli_options(&cmd_key_adopt, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_key_adopt, "'%s' is not expected", argv[0]);
    char *dir = cli_data_dir(o.data);
    o.data = dir;
    code = dir ? cli_secret(o.credential, o.fd, &secret) : cli_fail(CLI_STATION, "out of memory");
    if (!code)
        code = adopt(&o, secret);
    cli_passphrase_free(secret);
    free(dir);
    return code;
}
