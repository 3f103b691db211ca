/* SPDX-License-Identifier: Apache-2.0
 * A key file for whoever holds it apart from the station: a new key, or the description of one in a token. */
#include "cli/cli.h"

#include "cli/passphrase.h"
#include "base/file.h"
#include "base/hash.h"
#include "store/folder.h"
#include "sign/seal.h"
#include "sign/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_key_create(int argc, char **argv);

const struct cli_verb cmd_key_create = {
    .name = "key create",
    .line = "a key file: a new key, or where one lies in a PKCS#11 token",
    .help =
        "usage: flashline key create --key FILE (--passphrase-fd N | --credential NAME | --no-passphrase)\n"
        "       flashline key create --key FILE --pkcs11 MODULE --token LABEL --object LABEL (--passphrase-fd N | --credential NAME)\n"
        "\n"
        "The first makes a new Ed25519 key (PKCS#8, PEM, mode 0600), encrypted with the passphrase. The second makes no key:\n"
        "it looks for the pair with that label in the token, signs with it once to see that it is Ed25519, and writes down\n"
        "where it is; the secret is the token's PIN. A pair in a token is made with its maker's tools, or with\n"
        "pkcs11-tool --module MODULE --token-label LABEL --login --keypairgen --key-type EC:edwards25519 --label LABEL\n"
        "\n"
        "init needs none of this: it makes its keys itself. Use it for flashline signer and for flashline init --key.\n"
        "An existing file is left alone.\n"
        "\n"
        "exit: 0 made, 2 usage or the file is there, 3 it could not be made\n"
        "\n"
        "example:\n"
        "  flashline key create --key /var/lib/flashline-signer/log.key --passphrase-fd 3 3<passphrase.txt\n",
    .run = run_key_create,
};

struct options {
    const char *path, *module, *token, *object, *credential;
    unsigned fd;
    bool plain;
};

static enum fl_err new_key(const char *secret, struct fl_buf *text, uint8_t public[static KEY_PUBLIC], struct fl_why *why)
{
    struct key *key;
    enum fl_err err = key_new(&key, why);
    if (err)
        return err;
    key_public(key, public);
    err = key_to_pem(key, secret, text, why);
    key_free(key);
    return err;
}

static enum fl_err in_token(const struct options *o, const char *secret, struct fl_buf *text, uint8_t public[static KEY_PUBLIC],
                            struct fl_why *why)
{
    struct token_place place;
    struct seal seal;
    char *module = realpath(o->module, NULL);
    token_format(module ? module : o->module, o->token, o->object, text);
    free(module);
    enum fl_err err = fl_buf_err(text, why);
    if (!err)
        err = token_parse(text->bytes, text->len, &place, why);
    if (!err)
        err = token_open(&place, secret, &seal, why);
    if (err)
        return err;
    memcpy(public, seal.public, KEY_PUBLIC);
    seal_close(&seal);
    return FL_OK;
}

static int create(const struct options *o, const char *secret)
{
    struct fl_buf text = FL_BUF(16384);
    struct fl_why why = {0, ""};
    uint8_t public[KEY_PUBLIC];
    char hex[2 * KEY_PUBLIC + 1], promise[65];
    enum fl_err err = o->module ? in_token(o, secret, &text, public, &why) : new_key(secret, &text, public, &why);
    if (!err)
        err = folder_promise(public, promise, &why);
    if (!err)
        err = fl_file_replace(o->path, text.bytes, text.len, 0600, &why);
    key_wipe(&text);
    if (err)
        return cli_fail(CLI_STATION, "%s", why.text);
    fl_hex(public, sizeof public, hex);
    cli_print("file         %s\npublic key   %s\nSHA-256      %s\n", o->path, hex, promise);
    return CLI_OK;
}

static int run_key_create(int argc, char **argv)
{
    struct options o = {.fd = CLI_NO_PASSPHRASE};
    const struct cli_opt options[] = {
        {"key", CLI_TEXT, &o.path},         {"pkcs11", CLI_TEXT, &o.module},         {"token", CLI_TEXT, &o.token},
        {"object", CLI_TEXT, &o.object},    {"passphrase-fd", CLI_UINT, &o.fd},      {"credential", CLI_TEXT, &o.credential},
        {"no-passphrase", CLI_FLAG, &o.plain}, {NULL, CLI_FLAG, NULL},
    };
    char *secret = NULL;
    bool done;
    int code = cli_options(&cmd_key_create, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_key_create, "'%s' is not expected", argv[0]);
    if (!o.path)
        return cli_usage(&cmd_key_create, "--key FILE is missing");
    if (!!o.module != !!o.token || !!o.module != !!o.object)
        return cli_usage(&cmd_key_create, "--pkcs11, --token and --object belong together");
    if (o.plain + (o.fd != CLI_NO_PASSPHRASE) + (o.credential != NULL) != 1)
        return cli_usage(&cmd_key_create, "say one of --passphrase-fd N, --credential NAME and --no-passphrase");
    if (fl_path_exists(o.path))
        return cli_fail(CLI_USAGE, "%s is there already", o.path);
    code = cli_secret(o.credential, o.fd, &secret);
    if (!code)
        code = create(&o, secret);
    cli_passphrase_free(secret);
    return code;
}
