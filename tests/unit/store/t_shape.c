/* SPDX-License-Identifier: Apache-2.0
 * store/shape: how records are stored by shape. Literal bytes; random records there and back; every byte of what is stored
 * counts; whatever else stands there is refused; plain SQL reads the same (with the view of db/013_shapes.sql). */
#include "unit/t.h"

#include "audit/leaf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "store/db.h"
#include "store/shapes.h"

static const uint8_t job[16] = {0x01, 0xa2, 0x05, 0x2c, 0x0b, 0xb6, 0x73, 0xca, 0x86, 0x19, 0xda, 0x67, 0x7e, 0xac, 0x98, 0xf5};
static const uint8_t before[32] = {0xce, 0xee, 0x1a, 0x38, 0x04, 0x87, 0xd8, 0x60, 0xd1, 0xc6, 0xcb, 0x1d, 0xe5, 0xa6, 0xfa, 0x63,
                                   0x04, 0x62, 0x00, 0x3a, 0xb1, 0x1d, 0xb6, 0x03, 0x23, 0x6d, 0x3a, 0x82, 0x48, 0x15, 0x5e, 0xbe};
static const struct beside beside = {.job = job, .job_n = sizeof job, .before = before};

/* 100 % of one record, in bytes; the times by `date -d @1795383102.395`, the base64 by `base64` */
static const struct {
    const char *rec, *text, *stored;
} literal[] = {
    {"{\"boot\":1,\"clock\":\"free\",\"event\":\"heartbeat\",\"mono_ms\":23147896,\"time\":\"2026-11-22T21:31:42.395Z\",\"v\":1}",
     "{\"boot\":%s,\"clock\":\"free\",\"event\":\"heartbeat\",\"mono_ms\":%s,\"time\":\"\x01\",\"v\":1}", "[7,1795383102395,1,23147896]"},
    {"{\"as\":[3,-1],\"job\":\"01a2052c-0bb6-73ca-8619-da677eac98f5\",\"note\":\"100 %s\",\"time\":\"1970-01-01T00:00:00.000Z\",\"why\":\"a \\\"]}\\\\\"}",
     "{\"as\":%s,\"job\":\"\x02\",\"note\":\"100 %%s\",\"time\":\"\x01\",\"why\":%s}", "[7,0,[3,-1],\"a \\\"]}\\\\\"]"},
    {"{\"attempt\":\"zu4aOASH2GDRxssd5ab6YwRiADqxHbYDI206gkgVXr4=\",\"event\":\"unit_final\",\"time\":\"9999-12-31T23:59:59.999Z\"}",
     "{\"attempt\":\"\x03\",\"event\":\"unit_final\",\"time\":\"\x01\"}", "[7,253402300799999]"},
    /* what is not as it is beside the record stays in the shape */
    {"{\"attempt\":17,\"job\":\"01a2052c-0bb6-73ca-8619-da677eac98f6\",\"time\":\"2000-02-29T12:00:00.001Z\"}",
     "{\"attempt\":17,\"job\":\"01a2052c-0bb6-73ca-8619-da677eac98f6\",\"time\":\"\x01\"}", "[7,951825600001]"},
};

static void store(const char *rec, size_t n, struct fl_buf *text, struct fl_buf *stored)
{
    struct fl_buf values = FL_BUF(LEAF_BYTES_MAX);
    assert_true(shape_split((const uint8_t *)rec, n, &beside, text, &values));
    fl_buf_clear(stored);
    fl_buf_addf(stored, "[7,%s]", fl_buf_text(&values));
    fl_buf_fini(&values);
}

static void literally(void **state)
{
    (void)state;
    struct fl_buf text = FL_BUF(SHAPE_TEXT_MAX + 1), stored = FL_BUF(LEAF_BYTES_MAX), rec = FL_BUF(LEAF_BYTES_MAX);
    for (size_t i = 0; i < T_COUNT(literal); i++) {
        struct shape *s;
        store(literal[i].rec, strlen(literal[i].rec), &text, &stored);
        assert_string_equal(fl_buf_text(&text), literal[i].text);
        assert_string_equal(fl_buf_text(&stored), literal[i].stored);
        assert_int_equal(shape_read(literal[i].text, strlen(literal[i].text), &s, NULL), FL_OK);
        assert_int_equal(shape_number((const uint8_t *)literal[i].stored, strlen(literal[i].stored)), 7);
        assert_int_equal(shape_join(s, (const uint8_t *)literal[i].stored, strlen(literal[i].stored), &beside, &rec, NULL), FL_OK);
        assert_string_equal(fl_buf_text(&rec), literal[i].rec);
        free(s);
    }
    fl_buf_fini(&text);
    fl_buf_fini(&stored);
    fl_buf_fini(&rec);
}

