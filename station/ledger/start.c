/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/start.h"

#include "base/clock.h"
#include "base/file.h"
#include "ledger/ledger.h"
#include "rows/abridge.h"
#include "rows/migrate.h"
#include "store/db.h"
#include "store/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Older heads' signatures add nothing to the integrity of a log whose newest head is good and whose roots all follow:
 * they are `flashline audit`'s. 1,000 take about 0.2 s. */
enum { SIGNATURES = 1000 };

/* What a failed sync left in the WAL, or its name in the folder, the system may show and call clean while no disk has it;
 * whatever is built on it would go with the next power cut. */
static enum fl_err renew_wal(const struct folder *f, struct fl_why *why)
{
    char wal[4200];
    (void)snprintf(wal, sizeof wal, "%.4100s-wal", f->db);
    if (!fl_path_exists(wal))
        return FL_OK;
    enum fl_err err = fl_file_renew(wal, why);
    return err ? err : fl_path_sync(f->dir, why);
}

enum fl_err start_database(const struct folder *f, sqlite3 **out, struct fl_why *why)
{
    struct stat st;
    bool had = stat(f->db, &st) == 0, empty = !had || (S_ISREG(st.st_mode) && st.st_size == 0);
    *out = NULL;
    if (empty && fl_path_exists(f->checkpoint)) /* before anything is written into it */
        return fl_fail(why, FL_MISMATCH, "%.200s is %s, and the file checkpoint beside it tells of records that were in it: "
                       "put the database back from a copy", f->db, had ? "empty" : "gone");
    enum fl_err err = db_is_file(f->db, why);
    if (!err)
        err = renew_wal(f, why);
    if (!err)
        err = db_open_writer(f->db, !had, out, why);
    if (!err)
        err = migrate_to_newest(*out, f->db, why);
    if (!err)
        err = db_temp_in_memory(*out, why);
    if (!err)
        err = db_check_file(*out, false, why);
    if (!err) {
        err = db_check_schema(*out, why);
        if (err == FL_MISMATCH)
            err = fl_why_wrap(why, err, "%.150s: ", f->db);
    }
    return err;
}

/* ---- verification ----------------------------------------------------------------------------------- */

static void write_head(struct fl_buf *b, const char *what, uint64_t size, const struct tree_hash *root)
{
    char hex[2 * FL_SHA256_SIZE + 1];
    fl_hex(root->b, sizeof root->b, hex);
    fl_buf_addf(b, "%s: %llu records, root %s\n", what, (unsigned long long)size, hex);
}

static void begin_evidence(struct fl_buf *b, const struct folder *f, const struct vkey *vkey, const char *reason)
{
    char now[FL_TIME_TEXT], key[KEY_VKEY_MAX];
    fl_time_format(fl_wall_ms(), now);
    vkey_format(vkey, key);
    fl_buf_addf(b, "%s: flashline refused to work on %s because %s.\nkey: %s\n\n", now, f->dir, reason, key);
}

