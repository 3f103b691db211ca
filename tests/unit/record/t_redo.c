/* SPDX-License-Identifier: Apache-2.0
 * A commit that was signed and then lost: whatever it wrote is there again after the next start, once. */
#include "unit/t.h"

#include "unit/record/station.h"

#include "audit/bundle.h"
#include "base/file.h"
#include "base/hash.h"
#include "ledger/redo.h"
#include "prove/certificate.h"
#include "prove/export_bundle.h"
#include "record/rotate.h"
#include "rows/project.h"
#include "sign/keeper.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

/* ---- a signer that signs, and its answer is lost ---------------------------------------------------------------- */

struct losing {
    struct keeper *keeper;
    bool lose, settles; /* settles: it is told what the station's own disk has */
};

static enum fl_err losing_open(const void *config, const struct checkpoint *last, struct fl_buf *redo, struct signer **out,
                               struct fl_why *why)
{
    struct losing *l = *(struct losing *const *)config;
    *out = (struct signer *)(void *)l;
    return keeper_open(l->keeper, last, redo, why);
}

static enum fl_err losing_sign(struct signer *s, const struct signer_request *r, uint8_t out[static KEY_SIGNATURE], struct fl_why *why)
{
    struct losing *l = (struct losing *)(void *)s;
    enum fl_err err = r->meanwhile(r->ctx, why); /* pages that no commit follows are in the WAL, as with a signer elsewhere */
    if (!err)
        err = keeper_sign(l->keeper, r, out, why);
    return err || !l->lose ? err : fl_fail(why, FL_IO, "lost");
}

static void losing_close(struct signer *s)
{
    (void)s;
}

static enum fl_err losing_settled(struct signer *s, struct fl_why *why)
{
    struct losing *l = (struct losing *)(void *)s;
    return l->settles ? keeper_settled(l->keeper, why) : FL_OK;
}

static const struct signer_kind losing_kind = {"losing", losing_open, losing_sign, losing_close, true, losing_settled, NULL};

struct t_redo {
    struct t_station s;
    struct losing losing, *config;
    struct recorder_opened opened;
};

static enum fl_err try_open(struct t_redo *t, struct fl_why *why)
{
    struct folder f;
    struct seal key = {.ctx = NULL}, next = {.ctx = NULL};
    assert_int_equal(folder_paths(t->s.data, &f, NULL), FL_OK);
    const struct folder_new new = {.station = "bench-1"};
    if (!fl_path_exists(f.vkey))
        assert_int_equal(folder_create(&f, &new, NULL), FL_OK);
    const struct keeper_config k = {.key = &key, .next = &next, .memory = f.memory};
    assert_int_equal(seal_open(f.key, NULL, &key, NULL), FL_OK);
    assert_int_equal(seal_open(f.next, NULL, &next, NULL), FL_OK);
    assert_int_equal(keeper_new(&k, &t->losing.keeper, why), FL_OK);
    seal_close(&key);
    seal_close(&next);
    folder_fini(&f);
    t->losing.lose = false;
    t->config = &t->losing;
    t->s.hooks = (struct recorder_hooks){.signer = &losing_kind, .signer_config = &t->config, .mark_ms = t->losing.settles ? 1 : 0};
    return recorder_open_hooked(&t->s.config, &t->s.hooks, &t->s.r, &t->opened, why);
}

static void shut(struct t_redo *t)
{
    t_close(&t->s);
    keeper_free(t->losing.keeper);
    t->losing.keeper = NULL;
}

static void reopen(struct t_redo *t)
{
    struct fl_why why = {0, ""};
    shut(t);
    if (try_open(t, &why))
        fail_msg("cannot open: %s", why.text);
}

/* What is put from here on is signed and lost, and the station stops. */
static void lose(struct t_redo *t)
{
    t->losing.lose = true;
}

static int setup(void **state)
{
    struct t_redo *t = calloc(1, sizeof *t);
    struct fl_why why = {0, ""};
    t_station_make(&t->s);
    if (try_open(t, &why))
        fail_msg("cannot open: %s", why.text);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct t_redo *t = *state;
    shut(t);
    t_station_remove(&t->s);
    free(t);
    return 0;
}

/* ---- what comes again -------------------------------------------------------------------------------------------- */

