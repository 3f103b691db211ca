/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shapes.h"

#include "audit/leaf.h"
#include "base/hash.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = 1024, RECALLED = 64 /* records looked at when the first is stored */ };

struct seen {
    uint8_t text[FL_SHA256_SIZE]; /* hash of the shape's text */
    uint32_t number;              /* 0: one record had it */
};

struct shapes {
    sqlite3 *db;
    bool table; /* is there one? */
    sqlite3_stmt *get, *find, *add, *before, *leaf, *newest; /* NULL: not asked yet */
    struct shape **known; /* by number, below n_known; NULL: not read yet */
    uint32_t n_known;
    struct fl_buf rec, text, values, stored;
    uint8_t hash[FL_SHA256_SIZE]; /* of the record in front */
    struct seen *seen; /* a ring, made for the first that is stored */
    size_t n_seen, next_seen;
};

enum fl_err shapes_new(sqlite3 *db, struct shapes **out, struct fl_why *why)
{
    bool table;
    *out = NULL;
    enum fl_err err = db_has_table(db, "shape", &table, why);
    struct shapes *s = err ? NULL : calloc(1, sizeof *s);
    if (!s)
        return err ? err : fl_fail(why, FL_NOMEM, "out of memory");
    s->db = db;
    s->table = table;
    s->rec = FL_BUF(LEAF_BYTES_MAX + SHAPE_ROOM);
    s->text = s->values = FL_BUF(LEAF_BYTES_MAX);
    s->stored = FL_BUF(LEAF_BYTES_MAX + 32);
    *out = s;
    return FL_OK;
}

/* A statement is prepared when it is first asked: whoever looks at one record needs two of the six. */
static enum fl_err need(const struct shapes *s, sqlite3_stmt **q, const char *sql, struct fl_why *why)
{
    return *q ? FL_OK : db_prepare(s->db, sql, q, why);
}

static void forget_known(struct shapes *s)
{
    while (s->n_known)
        free(s->known[--s->n_known]);
    free(s->known);
    s->known = NULL;
}

void shapes_forget(struct shapes *s)
{
    forget_known(s);
    s->n_seen = s->next_seen = 0;
    free(s->seen);
    s->seen = NULL;
}

void shapes_free(struct shapes *s)
{
    if (!s)
        return;
    sqlite3_stmt *all[] = {s->get, s->find, s->add, s->before, s->leaf, s->newest};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        (void)sqlite3_finalize(all[i]);
    shapes_forget(s);
    fl_buf_fini(&s->rec);
    fl_buf_fini(&s->text);
    fl_buf_fini(&s->values);
    fl_buf_fini(&s->stored);
    free(s);
}

/* A row, or FL_NOT_FOUND. The statement must be reset afterwards. */
static enum fl_err step(sqlite3_stmt *q, struct fl_why *why)
{
    int rc = sqlite3_step(q);
    return rc == SQLITE_ROW ? FL_OK : rc == SQLITE_DONE ? FL_NOT_FOUND : db_fail(sqlite3_db_handle(q), why, "cannot read the log");
}

/* ---- reading ----------------------------------------------------------------------------------------------- */

static enum fl_err make_room(struct shapes *s, uint32_t number, struct fl_why *why)
{
    const uint32_t n = number + 16;
    if (number < s->n_known)
        return FL_OK;
    struct shape **more = realloc(s->known, n * sizeof(struct shape *));
    if (!more)
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (s->known = more; s->n_known < n; s->n_known++)
        s->known[s->n_known] = NULL;
    return FL_OK;
}

static enum fl_err known(struct shapes *s, uint32_t number, struct fl_why *why)
{
    if (number == 0 || number > SHAPES_MAX || !s->table)
        return fl_fail(why, FL_FORMAT, "it is stored by a shape that cannot be");
    enum fl_err err = make_room(s, number, why);
    if (err || s->known[number])
        return err;
    err = need(s, &s->get, "SELECT text FROM shape WHERE id = ?1", why);
    if (err)
        return err;
    (void)sqlite3_bind_int64(s->get, 1, number);
    err = step(s->get, why);
    if (!err)
        err = shape_read(sqlite3_column_text(s->get, 0), (size_t)sqlite3_column_bytes(s->get, 0), &s->known[number], why);
    else if (err == FL_NOT_FOUND)
        err = fl_fail(why, FL_FORMAT, "it is stored by shape %u, which is not there", (unsigned)number);
    (void)sqlite3_reset(s->get);
    return err;
}

