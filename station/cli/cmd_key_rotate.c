/* SPDX-License-Identifier: Apache-2.0
 * From one key to the next, which the log promised beforehand; both sign. */
#include "cli/cli.h"

#include "cli/passphrase.h"
#include "cli/public_key.h"
#include "base/file.h"
#include "record/rotate.h"
#include "sign/seal.h"
#include "sign/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_key_rotate(int argc, char **argv);

const struct cli_verb cmd_key_rotate = {
    .name = "key rotate",
    .line = "hand over to the next key, which the log promised beforehand",
    .help =
        "usage: flashline key rotate [--data DIR] [--next FILE] [--then KEY] [--passphrase-fd N | --credential NAME]\n"
        "       flashline key rotate [--data DIR] --then KEY        with a signer of another user\n"
        "\n"
        "  --data DIR          the station's folder (default $XDG_DATA_HOME/flashline, else ~/.local/share/flashline);\n"
        "                      no station may be at work in it\n"
        "  --next FILE         the next key, when it was kept away from the station (default: key/next.key in the folder)\n"
        "  --passphrase-fd N   the passphrase of the keys; the key after the next is encrypted with it too\n"
        "  --credential NAME   or from this systemd credential\n"
        "  --then KEY          the key after the next, when it lies elsewhere (a token, a signer of another user): its public\n"
        "                      half as 64 hex digits, as a verifier key, or a file with what flashline key create printed.\n"
        "                      Without it one is made here, key/next.key\n"
        "\n"
        "A signer of another user must be at work with the next key beside its own (flashline signer --next FILE).\n"
        "One record names the next key and promises the one after it; the head over it is signed by both keys. From then on\n"
        "only the next key signs, and a signature of the old one over anything later is a finding. The old key's file is\n"
        "removed. What was signed before stays verifiable; the verifier key on paper stays good.\n"
        "\n"
        "exit: 0 handed over, 2 usage, 3 it could not be: nothing was changed, or flashline audit tells\n"
        "\n"
        "example:\n"
        "  flashline key rotate --data /var/lib/flashline --next /media/stick/next.key --passphrase-fd 3 3<passphrase.txt\n",
    .run = run_key_rotate,
};

struct options {
    const char *data, *credential, *next, *then;
    unsigned fd;
};

/* The next key into its place beside the present one, when it comes from elsewhere and is the one that is meant. */
static enum fl_err bring(const struct folder *f, const char *from, const char *secret, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(65536);
    struct vkey next;
    struct seal seal;
    if (!from)
        return FL_OK;
    enum fl_err err = folder_next(f, &next, why);
    if (!err)
        err = seal_open(from, secret, &seal, why);
    if (err)
        return err;
    if (memcmp(seal.public, next.key, KEY_PUBLIC) != 0)
        err = fl_fail(why, FL_MISMATCH, "%.200s is not the key that the log promised", from);
    seal_close(&seal);
    if (!err)
        err = fl_file_read(from, &b, why);
    if (!err)
        err = fl_file_replace(f->next, b.bytes, b.len, 0600, why);
    key_wipe(&b);
    return err;
}

/* A key in a token is not followed by one in a file unless somebody says so: key create makes either. */
static enum fl_err lies_elsewhere(const struct folder *f, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(65536);
    bool socket = fl_path_exists(f->signer);
    bool token = !socket && fl_file_read(f->next, &b, NULL) == FL_OK && token_describes(b.bytes, b.len);
    key_wipe(&b);
    if (!socket && !token)
        return FL_OK;
    return fl_fail(why, FL_ARG, "the next key lies %s, and so does the one after it: say which it is with --then",
                   token ? "in a token" : "with a signer of another user");
}

static enum fl_err keys_of(const struct folder *f, const struct options *o, const char *origin, const char *secret,
                           struct vkey *next, struct vkey *after, struct fl_why *why)
{
    enum fl_err err = folder_next(f, next, why);
    if (err == FL_NOT_FOUND)
        return fl_fail(why, FL_STATE, "this log promised no key after its first: it cannot be handed over");
    if (!err && !o->then)
        err = lies_elsewhere(f, why);
    if (!err && !o->then)
        return folder_make_after(f, origin, secret, after, why);
    if (!err)
        err = cli_log_key(o->then, origin, after, why);
    if (!err && memcmp(after->key, next->key, KEY_PUBLIC) == 0)
        err = fl_fail(why, FL_ARG, "--then is the next key itself: it must be the one after it");
    return err ? err : folder_promise_after(f, after, why);
}

/* The key after the next must be made before the log promises it, so the station is opened when all files are there. */
static enum fl_err rotate(const struct folder *f, const struct options *o, const char *secret, struct recorder_opened *opened,
                          struct vkey *next, struct fl_why *why)
{
    char station[FOLDER_STATION_MAX];
    struct vkey first, after;
    struct recorder *r = NULL;
    const struct recorder_config c = {.data = o->data, .passphrase = secret, .signer_apart = true, .handover = true};
    enum fl_err err = folder_identity(f, station, &first, why);
    if (!err)
        err = bring(f, o->next, secret, why);
    if (!err)
        err = recorder_open(&c, &r, opened, why); /* also finishes a hand-over that a crash left half done */
    if (!err)
        err = keys_of(f, o, first.name, secret, next, &after, why);
    if (!err)
        err = rotate_key(r, opened->promise, next, &after, why);
    recorder_close(r);
    return err ? err : folder_settle(f, next, why);
}

static int run(const struct options *o, const char *secret)
{
    struct recorder_opened opened;
    struct vkey next;
    struct folder f;
    struct fl_why why = {0, ""};
    char text[KEY_VKEY_MAX], print[KEY_FINGERPRINT];
    if (folder_paths(o->data, &f, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    enum fl_err err = rotate(&f, o, secret, &opened, &next, &why);
    if (!err)
        err = vkey_fingerprint(&next, print);
    if (!err) {
        vkey_format(&next, text);
        cli_print("old key      %s\nnew key      %s\nfingerprint  %s\n", opened.now, text, print);
        if (!o->then)
            cli_print("\nThe key after it is %s: keep it away from this machine until it is needed.\n", f.next);
    }
    folder_fini(&f);
    return err ? cli_fail(err == FL_ARG ? CLI_USAGE : CLI_STATION, "%s", why.text[0] ? why.text : fl_err_text(err)) : CLI_OK;
}

static int run_key_rotate(int argc, char **argv)
{
    struct options o = {.fd = CLI_NO_PASSPHRASE};
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &o.data}, {"next", CLI_TEXT, &o.next}, {"then", CLI_TEXT, &o.then},
        {"passphrase-fd", CLI_UINT, &o.fd}, {"credential", CLI_TEXT, &o.credential}, {NULL, CLI_FLAG, NULL},
    };
    char *secret = NULL;
    bool done;
    int code = cli_options(&cmd_key_rotate, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_key_rotate, "'%s' is not expected", argv[0]);
    char *dir = cli_data_dir(o.data);
    o.data = dir;
    code = dir ? cli_secret(o.credential, o.fd, &secret) : cli_fail(CLI_STATION, "out of memory");
    if (!code)
        code = run(&o, secret);
    cli_passphrase_free(secret);
    free(dir);
    return code;
}
