/* SPDX-License-Identifier: Apache-2.0
 * record/: a station's life: made, recording, closed, opened again, refused. */
#include "unit/t.h"
#include "unit/canonical.h"

#include "audit/checkpoint.h"
#include "base/embedded.h"
#include "base/file.h"
#include "ledger/start.h"
#include "store/db.h"
#include "store/folder.h"
#include "store/schema_sql.h"
#include "unit/record/station.h"

#include <sys/stat.h>
#include <unistd.h>

static void made_on_first_use(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    struct recorder *r = NULL;
    struct recorder_config c = {.data = s->data};
    assert_int_equal(recorder_open(&c, &r, &o, &why), FL_NOT_FOUND);
    assert_null(r);
    t_open(s, &o);
    assert_true(o.created);
    assert_false(o.encrypted);
    assert_int_equal(o.leaves, 2);
    struct stat st;
    assert_int_equal(stat(t_path(s, "key/log.key"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(t_path(s, "key"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    struct vkey v;
    assert_int_equal(vkey_parse(o.vkey, &v, NULL), FL_OK);
    assert_string_equal(v.name, o.origin);

    /* a second one on the same folder */
    struct recorder *second = NULL;
    assert_int_equal(recorder_open(&c, &second, &o, &why), FL_BUSY);
    assert_non_null(strstr(why.text, s->data));
    t_close(s);
    t_open(s, &o);
    assert_false(o.created);
    assert_int_equal(o.leaves, 4); /* log_open, boot, log_close, boot */
    t_close(s);
    t_sql_is(s, "SELECT group_concat(event, ' ') FROM record", "log_open boot log_close boot log_close");
    t_sql_is(s, "SELECT count(*) FROM checkpoint", "4");
    t_sql_is(s, "SELECT name || ' ' || (vkey LIKE origin || '+%') FROM station", "bench-1 1");
}

static void attempts_become_rows(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    int64_t leaf;
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    leaf = t_start(s, &f);
    assert_int_equal(leaf, 2);
    t_sql_is(s, "SELECT slot || ' ' || leaf FROM open_attempt", "1 2");
    leaf = t_result(s, &f);
    assert_int_equal(leaf, 3);
    t_sql_is(s, "SELECT count(*) FROM open_attempt", "0");
    t_sql_is(s, "SELECT leaf, start_leaf, boot, mac, lot, number, slot, port, bridge, bridge_serial, outcome, fault, loader, baud, ms, "
                "rungs, tries, plain_bytes FROM attempt_view",
             "3|2|1|24:6f:28:00:00:01||1|1|usb:1-1.4.1|1a86:55d4|5435001234|PASS||esp32.json|921600|8123|2|1|1048576");
    t_sql_is(s, "SELECT mac, chip, revision, flash_id, flash_size, secure_boot FROM unit_view",
             "24:6f:28:00:00:01|esp32|v3.1|c84016|4194304|0");
    t_sql_is(s, "SELECT n, rung, cause, value, count FROM attempt_rung",
             "0|small_blocks|ram.checksum|2048|1\n1|baud_down|link.damaged|460800|3");
    t_sql_is(s, "SELECT n, step, ms FROM attempt_step", "0|connect|312\n1|write|7000");
    t_sql_is(s, "SELECT offset, size, md5_expected = md5_found, state FROM attempt_region", "4096|1048576|1|verified");

    /* the same unit in another slot, without passing; numbers count on, and the first failure stays */
    f = t_attempt(1, OUTCOME_FAIL);
    f.slot = 2;
    (void)t_start(s, &f);
    (void)t_result(s, &f);
    f = t_attempt(2, OUTCOME_ERROR);
    (void)t_result(s, &f); /* ended before anything was touched: no start */
    f = t_attempt(2, OUTCOME_ABORTED);
    (void)t_result(s, &f);
    f = t_attempt(2, OUTCOME_PASS);
    (void)t_result(s, &f);
    t_sql_is(s, "SELECT a.number, o.name FROM attempt a JOIN outcome o ON o.id = a.outcome ORDER BY leaf",
             "1|PASS\n2|FAIL\n1|ERROR\n|ABORTED\n2|PASS");
    t_sql_is(s, "SELECT u.unit & 255, u.attempts, o.name, u.passed_at, w.text, s.slot FROM unit_lot u "
                "JOIN outcome o ON o.id = u.first_outcome LEFT JOIN word w ON w.id = u.fail_fault LEFT JOIN slot s ON s.id = u.fail_slot",
             "1|2|PASS|1|verify.md5|2\n2|2|ERROR|2|verify.md5|1");
    t_sql_is(s, "SELECT start_leaf FROM attempt WHERE leaf = 7", "");
    t_close(s);
}

static void once_for_each_job(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    int64_t start = t_start(s, &f), end = t_result(s, &f);
    assert_int_equal(t_start(s, &f), start);
    assert_int_equal(t_result(s, &f), end);
    t_sql_is(s, "SELECT count(*) FROM attempt", "1");
    /* profiles are named by their hash; told again after a restart they add nothing either */
    int64_t p = t_profile(s);
    assert_int_equal(t_profile(s), p);
    t_close(s);
    t_open(s, &o);
    assert_int_equal(t_profile(s), p);
    assert_int_equal(t_result(s, &f), end);
    t_close(s);
    t_sql_is(s, "SELECT lower(hex(hash)) LIKE 'abab%', name, version, leaf FROM profile", "1|demo|1.0|5");
    t_sql_is(s, "SELECT offset, size, substr(sha256, 1, 4), file FROM profile_image_view", "4096|1048576|cdcd|app.bin");
}

/* one bad event among good ones: refused alone */
static void bad_events(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    static const struct {
        enum event_kind kind;
        const char *body;
    } row[] = {
        {EVENT_ATTEMPT_RESULT, "{\"job\":\"00000000-0000-4000-8000-00000000aaaa\",\"slot\":1,\"outcome\":\"MAYBE\"}"},
        {EVENT_ATTEMPT_RESULT, "{\"job\":\"00000000-0000-4000-8000-00000000aaaa\",\"slot\":1,\"outcome\":\"PASS\",\"mac\":\"xx\"}"},
        {EVENT_ATTEMPT_RESULT, "{\"job\":\"00000000-0000-4000-8000-00000000aaaa\",\"slot\":1}"},
        {EVENT_ATTEMPT_RESULT, "{\"job\":\"00000000-0000-4000-8000-00000000aaaa\",\"outcome\":\"PASS\"}"},
        {EVENT_ATTEMPT_RESULT, "{\"job\":\"00000000-0000-4000-8000-00000000AAAA\",\"slot\":1,\"outcome\":\"PASS\"}"},
        {EVENT_ATTEMPT_RESULT, "{\"job\":\"7\",\"slot\":1,\"outcome\":\"PASS\"}"},
        {EVENT_ATTEMPT_RESULT, "{\"slot\":1,\"outcome\":\"PASS\",\"seq\":3}"},
        {EVENT_ATTEMPT_RESULT, "{\"slot\":1,\"outcome\":\"PASS\",\"x\":1.5}"},
        {EVENT_ATTEMPT_START, "{\"slot\":1,\"port\":\"p\"}"},
        {EVENT_ATTEMPT_RESULT, "[]"},
    };
    enum { N = sizeof row / sizeof *row };
    struct event_ticket ticket[N + 2];
    for (size_t i = 0; i < N + 2; i++)
        assert_int_equal(event_ticket_init(&ticket[i]), FL_OK);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    t_put(s, EVENT_ATTEMPT_START, event_attempt_start_body(&f), &ticket[N]);
    for (size_t i = 0; i < N; i++)
        t_put(s, row[i].kind, json_loads(row[i].body, 0, NULL), &ticket[i]);
    t_put(s, EVENT_ATTEMPT_RESULT, event_attempt_result_body(&f), &ticket[N + 1]);
    for (size_t i = 0; i < N + 2; i++) {
        int64_t leaf;
        struct fl_why why = {0, ""};
        enum fl_err err = event_ticket_wait(&ticket[i], fl_deadline_in_ms(60000), &leaf, &why);
        if (err != (i < N ? FL_FORMAT : FL_OK))
            fail_msg("event %zu: %d %s", i, err, why.text);
        assert_int_equal(leaf, i < N ? -1 : i == N ? 2 : 3);
        event_ticket_fini(&ticket[i]);
    }
    /* too large for a leaf */
    json_t *big = event_attempt_start_body(&f);
    char *text = calloc(1, 70000);
    memset(text, 'a', 69999);
    assert_int_equal(json_object_set_new(big, "port", json_string(text)), 0);
    assert_int_equal(json_object_set_new(big, "job", json_string("00000000-0000-4000-8000-00000000bbbb")), 0);
    free(text);
    assert_int_equal(t_send(s, EVENT_ATTEMPT_START, big, NULL, NULL), FL_FORMAT);
    assert_int_equal(recorder_health(s->r, NULL), FL_OK);
    t_close(s);
    t_sql_is(s, "SELECT group_concat(event, ' ') FROM record", "log_open boot attempt_start attempt_result unit_final log_close");
}

/* every leaf: all mandatory members, and bytes that are the canonical form */
static void leaves_are_canonical(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    (void)t_start(s, &f);
    (void)t_result(s, &f);
    t_close(s);
    sqlite3 *db;
    sqlite3_stmt *q;
    int n = 0;
    assert_int_equal(sqlite3_open(t_path(s, "flashline.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT leaf, rec FROM record ORDER BY leaf", -1, &q, NULL), SQLITE_OK);
    for (; sqlite3_step(q) == SQLITE_ROW; n++) {
        json_t *v;
        size_t len = (size_t)sqlite3_column_bytes(q, 1);
        assert_true(is_canonical(sqlite3_column_blob(q, 1), len));
        assert_int_equal(fl_json_parse(sqlite3_column_blob(q, 1), len, &v, NULL), FL_OK);
        assert_int_equal(fl_json_int(v, "v", 0), 1);
        assert_string_equal(fl_json_text(v, "log"), o.origin);
        assert_int_equal(fl_json_int(v, "seq", -1), n);
        assert_int_equal(fl_json_int(v, "boot", -1), 1);
        assert_string_equal(fl_json_text(v, "station"), "bench-1");
        assert_non_null(strstr(fl_json_text(v, "sw"), "flashline "));
        int64_t ms;
        assert_true(fl_time_parse(fl_json_text(v, "time"), &ms));
        assert_true(ms > 1700000000000);
        assert_true(fl_json_int(v, "mono_ms", -1) >= 0);
        assert_non_null(strstr("sync free unknown", fl_json_text(v, "clock")));
        json_decref(v);
    }
    assert_int_equal(n, 6);
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
}

/* the station dies (no log_close): the attempt without an end becomes INTERRUPTED, once */
static void interrupted(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS), g = t_attempt(2, OUTCOME_PASS);
    t_die(s, &f, &g); /* starts f and g, ends g, and is killed */
    t_open(s, &o);
    assert_int_equal(o.interrupted, 1);
    t_close(s);
    t_open(s, &o);
    assert_int_equal(o.interrupted, 0);
    t_close(s);
    t_sql_is(s, "SELECT mac, slot, outcome, fault, number, start_leaf FROM attempt_view ORDER BY leaf",
             "24:6f:28:00:00:02|1|PASS||1|3\n24:6f:28:00:00:01|1|INTERRUPTED|station.died|1|2");
    t_sql_is(s, "SELECT count(*) FROM open_attempt", "0");
}

/* ---- clocks, silence, the mark -------------------------------------------------------------------------- */

static int64_t set_clock(void *ctx)
{
    return *(int64_t *)ctx;
}

static void clock_set_back(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    int64_t now = 1795334400000;
    s->hooks = (struct recorder_hooks){.ctx = &now, .wall_ms = set_clock};
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    (void)t_start(s, &f);
    now -= 3600000; /* an hour back while running */
    (void)t_result(s, &f);
    now += 7200000; /* two hours forward */
    (void)t_profile(s);
    t_close(s);
    now -= 5000; /* and five seconds back between two runs */
    t_open(s, &o);
    t_close(s);
    t_sql_is(s, "SELECT group_concat(event, ' ') FROM record",
             "log_open boot attempt_start clock_step attempt_result unit_final clock_step profile log_close clock_step boot log_close");
    t_sql_is(s, "SELECT json_extract(rec, '$.from_ms') - json_extract(rec, '$.to_ms') BETWEEN 3600000 AND 3660000 FROM record "
                "WHERE leaf = 3", "1");
    t_sql_is(s, "SELECT json_extract(rec, '$.boot') FROM record WHERE event = 'clock_step'", "1\n1\n10");
    t_verdict(s, AUDIT_GOOD);
}

static void heartbeats(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    s->hooks = (struct recorder_hooks){.heartbeat_ms = 20};
    t_open(s, &o);
    struct fl_deadline d = fl_deadline_in_ms(20000);
    while (!fl_deadline_passed(d) && t_sql_int(s, "SELECT count(*) FROM record WHERE event = 'heartbeat'") < 3)
        (void)usleep(5000);
    t_close(s);
    assert_true(t_sql_int(s, "SELECT count(*) FROM record WHERE event = 'heartbeat'") >= 3);
    t_verdict(s, AUDIT_GOOD);
}

static void mark_follows(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct fl_buf b = FL_BUF(4096);
    struct checkpoint c = {.size = 0};
    struct vkey v;
    s->hooks = (struct recorder_hooks){.mark_ms = 10};
    t_open(s, &o);
    assert_int_equal(vkey_parse(o.vkey, &v, NULL), FL_OK);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    (void)t_start(s, &f);
    struct fl_deadline d = fl_deadline_in_ms(20000);
    while (!fl_deadline_passed(d) && c.size != 3) {
        fl_buf_clear(&b);
        assert_int_equal(fl_file_read(t_path(s, "checkpoint"), &b, NULL), FL_OK);
        assert_int_equal(checkpoint_open(b.bytes, b.len, &v, 1, o.origin, &c, NULL), FL_OK); /* at any moment whole and signed */
        (void)usleep(2000);
    }
    assert_int_equal(c.size, 3);
    t_close(s);
    fl_buf_clear(&b);
    assert_int_equal(fl_file_read(t_path(s, "checkpoint"), &b, NULL), FL_OK);
    assert_int_equal(checkpoint_open(b.bytes, b.len, &v, 1, o.origin, &c, NULL), FL_OK);
    assert_int_equal(c.size, 4);
    fl_buf_fini(&b);
}

/* ---- keys ----------------------------------------------------------------------------------------------- */

static void encrypted_key(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    struct recorder *r;
    s->config.passphrase = "open sesame";
    t_open(s, &o);
    assert_true(o.encrypted);
    t_close(s);
    s->config.passphrase = NULL;
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_ACCESS);
    assert_non_null(strstr(why.text, "no passphrase"));
    s->config.passphrase = "guess";
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_ACCESS);
    s->config.passphrase = "open sesame";
    t_open(s, &o);
    t_close(s);
}

static void key_troubles(void **state)
{
    struct t_station *s = *state, other;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    struct recorder *r;
    t_open(s, &o);
    t_close(s);
    assert_int_equal(chmod(t_path(s, "key/log.key"), 0640), 0);
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_ACCESS);
    assert_non_null(strstr(why.text, "chmod 600"));
    assert_int_equal(chmod(t_path(s, "key/log.key"), 0600), 0);
    t_station_make(&other);
    t_open(&other, &o);
    t_close(&other);
    t_shell("cp %s/key/log.key %s/key/log.key", other.data, s->data);
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_MISMATCH);
    t_shell("cp %s/key/* %s/key/", other.data, s->data); /* a whole key folder of another station */
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_MISMATCH);
    t_shell("rm -r %s/key", s->data);
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "key"));
    t_station_remove(&other);
}