static json_t *person(const char *name, const char *change)
{
    return json_pack("{ss,ss}", "operator", name, "change", change);
}

static void salt_of(struct t_redo *t, const char *name, uint8_t out[static PERSON_SALT])
{
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open_v2(t_path(&t->s, "flashline.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT salt FROM person WHERE name = ?", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_int_equal(sqlite3_column_bytes(s, 0), PERSON_SALT);
    memcpy(out, sqlite3_column_blob(s, 0), PERSON_SALT);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
}

static void people_come_again_and_lead_to_their_tag(void **state)
{
    struct t_redo *t = *state;
    struct fl_why why;
    uint8_t salted[PERSON_SALT + 3], hash[FL_SHA256_SIZE];
    char hex[2 * FL_SHA256_SIZE + 1], want[PERSON_TAG];
    lose(t);
    assert_int_equal(t_send(&t->s, EVENT_OPERATOR, person("eva", "begin"), NULL, &why), FL_IO);
    t_sql_is(&t->s, "SELECT count(*) FROM person", "0");
    reopen(t);
    assert_int_equal(t->opened.recovered, 1);
    t_sql_is(&t->s, "SELECT name FROM person", "eva");
    salt_of(t, "eva", salted);
    memcpy(salted + PERSON_SALT, "eva", 3);
    assert_int_equal(fl_sha256(salted, sizeof salted, hash), FL_OK);
    fl_hex(hash, sizeof hash, hex);
    (void)snprintf(want, sizeof want, "#%.32s", hex);
    t_sql_is(&t->s, "SELECT json_extract(rec, '$.operator') FROM record WHERE event = 'operator'", want);
    t_sql_is(&t->s, "SELECT name FROM operator_view WHERE id > 0", "eva");
}

static void who_was_forgotten_stays_forgotten(void **state)
{
    struct t_redo *t = *state;
    struct fl_why why;
    (void)t_told(&t->s, EVENT_OPERATOR, person("gulliver", "begin"));
    lose(t);
    assert_int_equal(t_send(&t->s, EVENT_OPERATOR, person("gulliver", "forget"), NULL, &why), FL_IO);
    t_sql_is(&t->s, "SELECT count(*) FROM person", "1");
    reopen(t);
    t_sql_is(&t->s, "SELECT count(*) FROM person", "0");
    t_sql_is(&t->s, "SELECT count(*) FROM record WHERE event = 'operator'", "2");
    shut(t);
    t_shell("! grep -q gulliver %s/key/memory.*", t->s.data); /* nor does the signer remember */
}

/* A parcel that was sent is not sent again when its result was told in a commit that is made again. */
static void parcels_and_what_became_of_them(void **state)
{
    struct t_redo *t = *state;
    struct event_ticket a, b;
    struct attempt_facts f = t_attempt(1, OUTCOME_FAIL);
    (void)t_start(&t->s, &f);
    assert_int_equal(event_ticket_init(&a), FL_OK);
    assert_int_equal(event_ticket_init(&b), FL_OK);
    struct event *e = event_new(EVENT_ATTEMPT_RESULT, event_attempt_result_body(&f), &a);
    assert_int_equal(event_parcel(e, "label", "p", NULL, "one", 3), FL_OK);
    assert_int_equal(fl_queue_put(recorder_queue(t->s.r), e, fl_deadline_in_ms(60000)), FL_OK);
    assert_int_equal(event_ticket_wait(&a, fl_deadline_in_ms(60000), NULL, NULL), FL_OK);
    lose(t);
    e = event_new(EVENT_HEARTBEAT, json_object(), &b);
    assert_int_equal(event_parcel_result(e, 1, PARCEL_GIVEN_UP, 0, "no such printer"), FL_OK);
    assert_int_equal(event_parcel(e, "label", "p", NULL, "two", 3), FL_OK);
    assert_int_equal(fl_queue_put(recorder_queue(t->s.r), e, fl_deadline_in_ms(60000)), FL_OK);
    assert_int_equal(event_ticket_wait(&b, fl_deadline_in_ms(60000), NULL, NULL), FL_IO);
    event_ticket_fini(&a);
    event_ticket_fini(&b);
    t_sql_is(&t->s, "SELECT group_concat(state || CAST(payload AS TEXT)) FROM outbox", "0one");
    reopen(t);
    t_sql_is(&t->s, "SELECT group_concat(state || CAST(payload AS TEXT) || coalesce(why, '')) FROM (SELECT * FROM outbox ORDER BY id)",
             "2oneno such printer,0two");
    t_sql_is(&t->s, "SELECT leaf = (SELECT max(leaf) FROM record WHERE event = 'heartbeat') FROM outbox WHERE id = 2", "1");
}

static void heads_until(struct t_redo *t, int64_t size, char out[static 4000])
{
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open_v2(t_path(&t->s, "flashline.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT group_concat(size || hex(signature)) FROM (SELECT * FROM checkpoint WHERE size <= ? "
                                            "ORDER BY size)", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_int64(s, 1, size), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    (void)snprintf(out, 4000, "%s", (const char *)sqlite3_column_text(s, 0));
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
}

/* The newest head lies in cosigned/ of what the cut leaves: a witness signed what only the signer's memory has now. */
static void witnessed(struct t_redo *t)
{
    struct db_reader r;
    struct fl_buf note = FL_BUF(4096);
    assert_int_equal(db_open_reader(t_path(&t->s, "flashline.db"), false, &r, NULL), FL_OK);
    assert_int_equal(certificate_head(r.db, &note, NULL), FL_OK);
    db_close_reader(&r);
    t_shell("mkdir %s.cut/cosigned", t->s.data);
    char path[300];
    (void)snprintf(path, sizeof path, "%s.cut/cosigned/dfa888a4.note", t->s.data);
    assert_int_equal(fl_file_replace(path, note.bytes, note.len, 0644, NULL), FL_OK);
    fl_buf_fini(&note);
}

/* A power cut before the database's pages were on the disk: it has them as they were some commits ago, the signer's memory is of
 * now. Everything that was answered is there again, under the same heads. */
static void many_commits_come_again(void **state)
{
    struct t_redo *t = *state;
    struct t_station *s = &t->s;
    char was[4000], now[4000];
    (void)t_told(s, EVENT_OPERATOR, person("eva", "begin"));
    t_shell("rm -rf %s.cut && cp -r %s %s.cut", s->data, s->data, s->data);
    int64_t last = 0;
    for (int i = 0; i < SIGNER_KEEPS / 2; i++) {
        (void)t_told(s, EVENT_OPERATOR, person("adam", "begin"));
        last = t_told(s, EVENT_OPERATOR, person("adam", "end"));
    }
    heads_until(t, last + 1, was);
    t_shell("cp %s/key/memory.* %s.cut/key/", s->data, s->data);
    witnessed(t);
    shut(t);
    t_shell("rm -rf %s && mv %s.cut %s", s->data, s->data, s->data);
    reopen(t);
    assert_int_equal(t->opened.recovered, SIGNER_KEEPS);
    t_sql_is(s, "SELECT json_extract(rec, '$.made_again') FROM record WHERE event = 'boot' ORDER BY leaf DESC LIMIT 1", "16");
    heads_until(t, last + 1, now);
    assert_string_equal(was, now);
    t_sql_is(s, "SELECT group_concat(name) FROM (SELECT name FROM person ORDER BY name)", "adam,eva");
    (void)t_told(s, EVENT_OPERATOR, person("eva", "end")); /* and it goes on */
    reopen(t);
    assert_int_equal(t->opened.recovered, 0);
}

static void wait_for_mark(struct t_redo *t, int64_t size)
{
    struct fl_deadline d = fl_deadline_in_ms(60000);
    int64_t marked = -1;
    while (marked != size && !fl_deadline_passed(d)) {
        struct fl_buf b = FL_BUF(4096);
        assert_int_equal(fl_file_read(t_path(&t->s, "checkpoint"), &b, NULL), FL_OK); /* replaced in one step */
        const char *line = strchr(fl_buf_text(&b), '\n');
        marked = line ? strtoll(line + 1, NULL, 10) : -1;
        fl_buf_fini(&b);
        assert_int_equal(fl_wake_sleep(NULL, fl_deadline_in_ms(2)), FL_OK);
    }
    assert_int_equal(marked, size);
}

/* B2 in the dress of a crash: the station died, and the database is put back by a few commits, the mark taken away. What was on
 * the station's disk when it was marked no crash can have taken; what came behind the mark comes again. */
static void put_back_behind_a_mark_is_no_crash(void **state)
{
    struct t_redo *t = *state;
    struct t_station *s = &t->s;
    struct fl_why why = {0, ""};
    t->losing.settles = true;
    reopen(t);
    t_shell("rm -rf %s.put && cp -r %s %s.put", s->data, s->data, s->data);
    wait_for_mark(t, t_told(s, EVENT_OPERATOR, person("eva", "begin")) + 1);
    lose(t);
    assert_int_equal(t_send(s, EVENT_OPERATOR, person("eva", "end"), NULL, &why), FL_IO);
    shut(t);
    t_shell("rm -rf %s.crash && cp -r %s %s.crash", s->data, s->data, s->data);
    t_shell("rm %s/checkpoint && cp %s.put/flashline.db* %s", s->data, s->data, s->data);
    assert_int_equal(try_open(t, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "ROLLBACK"));
    keeper_free(t->losing.keeper);
    t_shell("rm -rf %s && mv %s.crash %s && rm %s/checkpoint", s->data, s->data, s->data, s->data);
    assert_int_equal(try_open(t, &why), FL_OK);
    assert_int_equal(t->opened.recovered, 1);
}

/* ---- what a record made again means --------------------------------------------------------------------------------- */

static void a_log_that_was_closed_stays_closed(void **state)
{
    struct t_redo *t = *state;
    struct fl_why why;
    lose(t);
    assert_int_equal(rotate_retire(t->s.r, &why), FL_IO);
    shut(t);
    assert_int_equal(try_open(t, &why), FL_STATE);
    assert_true(t->opened.closed);
    assert_non_null(strstr(why.text, "closed for good"));
    t_sql_is(&t->s, "SELECT event FROM record ORDER BY leaf DESC LIMIT 1", "key_retire");
}

static void a_key_that_was_handed_over_signs(void **state)
{
    struct t_redo *t = *state;
    struct fl_why why;
    struct folder f;
    struct vkey next, after;
    char promise[65], text[KEY_VKEY_MAX];
    reopen(t); /* what the log promises is told from its records */
    assert_int_equal(folder_paths(t->s.data, &f, NULL), FL_OK);
    assert_int_equal(folder_next(&f, &next, NULL), FL_OK);
    assert_int_equal(folder_make_after(&f, t->opened.origin, NULL, &after, NULL), FL_OK);
    assert_int_equal(folder_promise(after.key, promise, NULL), FL_OK);
    lose(t);
    assert_int_equal(rotate_key(t->s.r, t->opened.promise, &next, &after, &why), FL_IO);
    reopen(t);
    vkey_format(&next, text);
    assert_string_equal(t->opened.now, text);
    assert_string_equal(t->opened.promise, promise);
    assert_false(fl_path_exists(f.after)); /* the files are in their places */
    reopen(t);
    assert_string_equal(t->opened.now, text);
    folder_fini(&f);
}

static void some_commits(struct t_redo *t, int n)
{
    for (int i = 0; i < n; i++)
        (void)t_told(&t->s, EVENT_OPERATOR, person("eva", i % 2 ? "end" : "begin"));
}

/* Of more than a thousand heads a bundle holds some. The one at which the key was handed over is always among them, or the bundle
 * would not verify. */
static void a_hand_over_is_in_every_bundle(void **state)
{
    struct t_redo *t = *state;
    struct fl_why why = {0, ""};
    struct folder f;
    struct vkey next, after;
    struct export_done done;
    static struct check_result result;
    static struct trust trust;
    char dir[100];
    reopen(t);
    assert_int_equal(folder_paths(t->s.data, &f, NULL), FL_OK);
    some_commits(t, 501);
    for (int i = 0; i < 2; i++) { /* one of them falls between those that would be there */
        assert_int_equal(folder_next(&f, &next, NULL), FL_OK);
        assert_int_equal(folder_make_after(&f, t->opened.origin, NULL, &after, NULL), FL_OK);
        lose(t);
        assert_int_equal(rotate_key(t->s.r, t->opened.promise, &next, &after, &why), FL_IO);
        reopen(t);
        reopen(t); /* the next key is in its place now */
        some_commits(t, 251);
    }
    shut(t);
    (void)snprintf(dir, sizeof dir, "%s/bundle", t->s.dir);
    assert_int_equal(export_bundle(t->s.data, dir, &done, &why), FL_OK);
    assert_true(done.heads < 1000);
    const char *key = t->opened.vkey;
    assert_int_equal(trust_read(&(struct trust_words){.keys = &key, .n_keys = 1}, &trust, &why), FL_OK);
    assert_int_equal(bundle_check(&(struct bundle_config){.dir = dir, .trust = &trust}, &result, &why), FL_OK);
    if (result.report.verdict != AUDIT_GOOD)
        fail_msg("%s", audit_worst(&result.report)->text);
    trust_fini(&trust);
    folder_fini(&f);
}

/* One key more than a verification provides for, and the log would never be good again: it is refused, and the station goes on. */
static void no_more_keys_than_can_be_verified(void **state)
{
    struct t_redo *t = *state;
    struct fl_why why;
    struct folder f;
    struct vkey next, after;
    reopen(t);
    assert_int_equal(folder_paths(t->s.data, &f, NULL), FL_OK);
    assert_int_equal(folder_next(&f, &next, NULL), FL_OK);
    assert_int_equal(folder_make_after(&f, t->opened.origin, NULL, &after, NULL), FL_OK);
    t_shell("sqlite3 %s/flashline.db 'WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
            "INSERT INTO handover SELECT 1000000 + i, 1, zeroblob(64) FROM n'", t->s.data, AUDIT_KEYS_MAX - 1);
    assert_int_equal(rotate_key(t->s.r, t->opened.promise, &next, &after, &why), FL_FORMAT);
    assert_non_null(strstr(why.text, "at most 64 keys"));
    (void)t_told(&t->s, EVENT_OPERATOR, person("eva", "begin"));
    folder_fini(&f);
}

/* ---- nothing is left out ---------------------------------------------------------------------------------------------- */

/* Every table is the log, a projection of it, or one that redo.h has a letter for. */
static void every_table_is_accounted_for(void **state)
{
    static const char *const log[] = {"leaf", "node", "checkpoint", "handover", "shape"};
    static const char *const redone[] = {"outbox", "person"};         /* P and R, N and F */
    struct t_redo *t = *state;
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open_v2(t_path(&t->s, "flashline.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'", -1, &s,
                                        NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(s, 0);
        bool known = false;
        for (size_t i = 0; i < sizeof log / sizeof *log; i++)
            known |= strcmp(name, log[i]) == 0;
        for (size_t i = 0; seeded_tables[i]; i++)
            known |= strcmp(name, seeded_tables[i]) == 0;
        for (size_t i = 0; i < sizeof redone / sizeof *redone; i++)
            known |= strcmp(name, redone[i]) == 0;
        for (const struct projected_table *p = projected_tables; p->name; p++)
            known |= strcmp(name, p->name) == 0;
        if (!known)
            fail_msg("the table %s is neither log nor projection, and a commit that is made again forgets it", name);
    }
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
}

static void refuses_what_no_station_wrote(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } row[] = {
        {"X\0\0\0\0", 5},                 /* a letter that is none */
        {"L\5\0\0\0abc", 8},              /* shorter than it says */
        {"N\4\0\0\0a\0b", 8},
        {"N\4\0\0\0a\0b\0", 9},           /* without its salt */
        {"F\2\0\0\0ab", 7},               /* without an end */
        {"R\22\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0", 23}, /* row 0 */
        {"R\22\0\0\0\1\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\0", 23}, /* no such state */
        {"P\1\0\0\0x", 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct fl_buf b = FL_BUF(100);
        struct redo_item item;
        size_t at = 0;
        fl_buf_add(&b, row[i].bytes, row[i].n);
        if (redo_next(&b, &at, &item, NULL) != FL_FORMAT)
            fail_msg("row %zu was taken", i);
        fl_buf_fini(&b);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(people_come_again_and_lead_to_their_tag), T(who_was_forgotten_stays_forgotten), T(parcels_and_what_became_of_them), T(many_commits_come_again), T(put_back_behind_a_mark_is_no_crash),
        T(a_log_that_was_closed_stays_closed), T(a_key_that_was_handed_over_signs),
        T(no_more_keys_than_can_be_verified), T(a_hand_over_is_in_every_bundle), T(every_table_is_accounted_for),
        cmocka_unit_test(refuses_what_no_station_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
