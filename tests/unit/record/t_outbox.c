/* SPDX-License-Identifier: Apache-2.0
 * record/outbox: what leaves the station leaves after the commit, once, and is tried until it is gone. */
#include "unit/t.h"

#include "prove/check.h"
#include "record/outbox.h"
#include "store/line_past.h"
#include "store/outbox_rows.h"
#include "unit/record/station.h"

#include <stdlib.h>

#include <stdatomic.h>

struct post {
    pthread_mutex_t lock;
    char log[2000];     /* "target/job=bytes(leaf) " of all that was taken */
    enum fl_err answer; /* to each */
    atomic_int calls;
};

static enum fl_err take(void *ctx, const struct outbox_item *i, struct fl_wake *stop, struct fl_why *why)
{
    struct post *p = ctx;
    (void)stop;
    (void)pthread_mutex_lock(&p->lock);
    size_t n = strlen(p->log);
    (void)snprintf(p->log + n, sizeof p->log - n, "%s/%s=%.*s(%lld)#%u ", i->target, i->job, (int)i->n, (const char *)i->bytes,
                   (long long)i->leaf, i->tries);
    enum fl_err err = p->answer;
    (void)pthread_mutex_unlock(&p->lock);
    atomic_fetch_add(&p->calls, 1);
    return err ? fl_fail(why, err, "the printer is out of paper") : FL_OK;
}

static void put_event(struct t_station *s, struct event *e, struct event_ticket *t, enum fl_err want, int64_t *leaf)
{
    assert_int_equal(fl_queue_put(recorder_queue(s->r), e, fl_deadline_in_ms(60000)), FL_OK);
    assert_int_equal(event_ticket_wait(t, fl_deadline_in_ms(60000), leaf, NULL), want);
}

/* An attempt's start with two parcels of one kind to two targets and one of another kind. */
static int64_t start_with_parcels(struct t_station *s, const struct attempt_facts *f)
{
    struct event_ticket t;
    int64_t leaf;
    assert_int_equal(event_ticket_init(&t), FL_OK);
    struct event *e = event_new(EVENT_ATTEMPT_START, event_attempt_start_body(f), &t);
    assert_non_null(e);
    assert_int_equal(event_parcel(e, "label", "p1", NULL, "ZPL", 3), FL_OK);
    assert_int_equal(event_parcel(e, "label", "p2", NULL, "", 0), FL_OK);
    assert_int_equal(event_parcel(e, "push", "central", NULL, "row", 3), FL_OK);
    put_event(s, e, &t, FL_OK, &leaf);
    event_ticket_fini(&t);
    return leaf;
}

static void wait_calls(struct post *p, int n)
{
    struct fl_deadline d = fl_deadline_in_ms(20000);
    while (atomic_load(&p->calls) < n && !fl_deadline_passed(d))
        (void)usleep(5000);
    assert_true(atomic_load(&p->calls) >= n);
}

static void wait_rows(struct t_station *s, const char *sql, int64_t want)
{
    struct fl_deadline d = fl_deadline_in_ms(20000);
    while (t_sql_int(s, sql) != want && !fl_deadline_passed(d))
        (void)usleep(5000);
    assert_int_equal(t_sql_int(s, sql), want);
}

static void sent_after_the_commit_and_once(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    struct outbox_worker *w;
    struct post p = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct outbox_sender sender = {.kind = "label", .ctx = &p, .send = take};
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    assert_int_equal(start_with_parcels(s, &f), 2);
    assert_int_equal(start_with_parcels(s, &f), 2); /* told again: the same leaf, no second label */
    t_sql_is(s, "SELECT kind, target, job, leaf, CAST(payload AS TEXT), state, tries FROM outbox ORDER BY id",
             "label|p1|leaf:2|2|ZPL|0|0\nlabel|p2|leaf:2|2||0|0\npush|central|leaf:2|2|row|0|0");
    assert_int_equal(outbox_start(t_path(s, "flashline.db"), s->r, &sender, &w, &why), FL_OK);
    wait_calls(&p, 2);
    wait_rows(s, "SELECT count(*) FROM outbox WHERE state = 1", 2);
    assert_string_equal(p.log, "p1/leaf:2=ZPL(2)#0 p2/leaf:2=(2)#0 ");
    /* one more while the worker sleeps: it is woken, not left to the next look */
    f = t_attempt(2, OUTCOME_PASS);
    (void)start_with_parcels(s, &f);
    wait_calls(&p, 4);
    outbox_stop(w);
    t_sql_is(s, "SELECT kind, state, count(*), sum(tries), count(done_ms) FROM outbox GROUP BY 1, 2", "label|1|4|4|4\npush|0|2|0|0");
    t_close(s);
    t_verdict(s, AUDIT_GOOD);
    (void)pthread_mutex_destroy(&p.lock);
}