/* ---- a disk that does not do ---------------------------------------------------------------------------- */

static void full_database(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    s->hooks = (struct recorder_hooks){.written = t_fill_disk};
    t_open(s, &o); /* the first commit sets the limit: SQLite then says SQLITE_FULL as on a full disk */
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    enum fl_err err = FL_OK;
    int64_t leaf, good = 0;
    for (int i = 0; i < 2000 && !err; i++) {
        f = t_attempt(i, OUTCOME_PASS);
        err = t_send(s, EVENT_ATTEMPT_START, event_attempt_start_body(&f), &leaf, &why);
        good += !err;
    }
    assert_int_equal(err, FL_FULL);
    assert_non_null(strstr(why.text, s->data));
    assert_non_null(strstr(why.text, "make room"));
    assert_int_equal(recorder_health(s->r, &why), FL_FULL);
    f = t_attempt(9999, OUTCOME_PASS);
    assert_int_equal(t_send(s, EVENT_ATTEMPT_START, event_attempt_start_body(&f), &leaf, &why), FL_FULL); /* sticks */
    t_close(s);
    s->hooks = (struct recorder_hooks){.ctx = NULL};
    t_open(s, &o);
    assert_int_equal(o.interrupted, good); /* all that was said to be durable is there, and nothing else */
    t_close(s);
    t_verdict(s, AUDIT_GOOD);
}

