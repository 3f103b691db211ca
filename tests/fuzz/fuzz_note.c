/* SPDX-License-Identifier: Apache-2.0
 * Signed notes, checkpoints and verifier keys. By the first input byte what follows is a note, a text that is signed here, or
 * a verifier key. */
#include "log.h"

#include "audit/note.h"

static struct log *lg;

/* What was read, written again: the same bytes, so there is one way to say it. */
static void again(const struct note *note, const uint8_t *bytes, size_t n)
{
    struct fl_buf out = FL_BUF(2 * NOTE_BYTES_MAX);
    fl_buf_add(&out, note->text, note->text_n);
    fl_buf_addc(&out, '\n');
    for (size_t i = 0; i < note->n; i++) {
        const struct note_signature *s = &note->signature[i];
        char name[KEY_NAME_MAX] = "";
        uint8_t raw[NOTE_RAW_MAX];
        size_t raw_n;
        FUZZ_HOLDS(s->name_n < sizeof name && fuzz_for_eyes(s->name, s->name_n, false) && !memchr(s->name, ' ', s->name_n));
        memcpy(name, s->name, s->name_n);
        FUZZ_HOLDS(note_signature_raw(s, raw, &raw_n) == FL_OK && raw_n > 4);
        note_add_line(&out, name, s->id, raw + 4, raw_n - 4);
    }
    FUZZ_HOLDS(!out.err && out.len == n && memcmp(out.bytes, bytes, n) == 0);
    fl_buf_fini(&out);
}

/* Of all checkpoints only those of log.h were signed. */
static void opened(const uint8_t *bytes, size_t n)
{
    struct checkpoint c;
    struct fl_why why = {0, ""};
    if (checkpoint_open(bytes, n, &lg->vkey, 1, LOG_ORIGIN, &c, &why)) {
        FUZZ_HOLDS(why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
        return;
    }
    FUZZ_HOLDS(c.size <= LOG_SIZE && tree_hash_same(&c.root, &lg->root[c.size]) && c.extensions == 0);
}

static void as_note(const uint8_t *bytes, size_t n)
{
    struct note *note = malloc(sizeof *note);
    struct fl_why why = {0, ""};
    FUZZ_HOLDS(note);
    if (note_parse(bytes, n, note, &why) == FL_OK) {
        const struct vkey keys[] = {lg->vkey, lg->witness};
        bool which[2];
        again(note, bytes, n);
        enum fl_err err = note_verify(note, keys, 2, which, NULL);
        FUZZ_HOLDS((err == FL_OK) == (which[0] || which[1]) || err == FL_MISMATCH);
    } else {
        FUZZ_HOLDS(fuzz_for_eyes(why.text, strlen(why.text), false));
    }
    opened(bytes, n);
    free(note);
}

/* Whatever is signed, what is read under that signature is all of it and nothing else. */
static void as_text(const uint8_t *bytes, size_t n)
{
    struct fl_buf b = FL_BUF(NOTE_BYTES_MAX);
    struct note *note = malloc(sizeof *note);
    struct checkpoint c;
    uint8_t signature[KEY_SIGNATURE];
    FUZZ_HOLDS(note && key_sign(lg->key, bytes, n, signature, NULL) == FL_OK);
    fl_buf_add(&b, bytes, n);
    fl_buf_addc(&b, '\n');
    note_add_line(&b, lg->vkey.name, lg->vkey.id, signature, sizeof signature);
    bool lines = n && bytes[n - 1] == '\n', read = !b.err && note_parse(b.bytes, b.len, note, NULL) == FL_OK;
    if (read && !lines) { /* what is signed is the text with its last newline: none here */
        FUZZ_HOLDS(note_verify(note, &lg->vkey, 1, NULL, NULL) != FL_OK);
    } else if (read) {
        FUZZ_HOLDS(note->text_n == n && note->n == 1);
        FUZZ_HOLDS(note_verify(note, &lg->vkey, 1, NULL, NULL) == FL_OK);
        if (checkpoint_parse(note->text, note->text_n, &c, NULL) == FL_OK) {
            char text[CHECKPOINT_TEXT_MAX]; /* one way to say it; extensions follow */
            size_t len = checkpoint_format(c.origin, c.size, &c.root, text);
            FUZZ_HOLDS(len <= n && memcmp(text, bytes, len) == 0 && (len == n) == (c.extensions == 0));
        }
    } else {
        FUZZ_HOLDS(!lines || !fl_utf8_ok(bytes, n) || !fuzz_for_eyes((const char *)bytes, n, true) ||
                   memchr(bytes, '\t', n));
    }
    fl_buf_fini(&b);
    free(note);
}

static void as_key(const uint8_t *bytes, size_t n)
{
    char *text = fuzz_text(bytes, n), back[KEY_VKEY_MAX];
    struct vkey k;
    struct fl_why why = {0, ""};
    if (vkey_parse(text, &k, &why) == FL_OK) {
        vkey_format(&k, back);
        FUZZ_HOLDS(strcmp(back, text) == 0 && fuzz_for_eyes(k.name, strlen(k.name), false));
    } else {
        FUZZ_HOLDS(why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static void (*const as[])(const uint8_t *, size_t) = {as_note, as_text, as_key};
    if (!lg)
        lg = log_make();
    if (n == 0)
        return 0;
    uint8_t *copy = fuzz_copy(bytes + 1, n - 1);
    as[bytes[0] % 3](copy, n - 1);
    free(copy);
    return 0;
}