/* The file checkpoint goes with it: before anybody touches anything. */
static enum fl_err end_evidence(struct fl_buf *b, const struct folder *f, const struct fl_buf *mark, struct fl_why *why)
{
    char name[60], now[FL_TIME_TEXT], again[16] = "", *path = NULL;
    fl_time_format(fl_wall_ms(), now);
    if (mark->len)
        fl_buf_addf(b, "\nthe file checkpoint:\n%s", fl_buf_text(mark));
    /* evidence never takes the place of earlier evidence: of the same second, or of the same hour before the clock was set back */
    for (int n = 2; n < 1000; n++) {
        (void)snprintf(name, sizeof name, "incident-%.4s%.2s%.2s-%.2s%.2s%.2s%s.txt", now, now + 5, now + 8, now + 11, now + 14,
                       now + 17, again);
        free(path);
        path = fl_path_join(f->dir, name);
        if (!path || !fl_path_exists(path))
            break;
        (void)snprintf(again, sizeof again, "-%d", n);
    }
    enum fl_err err = path ? fl_buf_err(b, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = fl_file_replace(path, b->bytes, b->len, 0644, why);
    free(path);
    return err;
}

static enum fl_err keep_evidence(const struct folder *f, const struct vkey *vkey, const struct audit_report *r,
                                 const struct fl_buf *mark, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(200000);
    begin_evidence(&b, f, vkey, "its log does not verify");
    for (size_t i = 0; i < r->n_findings && i < AUDIT_FINDINGS_MAX; i++)
        fl_buf_addf(&b, "%s: %s\n", audit_class_name(r->finding[i].class), r->finding[i].text);
    fl_buf_addc(&b, '\n');
    if (r->has_head)
        write_head(&b, "newest head in the database", r->head.size, &r->head.root);
    if (r->has_trusted)
        write_head(&b, "last trustworthy head", r->trusted_size, &r->trusted_root);
    enum fl_err err = end_evidence(&b, f, mark, why);
    fl_buf_fini(&b);
    return err;
}

void start_keep_refusal(const struct folder *f, const struct vkey *vkey, const char *text)
{
    struct fl_buf b = FL_BUF(200000), mark = FL_BUF(65536);
    begin_evidence(&b, f, vkey, "a head that was signed contradicts its log");
    fl_buf_addf(&b, "%s\n", text);
    /* the refusal stands whether or not its evidence can be kept */
    if (fl_file_read(f->checkpoint, &mark, NULL))
        fl_buf_clear(&mark);
    if (end_evidence(&b, f, &mark, NULL))
        fl_buf_clear(&b);
    fl_buf_fini(&mark);
    fl_buf_fini(&b);
}

static enum fl_err refuse(const struct folder *f, const struct vkey *vkey, const struct audit_report *r,
                          const struct fl_buf *mark, struct fl_why *why)
{
    struct fl_why kept = {0, ""};
    const struct audit_finding *worst = audit_worst(r);
    enum fl_err err = keep_evidence(f, vkey, r, mark, &kept);
    return fl_fail(why, FL_MISMATCH, "the log in %.100s does not verify (%s): %.160s. Nothing is recorded here any more%s; "
                   "flashline audit tells more",
                   f->dir, audit_class_name(r->verdict), worst ? worst->text : "", err ? " (and no evidence could be written)" : "");
}

enum fl_err start_verify(const struct folder *f, sqlite3 *db, const struct vkey *vkey, struct start_found *out,
                         struct fl_why *why)
{
    struct ledger_reader reader;
    struct audit_source source;
    struct audit_outside outside;
    struct fl_buf mark = FL_BUF(65536);
    struct audit_report *report = malloc(sizeof *report);
    int64_t heads = 0;
    enum fl_err err = report ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && fl_path_exists(f->checkpoint))
        err = fl_file_read(f->checkpoint, &mark, why);
    if (!err)
        err = db_int(db, "SELECT count(*) FROM checkpoint", 0, &heads, why);
    if (!err)
        err = ledger_reader_open(db, &reader, &source, why);
    if (!err) {
        outside = (struct audit_outside){.name = "the file checkpoint", .note = mark.bytes, .n = mark.len};
        const struct audit_config c = {.keys = vkey, .n_keys = 1, .heads = (uint64_t)heads, .signatures = SIGNATURES,
                                       .outside = &outside, .n_outside = mark.len ? 1 : 0};
        err = audit_verify(&source, &c, report, why);
        ledger_reader_close(&reader);
        if (!err && report->verdict != AUDIT_GOOD)
            err = refuse(f, vkey, report, &mark, why);
        if (!err && report->retired)
            err = fl_fail(why, FL_STATE, "the log in %.200s was closed for good (flashline key retire): flashline init --previous begins the next one, in another folder", f->dir);
        if (!err) {
            out->last_wall = report->leaves ? report->last_ms : INT64_MIN;
            out->now = report->n_keys ? report->key[report->n_keys - 1].key : *vkey;
            out->n_keys = report->n_keys;
            for (size_t i = 0; i < report->n_keys; i++)
                out->key[i] = report->key[i].key;
            memcpy(out->promise, report->next_key, sizeof out->promise);
        }
    }
    fl_buf_fini(&mark);
    free(report);
    return err;
}

/* ---- attempts without an end -------------------------------------------------------------------------- */

/* What the start said about the attempt, its own index, and that nobody knows how it ended. */
static enum fl_err interrupted_body(struct restore *r, const uint8_t *rec, size_t n, int64_t index, json_t **out,
                                    struct fl_why *why)
{
    static const char *const keep[] = {"job", "slot", "port", "bridge", "profile", "operator", "lot",
                                       "chip", "mac", "purpose", "serial"};
    json_t *leaf, *start = NULL;
    int64_t time = 0;
    enum fl_err err = fl_json_parse(rec, n, &leaf, why);
    if (!err)
        err = restore_leaf(r, leaf, &start, why);
    json_decref(leaf);
    if (err)
        return err;
    json_t *o = json_pack("{sI,ss,ss}", "start", (json_int_t)index, "outcome", outcome_name(OUTCOME_INTERRUPTED), "fault",
                          "station.died");
    bool bad = !o || !fl_time_parse(fl_json_text(start, "time"), &time) ||
               json_object_set_new(o, "start_ms", json_integer(time)) != 0;
    for (size_t i = 0; i < sizeof keep / sizeof *keep && !bad; i++) {
        json_t *v = json_object_get(start, keep[i]);
        bad = v && json_object_set(o, keep[i], v) != 0;
    }
    json_decref(start);
    if (bad) {
        json_decref(o);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    *out = o;
    return FL_OK;
}

enum fl_err start_interrupted(sqlite3 *db, json_t **bodies, struct fl_why *why)
{
    sqlite3_stmt *s;
    struct restore *r = NULL;
    struct shapes *shapes = NULL;
    *bodies = NULL;
    enum fl_err err = db_prepare(db, "SELECT leaf FROM open_attempt ORDER BY leaf", &s, why);
    if (err)
        return err;
    *bodies = json_array();
    int rc = SQLITE_ROW;
    err = restore_new(db, &r, why);
    if (!err)
        err = shapes_new(db, &shapes, why);
    if (!err && !*bodies)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        json_t *body = NULL;
        const int64_t index = sqlite3_column_int64(s, 0);
        const uint8_t *rec;
        size_t n;
        err = shapes_record(shapes, index, &rec, &n, why);
        if (!err)
            err = interrupted_body(r, rec, n, index, &body, why);
        if (!err && json_array_append_new(*bodies, body) != 0)
            err = fl_fail(why, FL_NOMEM, "out of memory");
    }
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read the attempts without an end");
    shapes_free(shapes);
    restore_free(r);
    (void)sqlite3_finalize(s);
    return err;
}