/* One receiver that does not come back holds up nobody else of its kind. */
struct held {
    struct post post;
    struct fl_wake *let_go;
};
static enum fl_err hold(void *ctx, const struct outbox_item *i, struct fl_wake *stop, struct fl_why *why)
{
    struct held *h = ctx;
    while (fl_wake_sleep(h->let_go, fl_deadline_in_ms(10)) == FL_OK)
        if (fl_wake_sleep(stop, fl_deadline_in_ms(0)) != FL_OK)
            return FL_CANCELLED;
    return take(&h->post, i, stop, why);
}

static void one_target_delays_no_other(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct outbox_worker *slow, *quick;
    struct fl_wake let_go;
    struct held held = {.post = {.lock = PTHREAD_MUTEX_INITIALIZER}, .let_go = &let_go};
    struct post p = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct outbox_sender first = {.kind = "label", .ctx = &held, .send = hold, .target = "p1"},
                               second = {.kind = "label", .ctx = &p, .send = take, .target = "p2"};
    assert_int_equal(fl_wake_init(&let_go, NULL), FL_OK);
    t_open(s, &o);
    assert_int_equal(outbox_start(t_path(s, "flashline.db"), s->r, &first, &slow, NULL), FL_OK);
    assert_int_equal(outbox_start(t_path(s, "flashline.db"), s->r, &second, &quick, NULL), FL_OK);
    for (int i = 1; i <= 3; i++) {
        struct attempt_facts f = t_attempt(i, OUTCOME_PASS);
        (void)start_with_parcels(s, &f);
    }
    wait_rows(s, "SELECT count(*) FROM outbox WHERE target = 'p2' AND state = 1", 3);
    t_sql_is(s, "SELECT count(*) FROM outbox WHERE target = 'p1' AND state = 0 AND tries = 0", "3");
    fl_wake_raise(&let_go);
    wait_rows(s, "SELECT count(*) FROM outbox WHERE target = 'p1' AND state = 1", 3);
    outbox_stop(slow);
    outbox_stop(quick);
    assert_null(strstr(p.log, "p1/"));
    assert_null(strstr(held.post.log, "p2/"));
    t_close(s);
    fl_wake_fini(&let_go);
    (void)pthread_mutex_destroy(&p.lock);
    (void)pthread_mutex_destroy(&held.post.lock);
}

static void tried_again_or_given_up(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct outbox_worker *w;
    struct post p = {.lock = PTHREAD_MUTEX_INITIALIZER, .answer = FL_TIMEOUT};
    struct outbox_sender sender = {.kind = "label", .ctx = &p, .send = take};
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    (void)start_with_parcels(s, &f);
    assert_int_equal(outbox_start(t_path(s, "flashline.db"), s->r, &sender, &w, NULL), FL_OK);
    wait_rows(s, "SELECT count(*) FROM outbox WHERE kind = 'label' AND tries = 1", 2);
    t_sql_is(s, "SELECT DISTINCT state, done_ms, why, next_ms - made_ms >= 1000 FROM outbox WHERE kind = 'label'",
             "0||the printer is out of paper|1");
    outbox_stop(w);
    t_close(s);

    /* the next start goes on where this one stopped; what is refused for good is not tried for ever */
    t_open(s, &o);
    p.answer = FL_REFUSED;
    t_shell("sqlite3 %s 'UPDATE outbox SET next_ms = 0'", t_path(s, "flashline.db"));
    assert_int_equal(outbox_start(t_path(s, "flashline.db"), s->r, &sender, &w, NULL), FL_OK);
    wait_rows(s, "SELECT count(*) FROM outbox WHERE kind = 'label' AND state = 2 AND tries = 2", 2);
    outbox_stop(w);
    assert_int_equal(atomic_load(&p.calls), 4);
    assert_string_equal(p.log, "p1/leaf:2=ZPL(2)#0 p2/leaf:2=(2)#0 p1/leaf:2=ZPL(2)#1 p2/leaf:2=(2)#1 ");
    (void)pthread_mutex_destroy(&p.lock);
}

