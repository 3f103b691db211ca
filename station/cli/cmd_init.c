/* SPDX-License-Identifier: Apache-2.0
 * A production station: named, with an encrypted key, and the verifier key told once for paper. */
#include "cli/cli.h"

#include "base/file.h"
#include "cli/passphrase.h"
#include "cli/public_key.h"
#include "prove/previous_log.h"
#include "store/folder.h"
#include "record/recorder.h"
#include "sign/remote.h"
#include "sign/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_init(int argc, char **argv);

const struct cli_verb cmd_init = {
    .name = "init",
    .line = "set a production station up: name, encrypted key, first records",
    .help =
        "usage: flashline init (--passphrase-fd N | --credential NAME | --no-passphrase | --signer SOCKET) [options]\n"
        "\n"
        "  --station NAME      name of the station: 1 to 63 of A-Z a-z 0-9 . _ - (default: the host's name)\n"
        "  --data DIR          the folder to make (default $XDG_DATA_HOME/flashline, else ~/.local/share/flashline);\n"
        "                      one with a station is refused\n"
        "  --origin NAME       name of its log, as in factory.example/line-3/a/2026\n"
        "                      (default: flashline/STATION/ and eight digits of the key)\n"
        "  --passphrase-fd N   read the passphrase that encrypts the key from this descriptor; flash and run then\n"
        "                      need it too\n"
        "  --credential NAME   or from this systemd credential\n"
        "  --no-passphrase     leave the key unencrypted: whoever can read the file can sign\n"
        "  --key FILE          take this key instead of making one: PEM, or the description of a PKCS#11 token, whose PIN the\n"
        "                      passphrase then is (flashline key create makes either)\n"
        "  --signer SOCKET     the key is held by flashline signer at this Unix socket, run by another user\n"
        "  --then KEY          with --key or --signer: the public half of the key after it, as 64 hex digits, as a verifier key,\n"
        "                      or a file with what flashline key create printed. Without it the log promises no next key: it\n"
        "                      cannot be handed over, only closed\n"
        "  --previous DIR      the folder of the station that this one follows: its log is verified, and the first record of the\n"
        "                      new one names its last head. One that does not verify is named with what was found\n"
        "  --format text|json\n"
        "\n"
        "A key made here comes with the one after it, key/next.key: keep that away from the station until flashline key\n"
        "rotate asks for it.\n"
        "\n"
        "It prints the verifier key and its fingerprint. Write both on paper and keep them away from the station: an\n"
        "audit proves most with a key that the station could not change.\n"
        "\n"
        "exit: 0 done, 2 usage or a station is there already, 3 it could not be made\n"
        "\n"
        "example:\n"
        "  flashline init --station line-3-a --data /var/lib/flashline --passphrase-fd 3 3<passphrase.txt\n",
    .run = run_init,
};

/* The public half of a key that is not made here. */
static enum fl_err find_public(const struct folder_new *n, uint8_t public[static KEY_PUBLIC], struct fl_why *why)
{
    struct seal seal;
    struct remote *remote;
    char origin[KEY_NAME_MAX];
    enum fl_err err;
    if (n->socket) {
        err = remote_connect(n->socket, &remote, why);
        if (err)
            return err;
        err = remote_key(remote, public, origin, why);
        remote_free(remote);
        return !err && origin[0] ? fl_fail(why, FL_EXISTS, "the signer at %.200s signs for the log %.100s already", n->socket, origin)
                                 : err;
    }
    err = seal_open(n->key, n->passphrase, &seal, why);
    if (!err)
        memcpy(public, seal.public, KEY_PUBLIC);
    seal_close(&seal);
    return err;
}

/* The folder, then its first records; `encrypted` tells what to say. */
static enum fl_err make_station(const char *data, const struct folder_new *n, const json_t *previous, struct recorder_opened *opened,
                                struct fl_why *why)
{
    struct folder f;
    struct recorder *r = NULL;
    struct folder_new all = *n;
    uint8_t public[KEY_PUBLIC];
    enum fl_err err = n->key || n->socket ? find_public(n, public, why) : FL_OK;
    if (!err)
        err = folder_paths(data, &f, why);
    if (err)
        return err;
    all.public = n->key || n->socket ? public : NULL;
    err = n->then && memcmp(n->then, public, KEY_PUBLIC) == 0
              ? fl_fail(why, FL_ARG, "the key after it must be another one")
              : folder_create(&f, &all, why);
    folder_fini(&f);
    const struct recorder_config c = {.data = data, .passphrase = n->passphrase, .signer_apart = true, .previous = previous};
    if (!err)
        err = recorder_open(&c, &r, opened, why);
    recorder_close(r);
    return err;
}