/* What has no shape: stored as it is. */
static void no_shape(void **state)
{
    (void)state;
    static const char *const row[] = {
        "", "{", "{}", "[]", "{\"v\":1}", "{\"time\":1}", "{\"time\":\"2026-11-22T21:31:42.395\"}", "{\"time\":\"2026-02-29T21:31:42.395Z\"}",
        "{\"time\":\"1969-12-31T23:59:59.999Z\"}", "{\"time\":\"2026-11-22T21:31:42.395Z\"", "{\"time\":\"2026-11-22T21:31:42.395Z\"}x",
        "{\"time\":\"2026-11-22T21:31:42.395Z\"]", "{\"a\x02\":1,\"time\":\"2026-11-22T21:31:42.395Z\"}", "{\"a\":,\"time\":\"2026-11-22T21:31:42.395Z\"}",
    };
    struct fl_buf text = FL_BUF(SHAPE_TEXT_MAX + 1), values = FL_BUF(LEAF_BYTES_MAX), big = FL_BUF(LEAF_BYTES_MAX);
    for (size_t i = 0; i < T_COUNT(row); i++)
        if (shape_split((const uint8_t *)row[i], strlen(row[i]), &beside, &text, &values))
            fail_msg("%s: %s", row[i], fl_buf_text(&text));
    fl_buf_addf(&big, "{\"text\":\"%4100d\",\"time\":\"2026-11-22T21:31:42.395Z\"}", 1);
    assert_false(shape_split(big.bytes, big.len, &beside, &text, &values));
    fl_buf_fini(&text);
    fl_buf_fini(&values);
    fl_buf_fini(&big);
}

/* No shape's text, and what does not fit the shape "{"boot":%s,"time":"01"}". */
static void refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "%", "a%", "%d", "\x04", "\x1f", "a\n", "%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s"};
    static const char *const stored[] = {
        "", "[", "[]", "[7", "[7,", "[7,]", "[7,5]", "[7,5,", "[7,5,1", "[7,5,]", "[7,5,1,]", "[7,5,1,2]", "[7,5,1]]", "[7,5,1] ", "[7,5,1}", "[7,5,[1]",
        "[7,5,\"1]", "[7,5,\"1\\\"]", "[7,05,1]", "[7,-5,1]", "[7,,1]", "[7,253402300800000,1]", "[7,99999999999999999999,1]", "[07,5,1]", "[,5,1]",
        "[16385,5,1]", "[7 ,5,1]", "[7,5 ,1]", "{7,5,1]", "7,5,1]",
    };
    struct shape *s;
    struct fl_buf rec = FL_BUF(LEAF_BYTES_MAX);
    for (size_t i = 0; i < T_COUNT(texts); i++)
        assert_int_equal(shape_read(texts[i], strlen(texts[i]), &s, NULL), FL_FORMAT);
    assert_int_equal(shape_read("{\"boot\":%s,\"time\":\"\x01\"}", 22, &s, NULL), FL_OK);
    assert_int_equal(shape_join(s, (const uint8_t *)"[7,5,1]", 7, &beside, &rec, NULL), FL_OK);
    for (size_t i = 0; i < T_COUNT(stored); i++)
        if (shape_join(s, (const uint8_t *)stored[i], strlen(stored[i]), &beside, &rec, NULL) != FL_FORMAT)
            fail_msg("%s: %s", stored[i], fl_buf_text(&rec));
    free(s);
    /* what stands beside is missing */
    const struct beside none = {.job = NULL}, odd = {.job = job, .job_n = 15};
    assert_int_equal(shape_read("{\"job\":\"\x02\",\"time\":\"\x01\"}", 22, &s, NULL), FL_OK);
    assert_int_equal(shape_join(s, (const uint8_t *)"[7,5]", 5, &none, &rec, NULL), FL_FORMAT);
    assert_int_equal(shape_join(s, (const uint8_t *)"[7,5]", 5, &odd, &rec, NULL), FL_FORMAT);
    free(s);
    fl_buf_fini(&rec);
}

