/* SPDX-License-Identifier: Apache-2.0
 * Events told through the door of a station at work, and with nobody there; what else may come to the door. */
#include "unit/t.h"

#include "prove/check.h"
#include "record/door.h"
#include "record/tell.h"
#include "unit/record/station.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

static enum fl_err ask(void *ctx, const char *what, const json_t *request, json_t **answer, struct fl_why *why)
{
    int *asked = ctx;
    ++*asked;
    if (strcmp(what, "scan") != 0)
        return fl_fail(why, FL_ARG, "what is '%s'?", what);
    *answer = json_pack("{ss}", "heard", fl_json_text(request, "code"));
    return FL_OK;
}

static struct door *at_work(struct t_station *s, int *asked)
{
    struct recorder_opened o;
    struct door *d = NULL;
    struct fl_why why = {0, ""};
    t_open(s, &o);
    const struct door_config c = {.data = s->data, .recorder = s->r, .ask = ask, .ctx = asked};
    if (door_open(&c, &d, &why))
        fail_msg("%s", why.text);
    return d;
}

static json_t *lot(const char *name)
{
    return json_pack("{ss,s[{ss}]}", "lot", name, "profiles", "hash",
                     "abababababababababababababababababababababababababababababababab");
}

static void told(struct t_station *s, enum event_kind kind, json_t *body, enum fl_err want, bool at_work)
{
    struct teller *t = NULL;
    struct fl_why why = {0, ""};
    int64_t leaf = -1;
    const struct tell_config c = {.data = s->data};
    if (tell_open(&c, &t, &why))
        fail_msg("%s", why.text);
    assert_int_equal(tell_at_work(t), at_work);
    enum fl_err err = tell_event(t, kind, body, &leaf, &why);
    tell_close(t);
    if (err != want || (leaf >= 0) != (want == FL_OK))
        fail_msg("%s: %d, %lld, %s", event_kind_name(kind), err, (long long)leaf, why.text);
}