/* `next`: file of the key after this one, NULL: it is not here. */
static int tell(const char *data, const struct recorder_opened *o, const char *fingerprint, const char *next, int format)
{
    if (format == CLI_JSON_OUT) {
        json_t *v = json_pack("{ss,so,ss,ss,ss,sb}", "station", o->station, "data", fl_json_dirty(data, strlen(data)), "log", o->origin,
                              "key", o->vkey,
                              "fingerprint", fingerprint, "encrypted", (int)o->encrypted);
        int rc = v && json_dumpf(v, stdout, JSON_INDENT(2)) == 0 ? CLI_OK : CLI_STATION;
        putchar('\n');
        json_decref(v);
        return rc;
    }
    cli_print("station      %s\nfolder       %s\nlog          %s\nkey          %s\n\n"
           "verifier key, for paper:\n\n  %s\n\nits fingerprint (SHA-256):\n\n  %s\n\n",
           o->station, data, o->origin, o->encrypted ? "encrypted" : "NOT encrypted: its file is mode 0600", o->vkey,
           fingerprint);
    puts("Keep both away from this machine; flashline audit --key checks the records with them.");
    if (next)
        cli_print("\nThe key after it is %s: keep it away from this machine until flashline key rotate asks for it.\n", next);
    return CLI_OK;
}

static int tell_station(const char *data, const struct recorder_opened *o, const char *fingerprint, int format)
{
    struct folder f;
    struct fl_why why = {0, ""};
    if (folder_paths(data, &f, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    int code = tell(data, o, fingerprint, fl_path_exists(f.next) ? f.next : NULL, format);
    folder_fini(&f);
    return code;
}

static int run_init(int argc, char **argv)
{
    const char *data = NULL, *format = NULL;
    char *dir = NULL, *passphrase = NULL, print[KEY_FINGERPRINT];
    struct folder_new n = {.station = NULL};
    const char *credential = NULL, *then = NULL, *before = NULL;
    json_t *previous = NULL;
    uint8_t then_public[KEY_PUBLIC];
    unsigned fd = CLI_NO_PASSPHRASE;
    bool plain = false, done, closed = true;
    struct recorder_opened opened;
    struct vkey vkey;
    struct fl_why why = {0, ""};
    const struct cli_opt options[] = {
        {"station", CLI_TEXT, &n.station}, {"data", CLI_TEXT, &data},           {"origin", CLI_TEXT, &n.origin},
        {"passphrase-fd", CLI_UINT, &fd},  {"no-passphrase", CLI_FLAG, &plain}, {"format", CLI_TEXT, &format},
        {"credential", CLI_TEXT, &credential}, {"key", CLI_TEXT, &n.key},       {"signer", CLI_TEXT, &n.socket},
        {"then", CLI_TEXT, &then},         {"previous", CLI_TEXT, &before},
        {NULL, CLI_FLAG, NULL},
    };
    int code = cli_options(&cmd_init, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_init, "'%s' is not expected", argv[0]);
    if (cli_format(format) < 0)
        return cli_usage(&cmd_init, "--format is text or json, not '%s'", format);
    if (plain + (fd != CLI_NO_PASSPHRASE) + (credential != NULL) + (n.socket != NULL) != 1)
        return cli_usage(&cmd_init, "say one of --passphrase-fd N, --credential NAME, --no-passphrase and --signer SOCKET");
    if (n.key && n.socket)
        return cli_usage(&cmd_init, "the key is either in a file or with a signer");
    if (then && !n.key && !n.socket)
        return cli_usage(&cmd_init, "--then belongs to --key and --signer: without them the next key is made here");
    if (then && cli_public_key(then, then_public, &why))
        return cli_usage(&cmd_init, "--then: %s", why.text);
    n.then = then ? then_public : NULL;
    if (n.origin && !key_name_ok(n.origin, strlen(n.origin)))
        return cli_usage(&cmd_init, "'%s' cannot name a log: no blanks, no '+', %d bytes at most", n.origin, KEY_NAME_MAX - 1);
    code = cli_secret(credential, fd, &passphrase);
    if (code)
        return code;
    n.passphrase = passphrase;
    dir = cli_data_dir(data);
    enum fl_err err = dir ? FL_OK : fl_fail(&why, FL_NOMEM, "out of memory");
    if (!err && before)
        err = previous_log_name(before, &previous, &closed, &why);
    if (!err)
        err = make_station(dir, &n, previous, &opened, &why);
    if (!err)
        err = vkey_parse(opened.vkey, &vkey, &why);
    if (!err)
        err = vkey_fingerprint(&vkey, print);
    if (err)
        code = cli_fail(err == FL_EXISTS || err == FL_ARG ? CLI_USAGE : CLI_STATION, "%s", why.text);
    else
        code = tell_station(dir, &opened, print, cli_format(format));
    if (!err && !closed)
        cli_say("flashline: the log in %s is not closed for good: flashline key retire --for-good --data %s\n", before, before);
    json_decref(previous);
    cli_passphrase_free(passphrase);
    free(dir);
    return code;
}