/* In a child that is nobody, because root may write anywhere. Exit status: what recorder_open said. */
static void read_only_folder(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    struct recorder *r;
    int status;
    t_open(s, &o);
    t_close(s);
    t_shell("chmod 755 %s; chmod -R a-w,a+r %s; chmod a+x %s/key", s->dir, s->data, s->data);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
            _exit(99);
        enum fl_err err = recorder_open(&s->config, &r, &o, &why);
        _exit(strstr(why.text, s->data) ? (int)err : 98);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FL_ACCESS);
    t_shell("chmod -R u+w %s", s->data);
}

/* a bit that flips between writing and reading back, and a signer that answers nonsense: refused before COMMIT */
static bool flip_armed;
static void flip_leaf(void *ctx, sqlite3 *db)
{
    (void)ctx;
    if (flip_armed)
        (void)sqlite3_exec(db, "DROP TRIGGER leaf_no_update; UPDATE leaf SET rec = CAST(replace(rec, 'slot', 'slop') AS BLOB) "
                               "WHERE idx = (SELECT max(idx) FROM leaf)", NULL, NULL, NULL);
}

static void bit_flip_before_signing(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    flip_armed = false;
    s->hooks = (struct recorder_hooks){.written = flip_leaf};
    t_open(s, &o);
    flip_armed = true;
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    assert_int_equal(t_send(s, EVENT_ATTEMPT_START, event_attempt_start_body(&f), NULL, &why), FL_MISMATCH);
    assert_int_equal(recorder_health(s->r, NULL), FL_MISMATCH);
    t_close(s);
    s->hooks = (struct recorder_hooks){.ctx = NULL};
    t_sql_is(s, "SELECT count(*) FROM leaf", "2");
    t_open(s, &o);
    t_close(s);
}

