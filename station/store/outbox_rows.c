/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outbox_rows.h"

#include "store/db.h"

enum fl_err outbox_writer_open(sqlite3 *db, struct outbox_writer *w, struct fl_why *why)
{
    *w = (struct outbox_writer){db, NULL, NULL};
    enum fl_err err = db_prepare(db, "INSERT INTO outbox (kind, target, job, leaf, payload, made_ms, next_ms) "
                                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO NOTHING",
                                 &w->put, why);
    if (!err)
        err = db_prepare(db, "UPDATE outbox SET state = ?2, tries = tries + 1, next_ms = ?3, "
                             "done_ms = CASE ?2 WHEN 0 THEN NULL ELSE ?4 END, why = nullif(?5, '') WHERE id = ?1 AND state = 0",
                         &w->result, why);
    if (err)
        outbox_writer_close(w);
    return err;
}

void outbox_writer_close(struct outbox_writer *w)
{
    (void)sqlite3_finalize(w->put);
    (void)sqlite3_finalize(w->result);
    w->put = w->result = NULL;
}

static bool bind_text(sqlite3_stmt *s, int at, const char *text)
{
    return sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC) == SQLITE_OK;
}

static enum fl_err write_new(struct outbox_writer *w, const struct parcel *p, int64_t leaf, int64_t now_ms, struct fl_why *why)
{
    char job[PARCEL_JOB_MAX];
    parcel_job(leaf, job);
    if (!p->job[0] && leaf < 0)
        return fl_fail(why, FL_FORMAT, "a parcel without a job must follow from a leaf");
    bool ok = bind_text(w->put, 1, p->kind) && bind_text(w->put, 2, p->target) && bind_text(w->put, 3, p->job[0] ? p->job : job) &&
              (leaf < 0 ? sqlite3_bind_null(w->put, 4) : sqlite3_bind_int64(w->put, 4, leaf)) == SQLITE_OK &&
              sqlite3_bind_blob(w->put, 5, p->bytes, (int)p->n, SQLITE_STATIC) == SQLITE_OK &&
              sqlite3_bind_int64(w->put, 6, now_ms) == SQLITE_OK;
    enum fl_err err = ok ? db_run(w->put, why) : db_fail(w->db, why, "cannot bind a parcel");
    (void)sqlite3_clear_bindings(w->put);
    return err;
}

static enum fl_err write_result(struct outbox_writer *w, const struct parcel *p, int64_t now_ms, struct fl_why *why)
{
    bool ok = sqlite3_bind_int64(w->result, 1, p->id) == SQLITE_OK && sqlite3_bind_int(w->result, 2, (int)p->state) == SQLITE_OK &&
              sqlite3_bind_int64(w->result, 3, p->next_ms ? p->next_ms : now_ms) == SQLITE_OK &&
              sqlite3_bind_int64(w->result, 4, now_ms) == SQLITE_OK && bind_text(w->result, 5, p->why);
    enum fl_err err = ok ? db_run(w->result, why) : db_fail(w->db, why, "cannot bind a parcel's result");
    (void)sqlite3_clear_bindings(w->result);
    return err;
}

enum fl_err outbox_write(struct outbox_writer *w, const struct parcel *p, int64_t leaf, int64_t now_ms, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (; p && !err; p = p->next)
        err = p->id ? write_result(w, p, now_ms, why) : write_new(w, p, leaf, now_ms, why);
    return err;
}

/* ---- asked ------------------------------------------------------------------------------------------------------------- */

static enum fl_err ask(sqlite3 *db, const char *sql, const char *kind, const char *target, int64_t *out, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = db_prepare(db, sql, &s, why);
    if (err)
        return err;
    bool ok = bind_text(s, 1, kind) && (!target || bind_text(s, 2, target)) && sqlite3_step(s) == SQLITE_ROW;
    *out = ok ? sqlite3_column_int64(s, 0) : 0;
    if (!ok)
        err = db_fail(db, why, "cannot read the outbox");
    (void)sqlite3_finalize(s);
    return err;
}

enum fl_err outbox_waiting(sqlite3 *db, const char *kind, const char *target, bool tried, int64_t *n, struct fl_why *why)
{
    static const char *const sql[2][2] = { /* each answered by the index of those that wait */
        {"SELECT count(*) FROM outbox INDEXED BY outbox_waiting WHERE kind = ?1 AND state = 0 AND tries = 0",
         "SELECT count(*) FROM outbox INDEXED BY outbox_waiting WHERE kind = ?1 AND state = 0 AND tries = 0 AND target = ?2"},
        {"SELECT count(*) FROM outbox INDEXED BY outbox_waiting WHERE kind = ?1 AND state = 0",
         "SELECT count(*) FROM outbox INDEXED BY outbox_waiting WHERE kind = ?1 AND state = 0 AND target = ?2"},
    };
    return ask(db, sql[tried][target != NULL], kind, target, n, why);
}

enum fl_err outbox_newest(sqlite3 *db, const char *kind, int64_t *made_ms, struct fl_why *why)
{
    return ask(db, "SELECT coalesce(max(made_ms), 0) FROM outbox WHERE kind = ?1", kind, NULL, made_ms, why);
}
