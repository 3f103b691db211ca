/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/memory.h"

#include "base/cursor.h"
#include "base/file.h"
#include "base/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OTHER_MS = 5000,
    LOOK_MS = 20,
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

/* False: torn, or blank. `redo` borrows the bytes. */
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

const struct memory_state *memory_state(const struct memory *m)
{
    static const struct memory_state nothing;
    return m->n ? &m->kept[0].state : &nothing;
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

static enum fl_err name_of(const struct memory *m, size_t slot, char out[static 4096], struct fl_why *why)
{
    int n = snprintf(out, 4096, "%s.%c", m->path, (int)('a' + slot));
    return n < 4096 ? FL_OK : fl_fail(why, FL_LIMIT, "a path too long");
}

/* FL_NOT_FOUND: it was not made yet. */
static enum fl_err open_slot(struct memory *m, size_t slot, bool create, struct fl_why *why)
{
    char path[4096];
    struct stat st;
    enum fl_err err = name_of(m, slot, path, why);
    if (!err && !fl_path_exists(path))
        err = create ? make(path, why) : FL_NOT_FOUND;
    if (err)
        return err;
    m->fd[slot] = open(path, O_RDWR | O_CLOEXEC);
    if (m->fd[slot] < 0)
        return fl_fail_os(why, "cannot open the signer's memory %s", path);
    if (fstat(m->fd[slot], &st) != 0)
        return fl_fail_os(why, "cannot look at %s", path);
    if (st.st_mode & 077)
        return fl_fail(why, FL_ACCESS, "others may read the signer's memory %.200s: chmod 600 it", path);
    return FL_OK;
}

static size_t used(const struct fl_buf *b)
{
    size_t n = b->len;
    while (n && !b->bytes[n - 1])
        n--;
    return n;
}

/* Durably; zeroes over what a longer one left behind it. */
static enum fl_err put(struct memory *m, size_t slot, struct fl_buf *b, struct fl_why *why)
{
    static const uint8_t zeroes[4096];
    size_t n = b->len;
    enum fl_err err = m->fd[slot] < 0 ? open_slot(m, slot, true, why) : FL_OK;
    while (b->len < m->used[slot] && !b->err)
        fl_buf_add(b, zeroes, m->used[slot] - b->len < sizeof zeroes ? m->used[slot] - b->len : sizeof zeroes);
    if (!err)
        err = fl_buf_err(b, why);
    if (!err && (write_at_start(m->fd[slot], b->bytes, b->len) || fdatasync(m->fd[slot]) != 0))
        err = fl_fail_os(why, "cannot write the signer's memory");
    m->used[slot] = n;
    m->broken = err != FL_OK;
    return err;
}

/* ---- which of them count ----------------------------------------------------------------------------------- */

struct found {
    struct fl_buf bytes[SIGNER_KEEPS]; /* by slot */
    struct found_at {
        struct memory_state state;
        const uint8_t *redo; /* borrows the bytes */
        size_t redo_n, slot;
    } at[SIGNER_KEEPS];
    size_t n;
    size_t torn; /* files that hold something else */
};

/* One that was made and not written to yet may be without a name on the disk: the sync of its folder failed, and the station was
 * started again. It is made anew when its turn comes. */
static enum fl_err drop_blank(struct memory *m, size_t slot, const char *path, struct fl_why *why)
{
    (void)close(m->fd[slot]);
    m->fd[slot] = -1;
    return unlink(path) == 0 ? FL_OK : fl_fail_os(why, "cannot make %s anew", path);
}

/* A torn one is not there, by the way they are written: then the one before it is the state. */
static enum fl_err read_slots(struct memory *m, struct found *f, struct fl_why *why)
{
    char path[4096];
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < SIGNER_KEEPS && !err; i++) {
        struct found_at *k = &f->at[f->n];
        if (m->fd[i] < 0)
            continue;
        err = name_of(m, i, path, why);
        if (!err)
            err = fl_file_read(path, &f->bytes[i], why);
        k->slot = i;
        bool whole = !err && decode(&f->bytes[i], &k->state, &k->redo, &k->redo_n);
        m->used[i] = used(&f->bytes[i]);
        if (!err && !m->used[i] && i > 0)
            err = drop_blank(m, i, path, why);
        f->n += whole;
        f->torn += !whole && m->used[i];
    }
    return err;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = ((const struct found_at *)a)->state.turn, y = ((const struct found_at *)b)->state.turn;
    return x > y ? -1 : x < y;
}

/* Is the older one still of use? Not behind a state that grew from nothing: the log was settled or adopted there. */
static bool follows(const struct memory_state *newer, const struct memory_state *older)
{
    return newer->turn == older->turn + 1 && newer->before.size != newer->last.size && newer->before.size == older->last.size &&
           tree_hash_same(&newer->before.root, &older->last.root);
}

