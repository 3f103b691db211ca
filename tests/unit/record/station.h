/* SPDX-License-Identifier: Apache-2.0
 * station.h: a station in a temporary folder, and hands to work it with. Included by one test program each. */
#ifndef FL_TESTS_RECORD_STATION_H
#define FL_TESTS_RECORD_STATION_H

#include "audit/verify.h"
#include "event/event.h"
#include "ledger/ledger.h"
#include "record/recorder_hooks.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

struct t_station {
    char dir[64], data[80], path[200];
    struct recorder_config config;
    struct recorder_hooks hooks;
    struct recorder *r;
    unsigned jobs; /* jobs made so far: each its own */
};

#define T_UNUSED __attribute__((unused))

T_UNUSED static void t_shell(const char *fmt, ...) FL_PRINTF(1, 2);
static void t_shell(const char *fmt, ...)
{
    char cmd[1000];
    va_list ap;
    va_start(ap, fmt);
    assert_true((size_t)vsnprintf(cmd, sizeof cmd, fmt, ap) < sizeof cmd);
    va_end(ap);
    if (system(cmd) != 0)
        fail_msg("failed: %s", cmd);
}

T_UNUSED static const char *t_path(struct t_station *s, const char *name)
{
    (void)snprintf(s->path, sizeof s->path, "%s/%s", s->data, name);
    return s->path;
}