/* The hash beside the record in front of `index`; *out stays NULL where there is none. */
static enum fl_err read_before(struct shapes *s, int64_t index, const uint8_t **out, struct fl_why *why)
{
    enum fl_err err = need(s, &s->before, "SELECT hash FROM leaf WHERE idx = ?1", why);
    if (err)
        return err;
    (void)sqlite3_bind_int64(s->before, 1, index - 1);
    err = step(s->before, why);
    if (!err && sqlite3_column_bytes(s->before, 0) == FL_SHA256_SIZE) {
        memcpy(s->hash, sqlite3_column_blob(s->before, 0), FL_SHA256_SIZE);
        *out = s->hash;
    }
    (void)sqlite3_reset(s->before);
    return err == FL_NOT_FOUND ? FL_OK : err;
}

enum fl_err shapes_load(struct shapes *s, int64_t index, const void *stored, size_t n, const struct beside *b, const uint8_t **rec,
                        size_t *rec_n, struct fl_why *why)
{
    struct beside beside = *b;
    *rec = stored;
    *rec_n = n;
    if (!shape_is(stored, n))
        return FL_OK;
    const uint32_t number = shape_number(stored, n);
    enum fl_err err = known(s, number, why);
    if (!err && shape_needs_before(s->known[number]) && !beside.before)
        err = read_before(s, index, &beside.before, why);
    if (!err)
        err = shape_join(s->known[number], stored, n, &beside, &s->rec, why);
    if (!err) {
        *rec = s->rec.bytes;
        *rec_n = s->rec.len;
    }
    return err == FL_FORMAT ? fl_why_wrap(why, err, "record %lld: ", (long long)index) : err;
}

enum fl_err shapes_record(struct shapes *s, int64_t index, const uint8_t **rec, size_t *rec_n, struct fl_why *why)
{
    enum fl_err err = need(s, &s->leaf, "SELECT rec, job FROM leaf WHERE idx = ?1", why);
    if (err)
        return err;
    (void)sqlite3_bind_int64(s->leaf, 1, index);
    err = step(s->leaf, why);
    if (!err) {
        const struct beside b = {.job = sqlite3_column_blob(s->leaf, 1), .job_n = (size_t)sqlite3_column_bytes(s->leaf, 1)};
        const void *stored = sqlite3_column_blob(s->leaf, 0);
        err = shapes_load(s, index, stored, stored ? (size_t)sqlite3_column_bytes(s->leaf, 0) : 0, &b, rec, rec_n, why);
        if (!err && *rec == stored) { /* it goes with the reset */
            fl_buf_clear(&s->rec);
            fl_buf_add(&s->rec, *rec, *rec_n);
            err = fl_buf_err(&s->rec, why);
            *rec = s->rec.bytes;
        }
    } else if (err == FL_NOT_FOUND) {
        (void)fl_fail(why, err, "there is no record %lld", (long long)index);
    }
    (void)sqlite3_reset(s->leaf);
    return err;
}

/* ---- writing ----------------------------------------------------------------------------------------------- */

/* The shape's number, if it is known to have one; *at its place in the ring, SEEN_MAX: it is not there. */
static uint32_t seen(const struct shapes *s, const uint8_t hash[static FL_SHA256_SIZE], size_t *at)
{
    for (*at = 0; *at < s->n_seen; (*at)++)
        if (memcmp(s->seen[*at].text, hash, FL_SHA256_SIZE) == 0)
            return s->seen[*at].number;
    *at = SEEN_MAX;
    return 0;
}

static void see(struct shapes *s, const uint8_t hash[static FL_SHA256_SIZE], uint32_t number, size_t at)
{
    if (at == SEEN_MAX) {
        at = s->next_seen;
        s->next_seen = (at + 1) % SEEN_MAX;
        s->n_seen += s->n_seen < SEEN_MAX;
        memcpy(s->seen[at].text, hash, FL_SHA256_SIZE);
    }
    s->seen[at].number = number;
}

/* Take it apart into text and values. FL_NOT_FOUND: it has no shape. */
static enum fl_err split(struct shapes *s, int64_t index, const void *rec, size_t n, struct beside *b, struct fl_why *why)
{
    static const char attempt[] = "\"attempt\":\"";
    enum fl_err err = FL_OK;
    if (!b->before && n && memmem(rec, n, attempt, sizeof attempt - 1))
        err = read_before(s, index, &b->before, why);
    return err ? err : shape_split(rec, n, b, &s->text, &s->values) ? FL_OK : FL_NOT_FOUND;
}