static enum fl_err choose(struct memory *m, struct found *f, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    if (f->torn > 1 || (f->torn && !f->n)) /* a crash tears one, and only when another is whole */
        return fl_fail(why, FL_MISMATCH, "the signer's memory %.200s is damaged: it does not know what it signed last", m->path);
    if (!f->n)
        return FL_OK;
    qsort(f->at, f->n, sizeof *f->at, newest_first);
    const struct memory_state *newest = &f->at[0].state;
    m->newest = f->at[0].slot;
    for (size_t i = 1; i < f->n; i++) /* whatever a crash does, no file is left behind for a whole round */
        if (strcmp(f->at[i].state.last.origin, newest->last.origin) != 0 || f->at[i].state.turn + SIGNER_KEEPS <= newest->turn ||
            f->at[i].state.turn == f->at[i - 1].state.turn)
            return fl_fail(why, FL_MISMATCH, "the parts of the signer's memory %.200s do not belong together", m->path);
    for (size_t i = 0; i < f->n && !err && (i == 0 || follows(&f->at[i - 1].state, &f->at[i].state)); i++) {
        m->kept[i].state = f->at[i].state;
        fl_buf_add(&m->kept[i].redo, f->at[i].redo, f->at[i].redo_n);
        err = fl_buf_err(&m->kept[i].redo, why);
        m->n = i + 1;
    }
    return err;
}

/* The system may show what a failed fdatasync left in its memory only, and call it clean: written again, it is on disk. So with
 * the name of a file that was made when the sync of its folder failed: it would not be made, and synced, again. */
static enum fl_err settle(struct memory *m, struct found *f, struct fl_why *why)
{
    if (!m->n)
        return FL_OK;
    struct fl_buf *b = &f->bytes[m->newest];
    b->len = m->used[m->newest];
    enum fl_err err = put(m, m->newest, b, why);
    char *dir = err ? NULL : fl_path_dir(m->path);
    if (!err)
        err = dir ? fl_path_sync(dir, why) : fl_fail(why, FL_NOMEM, "out of memory");
    free(dir);
    return err;
}

/* ---- opening --------------------------------------------------------------------------------------- */

static void unopened(struct memory *m)
{
    *m = (struct memory){.n = 0};
    for (size_t i = 0; i < SIGNER_KEEPS; i++) {
        m->fd[i] = -1;
        m->kept[i].redo = FL_BUF(SIGNER_REDO_MAX);
    }
}

/* A signer whose station was killed ends when it has noticed, behind what it writes just now: a start that comes at once waits
 * so long for it. */
static enum fl_err lock_memory(const struct memory *m, struct fl_why *why)
{
    struct fl_deadline d = fl_deadline_in_ms(OTHER_MS);
    while (flock(m->fd[0], LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return fl_fail_os(why, "cannot lock %s", m->path);
        if (fl_deadline_passed(d) || fl_wake_sleep(NULL, fl_deadline_in_ms(LOOK_MS)))
            return fl_fail(why, FL_BUSY, "another signer is at work with %.250s", m->path);
    }
    return FL_OK;
}

enum fl_err memory_open(const char *path, struct memory *m, struct fl_why *why)
{
    struct found *f = calloc(1, sizeof *f);
    unopened(m);
    enum fl_err err = f ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && strlen(path) >= sizeof m->path)
        err = fl_fail(why, FL_LIMIT, "a path too long");
    if (!err) {
        (void)strcpy(m->path, path);
        err = open_slot(m, 0, true, why);
    }
    if (!err)
        err = lock_memory(m, why);
    for (size_t i = 1; i < SIGNER_KEEPS && !err; i++) {
        err = open_slot(m, i, false, why);
        err = err == FL_NOT_FOUND ? FL_OK : err;
    }
    for (size_t i = 0; f && i < SIGNER_KEEPS; i++)
        f->bytes[i] = FL_BUF(SIGNER_REDO_MAX + 2 * ROOM);
    if (!err)
        err = read_slots(m, f, why);
    if (!err)
        err = choose(m, f, why);
    if (!err)
        err = settle(m, f, why);
    for (size_t i = 0; f && i < SIGNER_KEEPS; i++)
        fl_buf_fini(&f->bytes[i]);
    free(f);
    if (err)
        memory_close(m);
    return err;
}

void memory_close(struct memory *m)
{
    for (size_t i = 0; i < SIGNER_KEEPS; i++) {
        if (m->fd[i] >= 0)
            (void)close(m->fd[i]);
        m->fd[i] = -1;
        fl_buf_fini(&m->kept[i].redo);
    }
    m->n = 0;
}

/* ---- telling ------------------------------------------------------------------------------------------------ */

void memory_tell(const struct memory *m, struct remembered *out)
{
    const struct memory_state *newest = memory_state(m);
    *out = (struct remembered){.known = newest->last.size ? REMEMBERED_TOLD : REMEMBERED_NOTHING, .n = m->n};
    memcpy(out->origin, newest->last.origin, sizeof out->origin);
    for (size_t i = 0; i < m->n; i++) {
        const struct memory_state *s = &m->kept[i].state;
        struct remembered_head *h = &out->head[i];
        *h = (struct remembered_head){.before_size = s->before.size, .size = s->last.size, .before_root = s->before.root, .root = s->last.root,
                                      .is_signed = s->signatures > 0};
        memcpy(h->public, s->public, sizeof h->public);
        memcpy(h->signature, s->signature[s->signatures == 2], sizeof h->signature); /* of the key that `public` is, after a hand-over too */
    }
}