static void t_station_make(struct t_station *s)
{
    memset(s, 0, sizeof *s);
    (void)strcpy(s->dir, "/tmp/flashline-test-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    (void)snprintf(s->data, sizeof s->data, "%s/data", s->dir);
    s->config = (struct recorder_config){.data = s->data, .create = true, .station = "bench-1"};
}

static void t_station_remove(struct t_station *s)
{
    t_shell("rm -rf %s", s->dir);
}

T_UNUSED static int t_setup(void **state)
{
    struct t_station *s = malloc(sizeof *s);
    t_station_make(s);
    *state = s;
    return 0;
}

T_UNUSED static int t_teardown(void **state)
{
    struct t_station *s = *state;
    recorder_close(s->r);
    t_station_remove(s);
    free(s);
    return 0;
}

static void t_open(struct t_station *s, struct recorder_opened *o)
{
    struct fl_why why = {0, ""};
    if (recorder_open_hooked(&s->config, &s->hooks, &s->r, o, &why))
        fail_msg("cannot open: %s", why.text);
}

static void t_close(struct t_station *s)
{
    recorder_close(s->r);
    s->r = NULL;
}

/* ---- events ---------------------------------------------------------------------------------------- */

static void t_put(struct t_station *s, enum event_kind kind, json_t *body, struct event_ticket *t)
{
    struct event *e = event_new(kind, body, t);
    assert_non_null(e);
    assert_int_equal(fl_queue_put(recorder_queue(s->r), e, fl_deadline_in_ms(60000)), FL_OK);
}

static enum fl_err t_send(struct t_station *s, enum event_kind kind, json_t *body, int64_t *leaf, struct fl_why *why)
{
    struct event_ticket t;
    assert_int_equal(event_ticket_init(&t), FL_OK);
    t_put(s, kind, body, &t);
    enum fl_err err = event_ticket_wait(&t, fl_deadline_in_ms(60000), leaf, why);
    event_ticket_fini(&t);
    return err;
}

static int64_t t_told(struct t_station *s, enum event_kind kind, json_t *body)
{
    struct fl_why why = {0, ""};
    int64_t leaf;
    if (t_send(s, kind, body, &leaf, &why))
        fail_msg("not recorded: %s", why.text);
    return leaf;
}

/* Unit number `n` in slot 1, with something in every kind of fact. */
T_UNUSED static struct attempt_facts t_attempt(int n, enum outcome outcome)
{
    struct attempt_facts f = {
        .slot = 1, .port = "usb:1-1.4.1", .bridge_path = "1-1.4.1", .bridge_driver = "cdc_acm", .bridge_serial = "5435001234",
        .bridge_vid = 0x1a86, .bridge_pid = 0x55d4, .operator_id = "", .lot = "", .outcome = outcome,
        .fault = outcome == OUTCOME_PASS ? "" : "verify.md5", .step = "verify", .tries = 1, .chip = "esp32", .has_mac = true,
        .mac = {0x24, 0x6f, 0x28, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, .revision = 301, .flash_id = 0xc84016,
        .flash_size = 4194304, .secure_boot = 0, .flash_encryption = 0, .stub = "esp32.json", .baud = 921600,
        .bytes_out = 612345, .bytes_in = 4321, .plain_bytes = 1048576, .start_ms = 1795334400000, .end_ms = 1795334408123,
        .duration_ms = 8123, .n_steps = 2, .steps = {{"connect", 312, 0}, {"write", 7000, 0}}, .n_rungs = 2,
        .rungs = {{"small_blocks", "ram.checksum", 2048, 1, "write"}, {"baud_down", "link.damaged", 460800, 3, NULL}}, .n_regions = 1,
        .regions = {{.offset = 4096, .size = 1048576, .state = 'v', .writes = 1}},
    };
    memset(f.profile, 'a', 64);
    for (int i = 1; i < 64; i += 2)
        f.profile[i] = 'b';
    assert_int_equal(event_job(f.job), FL_OK);
    return f;
}

/* As the line sends it. */
T_UNUSED static enum fl_err t_send_attempt(struct t_station *s, enum event_kind kind, const struct attempt_facts *f, int64_t *leaf,
                                           struct fl_why *why)
{
    struct event_ticket t;
    assert_int_equal(event_ticket_init(&t), FL_OK);
    struct event *e = event_attempt(kind, f, &t);
    assert_non_null(e);
    assert_int_equal(fl_queue_put(recorder_queue(s->r), e, fl_deadline_in_ms(60000)), FL_OK);
    enum fl_err err = event_ticket_wait(&t, fl_deadline_in_ms(60000), leaf, why);
    event_ticket_fini(&t);
    return err;
}

static int64_t t_told_attempt(struct t_station *s, enum event_kind kind, const struct attempt_facts *f)
{
    struct fl_why why = {0, ""};
    int64_t leaf;
    if (t_send_attempt(s, kind, f, &leaf, &why))
        fail_msg("not recorded: %s", why.text);
    return leaf;
}

T_UNUSED static int64_t t_start(struct t_station *s, const struct attempt_facts *f)
{
    return t_told_attempt(s, EVENT_ATTEMPT_START, f);
}

T_UNUSED static int64_t t_result(struct t_station *s, const struct attempt_facts *f)
{
    return t_told_attempt(s, EVENT_ATTEMPT_RESULT, f);
}

T_UNUSED static int64_t t_profile(struct t_station *s)
{
    char hash[65] = "", sha[65] = "";
    for (int i = 0; i < 32; i++) {
        (void)strcat(hash, "ab");
        (void)strcat(sha, "cd");
    }
    return t_told(s, EVENT_PROFILE, json_pack("{ss,ss,ss,ss,ss,s[{si,si,ss,ss}]}", "job", hash, "hash", hash, "name", "demo", "version", "1.0", "text",
                                              "profile: demo\n", "images", "offset", 4096, "size", 1048576, "file", "app.bin",
                                              "sha256", sha));
}

/* In a child that is then killed: start f and g, end g. */
T_UNUSED static void t_die(struct t_station *s, const struct attempt_facts *f, const struct attempt_facts *g)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct recorder_opened o;
        t_open(s, &o);
        (void)t_start(s, f);
        (void)t_start(s, g);
        (void)t_result(s, g);
        (void)kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

/* A hook: the database may not grow any more, as on a full disk. */
T_UNUSED static void t_fill_disk(void *ctx, sqlite3 *db)
{
    (void)ctx;
    (void)sqlite3_exec(db, "PRAGMA max_page_count = 60", NULL, NULL, NULL);
}

/* ---- looking ---------------------------------------------------------------------------------------- */

/* Rows of the query as the sqlite3 shell prints them: columns joined by '|', rows by newline. */
T_UNUSED static void t_sql_text(struct t_station *s, const char *sql, char *got, size_t room)
{
    size_t n = 0;
    got[0] = 0;
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open_v2(t_path(s, "flashline.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    while (sqlite3_step(q) == SQLITE_ROW) {
        n += (size_t)snprintf(got + n, room - n, "%s", n ? "\n" : "");
        for (int c = 0; c < sqlite3_column_count(q); c++) {
            const char *text = (const char *)sqlite3_column_text(q, c);
            n += (size_t)snprintf(got + n, room - n, "%s%s", c ? "|" : "", text ? text : "");
            assert_true(n < room);
        }
    }
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
}

T_UNUSED static void t_sql_is(struct t_station *s, const char *sql, const char *want)
{
    char got[4000];
    t_sql_text(s, sql, got, sizeof got);
    assert_string_equal(got, want);
}

T_UNUSED static int64_t t_sql_int(struct t_station *s, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open_v2(t_path(s, "flashline.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 10000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t v = sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    return v;
}

/* The log alone, verified from the database. */
T_UNUSED static void t_verdict(struct t_station *s, enum audit_class want)
{
    sqlite3 *db;
    struct vkey v;
    struct ledger_reader reader;
    struct audit_source source;
    struct audit_report *report = malloc(sizeof *report);
    char text[KEY_VKEY_MAX] = "";
    FILE *f = fopen(t_path(s, "key/log.vkey"), "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    (void)fclose(f);
    text[strcspn(text, "\n")] = 0;
    assert_int_equal(vkey_parse(text, &v, NULL), FL_OK);
    assert_int_equal(sqlite3_open_v2(t_path(s, "flashline.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(ledger_reader_open(db, &reader, &source, NULL), FL_OK);
    const struct audit_config c = {.keys = &v, .n_keys = 1};
    assert_int_equal(audit_verify(&source, &c, report, NULL), FL_OK);
    if (report->verdict != want)
        fail_msg("verdict %s: %s", audit_class_name(report->verdict), report->n_findings ? report->finding[0].text : "");
    ledger_reader_close(&reader);
    (void)sqlite3_close(db);
    free(report);
}

#endif
