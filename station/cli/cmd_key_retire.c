/* SPDX-License-Identifier: Apache-2.0
 * The end of a log: a last record, a last head, and the key is gone. */
#include "cli/cli.h"

#include "cli/passphrase.h"
#include "record/rotate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_key_retire(int argc, char **argv);

const struct cli_verb cmd_key_retire = {
    .name = "key retire",
    .line = "close the log for good and destroy its keys",
    .help =
        "usage: flashline key retire --for-good [--data DIR] [--passphrase-fd N | --credential NAME]\n"
        "\n"
        "A last record says that nothing follows, the head over it is the last one there will ever be, and the private keys\n"
        "in the folder are overwritten and removed. The records stay, and stay verifiable with the key on paper. The station\n"
        "goes on in a new folder with flashline init. Asked again, it removes what a crash may have left of the keys.\n"
        "A signer of another user keeps its key file: remove it there.\n"
        "\n"
        "exit: 0 closed, 2 usage, 3 it could not be\n"
        "\n"
        "example:\n"
        "  flashline key retire --for-good --data /var/lib/flashline-2026 --passphrase-fd 3 3<passphrase.txt\n",
    .run = run_key_retire,
};

struct options {
    const char *data, *credential;
    unsigned fd;
    bool for_good;
};

static int retire(const struct options *o, const char *secret)
{
    struct recorder_opened opened;
    struct recorder *r = NULL;
    struct folder f;
    struct fl_why why = {0, ""};
    const struct recorder_config c = {.data = o->data, .passphrase = secret, .signer_apart = true};
    if (folder_paths(o->data, &f, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    enum fl_err err = recorder_open(&c, &r, &opened, &why);
    if (!err)
        err = rotate_retire(r, &why);
    bool closed = !err || (!r && opened.closed); /* before, and a crash may have come before its keys were gone */
    recorder_close(r);
    if (closed)
        err = folder_forget_keys(&f, &why);
    folder_fini(&f);
    if (err)
        return cli_fail(CLI_STATION, "%s", why.text);
    cli_print("The log %s is closed for good.\n", opened.origin);
    return CLI_OK;
}

static int run_key_retire(int argc, char **argv)
{
    struct options o = {.fd = CLI_NO_PASSPHRASE};
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &o.data}, {"passphrase-fd", CLI_UINT, &o.fd}, {"credential", CLI_TEXT, &o.credential},
        {"for-good", CLI_FLAG, &o.for_good},
        {NULL, CLI_FLAG, NULL},
    };
    char *secret = NULL;
    bool done;
    int code = cli_options(&cmd_key_retire, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_key_retire, "'%s' is not expected", argv[0]);
    if (!o.for_good)
        return cli_usage(&cmd_key_retire, "it cannot be undone: say --for-good");
    char *dir = cli_data_dir(o.data);
    o.data = dir;
    code = dir ? cli_secret(o.credential, o.fd, &secret) : cli_fail(CLI_STATION, "out of memory");
    if (!code)
        code = retire(&o, secret);
    cli_passphrase_free(secret);
    free(dir);
    return code;
}
