/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/note.h"

#include "base/b64.h"
#include "audit/cosign.h"
#include "base/utf8.h"

#include <string.h>

static const char dash[] = "\xe2\x80\x94 ";
enum { DASH = sizeof dash - 1, ID = 4 };

/* One signature line without its newline. */
static bool parse_line(const char *p, size_t n, struct note_signature *out)
{
    uint8_t raw[NOTE_RAW_MAX];
    size_t raw_n;
    if (n < DASH || memcmp(p, dash, DASH) != 0)
        return false;
    p += DASH;
    n -= DASH;
    const char *space = memchr(p, ' ', n);
    if (!space || !key_name_ok(p, (size_t)(space - p)))
        return false;
    *out = (struct note_signature){.name = p,
                                   .name_n = (size_t)(space - p),
                                   .b64 = space + 1,
                                   .b64_n = n - (size_t)(space - p) - 1};
    if (!b64_decode(out->b64, out->b64_n, raw, sizeof raw, &raw_n) || raw_n <= ID)
        return false;
    out->id = (uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 | (uint32_t)raw[2] << 8 | raw[3];
    return true;
}

static bool text_ok(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < 0x20 && p[i] != '\n')
            return false;
    return fl_utf8_ok((const uint8_t *)p, n);
}

enum fl_err note_parse(const void *bytes, size_t n, struct note *out, struct fl_why *why)
{
    const char *p = bytes, *end = p + n, *blank = NULL;
    out->n = 0;
    if (n > NOTE_BYTES_MAX)
        return fl_fail(why, FL_LIMIT, "a note of %zu bytes", n);
    if (n == 0 || p[n - 1] != '\n')
        return fl_fail(why, FL_FORMAT, "the note does not end with a newline");
    if (!text_ok(p, n))
        return fl_fail(why, FL_FORMAT, "the note holds control characters or is not UTF-8");
    for (size_t i = n - 1; i > 0 && !blank; i--)
        if (p[i] == '\n' && p[i - 1] == '\n')
            blank = p + i;
    if (!blank || blank + 1 == end)
        return fl_fail(why, FL_FORMAT, "the note has no signature below an empty line");
    out->text = p;
    out->text_n = (size_t)(blank - p);
    for (p = blank + 1; p < end;) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        if (out->n == NOTE_SIGNATURES_MAX)
            return fl_fail(why, FL_FORMAT, "the note has more than %d signatures", NOTE_SIGNATURES_MAX);
        if (!parse_line(p, (size_t)(line_end - p), &out->signature[out->n]))
            return fl_fail(why, FL_FORMAT, "signature line %zu of the note is malformed", out->n + 1);
        out->n++;
        p = line_end + 1;
    }
    return FL_OK;
}

enum fl_err note_signature_raw(const struct note_signature *s, uint8_t out[static NOTE_RAW_MAX],
                               size_t *n)
{
    return b64_decode(s->b64, s->b64_n, out, NOTE_RAW_MAX, n) ? FL_OK : FL_FORMAT;
}

static enum fl_err check_one(const struct note *note, const struct note_signature *s,
                             const struct vkey *key)
{
    uint8_t raw[NOTE_RAW_MAX];
    size_t n;
    enum fl_err err = note_signature_raw(s, raw, &n);
    if (err)
        return err;
    if (key->type == KEY_COSIGN)
        return cosign_check(note->text, note->text_n, raw + ID, n - ID, key, NULL);
    return n == ID + KEY_SIGNATURE ? vkey_verify(key->key, note->text, note->text_n, raw + ID)
                                   : FL_MISMATCH;
}

static bool by_key(const struct note_signature *s, const struct vkey *k)
{
    return s->id == k->id && s->name_n == strlen(k->name) && memcmp(s->name, k->name, s->name_n) == 0;
}

enum fl_err note_verify(const struct note *note, const struct vkey *keys, size_t n_keys, bool *which,
                        struct fl_why *why)
{
    bool any = false;
    for (size_t k = 0; which && k < n_keys; k++)
        which[k] = false;
    for (size_t i = 0; i < note->n; i++) {
        const struct note_signature *s = &note->signature[i];
        for (size_t k = 0; k < n_keys; k++) {
            if (!by_key(s, &keys[k]))
                continue;
            enum fl_err err = check_one(note, s, &keys[k]);
            if (err == FL_NOMEM)
                return fl_fail(why, err, "out of memory");
            if (err)
                return fl_fail(why, FL_MISMATCH, "the signature by %s (%08x) is not good", keys[k].name,
                               keys[k].id);
            any = true;
            if (which)
                which[k] = true;
        }
    }
    return any ? FL_OK : fl_fail(why, FL_NOT_FOUND, "no signature by a known key");
}

void note_add_line(struct fl_buf *out, const char *name, uint32_t id, const uint8_t *raw, size_t n)
{
    uint8_t all[NOTE_RAW_MAX] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    char b64[B64_LEN(NOTE_RAW_MAX) + 1];
    if (n > sizeof all - ID) {
        out->err = FL_LIMIT;
        return;
    }
    memcpy(all + ID, raw, n);
    b64_encode(all, ID + n, b64);
    fl_buf_adds(out, dash);
    fl_buf_adds(out, name);
    fl_buf_addc(out, ' ');
    fl_buf_adds(out, b64);
    fl_buf_addc(out, '\n');
}
