/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/proof_file.h"

#include "base/b64.h"

#include <stdlib.h>
#include <string.h>

static const char first_line[] = "c2sp.org/tlog-proof@v1\n";

struct lines {
    const char *p, *end;
};

/* The next line; its length without the newline, or false. */
static bool next(struct lines *l, const char **line, size_t *n)
{
    const char *nl = l->p < l->end ? memchr(l->p, '\n', (size_t)(l->end - l->p)) : NULL;
    if (!nl)
        return false;
    *line = l->p;
    *n = (size_t)(nl - l->p);
    l->p = nl + 1;
    return true;
}

static bool after(const char *prefix, const char **line, size_t *n)
{
    size_t k = strlen(prefix);
    if (*n < k || memcmp(*line, prefix, k) != 0)
        return false;
    *line += k;
    *n -= k;
    return true;
}

static enum fl_err parse_extra(const char *b64, size_t n, struct proof_file *out, struct fl_why *why)
{
    size_t got = 0;
    uint8_t *room = fl_buf_room(&out->extra, n / 4 * 3);
    if (!room || !b64_decode(b64, n, room, n / 4 * 3, &got))
        return fl_fail(why, FL_FORMAT, "the proof's extra line is not base64 of %d bytes at most",
                       PROOF_EXTRA_MAX);
    out->extra.len = got;
    out->has_extra = true;
    return FL_OK;
}

enum fl_err proof_file_parse(const void *bytes, size_t n, struct proof_file *out, struct fl_why *why)
{
    struct lines l = {bytes, (const char *)bytes + n};
    const char *line;
    size_t len, got;
    *out = (struct proof_file){.extra = FL_BUF(PROOF_EXTRA_MAX + 2)};
    if (n > PROOF_BYTES_MAX)
        return fl_fail(why, FL_LIMIT, "a proof of %zu bytes", n);
    if (n < sizeof first_line - 1 || memcmp(bytes, first_line, sizeof first_line - 1) != 0)
        return fl_fail(why, FL_FORMAT, "the first line is not %.22s", first_line);
    l.p += sizeof first_line - 1;
    bool more = next(&l, &line, &len);
    if (more && after("extra ", &line, &len)) {
        enum fl_err err = parse_extra(line, len, out, why);
        if (err)
            return err;
        more = next(&l, &line, &len);
    }
    if (!more || !after("index ", &line, &len) || !checkpoint_number(line, len, &out->index))
        return fl_fail(why, FL_FORMAT, "the proof has no line 'index <decimal>'");
    for (;;) {
        if (!next(&l, &line, &len))
            return fl_fail(why, FL_FORMAT, "the proof ends before its checkpoint");
        if (len == 0)
            break;
        if (out->path.n == TREE_PROOF_MAX)
            return fl_fail(why, FL_FORMAT, "the proof has more than %d hashes", TREE_PROOF_MAX);
        if (!b64_decode(line, len, out->path.path[out->path.n].b, FL_SHA256_SIZE, &got) ||
            got != FL_SHA256_SIZE)
            return fl_fail(why, FL_FORMAT, "hash %zu of the proof is not 32 bytes of base64",
                           out->path.n + 1);
        out->path.n++;
    }
    out->note = l.p;
    out->note_n = (size_t)(l.end - l.p);
    return FL_OK;
}

void proof_file_fini(struct proof_file *p)
{
    fl_buf_fini(&p->extra);
}

static void add_b64(struct fl_buf *out, const void *bytes, size_t n)
{
    char *room = (char *)fl_buf_room(out, B64_LEN(n));
    if (room) {
        b64_encode(bytes, n, room);
        out->len += B64_LEN(n);
    }
    fl_buf_addc(out, '\n');
}

void proof_file_write(struct fl_buf *out, const void *extra, size_t extra_n, uint64_t index,
                      const struct tree_proof *path, const void *note, size_t note_n)
{
    fl_buf_adds(out, first_line);
    if (extra) {
        fl_buf_adds(out, "extra ");
        add_b64(out, extra, extra_n);
    }
    fl_buf_addf(out, "index %llu\n", (unsigned long long)index);
    for (size_t i = 0; i < path->n; i++)
        add_b64(out, path->path[i].b, FL_SHA256_SIZE);
    fl_buf_addc(out, '\n');
    fl_buf_add(out, note, note_n);
}

enum fl_err proof_file_check(const struct proof_file *p, const void *leaf, size_t leaf_n,
                             const struct vkey *keys, size_t n_keys, const char *origin,
                             struct checkpoint *head, struct fl_why *why)
{
    struct checkpoint c;
    struct tree_hash h;
    struct fl_hash *hasher;
    enum fl_err err = checkpoint_open(p->note, p->note_n, keys, n_keys, origin, &c, why);
    if (err)
        return err;
    if (fl_hash_new(FL_HASH_SHA256, &hasher))
        return fl_fail(why, FL_NOMEM, "out of memory");
    err = tree_leaf(hasher, leaf, leaf_n, &h);
    if (!err)
        err = tree_check_leaf(hasher, &h, p->index, c.size, &p->path, &c.root);
    fl_hash_free(hasher);
    if (err == FL_MISMATCH)
        return fl_fail(why, err, "the record is not leaf %llu of the signed tree of %llu",
                       (unsigned long long)p->index, (unsigned long long)c.size);
    if (err)
        return fl_fail(why, err, "%s", fl_err_text(err));
    if (head)
        *head = c;
    return FL_OK;
}