static int lies_left;
static enum fl_err lying_sign(struct signer *sg, const struct signer_request *q, uint8_t out[static KEY_SIGNATURE], struct fl_why *why)
{
    enum fl_err err = signer_in_process.sign(sg, q, out, why);
    if (lies_left-- == 0)
        out[17] ^= 0x10;
    return err;
}
static enum fl_err lying_open(const void *config, const struct checkpoint *last, struct fl_buf *redo, struct signer **out,
                              struct fl_why *why)
{
    return signer_in_process.open(config, last, redo, out, why);
}
static void lying_close(struct signer *sg)
{
    signer_in_process.close(sg);
}

static void bad_signature_from_the_signer(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    static const struct signer_kind lying = {"lying", lying_open, lying_sign, lying_close, false, NULL, NULL};
    s->hooks = (struct recorder_hooks){.signer = &lying};
    lies_left = 1;
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    assert_int_equal(t_send(s, EVENT_ATTEMPT_START, event_attempt_start_body(&f), NULL, NULL), FL_MISMATCH);
    t_close(s);
    t_sql_is(s, "SELECT count(*) FROM leaf", "2");
}

/* A signer elsewhere, while whose answer is awaited the pages go into the WAL: they are there, and nobody sees them. It is
 * called by the recorder's thread, where nothing may be asserted. */
