/* SPDX-License-Identifier: Apache-2.0
 * The public half of the station's key. Needs no passphrase, and no station at rest. */
#include "cli/cli.h"

#include "ledger/ledger.h"
#include "store/db.h"
#include "store/folder.h"

#include "base/file.h"
#include "base/json.h"
#include "sign/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_key_show(int argc, char **argv);

const struct cli_verb cmd_key_show = {
    .name = "key show",
    .line = "the station's verifier key and its fingerprint",
    .help =
        "usage: flashline key show [--data DIR] [--format text|json]\n"
        "\n"
        "Prints the verifier key of the station's log (C2SP form: name+key ID+key) and the SHA-256 of that line, in\n"
        "groups of four digits to be compared with paper. That key stands for the log for ever; where the log was handed over\n"
        "(key rotate) the one that signs now is told too: whoever checks single certificates or is a witness needs it as well.\n"
        "\n"
        "exit: 0 shown, 2 usage, 3 there is no station\n"
        "\n"
        "example:\n"
        "  flashline key show --data /var/lib/flashline\n",
    .run = run_key_show,
};

/* Where the private half is, as far as can be seen from here. */
static void where(const struct folder *f, bool encrypted, char *out, size_t cap)
{
    struct fl_buf text = FL_BUF(65536), place = FL_BUF(4096);
    struct fl_why why = {0, ""};
    enum fl_err err;
    if (fl_path_exists(f->signer) && fl_file_read(f->signer, &place, NULL) == FL_OK)
        (void)snprintf(out, cap, "with the signer at %.*s", (int)strcspn(fl_buf_text(&place), "\n"), fl_buf_text(&place));
    else if ((err = fl_file_read(f->key, &text, &why)) == FL_OK)
        (void)snprintf(out, cap, "%s", token_describes(text.bytes, text.len) ? "in a token" : encrypted ? "encrypted" : "not encrypted");
    else if (err == FL_NOT_FOUND)
        (void)snprintf(out, cap, "not here: %s is gone, as after flashline key retire", f->key);
    else
        (void)snprintf(out, cap, "not readable here: %s", why.text);
    key_wipe(&text);
    fl_buf_fini(&place);
}

/* The key that signs now, as the log tells it: the one that stands for the log, or one that it was handed over to. */
static enum fl_err signs_now(const struct folder *f, const struct vkey *first, char out[static KEY_VKEY_MAX], struct fl_why *why)
{
    struct db_reader reader;
    struct vkey key[AUDIT_KEYS_MAX];
    size_t n = 0;
    enum fl_err err = db_open_reader(f->db, false, &reader, why);
    if (!err)
        err = ledger_keys(reader.db, first, key, &n, why);
    db_close_reader(&reader);
    if (!err)
        vkey_format(&key[n - 1], out);
    return err;
}

static int show(const struct folder *f, int format)
{
    char station[FOLDER_STATION_MAX], text[KEY_VKEY_MAX], now[KEY_VKEY_MAX], print[KEY_FINGERPRINT], place[4200];
    struct vkey vkey;
    struct fl_why why = {0, ""};
    enum fl_err err = folder_identity(f, station, &vkey, &why);
    if (!err)
        err = vkey_fingerprint(&vkey, print);
    if (err)
        return cli_fail(CLI_STATION, "%s", why.text[0] ? why.text : fl_err_text(err));
    vkey_format(&vkey, text);
    bool encrypted = folder_key_encrypted(f), told = signs_now(f, &vkey, now, &why) == FL_OK;
    if (format == CLI_TEXT_OUT) {
        where(f, encrypted, place, sizeof place);
        cli_print("station      %s\nlog          %s\nkey          %s\nfingerprint  %s\n", station, vkey.name, text, print);
        if (!told)
            cli_print("signs now    not known: %s\n", why.text);
        else if (strcmp(now, text) != 0)
            cli_print("signs now    %s\n", now);
        cli_print("signing key  %s\n", place);
        return CLI_OK;
    }
    json_t *v = json_pack("{ss,ss,ss,ss,ss?,sb}", "station", station, "log", vkey.name, "key", text, "fingerprint", print, "now",
                          told ? now : NULL, "encrypted", (int)encrypted);
    int code = v && json_dumpf(v, stdout, JSON_INDENT(2)) == 0 ? CLI_OK : CLI_STATION;
    putchar('\n');
    json_decref(v);
    return code;
}

static int run_key_show(int argc, char **argv)
{
    const char *data = NULL, *format = NULL;
    struct folder f;
    struct fl_why why = {0, ""};
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_key_show, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_key_show, "'%s' is not expected", argv[0]);
    if (cli_format(format) < 0)
        return cli_usage(&cmd_key_show, "--format is text or json, not '%s'", format);
    char *dir = cli_data_dir(data);
    if (!dir || folder_paths(dir, &f, &why)) {
        free(dir);
        return cli_fail(CLI_STATION, "out of memory");
    }
    code = show(&f, cli_format(format));
    folder_fini(&f);
    free(dir);
    return code;
}