/* What the recorder refuses takes its parcels with it; a parcel alone needs a job of its own. */
static void refused_with_its_event(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct event_ticket t;
    int64_t leaf;
    t_open(s, &o);
    assert_int_equal(event_ticket_init(&t), FL_OK);
    struct event *e = event_new(EVENT_ATTEMPT_START, json_pack("{sf}", "x", 1.5), &t);
    assert_int_equal(event_parcel(e, "label", "p1", NULL, "ZPL", 3), FL_OK);
    put_event(s, e, &t, FL_FORMAT, &leaf);
    event_ticket_reset(&t);
    e = event_leafless(&t);
    assert_int_equal(event_parcel(e, "label", "p1", NULL, "ZPL", 3), FL_OK);
    put_event(s, e, &t, FL_FORMAT, &leaf);
    t_sql_is(s, "SELECT count(*) FROM outbox", "0");
    event_ticket_reset(&t);
    e = event_leafless(&t);
    assert_int_equal(event_parcel(e, "witness", "", "head", "5", 1), FL_OK);
    put_event(s, e, &t, FL_OK, &leaf);
    assert_int_equal(leaf, -1);
    t_sql_is(s, "SELECT kind, job, leaf FROM outbox", "witness|head|");
    t_sql_is(s, "SELECT count(*) FROM leaf", "2");
    event_ticket_fini(&t);
    e = event_leafless(NULL);
    char longer[PARCEL_TARGET_MAX + 1];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(event_parcel(e, "", "", "j", "", 0), FL_ARG);
    assert_int_equal(event_parcel(e, "k", longer, "j", "", 0), FL_ARG);
    assert_int_equal(event_parcel(e, "k", "", longer, "", 0), FL_ARG);
    event_free(e);
    e = event_new(EVENT_HEARTBEAT, json_object(), NULL); /* it would tell a parcel that may be there already */
    assert_int_equal(event_parcel(e, "k", "t", "j", "", 0), FL_ARG);
    event_free(e);
}

static void check_says(struct t_station *s, enum audit_class want)
{
    static struct check_result result;
    struct fl_why why = {0, ""};
    const struct check_config c = {.data = s->data};
    if (check_folder(&c, &result, &why))
        fail_msg("%s", why.text);
    if (result.report.verdict != want)
        fail_msg("%s: %s", audit_class_name(result.report.verdict), result.report.n_findings ? result.report.finding[0].text : "nothing was found");
}

