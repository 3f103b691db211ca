/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/witness.h"

#include "base/b64.h"
#include "audit/cosign.h"

#include <stdlib.h>
#include <string.h>

/* ---- asking -------------------------------------------------------------------------------------------------------- */

void witness_request(uint64_t old, const struct tree_proof *proof, const void *note, size_t n, struct fl_buf *out)
{
    char b64[B64_LEN(FL_SHA256_SIZE) + 1];
    fl_buf_addf(out, "old %llu\n", (unsigned long long)old);
    for (size_t i = 0; proof && i < proof->n; i++) {
        b64_encode(proof->path[i].b, FL_SHA256_SIZE, b64);
        fl_buf_addf(out, "%s\n", b64);
    }
    fl_buf_addc(out, '\n');
    fl_buf_add(out, note, n);
}

/* One line of the answer as a note of its own under the checkpoint's text: the reader of notes then judges it. */
static enum fl_err judge_line(const struct note *note, const char *line, size_t n, const struct vkey *witness, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(NOTE_BYTES_MAX);
    struct note *one = malloc(sizeof *one);
    fl_buf_add(&b, note->text, note->text_n);
    fl_buf_addc(&b, '\n');
    fl_buf_add(&b, line, n);
    fl_buf_addc(&b, '\n');
    enum fl_err err = one ? fl_buf_err(&b, why) : FL_NOMEM;
    if (!err && note_parse(b.bytes, b.len, one, NULL))
        err = FL_NOT_FOUND; /* no signature line: ignored */
    if (!err)
        err = note_verify(one, witness, 1, NULL, why);
    free(one);
    fl_buf_fini(&b);
    return err;
}

enum fl_err witness_take(const void *note, size_t note_n, const void *answer, size_t answer_n, const struct vkey *witness,
                         struct fl_buf *out, struct fl_why *why)
{
    const char *p = answer, *end = p + answer_n;
    struct note *n = malloc(sizeof *n);
    enum fl_err err = n ? note_parse(note, note_n, n, why) : fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err found = FL_NOT_FOUND;
    while (!err && p < end && found == FL_NOT_FOUND) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);
        found = judge_line(n, p, len, witness, why);
        if (found == FL_OK) {
            fl_buf_add(out, note, note_n);
            fl_buf_add(out, p, len);
            fl_buf_addc(out, '\n');
        }
        p += len + 1;
    }
    free(n);
    if (!err && found == FL_NOT_FOUND)
        err = fl_fail(why, FL_NOT_FOUND, "the answer holds no signature of the witness %s", witness->name);
    return err ? err : found ? found : fl_buf_err(out, why);
}

/* ---- answering ----------------------------------------------------------------------------------------------------- */

struct request {
    uint64_t old;
    struct tree_proof proof;
    const char *bytes; /* the note */
    size_t n;
    struct note note;
    struct checkpoint head;
};

static bool next_line(const char **p, const char *end, const char **line, size_t *n)
{
    const char *nl = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;
    if (!nl)
        return false;
    *line = *p;
    *n = (size_t)(nl - *p);
    *p = nl + 1;
    return true;
}

static bool parse_lines(struct request *r, const char *p, size_t n)
{
    const char *end = p + n, *line;
    size_t len, got;
    if (!next_line(&p, end, &line, &len) || len < 5 || memcmp(line, "old ", 4) != 0 || !checkpoint_number(line + 4, len - 4, &r->old))
        return false;
    while (next_line(&p, end, &line, &len) && len) {
        if (r->proof.n == WITNESS_PROOF_MAX ||
            !b64_decode(line, len, r->proof.path[r->proof.n].b, FL_SHA256_SIZE, &got) || got != FL_SHA256_SIZE)
            return false;
        r->proof.n++;
    }
    r->bytes = p;
    r->n = (size_t)(end - p);
    return p < end;
}

static void say(struct witness_reply *out, int status, const char *why)
{
    out->status = status;
    out->type = "text/plain; charset=utf-8";
    fl_buf_addf(&out->body, "%s\n", why);
}