static void with_and_without(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    int asked = 0;
    t_open(s, &o);
    t_close(s);
    told(s, EVENT_LOT_OPEN, lot("L-1"), FL_OK, false);
    struct door *d = at_work(s, &asked);
    struct stat st;
    assert_int_equal(stat(t_path(s, "door"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    told(s, EVENT_LOT_OPEN, lot("L-1"), FL_REFUSED, true);
    told(s, EVENT_LOT_OPEN, lot("L-2"), FL_OK, true);
    told(s, EVENT_ATTEMPT_START, json_pack("{si}", "slot", 1), FL_ARG, true); /* only the line begins attempts */
    /* told twice under one job: there once */
    for (int i = 0; i < 2; i++)
        told(s, EVENT_NOTE, json_pack("{ss,ss,ss}", "job", "0192f0a0-0000-7000-8000-000000000001", "lot", "L-2", "text", "once"), FL_OK, true);
    t_sql_is(s, "SELECT count(*) FROM note", "1");
    door_close(d);
    assert_int_not_equal(stat(t_path(s, "door"), &st), 0);
    t_close(s);
    t_sql_is(s, "SELECT lot, state FROM lot_view ORDER BY lot", "L-1|open\nL-2|open");
}

static void questions(void **state)
{
    struct t_station *s = *state;
    int asked = 0;
    json_t *answer;
    struct fl_why why = {0, ""};
    assert_int_equal(tell_ask(s->dir, "scan", NULL, &answer, &why), FL_NOT_FOUND);
    struct door *d = at_work(s, &asked);
    assert_int_equal(tell_ask(s->data, "scan", json_pack("{ss}", "code", "4711"), &answer, &why), FL_OK);
    assert_string_equal(fl_json_text(answer, "heard"), "4711");
    json_decref(answer);
    assert_int_equal(tell_ask(s->data, "sing", NULL, &answer, &why), FL_ARG);
    assert_string_equal(why.text, "what is 'sing'?");
    assert_int_equal(asked, 2);
    door_close(d);
    t_close(s);
}

/* Send `n` bytes, give what comes back. */
static void knock(struct t_station *s, const char *bytes, size_t n, bool leave, char *back, size_t cap)
{
    struct fl_buf line = FL_BUF(DOOR_LINE_MAX);
    int fd;
    assert_int_equal(door_connect(s->data, &fd, NULL), FL_OK);
    while (n) { /* a whole line may be larger than the socket holds, and the answer may come before its end */
        ssize_t k = send(fd, bytes, n, MSG_NOSIGNAL);
        if (k > 0) {
            bytes += k;
            n -= (size_t)k;
        } else if (errno != EAGAIN) {
            break;
        }
    }
    back[0] = 0;
    if (!leave && door_read(fd, &line, NULL, fl_deadline_in_ms(20000), NULL) == FL_OK)
        (void)snprintf(back, cap, "%s", fl_buf_text(&line));
    (void)close(fd);
    fl_buf_fini(&line);
}

static void bad_callers(void **state)
{
    struct t_station *s = *state;
    int asked = 0;
    char back[500], *long_line = malloc(DOOR_LINE_MAX + 100);
    static const struct {
        const char *line, *answer;
    } row[] = {
        {"\n", "\"error\":\"FORMAT\""},
        {"hello\n", "\"error\":\"FORMAT\""},
        {"[1,2]\n", "not an object"},
        {"{\"event\":\"note\"}\n", "has no body"},
        {"{\"event\":\"boot\",\"body\":{}}\n", "no event that is taken"},
        {"{\"event\":\"attempt_result\",\"body\":{\"outcome\":\"PASS\"}}\n", "no event that is taken"},
        {"{\"event\":7,\"body\":{}}\n", "no event that is taken"},
        {"{\"event\":\"note\",\"body\":{\"lot\":\"\",\"text\":\"x\"}}\n", "\"error\":\"REFUSED\""},
        {"{\"event\":\"note\",\"body\":{\"job\":\"x\",\"lot\":\"L\",\"text\":\"x\"}}\n", "there is no lot L"},
        {"{\"event\":\"config\",\"body\":{\"job\":\"x\",\"what\":\"w\"}}\n", "neither a UUID"},
        {"{\"event\":\"config\",\"body\":{\"what\":1.5}}\n", "\"error\":\"FORMAT\""},
        {"{\"event\":\"config\",\"body\":{\"v\":2,\"what\":\"w\"}}\n", "member 'v' of its own"},
        {"{}\n", "what is ''?"},
        {"{\"event\":\"abcdefghijklmnopqrstuvwxyz0123456789---\xc3\xa9\",\"body\":{}}\n", "no event that is taken"}, /* a letter cut in two */
    };
    struct door *d = at_work(s, &asked);
    for (size_t i = 0; i < T_COUNT(row); i++) {
        knock(s, row[i].line, strlen(row[i].line), false, back, sizeof back);
        if (!strstr(back, row[i].answer))
            fail_msg("%s answered %s", row[i].line, back);
    }
    assert_non_null(long_line);
    memset(long_line, 'x', DOOR_LINE_MAX + 100);
    knock(s, long_line, DOOR_LINE_MAX + 100, false, back, sizeof back);
    assert_true(strstr(back, "LIMIT") || !back[0]); /* or the line was still coming when the door shut */
    free(long_line);
    knock(s, "{\"ask\":", 7, true, back, sizeof back); /* leaves in the middle */
    static const char good[] = "{\"ask\":\"scan\",\"code\":\"still here\"}\n";
    knock(s, good, sizeof good - 1, false, back, sizeof back);
    assert_non_null(strstr(back, "still here"));
    door_close(d);
    t_close(s);
    t_sql_is(s, "SELECT group_concat(event, ' ') FROM record", "log_open boot log_close");
}

/* Whatever is recorded, an audit passes: what it would not is refused here, and the station goes on. */
static void nothing_that_no_audit_passes(void **state)
{
    static const struct {
        const char *body, *answer;
    } row[] = {
        {"\"job\":\"0190c0de-0000-7000-8000-00000000000a\\u0000x\"", "a zero in it"},
        {"\"text\":\"a\\u0000b\"", "a zero in it"},
        {"\"sends\":[\"00\"]", "member 'sends' of its own"},
        {"\"sends\":null", "member 'sends' of its own"},
        {"\"job\":5", "\"leaf\""},
        {"\"job\":null,\"vkey\":\"x\",\"next\":\"y\",\"to_ms\":1,\"policy\":\"z\",\"as\":[]", "\"leaf\""},
    };
    static struct check_result result;
    struct t_station *s = *state;
    int asked = 0;
    char line[300], back[500];
    struct door *d = at_work(s, &asked);
    for (size_t i = 0; i < T_COUNT(row); i++) {
        int n = snprintf(line, sizeof line, "{\"event\":\"config\",\"body\":{\"what\":\"w\",%s}}\n", row[i].body);
        knock(s, line, (size_t)n, false, back, sizeof back);
        if (!strstr(back, row[i].answer))
            fail_msg("%s answered %s", line, back);
    }
    door_close(d);
    t_close(s);
    const struct check_config c = {.data = s->data};
    assert_int_equal(check_folder(&c, &result, NULL), FL_OK);
    if (result.report.verdict != AUDIT_GOOD)
        fail_msg("%s", audit_worst(&result.report)->text);
}

/* One that died leaves its socket; a folder may lie deeper than an address is long. */
static void stale_and_deep(void **state)
{
    struct t_station *s = *state;
    static struct t_station deep;
    int asked = 0;
    struct door *d = at_work(s, &asked);
    t_shell("cp -a %s/door %s/kept", s->data, s->data);
    door_close(d);
    t_close(s);
    t_shell("mv %s/kept %s/door", s->data, s->data);
    told(s, EVENT_LOT_OPEN, lot("L-1"), FL_OK, false);
    d = at_work(s, &asked);
    told(s, EVENT_LOT_OPEN, lot("L-2"), FL_OK, true);
    door_close(d);
    t_close(s);
    t_station_make(&deep);
    char data[300];
    (void)snprintf(data, sizeof data, "%s/%0120d", deep.dir, 7);
    deep.config.data = data;
    struct recorder_opened o;
    t_open(&deep, &o);
    const struct door_config c = {.data = data, .recorder = deep.r};
    assert_int_equal(door_open(&c, &d, NULL), FL_OK);
    int fd;
    assert_int_equal(door_connect(data, &fd, NULL), FL_OK);
    (void)close(fd);
    door_close(d);
    t_close(&deep);
    t_station_remove(&deep);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, t_setup, t_teardown)
    static const struct CMUnitTest tests[] = {T(with_and_without), T(questions), T(bad_callers), T(nothing_that_no_audit_passes), T(stale_and_deep)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