/* Whoever can write the file has no other label printed, and an audit names the row. */
static void changed_by_somebody(void **state)
{
    static const struct {
        const char *sql;
        int sent, given_up;
    } row[] = {
        {"DELETE FROM outbox WHERE target = 'p1'", 1, 0},
        {"DELETE FROM outbox WHERE target = 'central'", 2, 0},
        {"DELETE FROM outbox", 0, 0},
        {"DELETE FROM outbox WHERE target = 'p1'; INSERT INTO outbox (kind, target, job, leaf, payload, made_ms, next_ms) "
         "SELECT kind, target, 'leaf:x', leaf, payload, 0, 0 FROM outbox WHERE target = 'p2'", 1, 1}, /* one twice for one that is gone */
        {"INSERT INTO outbox (kind, target, job, leaf, payload, made_ms, next_ms) SELECT kind, target, 'again', leaf, payload, 0, 0 "
         "FROM outbox WHERE target = 'p2'", 2, 1}, /* a label twice */
        {"UPDATE outbox SET job = 'leaf:1' WHERE target = 'p1'", 1, 1},
        {"UPDATE outbox SET payload = CAST('evil' AS BLOB) WHERE target = 'p1'", 1, 1},
        {"UPDATE outbox SET target = 'p3' WHERE target = 'p1'", 1, 1},
        {"UPDATE outbox SET leaf = 1 WHERE target = 'p1'", 1, 1},
        {"UPDATE outbox SET leaf = NULL WHERE target = 'p1'", 1, 1},
        {"UPDATE outbox SET payload = zeroblob(1100000) WHERE target = 'p1'", 1, 1}, /* larger than any: it holds nothing up */
        {"INSERT INTO outbox (kind, target, job, payload, made_ms, next_ms) VALUES ('label', 'p1', 'x', x'00', 0, 0)", 2, 1},
        {"INSERT INTO outbox (kind, target, job, leaf, payload, made_ms, next_ms) VALUES ('label', 'p1', 'x', 2, x'00', 0, 0)", 2, 1},
        {"INSERT INTO outbox (kind, target, job, payload, made_ms, next_ms) VALUES ('witness', 'w', 'head:2', x'00', 0, 0)", 2, 0},
    };
    struct t_station *s = *state;
    struct recorder_opened o;
    struct outbox_worker *w;
    struct post p = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct outbox_sender sender = {.kind = "label", .ctx = &p, .send = take, .from_record = true};
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    assert_int_equal(start_with_parcels(s, &f), 2);
    t_close(s);
    check_says(s, AUDIT_GOOD);
    t_shell("cp -r %s %s.good", s->data, s->data);
    for (size_t i = 0; i < T_COUNT(row); i++) {
        t_shell("rm -rf %s && cp -r %s.good %s && sqlite3 %s/flashline.db \"%s\"", s->data, s->data, s->data, s->data, row[i].sql);
        check_says(s, AUDIT_ROWS);
        p.log[0] = 0;
        t_open(s, &o);
        assert_int_equal(outbox_start(t_path(s, "flashline.db"), s->r, &sender, &w, NULL), FL_OK);
        wait_rows(s, "SELECT count(*) FROM outbox WHERE kind = 'label' AND state = 1", row[i].sent);
        wait_rows(s, "SELECT count(*) FROM outbox WHERE kind = 'label' AND state = 2 AND why LIKE '%somebody%'", row[i].given_up);
        outbox_stop(w);
        t_close(s);
        assert_null(strstr(p.log, "evil"));
    }
    t_shell("rm -rf %s.good", s->data);
    (void)pthread_mutex_destroy(&p.lock);
}

/* One unit passes, with the label "ZPL" for printer p1. Its leaf. */
static int64_t put_labelled(struct t_station *s, struct attempt_facts *f)
{
    struct event_ticket t;
    int64_t leaf;
    (void)t_start(s, f);
    assert_int_equal(event_ticket_init(&t), FL_OK);
    struct event *e = event_attempt(EVENT_ATTEMPT_RESULT, f, &t);
    assert_int_equal(event_parcel(e, "label", "p1", NULL, "ZPL", 3), FL_OK);
    put_event(s, e, &t, FL_OK, &leaf);
    event_ticket_fini(&t);
    return leaf;
}

/* Nor is it printed again. */
static void a_changed_label_is_not_printed_again(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct line_past_label old;
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    (void)put_labelled(s, &f);
    assert_int_equal(line_past_label(s->data, f.mac, &old, NULL), FL_OK);
    assert_memory_equal(old.bytes, "ZPL", 3);
    free(old.bytes);
    t_close(s);
    t_shell("sqlite3 %s/flashline.db \"UPDATE outbox SET payload = CAST('EVL' AS BLOB)\"", s->data);
    assert_int_equal(line_past_label(s->data, f.mac, &old, NULL), FL_MISMATCH);
    free(old.bytes);
}