/* The one question: did the tree that was signed last grow into this one? */
static bool grows(struct witness_reply *out, const struct request *r, const struct witness_log *log, enum fl_err *err)
{
    static const struct tree_range nothing;
    struct fl_hash *h = NULL;
    struct tree_hash from = log->root, empty;
    const char *bad = NULL;
    *err = fl_hash_new(FL_HASH_SHA256, &h);
    if (!*err)
        *err = tree_range_root(h, &nothing, &empty);
    if (*err)
        goto done;
    if (log->size == 0)
        from = empty;
    if (r->old == 0 && r->proof.n)
        bad = "a proof from nothing";
    else if (r->head.size == 0 && !tree_hash_same(&r->head.root, &empty))
        bad = "an empty tree has another root";
    else if (r->old == r->head.size && r->old && !tree_hash_same(&r->head.root, &from))
        bad = "another root for the size that was signed last: a fork";
    if (!bad)
        *err = tree_check_growth(h, r->old, &from, r->head.size, &r->head.root, &r->proof);
    if (*err == FL_MISMATCH) {
        *err = FL_OK;
        bad = "the proof does not lead from the tree that was signed last to this one";
    }
    if (bad)
        say(out, 422, bad);
done:
    fl_hash_free(h);
    return !bad && !*err;
}

static enum fl_err sign(const struct witness *w, const struct request *r, int64_t now_s, struct witness_reply *out, struct fl_why *why)
{
    uint8_t raw[COSIGN_RAW];
    enum fl_err err = cosign_make(r->note.text, r->note.text_n, now_s, w->key, raw, why);
    if (err)
        return err;
    note_add_line(&out->body, w->vkey->name, w->vkey->id, raw, sizeof raw);
    fl_buf_add(&out->note, r->bytes, r->n);
    fl_buf_add(&out->note, out->body.bytes, out->body.len);
    err = fl_buf_err(&out->note, why);
    if (!err)
        err = w->store(w->ctx, &r->head, out->note.bytes, out->note.len, why);
    if (err)
        return err;
    out->status = 200;
    out->type = "text/plain; charset=utf-8";
    return fl_buf_err(&out->body, why);
}

static enum fl_err answer(const struct witness *w, struct request *r, const void *bytes, size_t n, int64_t now_s,
                          struct witness_reply *out, struct fl_why *why)
{
    struct witness_log log = {.size = 0};
    struct fl_why bad = {0, ""};
    enum fl_err err;
    if (n > WITNESS_REQUEST_MAX || !parse_lines(r, bytes, n))
        return say(out, 400, "no request of the form old, hashes, empty line, signed checkpoint"), FL_OK;
    if (note_parse(r->bytes, r->n, &r->note, &bad) || checkpoint_parse(r->note.text, r->note.text_n, &r->head, &bad))
        return say(out, 400, bad.text), FL_OK;
    err = w->find(w->ctx, r->head.origin, &log);
    if (err == FL_NOT_FOUND)
        return say(out, 404, "this log is not known here"), FL_OK;
    if (err)
        return fl_fail(why, err, "what was signed last cannot be read: nothing more is signed for this log");
    err = note_verify(&r->note, log.keys, log.n_keys, NULL, &bad);
    if (err == FL_NOMEM)
        return fl_fail(why, err, "out of memory");
    if (err)
        return say(out, 403, bad.text), FL_OK;
    if (r->old > r->head.size)
        return say(out, 400, "old is larger than the checkpoint"), FL_OK;
    if (r->old != log.size) {
        out->status = 409;
        out->type = "text/x.tlog.size";
        fl_buf_addf(&out->body, "%llu\n", (unsigned long long)log.size);
        return FL_OK;
    }
    if (!grows(out, r, &log, &err))
        return err ? fl_fail(why, err, "%s", fl_err_text(err)) : FL_OK;
    return sign(w, r, now_s, out, why);
}

enum fl_err witness_answer(const struct witness *w, const void *request, size_t n, int64_t now_s, struct witness_reply *out,
                           struct fl_why *why)
{
    *out = (struct witness_reply){.body = FL_BUF(65536), .note = FL_BUF(65536)};
    struct request *r = calloc(1, sizeof *r);
    if (!r)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = answer(w, r, request, n, now_s, out, why);
    free(r);
    return err;
}

void witness_reply_fini(struct witness_reply *r)
{
    fl_buf_fini(&r->body);
    fl_buf_fini(&r->note);
}