struct ahead {
    sqlite3 *db;
    char path[200];
    bool dead;
};
static struct ahead *ahead; /* a signer's config is the key here */

static void ahead_written(void *ctx, sqlite3 *db)
{
    ((struct ahead *)ctx)->db = db;
}

static int pages_written(sqlite3 *db)
{
    int n = 0, most;
    return sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_WRITE, &n, &most, 0) == SQLITE_OK ? n : -1;
}

static int64_t leaves_seen(const char *path)
{
    sqlite3 *db;
    int64_t n = -1;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK && db_int(db, "SELECT count(*) FROM leaf", -1, &n, NULL))
        n = -1;
    (void)sqlite3_close(db);
    return n;
}

static enum fl_err ahead_sign(struct signer *sg, const struct signer_request *q, uint8_t out[static KEY_SIGNATURE], struct fl_why *why)
{
    int before = pages_written(ahead->db);
    enum fl_err err = q->meanwhile(q->ctx, why);
    if (!err && pages_written(ahead->db) < before + 3) /* a record, its job, an open attempt */
        err = fl_fail(why, FL_IO, "nothing is ahead");
    if (!err && leaves_seen(ahead->path) != (int64_t)q->old_size)
        err = fl_fail(why, FL_IO, "it is seen");
    if (!err && ahead->dead)
        err = fl_fail(why, FL_GONE, "the signer is dead");
    return err ? err : signer_in_process.sign(sg, q, out, why);
}

