/* SPDX-License-Identifier: Apache-2.0
 * The witness's protocol, both ends. By the first input byte what follows is a request to a witness that signed size 4 of the
 * log in log.h, or what a witness answered. The log's key signed a head of another history too: it may never be cosigned. */
#include "log.h"

#include "audit/witness.h"

enum { SIGNED_LAST = 4, NOW = 1795334400 };
static struct log *lg;

static enum fl_err find(void *ctx, const char *origin, struct witness_log *out)
{
    (void)ctx;
    if (strcmp(origin, LOG_ORIGIN) != 0)
        return FL_NOT_FOUND;
    *out = (struct witness_log){.keys = &lg->vkey, .n_keys = 1, .size = SIGNED_LAST, .root = lg->root[SIGNED_LAST]};
    return FL_OK;
}

/* One history only, and never back. */
static enum fl_err store(void *ctx, const struct checkpoint *head, const void *note, size_t n, struct fl_why *why)
{
    struct checkpoint c;
    const struct vkey keys[] = {lg->vkey, lg->witness};
    ++*(int *)ctx;
    FUZZ_HOLDS(head->size >= SIGNED_LAST && head->size <= LOG_SIZE && tree_hash_same(&head->root, &lg->root[head->size]));
    FUZZ_HOLDS(checkpoint_open(note, n, keys, 2, LOG_ORIGIN, &c, why) == FL_OK && c.size == head->size);
    return FL_OK;
}

static void as_request(const uint8_t *bytes, size_t n)
{
    int stored = 0;
    const struct witness w = {&stored, lg->witness_key, &lg->witness, find, store};
    struct witness_reply r;
    FUZZ_HOLDS(witness_answer(&w, bytes, n, NOW, &r, NULL) == FL_OK);
    FUZZ_HOLDS((r.status == 200) == (stored == 1) && (r.status == 200) == (r.note.len > 0));
    FUZZ_HOLDS(r.status == 200 || r.status == 400 || r.status == 403 || r.status == 404 || r.status == 409 || r.status == 422);
    FUZZ_HOLDS(r.body.len > 0 && r.body.bytes[r.body.len - 1] == '\n' && fuzz_for_eyes(fl_buf_text(&r.body), r.body.len - 1, false));
    witness_reply_fini(&r);
}

/* What is taken is the log's own note with one good line more. */
static void as_answer(const uint8_t *bytes, size_t n)
{
    struct fl_buf out = FL_BUF(1 << 16);
    const struct fl_buf *mine = &lg->head[LOG_SIZE];
    struct fl_why why = {0, ""};
    struct note *note = malloc(sizeof *note);
    FUZZ_HOLDS(note);
    if (witness_take(mine->bytes, mine->len, bytes, n, &lg->witness, &out, &why) == FL_OK) {
        bool which[2];
        const struct vkey keys[] = {lg->vkey, lg->witness};
        FUZZ_HOLDS(out.len > mine->len && memcmp(out.bytes, mine->bytes, mine->len) == 0);
        FUZZ_HOLDS(note_parse(out.bytes, out.len, note, NULL) == FL_OK && note->n == 2);
        FUZZ_HOLDS(note_verify(note, keys, 2, which, NULL) == FL_OK && which[0] && which[1]);
    } else {
        FUZZ_HOLDS(out.len == 0 && why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
    }
    free(note);
    fl_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (!lg)
        lg = log_make();
    if (n == 0)
        return 0;
    uint8_t *copy = fuzz_copy(bytes + 1, n - 1);
    (bytes[0] % 2 ? as_answer : as_request)(copy, n - 1);
    free(copy);
    return 0;
}