static enum fl_err look_once(struct memory *m, struct found *f, struct fl_why *why)
{
    char path[4096];
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < SIGNER_KEEPS && !err; i++) {
        struct found_at *k = &f->at[f->n];
        fl_buf_clear(&f->bytes[i]);
        err = name_of(m, i, path, why);
        if (!err)
            err = fl_file_read(path, &f->bytes[i], why);
        if (err == FL_NOT_FOUND && i > 0) {
            err = FL_OK;
            continue;
        }
        k->slot = i;
        bool whole = !err && decode(&f->bytes[i], &k->state, &k->redo, &k->redo_n);
        f->n += whole;
        f->torn += !whole && used(&f->bytes[i]);
    }
    return err ? err : choose(m, f, why);
}

static enum fl_err look(const char *path, struct memory *m, struct fl_why *why)
{
    enum { TRIES = 5 }; /* a signer that writes while it is read shows files that do not belong together */
    struct found *f = calloc(1, sizeof *f);
    enum fl_err err = f ? FL_MISMATCH : fl_fail(why, FL_NOMEM, "out of memory");
    if (f && strlen(path) >= sizeof m->path)
        err = fl_fail(why, FL_LIMIT, "a path too long");
    else if (f)
        (void)strcpy(m->path, path);
    for (size_t i = 0; f && i < SIGNER_KEEPS; i++)
        f->bytes[i] = FL_BUF(SIGNER_REDO_MAX + 2 * ROOM);
    for (int i = 0; i < TRIES && err == FL_MISMATCH; i++) {
        f->n = f->torn = m->n = 0;
        for (size_t k = 0; k < SIGNER_KEEPS; k++)
            fl_buf_clear(&m->kept[k].redo);
        err = look_once(m, f, why);
    }
    for (size_t i = 0; f && i < SIGNER_KEEPS; i++)
        fl_buf_fini(&f->bytes[i]);
    free(f);
    return err;
}

void memory_look(const char *path, struct remembered *out)
{
    struct memory *m = malloc(sizeof *m);
    struct fl_why why = {0, "out of memory"};
    enum fl_err err = FL_NOMEM;
    if (m) {
        unopened(m);
        err = look(path, m, &why);
    }
    if (!err) {
        memory_tell(m, out);
    } else {
        *out = (struct remembered){.known = err == FL_NOT_FOUND ? REMEMBERED_NOT_HERE : REMEMBERED_CLOSED};
        (void)snprintf(out->why, sizeof out->why, "%.190s", why.text);
    }
    if (m)
        memory_close(m);
    free(m);
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

enum fl_err memory_write(struct memory *m, const struct memory_state *next, const struct fl_buf *redo, struct fl_why *why)
{
    struct memory_kept now = {.state = *next};
    struct fl_buf b = FL_BUF(SIGNER_REDO_MAX + ROOM);
    if (m->broken)
        return fl_fail(why, FL_IO, "the signer's memory could not be written: it must be started again");
    if (redo && redo->len > SIGNER_REDO_MAX)
        return fl_fail(why, FL_LIMIT, "more to remember than %d bytes", SIGNER_REDO_MAX);
    now.state.turn = memory_state(m)->turn + 1;
    enum fl_err err = encode(&now.state, redo, &b, why);
    if (!err)
        err = put(m, now.state.turn % SIGNER_KEEPS, &b, why);
    fl_buf_fini(&b);
    if (err)
        return err;
    m->newest = now.state.turn % SIGNER_KEEPS;
    now.redo = m->kept[SIGNER_KEEPS - 1].redo; /* its room */
    memmove(&m->kept[1], &m->kept[0], (SIGNER_KEEPS - 1) * sizeof m->kept[0]);
    m->kept[0] = now;
    m->n += m->n < SIGNER_KEEPS;
    if (m->n > 1 && !follows(&m->kept[0].state, &m->kept[1].state))
        m->n = 1;
    fl_buf_clear(&m->kept[0].redo);
    if (redo && redo->len)
        fl_buf_add(&m->kept[0].redo, redo->bytes, redo->len);
    return fl_buf_err(&m->kept[0].redo, why);
}

enum fl_err memory_keep_last(struct memory *m, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < SIGNER_KEEPS && !err; i++) {
        struct fl_buf nothing = FL_BUF(SIGNER_REDO_MAX + 2 * ROOM);
        if (i != m->newest && m->used[i])
            err = put(m, i, &nothing, why);
        fl_buf_fini(&nothing);
    }
    m->n = m->n > 1 ? 1 : m->n;
    return err;
}
