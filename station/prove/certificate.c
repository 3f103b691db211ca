/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/certificate.h"

#include "audit/checkpoint.h"
#include "audit/proof_file.h"
#include "event/event.h"
#include "ledger/ledger.h"
#include "prove/cosigned.h"
#include "store/db.h"
#include "store/shapes.h"

#include <string.h>

struct head {
    struct vkey vkey;
    uint64_t size;
    struct tree_hash root;
    uint8_t signature[KEY_SIGNATURE];
};

/* The newest checkpoint and the key that made it; the rows' lengths are the schema's constraints, held here again. */
static enum fl_err read_head(sqlite3 *db, struct head *h, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = db_prepare(db, "SELECT c.size, c.root, c.signature, s.vkey, c.key FROM checkpoint c, station s "
                                     "ORDER BY c.size DESC, s.leaf LIMIT 1", &s, why);
    if (err)
        return err;
    if (sqlite3_step(s) != SQLITE_ROW)
        err = fl_fail(why, FL_NOT_FOUND, "the log has no signed head yet");
    else if (sqlite3_column_bytes(s, 1) != (int)sizeof h->root.b || sqlite3_column_bytes(s, 2) != KEY_SIGNATURE ||
             !sqlite3_column_text(s, 3))
        err = fl_fail(why, FL_FORMAT, "the newest checkpoint is damaged");
    else
        err = vkey_parse((const char *)sqlite3_column_text(s, 3), &h->vkey, why);
    h->vkey.id = (uint32_t)sqlite3_column_int64(s, 4); /* of the key of its time: all that a signature's line tells of it */
    if (!err) {
        h->size = (uint64_t)sqlite3_column_int64(s, 0);
        memcpy(h->root.b, sqlite3_column_blob(s, 1), sizeof h->root.b);
        memcpy(h->signature, sqlite3_column_blob(s, 2), KEY_SIGNATURE);
    }
    (void)sqlite3_finalize(s);
    return err;
}

static enum fl_err read_leaf(sqlite3 *db, int64_t index, struct fl_buf *out, struct fl_why *why)
{
    struct shapes *shapes;
    const uint8_t *rec;
    size_t n;
    enum fl_err err = shapes_new(db, &shapes, why);
    if (err)
        return err;
    err = shapes_record(shapes, index, &rec, &n, why);
    if (!err)
        fl_buf_add(out, rec, n);
    shapes_free(shapes);
    return err ? err : fl_buf_err(out, why);
}

static enum fl_err prove(sqlite3 *db, uint64_t index, uint64_t size, struct tree_proof *out, struct fl_why *why)
{
    struct ledger_tree tree;
    struct tree_reader reader;
    struct fl_hash *h = NULL;
    enum fl_err err = ledger_tree_open(db, &tree, &reader, why);
    if (err)
        return err;
    err = fl_hash_new(FL_HASH_SHA256, &h);
    if (err)
        (void)fl_fail(why, err, "%s", fl_err_text(err));
    else
        err = tree_prove_leaf(h, &reader, index, size, out, why);
    fl_hash_free(h);
    ledger_tree_close(&tree);
    return err;
}

static void add_note(const struct head *h, struct fl_buf *out)
{
    checkpoint_note(out, &h->vkey, h->vkey.name, h->size, &h->root, h->signature);
}

/* Under this signed head of this log. */
static enum fl_err write_under(sqlite3 *db, int64_t index, const struct fl_buf *note, uint64_t size, struct fl_buf *out, struct fl_why *why)
{
    struct tree_proof path;
    struct fl_buf leaf = FL_BUF(PROOF_EXTRA_MAX);
    enum fl_err err = read_leaf(db, index, &leaf, why);
    if (!err && (uint64_t)index >= size)
        err = fl_fail(why, FL_NOT_FOUND, "record %lld is not under a signed head yet", (long long)index);
    if (!err)
        err = prove(db, (uint64_t)index, size, &path, why);
    if (!err) {
        proof_file_write(out, leaf.bytes, leaf.len, (uint64_t)index, &path, note->bytes, note->len);
        err = fl_buf_err(out, why);
    }
    fl_buf_fini(&leaf);
    return err;
}

static enum fl_err write_under_newest(sqlite3 *db, int64_t index, struct fl_buf *out, struct fl_why *why)
{
    struct head h;
    struct fl_buf note = FL_BUF(NOTE_BYTES_MAX);
    enum fl_err err = read_head(db, &h, why);
    if (!err) {
        add_note(&h, &note);
        err = fl_buf_err(&note, why);
    }
    if (!err)
        err = write_under(db, index, &note, h.size, out, why);
    fl_buf_fini(&note);
    return err;
}

enum fl_err certificate_best(sqlite3 *db, const char *data, int64_t index, struct fl_buf *out, struct fl_why *why)
{
    struct fl_buf note = FL_BUF(NOTE_BYTES_MAX);
    uint64_t size = 0;
    int64_t newest = 0;
    enum fl_err err = index < 0 ? FL_NOT_FOUND : cosigned_over(data, (uint64_t)index, &note, &size, why);
    if (!err)
        err = db_int(db, "SELECT coalesce(max(size), 0) FROM checkpoint", 0, &newest, why);
    if (!err && size > (uint64_t)newest) /* signed after this transaction began */
        err = FL_NOT_FOUND;
    if (!err)
        err = write_under(db, index, &note, size, out, why);
    else if (err == FL_NOT_FOUND)
        err = write_under_newest(db, index, out, why);
    fl_buf_fini(&note);
    return err;
}

enum fl_err certificate_head(sqlite3 *db, struct fl_buf *out, struct fl_why *why)
{
    struct head h;
    enum fl_err err = read_head(db, &h, why);
    if (err)
        return err;
    add_note(&h, out);
    return fl_buf_err(out, why);
}

enum fl_err certificate_of_unit(sqlite3 *db, const char *mac, int64_t *index, struct fl_why *why)
{
    sqlite3_stmt *s;
    uint8_t b[8];
    uint64_t number = 0;
    size_t n = event_mac_parse(mac, b);
    if (!n)
        return fl_fail(why, FL_ARG, "'%.60s' is no MAC: 12 hex digits, or 16 of an EUI-64", mac);
    for (size_t i = 0; i < n; i++)
        number = number << 8 | b[i];
    enum fl_err err = db_prepare(db, "SELECT (SELECT max(l.idx) FROM attempt a JOIN leaf l ON l.idx = a.leaf + 1 JOIN event_kind k ON k.id = "
                                     "l.kind WHERE a.unit = u.mac AND a.outcome = 0 AND k.name = 'unit_final') FROM unit u WHERE CASE ?2 WHEN 6 THEN u.mac = ?1 ELSE u.eui64 = ?3 END", &s, why);
    if (err)
        return err;
    (void)sqlite3_bind_int64(s, 1, (sqlite3_int64)number);
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)n);
    (void)sqlite3_bind_blob(s, 3, b, (int)n, SQLITE_TRANSIENT);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_DONE)
        err = fl_fail(why, FL_NOT_FOUND, "this station never saw the unit %.60s", mac);
    else if (rc != SQLITE_ROW)
        err = db_fail(db, why, "cannot read the unit");
    else if (sqlite3_column_type(s, 0) == SQLITE_NULL)
        err = fl_fail(why, FL_NOT_FOUND, "the unit %.60s never passed here: there is nothing to certify", mac);
    else
        *index = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    return err;
}