/* ---- random records ------------------------------------------------------------------------------------------ */

static uint64_t seed = 7;
static unsigned roll(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static json_t *random_value(int depth)
{
    static const char *const texts[] = {"", "%", "%s%%", "a\"b\\", "]},{[", "\n\x01\x02\x03", "\xc3\xa4\xe2\x82\xac", "v", "24:6f:28:00:00:02"};
    json_t *v;
    switch (roll(depth > 2 ? 4 : 6)) {
    case 0: return json_integer((json_int_t)roll(2000000000) - 1000000000);
    case 1: return json_string(texts[roll(T_COUNT(texts))]);
    case 2: return json_boolean(roll(2));
    case 3: return json_null();
    case 4:
        v = json_array();
        for (unsigned i = roll(4); i; i--)
            assert_int_equal(json_array_append_new(v, random_value(depth + 1)), 0);
        return v;
    default:
        v = json_object();
        for (unsigned i = roll(4); i; i--) {
            char key[8];
            (void)snprintf(key, sizeof key, "k%u", roll(9));
            assert_int_equal(json_object_set_new(v, key, random_value(depth + 1)), 0);
        }
        return v;
    }
}

static void random_record(struct fl_buf *out)
{
    static const char *const keys[] = {"as", "boot", "boot_text", "bridge", "event", "found", "hooks", "log", "mac", "ms", "note", "seq", "serial",
                                       "slot", "station", "steps", "tries", "v", "why", "attempt", "job"};
    char time[FL_TIME_TEXT];
    json_t *o = json_object();
    for (unsigned i = roll(12); i; i--)
        assert_int_equal(json_object_set_new(o, keys[roll(T_COUNT(keys))], random_value(0)), 0);
    if (roll(3))
        assert_int_equal(json_object_set_new(o, "job", json_string("01a2052c-0bb6-73ca-8619-da677eac98f5")), 0);
    if (roll(3))
        assert_int_equal(json_object_set_new(o, "attempt", json_string("zu4aOASH2GDRxssd5ab6YwRiADqxHbYDI206gkgVXr4=")), 0);
    fl_time_format((int64_t)roll(2000000000) * (roll(2) ? 1000 : 120000) + roll(1000), time);
    assert_int_equal(json_object_set_new(o, "time", json_string(time)), 0);
    fl_buf_clear(out);
    assert_int_equal(fl_json_canonical(o, out, NULL), FL_OK);
    json_decref(o);
}

static void there_and_back(void **state)
{
    (void)state;
    struct fl_buf text = FL_BUF(SHAPE_TEXT_MAX + 1), stored = FL_BUF(LEAF_BYTES_MAX), rec = FL_BUF(LEAF_BYTES_MAX), again = FL_BUF(LEAF_BYTES_MAX);
    for (int i = 0; i < 20000; i++) {
        struct shape *s;
        random_record(&rec);
        store(fl_buf_text(&rec), rec.len, &text, &stored);
        assert_int_equal(shape_read(text.bytes, text.len, &s, NULL), FL_OK);
        if (shape_join(s, stored.bytes, stored.len, &beside, &again, NULL) || again.len != rec.len || memcmp(again.bytes, rec.bytes, rec.len) != 0)
            fail_msg("%s is not %s", fl_buf_text(&again), fl_buf_text(&rec));
        free(s);
    }
    fl_buf_fini(&text);
    fl_buf_fini(&stored);
    fl_buf_fini(&rec);
    fl_buf_fini(&again);
}

static bool gives(const struct fl_buf *text, const struct fl_buf *stored, const struct fl_buf *rec)
{
    struct shape *s;
    struct fl_buf again = FL_BUF(LEAF_BYTES_MAX);
    if (shape_read(text->bytes, text->len, &s, NULL))
        return false;
    bool same = shape_join(s, stored->bytes, stored->len, &beside, &again, NULL) == FL_OK && again.len == rec->len &&
                memcmp(again.bytes, rec->bytes, rec->len) == 0;
    free(s);
    fl_buf_fini(&again);
    return same;
}

/* One byte of the array or of the shape changed: another record or none, so that the hash beside it tells. But for the
 * shape's number, which is looked up elsewhere. */
static void every_byte_counts(void **state)
{
    (void)state;
    struct fl_buf text = FL_BUF(SHAPE_TEXT_MAX + 1), stored = FL_BUF(LEAF_BYTES_MAX), rec = FL_BUF(LEAF_BYTES_MAX);
    for (int i = 0; i < 60; i++) {
        random_record(&rec);
        store(fl_buf_text(&rec), rec.len, &text, &stored);
        assert_true(gives(&text, &stored, &rec));
        struct fl_buf *both[] = {&text, &stored};
        for (size_t k = 0; k < 2; k++)
            for (size_t at = 0; at < both[k]->len; at++) {
                const uint8_t was = both[k]->bytes[at];
                for (unsigned x = 1; x < 256; x += 1 + roll(9)) {
                    both[k]->bytes[at] = was ^ (uint8_t)x;
                    if (gives(&text, &stored, &rec) && !(k == 1 && at == 1))
                        fail_msg("byte %zu of %s is as good as %02x", at, fl_buf_text(both[k]), was);
                }
                both[k]->bytes[at] = was;
            }
    }
    fl_buf_fini(&text);
    fl_buf_fini(&stored);
    fl_buf_fini(&rec);
}

/* ---- in a database --------------------------------------------------------------------------------------------- */

static void exec(sqlite3 *db, const char *sql)
{
    struct fl_why why = {0, ""};
    if (db_exec(db, sql, &why))
        fail_msg("%s", why.text);
}

static void put_leaf(sqlite3 *db, struct shapes *shapes, int64_t index, const struct fl_buf *rec)
{
    const uint8_t *stored;
    size_t n;
    struct fl_why why = {0, ""};
    const struct beside b = {.job = job, .job_n = sizeof job};
    sqlite3_stmt *s;
    uint8_t own[16];
    memcpy(own, job, sizeof own);
    if (shapes_store(shapes, index, rec->bytes, rec->len, &b, &stored, &n, &why))
        fail_msg("%s", why.text);
    assert_int_equal(db_prepare(db, "INSERT INTO leaf (idx, rec, hash, kind, job) VALUES (?, ?, ?, 3, ?)", &s, NULL), FL_OK);
    (void)sqlite3_bind_int64(s, 1, index);
    (void)sqlite3_bind_blob(s, 2, stored, (int)n, SQLITE_TRANSIENT);
    (void)sqlite3_bind_blob(s, 3, before, sizeof before, SQLITE_STATIC); /* each has the hash that `attempt` names */
    (void)sqlite3_bind_blob(s, 4, own, sizeof own, SQLITE_STATIC);
    if (db_run(s, &why))
        fail_msg("%s", why.text);
    (void)sqlite3_finalize(s);
}

/* Plain SQL and this program read the same bytes: those that were put there. */
static void sql_reads_the_same(void **state)
{
    (void)state;
    enum { N = 3000 };
    sqlite3 *db;
    sqlite3_stmt *view;
    struct shapes *shapes;
    static struct fl_buf rec[N];
    int64_t by_shape;
    assert_int_equal(db_open_empty(":memory:", 13, &db, NULL), FL_OK);
    exec(db, "PRAGMA trusted_schema = ON; DROP INDEX leaf_job; BEGIN");
    assert_int_equal(shapes_new(db, &shapes, NULL), FL_OK);
    for (int i = 0; i < N; i++) {
        rec[i] = FL_BUF(LEAF_BYTES_MAX);
        random_record(&rec[i]);
        if (i % 2) { /* one more of the same shape */
            fl_buf_clear(&rec[i]);
            fl_buf_add(&rec[i], rec[i - 1].bytes, rec[i - 1].len);
        }
        put_leaf(db, shapes, i, &rec[i]);
    }
    shapes_free(shapes);
    assert_int_equal(db_int(db, "SELECT count(*) FROM leaf WHERE rec < x'7b'", 0, &by_shape, NULL), FL_OK);
    assert_true(by_shape >= N / 2 - 10);
    assert_int_equal(shapes_new(db, &shapes, NULL), FL_OK);
    struct fl_why why = {0, ""};
    if (db_prepare(db, "SELECT rec FROM record ORDER BY leaf", &view, &why))
        fail_msg("%s", why.text);
    for (int i = 0; i < N; i++) {
        const uint8_t *bytes;
        size_t n;
        assert_int_equal(sqlite3_step(view), SQLITE_ROW);
        if ((size_t)sqlite3_column_bytes(view, 0) != rec[i].len || memcmp(sqlite3_column_text(view, 0), rec[i].bytes, rec[i].len) != 0)
            fail_msg("SQL reads %s, not %s", (const char *)sqlite3_column_text(view, 0), fl_buf_text(&rec[i]));
        assert_int_equal(shapes_record(shapes, i, &bytes, &n, NULL), FL_OK);
        assert_int_equal(n, rec[i].len);
        assert_memory_equal(bytes, rec[i].bytes, n);
        fl_buf_fini(&rec[i]);
    }
    (void)sqlite3_finalize(view);
    shapes_free(shapes);
    (void)sqlite3_close(db);
}

/* A shape is made for the second record that has it, also by a program that did not see the first. */
static void made_when(void **state)
{
    (void)state;
    sqlite3 *db;
    struct fl_buf rec = FL_BUF(LEAF_BYTES_MAX);
    assert_int_equal(db_open_empty(":memory:", 13, &db, NULL), FL_OK);
    exec(db, "PRAGMA trusted_schema = ON; DROP INDEX leaf_job");
    for (int i = 0; i < 4; i++) { /* each a program of its own */
        struct shapes *shapes;
        fl_buf_clear(&rec);
        fl_buf_addf(&rec, "{\"boot\":%d,\"log\":\"%c\",\"time\":\"2026-11-22T21:31:42.%03dZ\"}", i, i == 2 ? 'b' : 'a', i);
        assert_int_equal(shapes_new(db, &shapes, NULL), FL_OK);
        put_leaf(db, shapes, i, &rec);
        shapes_free(shapes);
    }
    int64_t n;
    assert_int_equal(db_int(db, "SELECT count(*) FROM shape WHERE id = 1 AND text = '{\"boot\":%s,\"log\":\"a\",\"time\":\"' || char(1) || '\"}'", 0, &n, NULL), FL_OK);
    assert_int_equal(n, 1);
    assert_int_equal(db_int(db, "SELECT sum(rec < x'7b') * 10 + (SELECT count(*) FROM shape) FROM leaf", 0, &n, NULL), FL_OK);
    assert_int_equal(n, 21); /* records 1 and 3 by shape 1; 0 and 2 as they are */
    assert_int_equal(sqlite3_exec(db, "UPDATE shape SET text = '{}'", NULL, NULL, NULL), SQLITE_CONSTRAINT_TRIGGER);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM shape", NULL, NULL, NULL), SQLITE_CONSTRAINT_TRIGGER);
    fl_buf_fini(&rec);
    (void)sqlite3_close(db);
}

/* What was undone is not believed to be there. */
static void undone(void **state)
{
    (void)state;
    sqlite3 *db;
    struct shapes *shapes;
    int64_t n;
    struct fl_buf rec = FL_BUF(LEAF_BYTES_MAX);
    fl_buf_adds(&rec, "{\"boot\":1,\"log\":\"a\",\"time\":\"2026-11-22T21:31:42.001Z\"}");
    assert_int_equal(db_open_empty(":memory:", 13, &db, NULL), FL_OK);
    exec(db, "PRAGMA trusted_schema = ON; DROP INDEX leaf_job");
    assert_int_equal(shapes_new(db, &shapes, NULL), FL_OK);
    put_leaf(db, shapes, 0, &rec);
    exec(db, "BEGIN");
    put_leaf(db, shapes, 1, &rec);
    exec(db, "ROLLBACK");
    shapes_forget(shapes);
    put_leaf(db, shapes, 1, &rec);
    put_leaf(db, shapes, 2, &rec);
    assert_int_equal(db_int(db, "SELECT sum(r.rec = (SELECT rec FROM record WHERE leaf = 0)) * 10 + (SELECT count(*) FROM shape) FROM record r", 0, &n, NULL), FL_OK);
    assert_int_equal(n, 31);
    fl_buf_fini(&rec);
    shapes_free(shapes);
    (void)sqlite3_close(db);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(literally),          cmocka_unit_test(no_shape),  cmocka_unit_test(refused), cmocka_unit_test(there_and_back),
        cmocka_unit_test(every_byte_counts), cmocka_unit_test(sql_reads_the_same), cmocka_unit_test(made_when), cmocka_unit_test(undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