/* The shapes of the newest records that are stored as they are count as seen. */
static enum fl_err recall(struct shapes *s, int64_t index, struct fl_why *why)
{
    uint8_t hash[FL_SHA256_SIZE];
    size_t at;
    enum fl_err err = need(s, &s->newest, "SELECT idx, rec, job FROM leaf WHERE idx < ?1 ORDER BY idx DESC LIMIT ?2", why);
    if (err)
        return err;
    s->seen = calloc(SEEN_MAX, sizeof *s->seen);
    if (!s->seen)
        return fl_fail(why, FL_NOMEM, "out of memory");
    (void)sqlite3_bind_int64(s->newest, 1, index);
    (void)sqlite3_bind_int64(s->newest, 2, RECALLED);
    while ((err = step(s->newest, why)) == FL_OK) {
        const void *rec = sqlite3_column_blob(s->newest, 1);
        size_t n = rec ? (size_t)sqlite3_column_bytes(s->newest, 1) : 0;
        struct beside b = {.job = sqlite3_column_blob(s->newest, 2), .job_n = (size_t)sqlite3_column_bytes(s->newest, 2)};
        err = shape_is(rec, n) ? FL_NOT_FOUND : split(s, sqlite3_column_int64(s->newest, 0), rec, n, &b, why);
        if (!err && fl_sha256(s->text.bytes, s->text.len, hash) == FL_OK && seen(s, hash, &at) == 0)
            see(s, hash, 0, at);
        if (err && err != FL_NOT_FOUND)
            break;
    }
    (void)sqlite3_reset(s->newest);
    return err == FL_NOT_FOUND ? FL_OK : err;
}

static enum fl_err find(struct shapes *s, uint32_t *number, struct fl_why *why)
{
    *number = 0;
    enum fl_err err = need(s, &s->find, "SELECT id FROM shape WHERE text = ?1", why);
    if (err)
        return err;
    if (sqlite3_bind_text(s->find, 1, fl_buf_text(&s->text), (int)s->text.len, SQLITE_STATIC) != SQLITE_OK)
        return db_fail(s->db, why, "cannot look for a shape");
    err = step(s->find, why);
    if (!err)
        *number = (uint32_t)sqlite3_column_int64(s->find, 0);
    (void)sqlite3_reset(s->find);
    return err == FL_NOT_FOUND ? FL_OK : err;
}

static enum fl_err add(struct shapes *s, uint32_t *number, struct fl_why *why)
{
    enum fl_err err = need(s, &s->add, "INSERT INTO shape (id, text) SELECT coalesce(max(id), 0) + 1, ?1 FROM shape", why);
    if (err)
        return err;
    if (sqlite3_bind_text(s->add, 1, fl_buf_text(&s->text), (int)s->text.len, SQLITE_STATIC) != SQLITE_OK)
        return db_fail(s->db, why, "cannot bind a shape");
    err = db_run(s->add, why);
    if (!err)
        *number = (uint32_t)sqlite3_last_insert_rowid(s->db);
    return err == FL_FORMAT ? FL_OK : err; /* there are SHAPES_MAX already: no more */
}

/* The number of the shape in s->text; 0: it is to have none yet. */
static enum fl_err number_of(struct shapes *s, uint32_t *number, struct fl_why *why)
{
    uint8_t hash[FL_SHA256_SIZE];
    size_t at;
    enum fl_err err = fl_sha256(s->text.bytes, s->text.len, hash);
    if (err)
        return fl_fail(why, err, "%s", fl_err_text(err));
    *number = seen(s, hash, &at);
    if (*number)
        return FL_OK;
    err = find(s, number, why);
    if (!err && !*number && at != SEEN_MAX)
        err = add(s, number, why);
    if (!err)
        see(s, hash, *number, at);
    return err;
}

/* Whatever is stored must come back: held here rather than believed. */
static bool comes_back(struct shapes *s, uint32_t number, const void *rec, size_t n, const struct beside *b)
{
    return known(s, number, NULL) == FL_OK && shape_join(s->known[number], s->stored.bytes, s->stored.len, b, &s->rec, NULL) == FL_OK &&
           s->rec.len == n && memcmp(s->rec.bytes, rec, n) == 0;
}

enum fl_err shapes_store(struct shapes *s, int64_t index, const void *rec, size_t n, const struct beside *b, const uint8_t **stored,
                         size_t *stored_n, struct fl_why *why)
{
    struct beside beside = *b;
    uint32_t number = 0;
    *stored = rec;
    *stored_n = n;
    enum fl_err err = s->seen ? FL_OK : recall(s, index, why);
    if (!err)
        err = split(s, index, rec, n, &beside, why);
    if (err == FL_NOT_FOUND)
        return FL_OK;
    if (!err)
        err = number_of(s, &number, why);
    if (err || !number)
        return err;
    fl_buf_clear(&s->stored);
    fl_buf_addc(&s->stored, '[');
    fl_buf_addi(&s->stored, number);
    fl_buf_addc(&s->stored, ',');
    fl_buf_add(&s->stored, s->values.bytes, s->values.len);
    fl_buf_addc(&s->stored, ']');
    if (!fl_buf_err(&s->stored, NULL) && s->stored.len < n && comes_back(s, number, rec, n, &beside)) {
        *stored = s->stored.bytes;
        *stored_n = s->stored.len;
    }
    return FL_OK;
}