/* A unit's label that is called printed is so on record: nobody takes it out of the printer's hands by a word in the outbox. */
static void called_printed(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    bool printed = true;
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    int64_t leaf = put_labelled(s, &f);
    assert_int_equal(line_past_label_printed(s->data, leaf, &printed, NULL), FL_OK);
    assert_false(printed);
    t_close(s);
    check_says(s, AUDIT_GOOD);
    t_shell("sqlite3 %s/flashline.db 'UPDATE outbox SET state = 1, tries = 1'", s->data);
    check_says(s, AUDIT_ROWS);
    t_open(s, &o);
    (void)t_told(s, EVENT_LABEL, json_pack("{ss,ss,ss,sI,ss}", "job", f.profile, "state", "printed", "printer", "p1", "attempt", (json_int_t)leaf,
                                           "mac", "24:6f:28:00:00:01"));
    assert_int_equal(line_past_label_printed(s->data, leaf, &printed, NULL), FL_OK);
    assert_true(printed);
    t_close(s);
    check_says(s, AUDIT_GOOD);
}

static void waits_double_to_ten_minutes(void **state)
{
    (void)state;
    static const int64_t want[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 512000, 600000, 600000};
    for (unsigned i = 0; i < T_COUNT(want); i++)
        assert_int_equal(outbox_wait_ms(i), want[i]);
    assert_int_equal(outbox_wait_ms(4000000000u), 600000);
}

static int step(void *ctx)
{
    ++*(unsigned *)ctx;
    return 0;
}

/* A head a minute to each witness: after a year a look at those that wait must not read through all that were sent. */
static void a_year_of_heads(void **state)
{
    static const struct {
        const char *kind, *target;
        bool tried;
        int64_t n;
    } row[] = {{"witness", NULL, true, 3}, {"witness", NULL, false, 2}, {"witness", "w2", true, 1}, {"witness", "w2", false, 0},
               {"witness", "w3", true, 0}, {"label", NULL, true, 1},    {"anchor", NULL, true, 0}};
    struct t_station *s = *state;
    struct recorder_opened o;
    sqlite3 *db;
    int64_t n;
    t_open(s, &o);
    t_close(s);
    assert_int_equal(sqlite3_open_v2(t_path(s, "flashline.db"), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "WITH RECURSIVE i (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM i WHERE n < 20000) "
                                      "INSERT INTO outbox (kind, target, job, payload, made_ms, state, tries, next_ms) "
                                      "SELECT 'witness', 'w' || (1 + n % 2), 'head:' || n, x'00', n, 1, 1, n FROM i; "
                                      "INSERT INTO outbox (kind, target, job, payload, made_ms, state, tries, next_ms) VALUES "
                                      "('witness', 'w1', 'a', x'00', 1, 0, 0, 1), ('witness', 'w1', 'b', x'00', 1, 0, 0, 1), "
                                      "('witness', 'w2', 'c', x'00', 1, 0, 5, 1), ('label', 'p', 'd', x'00', 1, 0, 0, 1)",
                                  NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < T_COUNT(row); i++) {
        unsigned steps = 0;
        sqlite3_progress_handler(db, 1, step, &steps);
        assert_int_equal(outbox_waiting(db, row[i].kind, row[i].target, row[i].tried, &n, NULL), FL_OK);
        sqlite3_progress_handler(db, 0, NULL, NULL);
        assert_int_equal(n, row[i].n);
        if (steps > 500)
            fail_msg("row %zu: %u steps", i, steps);
    }
    assert_int_equal(outbox_newest(db, "witness", &n, NULL), FL_OK);
    assert_int_equal(n, 20000);
    assert_int_equal(outbox_newest(db, "anchor", &n, NULL), FL_OK);
    assert_int_equal(n, 0);
    (void)sqlite3_close(db);
}

#define T(f) cmocka_unit_test_setup_teardown(f, t_setup, t_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(sent_after_the_commit_and_once), T(one_target_delays_no_other), T(tried_again_or_given_up), T(refused_with_its_event), T(changed_by_somebody),
        T(a_changed_label_is_not_printed_again), T(called_printed), T(a_year_of_heads),
        cmocka_unit_test(waits_double_to_ten_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
