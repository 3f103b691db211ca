/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/public_key.h"

#include "base/file.h"
#include "base/hash.h"

#include <string.h>

enum { FILE_MAX = 65536 };

/* A name only where a verifier key was given. */
struct typed {
    uint8_t key[KEY_PUBLIC];
    char name[KEY_NAME_MAX];
};

static bool take(const char *text, struct typed *out)
{
    struct vkey k;
    *out = (struct typed){.name = ""};
    if (fl_unhex(text, out->key, sizeof out->key))
        return true;
    if (vkey_parse(text, &k, NULL) || k.type != KEY_NOTE)
        return false;
    memcpy(out->key, k.key, sizeof out->key);
    memcpy(out->name, k.name, sizeof out->name);
    return true;
}

static enum fl_err from_file(const char *path, struct typed *out, struct fl_why *why)
{
    static const char words[] = "public key";
    struct fl_buf b = FL_BUF(FILE_MAX);
    enum fl_err err = fl_file_read(path, &b, why);
    bool found = false;
    char *rest = err ? NULL : (char *)(uintptr_t)fl_buf_text(&b), *line;
    while (rest && !found && (line = strtok_r(rest, "\r\n", &rest))) {
        if (strncmp(line, words, sizeof words - 1) == 0)
            line += sizeof words - 1;
        found = take(line + strspn(line, " "), out);
    }
    if (!err && !found)
        err = fl_fail(why, FL_ARG, "no line of %.200s is a verifier key or a public key of 64 hex digits", path);
    fl_buf_fini(&b);
    return err;
}

static enum fl_err typed_key(const char *text, struct typed *out, struct fl_why *why)
{
    if (take(text, out))
        return FL_OK;
    if (fl_path_exists(text))
        return from_file(text, out, why);
    return fl_fail(why, FL_ARG, "'%.200s' is neither 64 hex digits, nor a verifier key of a log, nor a file with one", text);
}

enum fl_err cli_public_key(const char *text, uint8_t out[static KEY_PUBLIC], struct fl_why *why)
{
    struct typed t;
    enum fl_err err = typed_key(text, &t, why);
    if (!err)
        memcpy(out, t.key, KEY_PUBLIC);
    return err;
}

enum fl_err cli_log_key(const char *text, const char *origin, struct vkey *out, struct fl_why *why)
{
    struct typed t;
    enum fl_err err = typed_key(text, &t, why);
    if (!err && t.name[0] && strcmp(t.name, origin) != 0)
        err = fl_fail(why, FL_ARG, "'%.120s' is a key of another log than %.120s", text, origin);
    return err ? err : vkey_make(origin, KEY_NOTE, t.key, out, why);
}