static void pages_ahead_of_the_signature(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    static const struct signer_kind kind = {"ahead", lying_open, ahead_sign, lying_close, false, NULL, NULL};
    struct ahead own = {.dead = false};
    (void)strcpy(own.path, t_path(s, "flashline.db"));
    ahead = &own;
    s->hooks = (struct recorder_hooks){.signer = &kind, .written = ahead_written, .ctx = ahead};
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    assert_int_equal(t_send(s, EVENT_ATTEMPT_START, event_attempt_start_body(&f), NULL, NULL), FL_OK);
    own.dead = true;
    f = t_attempt(2, OUTCOME_PASS);
    assert_int_equal(t_send(s, EVENT_ATTEMPT_START, event_attempt_start_body(&f), NULL, NULL), FL_GONE);
    t_close(s);
    t_sql_is(s, "SELECT count(*) FROM leaf", "3");
    t_sql_is(s, "SELECT count(*) FROM open_attempt", "1");
    s->hooks = (struct recorder_hooks){.ctx = NULL};
    t_open(s, &o); /* and goes on where the last head was */
    t_close(s);
    t_sql_is(s, "SELECT count(*) FROM open_attempt", "0");
}

/* ---- schema --------------------------------------------------------------------------------------------- */

static void every_kind_is_known(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    t_close(s);
    for (int k = 0; k < EVENT_KIND_COUNT; k++) {
        char sql[100];
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM event_kind WHERE name = '%s'", event_kind_name((enum event_kind)k));
        t_sql_is(s, sql, "1");
    }
    for (int k = 0; k <= OUTCOME_INTERRUPTED; k++) {
        char sql[100];
        (void)snprintf(sql, sizeof sql, "SELECT name FROM outcome WHERE id = %d", k);
        t_sql_is(s, sql, outcome_name((enum outcome)k));
    }
}

static void newer_database(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct recorder *r;
    struct fl_why why = {0, ""};
    t_open(s, &o);
    t_close(s);
    t_shell("sqlite3 %s/flashline.db 'PRAGMA user_version = 999'", s->data);
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_UNSUPPORTED);
    assert_non_null(strstr(why.text, "newer"));
    t_shell("rm %s/flashline.db; sqlite3 %s/flashline.db 'CREATE TABLE a (b); PRAGMA user_version = 1'", s->data, s->data);
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_MISMATCH);
    t_shell("echo this is no database, it is a longer line of text than a header has bytes, which are a hundred, so >%s/flashline.db", s->data);
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_MISMATCH);
    t_shell("rm %s/flashline.db", s->data);
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_MISMATCH); /* the mark tells of it */
    assert_non_null(strstr(why.text, "gone"));
}

/* A start compares with this text and need not run the migrations to know. */
static void build_knows_the_schema(void **state)
{
    (void)state;
    struct fl_why why = {0, ""};
    struct fl_buf text = FL_BUF(1 << 20);
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(db_open_empty(":memory:", db_newest(), &db, &why), FL_OK);
    assert_int_equal(db_prepare(db, SCHEMA_SQL, &s, &why), FL_OK);
    while (sqlite3_step(s) == SQLITE_ROW)
        fl_buf_addf(&text, "%s\n", (const char *)sqlite3_column_text(s, 0));
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    assert_int_equal(text.len, fl_embedded_schema->size);
    assert_memory_equal(text.bytes, fl_embedded_schema->bytes, text.len);
    fl_buf_fini(&text);
}

static void another_schema(void **state)
{
    static const struct {
        const char *sql, *said;
    } row[] = {
        {"DROP TRIGGER leaf_no_update", "leaf_no_update is gone"},
        {"CREATE TRIGGER zz AFTER INSERT ON attempt BEGIN SELECT 1; END", "zz was added"},
        {"CREATE TABLE a (b)", "table a was added"},
        {"ALTER TABLE person ADD COLUMN more TEXT", "person is not as"},
        {"DROP VIEW record", "record is gone"},
    };
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    t_close(s);
    t_shell("cp %s/flashline.db %s/good.db", s->data, s->data);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct recorder *r;
        struct fl_why why = {0, ""};
        t_shell("cp %s/good.db %s/flashline.db && sqlite3 %s/flashline.db '%s'", s->data, s->data, s->data, row[i].sql);
        assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_MISMATCH);
        if (!strstr(why.text, row[i].said))
            fail_msg("%s: %s", row[i].sql, why.text);
    }
}

