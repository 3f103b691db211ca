/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/checkpoint.h"

#include "base/b64.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t checkpoint_format(const char *origin, uint64_t size, const struct tree_hash *root,
                         char out[static CHECKPOINT_TEXT_MAX])
{
    char b64[B64_LEN(FL_SHA256_SIZE) + 1];
    b64_encode(root->b, sizeof root->b, b64);
    return (size_t)snprintf(out, CHECKPOINT_TEXT_MAX, "%s\n%llu\n%s\n", origin,
                            (unsigned long long)size, b64);
}

bool checkpoint_number(const char *text, size_t n, uint64_t *out)
{
    uint64_t v = 0;
    if (n == 0 || n > 19 || (text[0] == '0' && n > 1))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        v = 10 * v + (uint64_t)(text[i] - '0'); /* 19 digits fit 64 bits */
    }
    *out = v;
    return v <= TREE_SIZE_MAX;
}

/* The next line without its newline; false when there is none. */
static bool take_line(const char **p, const char *end, const char **line, size_t *n)
{
    const char *nl = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;
    if (!nl)
        return false;
    *line = *p;
    *n = (size_t)(nl - *p);
    *p = nl + 1;
    return true;
}

enum fl_err checkpoint_parse(const char *text, size_t n, struct checkpoint *out, struct fl_why *why)
{
    const char *p = text, *end = text + n, *line;
    size_t len, root_n;
    *out = (struct checkpoint){.size = 0};
    if (!take_line(&p, end, &line, &len) || len == 0 || len >= sizeof out->origin ||
        !fl_utf8_ok((const uint8_t *)line, len) || memchr(line, 0, len))
        return fl_fail(why, FL_FORMAT, "the checkpoint names no origin");
    memcpy(out->origin, line, len);
    if (!take_line(&p, end, &line, &len) || !checkpoint_number(line, len, &out->size))
        return fl_fail(why, FL_FORMAT, "the checkpoint's size is not a decimal number");
    if (!take_line(&p, end, &line, &len) ||
        !b64_decode(line, len, out->root.b, sizeof out->root.b, &root_n) || root_n != sizeof out->root.b)
        return fl_fail(why, FL_FORMAT, "the checkpoint's root is not 32 bytes of base64");
    while (p < end) {
        if (!take_line(&p, end, &line, &len) || len == 0)
            return fl_fail(why, FL_FORMAT, "the checkpoint has an empty or unfinished extension line");
        out->extensions++;
    }
    return FL_OK;
}

void checkpoint_note(struct fl_buf *out, const struct vkey *key, const char *origin, uint64_t size,
                     const struct tree_hash *root, const uint8_t signature[static KEY_SIGNATURE])
{
    char text[CHECKPOINT_TEXT_MAX];
    fl_buf_add(out, text, checkpoint_format(origin, size, root, text));
    fl_buf_addc(out, '\n');
    note_add_line(out, key->name, key->id, signature, KEY_SIGNATURE);
}

enum fl_err checkpoint_open(const void *bytes, size_t n, const struct vkey *keys, size_t n_keys,
                            const char *origin, struct checkpoint *out, struct fl_why *why)
{
    struct note *note = malloc(sizeof *note); /* 4 KB: too much for a slot thread's stack to carry unasked */
    if (!note)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = note_parse(bytes, n, note, why);
    if (!err)
        err = note_verify(note, keys, n_keys, NULL, why);
    if (!err)
        err = checkpoint_parse(note->text, note->text_n, out, why);
    if (!err && origin && strcmp(origin, out->origin) != 0)
        err = fl_fail(why, FL_MISMATCH, "the checkpoint is of the log %s, not of %s", out->origin, origin);
    free(note);
    return err;
}
