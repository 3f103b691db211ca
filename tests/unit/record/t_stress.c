/* SPDX-License-Identifier: Apache-2.0
 * record/: many makers at once, and kill -9 at any moment: what was told durable is there, nothing is there twice, the log
 * verifies. */
#include "unit/t.h"

#include "prove/check.h"
#include "unit/record/station.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

enum { MAKERS = 8, EACH = 40 };

struct maker {
    pthread_t thread;
    struct t_station *s;
    int number;
    int64_t leaf[2 * EACH];
    bool bad;
};

/* Not with the helpers of station.h, which end the test where they fail: that is for the test's own thread only. */
static bool told(struct t_station *s, enum event_kind kind, const struct attempt_facts *f, int64_t *leaf)
{
    struct event_ticket t;
    struct event *e;
    if (event_ticket_init(&t))
        return false;
    e = event_attempt(kind, f, &t);
    bool ok = e && fl_queue_put(recorder_queue(s->r), e, fl_deadline_in_ms(60000)) == FL_OK &&
              event_ticket_wait(&t, fl_deadline_in_ms(60000), leaf, NULL) == FL_OK;
    event_ticket_fini(&t);
    return ok;
}

static void *make(void *ctx)
{
    struct maker *m = ctx;
    for (int i = 0; i < EACH && !m->bad; i++) {
        struct attempt_facts f = t_attempt(m->number * 1000 + i, i % 3 ? OUTCOME_PASS : OUTCOME_FAIL);
        f.slot = m->number + 1;
        m->bad = !told(m->s, EVENT_ATTEMPT_START, &f, &m->leaf[2 * i]) || !told(m->s, EVENT_ATTEMPT_RESULT, &f, &m->leaf[2 * i + 1]);
    }
    return NULL;
}

static void many_makers(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct maker *m = calloc(MAKERS, sizeof *m);
    char *seen = calloc(1, 10000);
    t_open(s, &o);
    for (int i = 0; i < MAKERS; i++) {
        m[i].s = s;
        m[i].number = i;
        assert_int_equal(pthread_create(&m[i].thread, NULL, make, &m[i]), 0);
    }
    struct check_result *r = malloc(sizeof *r);
    const struct check_config c = {.data = s->data};
    for (int i = 0; i < 5; i++) { /* an audit beside them sees a whole log at every moment */
        struct fl_why why = {0, ""};
        if (check_folder(&c, r, &why) || r->report.verdict != AUDIT_GOOD)
            fail_msg("%s %s", why.text, r->report.n_findings ? r->report.finding[0].text : "");
        assert_true(r->rows_checked && r->mark);
    }
    free(r);
    for (int i = 0; i < MAKERS; i++) {
        assert_int_equal(pthread_join(m[i].thread, NULL), 0);
        assert_false(m[i].bad);
        for (int k = 0; k < 2 * EACH; k++) {
            assert_in_range(m[i].leaf[k], 2, 9999);
            assert_int_equal(seen[m[i].leaf[k]]++, 0); /* each leaf told to one maker only */
        }
    }
    t_close(s);
    free(seen);
    free(m);
    t_sql_is(s, "SELECT count(*), count(DISTINCT unit), sum(outcome = 0), sum(start_leaf IS NULL) FROM attempt", "320|320|208|0");
    assert_true(t_sql_int(s, "SELECT count(*) FROM checkpoint") < t_sql_int(s, "SELECT count(*) FROM leaf")); /* they shared commits */
    t_verdict(s, AUDIT_GOOD);
}

/* ---- kill -9 ---------------------------------------------------------------------------------------------------- */

struct said {
    char job[EVENT_JOB_TEXT];
    int64_t leaf;
    int end;
};

/* The child: records for ever, and says through the pipe what it was told to be durable. */
static void record_until_killed(struct t_station *s, int to)
{
    struct recorder_opened o;
    struct fl_why why;
    if (recorder_open_hooked(&s->config, &s->hooks, &s->r, &o, &why))
        _exit(1);
    for (int i = 0;; i++) {
        struct attempt_facts f = t_attempt(i, OUTCOME_PASS);
        for (int end = 0; end < 2; end++) {
            struct said said = {.end = end};
            (void)strcpy(said.job, f.job);
            if (!told(s, end ? EVENT_ATTEMPT_RESULT : EVENT_ATTEMPT_START, &f, &said.leaf) ||
                write(to, &said, sizeof said) != sizeof said)
                _exit(1);
        }
    }
}

static int kill_after(struct t_station *s, unsigned us, struct said *said, int max)
{
    int p[2], n = 0, status;
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        record_until_killed(s, p[1]);
    (void)close(p[1]);
    /* the first word comes when the station is up; then the knife falls at some moment of its work */
    while (n < max && read(p[0], &said[n], sizeof *said) == sizeof *said) {
        if (n++ == 0) {
            (void)usleep(us);
            (void)kill(pid, SIGKILL);
        }
    }
    (void)close(p[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return n;
}

static void killed_while_recording(void **state)
{
    struct t_station *s = *state;
    enum { SAID_MAX = 20000 };
    struct said *said = calloc(SAID_MAX, sizeof *said);
    int64_t total = 0;
    for (unsigned round = 0; round < 12; round++) {
        int n = kill_after(s, 300 + round * 4171, said, SAID_MAX);
        assert_in_range(n, 1, SAID_MAX - 1);
        total += n;
        for (int i = 0; i < n; i++) { /* visible is a part of durable */
            char sql[200];
            (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM record WHERE leaf = %lld AND event = '%s' AND json_extract(rec, '$.job') = '%s'",
                           (long long)said[i].leaf, said[i].end ? "attempt_result" : "attempt_start", said[i].job);
            assert_int_equal(t_sql_int(s, sql), 1);
        }
        int64_t open = t_sql_int(s, "SELECT count(*) FROM open_attempt");
        struct recorder_opened o;
        t_open(s, &o);
        assert_int_equal(o.interrupted, open);
        t_close(s);
    }
    free(said);
    assert_true(total > 24);
    t_sql_is(s, "SELECT count(*) - count(DISTINCT hex(job) || kind) FROM leaf WHERE job IS NOT NULL", "0");
    t_sql_is(s, "SELECT count(*) FROM record WHERE event = 'attempt_start' AND leaf NOT IN (SELECT start_leaf FROM attempt)", "0");
    struct check_result *r = malloc(sizeof *r);
    const struct check_config c = {.data = s->data};
    assert_int_equal(check_folder(&c, r, NULL), FL_OK);
    assert_int_equal(r->report.verdict, AUDIT_GOOD);
    assert_int_equal(r->report.unclosed, 12);
    free(r);
}

/* two stations in one process share nothing */
static void two_stations(void **state)
{
    struct t_station *s = *state, other;
    struct recorder_opened a, b;
    t_station_make(&other);
    t_open(s, &a);
    t_open(&other, &b);
    assert_string_not_equal(a.vkey, b.vkey);
    assert_string_not_equal(a.origin, b.origin);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    assert_int_equal(t_start(s, &f), 2);
    assert_int_equal(t_start(&other, &f), 2);
    assert_int_equal(t_result(s, &f), 3);
    t_close(&other);
    t_close(s);
    t_sql_is(s, "SELECT count(*) FROM attempt", "1");
    t_sql_is(&other, "SELECT count(*) FROM attempt", "0");
    t_station_remove(&other);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, t_setup, t_teardown)
    static const struct CMUnitTest tests[] = {T(many_makers), T(killed_while_recording), T(two_stations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
