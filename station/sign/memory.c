/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/memory.h"

#include "audit/signer.h"
#include "base/cursor.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ORIGIN = 128,
    HEAD = 8 + 8 + 8 + ORIGIN + KEY_PUBLIC + 2 * (8 + FL_SHA256_SIZE) + 1 + 2 * KEY_SIGNATURE + 4,
    ROOM = 65536, /* written once when the file is made: from then on writing moves no blocks */
};
_Static_assert((int)ORIGIN == (int)KEY_NAME_MAX, "an origin fits");
static const char magic[8] = {'F', 'L', 'S', 'I', 'G', 'N', '0', '1'};

/* ---- bytes ---------------------------------------------------------------------------------------------- */

static void add_u64(struct fl_buf *b, uint64_t v)
{
    uint8_t p[8];
    fl_put_u64le(p, v);
    fl_buf_add(b, p, sizeof p);
}

static enum fl_err encode(const struct memory_state *s, const struct fl_buf *redo, struct fl_buf *b, struct fl_why *why)
{
    uint8_t n[4], digest[FL_SHA256_SIZE], signatures = (uint8_t)s->signatures;
    fl_put_u32le(n, redo ? (uint32_t)redo->len : 0);
    fl_buf_add(b, magic, sizeof magic);
    add_u64(b, s->turn);
    add_u64(b, (uint64_t)s->wall_ms);
    fl_buf_add(b, s->last.origin, ORIGIN);
    fl_buf_add(b, s->public, KEY_PUBLIC);
    add_u64(b, s->before.size);
    fl_buf_add(b, s->before.root.b, sizeof s->before.root.b);
    add_u64(b, s->last.size);
    fl_buf_add(b, s->last.root.b, sizeof s->last.root.b);
    fl_buf_add(b, &signatures, 1);
    fl_buf_add(b, s->signature, sizeof s->signature);
    fl_buf_add(b, n, sizeof n);
    if (redo && redo->len)
        fl_buf_add(b, redo->bytes, redo->len);
    enum fl_err err = fl_buf_err(b, why);
    if (!err && fl_sha256(b->bytes, b->len, digest))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    fl_buf_add(b, digest, sizeof digest);
    return err ? err : fl_buf_err(b, why);
}

static void take(struct fl_cursor *c, void *to, size_t n)
{
    const uint8_t *p = fl_take(c, n);
    if (p)
        memcpy(to, p, n);
}

/* False: torn, or of an earlier time. `redo` borrows the bytes. */
static bool decode(const struct fl_buf *b, struct memory_state *s, const uint8_t **redo, size_t *redo_n)
{
    struct fl_cursor c = fl_cursor_of(b->bytes, b->len);
    uint8_t digest[FL_SHA256_SIZE];
    char mark[8] = "";
    *s = (struct memory_state){.turn = 0};
    take(&c, mark, sizeof mark);
    s->turn = fl_take_u64le(&c);
    s->wall_ms = (int64_t)fl_take_u64le(&c);
    take(&c, s->last.origin, ORIGIN);
    memcpy(s->before.origin, s->last.origin, ORIGIN);
    take(&c, s->public, KEY_PUBLIC);
    s->before.size = fl_take_u64le(&c);
    take(&c, s->before.root.b, sizeof s->before.root.b);
    s->last.size = fl_take_u64le(&c);
    take(&c, s->last.root.b, sizeof s->last.root.b);
    s->signatures = fl_take_u8(&c);
    take(&c, s->signature, sizeof s->signature);
    *redo_n = fl_take_u32le(&c);
    *redo = fl_take(&c, *redo_n);
    const uint8_t *sum = fl_take(&c, FL_SHA256_SIZE);
    return sum && memcmp(mark, magic, sizeof mark) == 0 && s->turn > 0 && s->signatures <= 2 && !s->last.origin[ORIGIN - 1] &&
           fl_sha256(b->bytes, HEAD + *redo_n, digest) == FL_OK && memcmp(sum, digest, sizeof digest) == 0;
}

/* ---- files ---------------------------------------------------------------------------------------------- */

static enum fl_err write_at_start(int fd, const void *bytes, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t k = pwrite(fd, (const uint8_t *)bytes + done, n - done, (off_t)done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return FL_IO;
        done += (size_t)k;
    }
    return FL_OK;
}

static enum fl_err make(const char *path, struct fl_why *why)
{
    uint8_t *zeroes = calloc(1, ROOM);
    enum fl_err err = zeroes ? fl_file_replace(path, zeroes, ROOM, 0600, why) : fl_fail(why, FL_NOMEM, "out of memory");
    free(zeroes);
    return err;
}

static enum fl_err open_one(const char *path, bool create, int *fd, struct fl_buf *bytes, struct fl_why *why)
{
    struct stat st;
    enum fl_err err = FL_OK;
    if (create && !fl_path_exists(path))
        err = make(path, why);
    if (err)
        return err;
    *fd = open(path, O_RDWR | O_CLOEXEC);
    if (*fd < 0)
        return fl_fail_os(why, "cannot open the signer's memory %s", path);
    if (fstat(*fd, &st) != 0)
        return fl_fail_os(why, "cannot look at %s", path);
    if (st.st_mode & 077)
        return fl_fail(why, FL_ACCESS, "others may read the signer's memory %.200s: chmod 600 it", path);
    return fl_file_read(path, bytes, why);
}