/* What C reads of a text ends at a zero. A record that says more than was looked at, a job with something behind it, would be one
 * that no verification passes. */
static void no_text_goes_on_behind_a_zero(void **state)
{
    static const char job[] = "0190c0de-0000-7000-8000-00000000000a\0x";
    struct t_station *s = *state;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    t_open(s, &o);
    assert_int_equal(t_send(s, EVENT_CONFIG, json_pack("{ss#,ss,ss}", "job", job, (int)sizeof job - 1, "what", "x", "text", "y"), NULL, &why), FL_FORMAT);
    assert_non_null(strstr(why.text, "zero"));
    assert_int_equal(t_send(s, EVENT_CONFIG, json_pack("{ss,ss#}", "what", "x", "text", "\\\0", 2), NULL, &why), FL_FORMAT);
    (void)t_told(s, EVENT_CONFIG, json_pack("{ss,ss}", "what", "x", "text", "\\u0000 \\\\u0000")); /* these are letters */
    t_close(s);
    t_verdict(s, AUDIT_GOOD);
}

/* Begun early or not, what was opened is told. */
static void begun_early(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o, early;
    t_open(s, &o);
    t_close(s);
    s->config.early = recorder_early(&s->config);
    assert_non_null(s->config.early);
    t_open(s, &early);
    s->config.early = NULL;
    assert_string_equal(early.origin, o.origin);
    assert_string_equal(early.station, "bench-1");
    assert_string_equal(early.vkey, o.vkey);
    assert_string_equal(early.now, o.now);
}

/* ---- a look at the records before the recorder begins ------------------------------------------------------------ */

struct looked {
    int times;
    int64_t boots;
    enum fl_err say;
};

static enum fl_err look(void *ctx, sqlite3 *db, struct fl_why *why)
{
    struct looked *l = ctx;
    l->times++;
    enum fl_err err = db_int(db, "SELECT count(*) FROM boot", 0, &l->boots, why);
    return err || !l->say ? err : fl_fail(why, l->say, "not with these records");
}

static void looks_back(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    struct looked l = {0, 0, FL_OK};
    s->config.look = look;
    s->config.look_ctx = &l;
    for (int64_t start = 1; start <= 2; start++) {
        t_open(s, &o);
        assert_int_equal(l.times, start);
        assert_int_equal(l.boots, start); /* the one of this very start too */
        t_close(s);
    }
    l.say = FL_STATE;
    assert_int_equal(recorder_open_hooked(&s->config, &s->hooks, &s->r, &o, &why), FL_STATE);
    assert_null(s->r);
    assert_string_equal(why.text, "not with these records");
    l.say = FL_OK;
    t_open(s, &o); /* nothing is held, and the log is whole */
    assert_int_equal(l.boots, 4);
}

static int schema_bytes(sqlite3 *db)
{
    int now = 0, most;
    assert_int_equal(sqlite3_db_status(db, SQLITE_DBSTATUS_SCHEMA_USED, &now, &most, 0), SQLITE_OK);
    return now;
}

/* Where temporary tables lie is settled before a check uses any: later, SQLite drops all that it read of the schema. */
static void schema_is_read_once(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct folder f;
    sqlite3 *db;
    t_open(s, &o);
    t_close(s);
    assert_int_equal(folder_paths(s->data, &f, NULL), FL_OK);
    assert_int_equal(start_database(&f, &db, NULL), FL_OK);
    int bytes = schema_bytes(db);
    assert_in_range(bytes, 50000, 5000000);
    assert_int_equal(db_temp_in_memory(db, NULL), FL_OK); /* as ledger_open does */
    assert_int_equal(schema_bytes(db), bytes);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    folder_fini(&f);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, t_setup, t_teardown)
    static const struct CMUnitTest tests[] = {
        T(made_on_first_use), T(attempts_become_rows), T(once_for_each_job), T(bad_events), T(leaves_are_canonical),
        T(interrupted), T(clock_set_back), T(heartbeats), T(mark_follows), T(encrypted_key), T(key_troubles),
        T(full_database), T(read_only_folder), T(bit_flip_before_signing), T(bad_signature_from_the_signer), T(pages_ahead_of_the_signature),
        T(every_kind_is_known), T(newer_database), T(build_knows_the_schema), T(another_schema), T(no_text_goes_on_behind_a_zero), T(begun_early), T(looks_back), T(schema_is_read_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