static size_t used(const struct fl_buf *b)
{
    size_t n = b->len;
    while (n && !b->bytes[n - 1])
        n--;
    return n;
}

/* Which of the two counts. A torn one is the newer, by the way they are written: then the other is the state. */
static enum fl_err choose(struct memory *m, const struct fl_buf b[2], const char *path, struct fl_why *why)
{
    struct memory_state s[2];
    const uint8_t *redo[2];
    size_t n[2];
    bool ok[2], blank = true;
    for (int i = 0; i < 2; i++) {
        ok[i] = decode(&b[i], &s[i], &redo[i], &n[i]);
        m->used[i] = used(&b[i]);
        blank &= !m->used[i];
    }
    if (!ok[0] && !ok[1] && !blank)
        return fl_fail(why, FL_MISMATCH, "the signer's memory %.200s is damaged: it does not know what it signed last", path);
    if (!ok[0] && !ok[1])
        return FL_OK;
    int at = !ok[0] || (ok[1] && s[1].turn > s[0].turn);
    if (ok[0] && ok[1] && (strcmp(s[0].last.origin, s[1].last.origin) != 0 || s[at].turn != s[!at].turn + 1))
        return fl_fail(why, FL_MISMATCH, "the two halves of the signer's memory %.200s do not belong together", path);
    m->state = s[at];
    fl_buf_add(&m->redo, redo[at], n[at]);
    return fl_buf_err(&m->redo, why);
}

/* Durably; zeroes over what a longer one left behind it. */
static enum fl_err put(struct memory *m, unsigned half, struct fl_buf *b, struct fl_why *why)
{
    static const uint8_t zeroes[4096];
    size_t n = b->len;
    while (b->len < m->used[half] && !b->err)
        fl_buf_add(b, zeroes, m->used[half] - b->len < sizeof zeroes ? m->used[half] - b->len : sizeof zeroes);
    enum fl_err err = fl_buf_err(b, why);
    if (!err && (write_at_start(m->fd[half], b->bytes, b->len) || fdatasync(m->fd[half]) != 0))
        err = fl_fail_os(why, "cannot write the signer's memory");
    m->used[half] = n;
    m->broken = err != FL_OK;
    return err;
}

/* The system may show what a failed fdatasync left in its memory only, and call it clean: written again, it is on disk. */
static enum fl_err settle(struct memory *m, struct fl_buf b[2], struct fl_why *why)
{
    unsigned half = m->state.turn % 2;
    if (!m->state.turn)
        return FL_OK;
    b[half].len = m->used[half];
    return put(m, half, &b[half], why);
}

enum fl_err memory_open(const char *path, bool create, struct memory *m, struct fl_why *why)
{
    char name[4096];
    struct fl_buf b[2] = {FL_BUF(SIGNER_REDO_MAX + 2 * ROOM), FL_BUF(SIGNER_REDO_MAX + 2 * ROOM)};
    enum fl_err err = FL_OK;
    *m = (struct memory){.fd = {-1, -1}, .redo = FL_BUF(SIGNER_REDO_MAX)};
    for (int i = 0; i < 2 && !err; i++) {
        if ((size_t)snprintf(name, sizeof name, "%s.%c", path, 'a' + i) >= sizeof name)
            err = fl_fail(why, FL_LIMIT, "a path too long");
        if (!err)
            err = open_one(name, create, &m->fd[i], &b[i], why);
        /* read before locked is fine for .a: whoever held the lock is gone when we have it, and then it is read again */
        if (!err && i == 0 && flock(m->fd[0], LOCK_EX | LOCK_NB) != 0)
            err = errno == EWOULDBLOCK ? fl_fail(why, FL_BUSY, "another signer is at work with %.250s", name)
                                       : fl_fail_os(why, "cannot lock %s", name);
        if (!err && i == 0) {
            fl_buf_clear(&b[0]);
            err = fl_file_read(name, &b[0], why);
        }
    }
    if (!err)
        err = choose(m, b, path, why);
    if (!err)
        err = settle(m, b, why);
    fl_buf_fini(&b[0]);
    fl_buf_fini(&b[1]);
    if (err)
        memory_close(m);
    return err;
}

void memory_close(struct memory *m)
{
    for (int i = 0; i < 2; i++)
        if (m->fd[i] >= 0)
            (void)close(m->fd[i]);
    m->fd[0] = m->fd[1] = -1;
    fl_buf_fini(&m->redo);
}

enum fl_err memory_write(struct memory *m, const struct memory_state *next, const struct fl_buf *redo, struct fl_why *why)
{
    struct memory_state s = *next;
    struct fl_buf b = FL_BUF(SIGNER_REDO_MAX + ROOM);
    if (m->broken)
        return fl_fail(why, FL_IO, "the signer's memory could not be written: it must be started again");
    if (redo && redo->len > SIGNER_REDO_MAX)
        return fl_fail(why, FL_LIMIT, "more to remember than %d bytes", SIGNER_REDO_MAX);
    s.turn = m->state.turn + 1;
    enum fl_err err = encode(&s, redo, &b, why);
    if (!err)
        err = put(m, s.turn % 2, &b, why); /* the other one than last time */
    fl_buf_fini(&b);
    if (err)
        return err;
    m->state = s;
    fl_buf_clear(&m->redo);
    if (redo && redo->len)
        fl_buf_add(&m->redo, redo->bytes, redo->len);
    return fl_buf_err(&m->redo, why);
}
