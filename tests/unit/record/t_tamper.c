/* SPDX-License-Identifier: Apache-2.0
 * prove/check: a real station's folder, changed with plain SQL or plain cp, and what the audit says of it.
 * With FL_KEEP=DIR the untouched folder is copied to DIR/data, and beside it go a proof file for every record and all
 * proofs of growth between its heads, for readers written by others; nothing is spoiled then. */
#include "unit/t.h"

#include "audit/proof_file.h"
#include "base/file.h"
#include "prove/check.h"
#include "unit/record/station.h"

#include <sys/stat.h>

/*  0 log_open  1 boot  2 profile  3 start  4 PASS  5 unit_final  6 start  7 FAIL  8 start  9 PASS  10 unit_final
 * 11 log_close  12 boot  13 start (died)  14 boot  15 interrupted  16 log_close */
static struct t_station good;
static char vkey[256];

static void write_proof(const char *dir, const struct tree_reader *tree, struct fl_hash *h, uint64_t index, uint64_t size,
                        const struct fl_buf *note)
{
    char path[200];
    struct tree_proof p;
    struct fl_buf b = FL_BUF(PROOF_BYTES_MAX);
    assert_int_equal(tree_prove_leaf(h, tree, index, size, &p, NULL), FL_OK);
    proof_file_write(&b, NULL, 0, index, &p, note->bytes, note->len);
    (void)snprintf(path, sizeof path, "%s/%llu.tlog-proof", dir, (unsigned long long)index);
    assert_int_equal(fl_file_replace(path, b.bytes, b.len, 0644, NULL), FL_OK);
    fl_buf_fini(&b);
}

/* growth: one line a pair of sizes: from, to, hashes in hex */
static void write_growth(struct fl_buf *b, const struct tree_reader *tree, struct fl_hash *h, uint64_t from, uint64_t to)
{
    struct tree_proof p;
    char hex[65];
    assert_int_equal(tree_prove_growth(h, tree, from, to, &p, NULL), FL_OK);
    fl_buf_addf(b, "%llu %llu", (unsigned long long)from, (unsigned long long)to);
    for (size_t i = 0; i < p.n; i++) {
        fl_hex(p.path[i].b, 32, hex);
        fl_buf_addf(b, " %s", hex);
    }
    fl_buf_addc(b, '\n');
}

static void keep_for_others(const char *dir, uint64_t size)
{
    char path[200];
    sqlite3 *db;
    struct ledger_tree stored;
    struct tree_reader tree;
    struct fl_hash *h;
    struct fl_buf note = FL_BUF(4096), growth = FL_BUF(1000000);
    t_shell("cp -r %s %s/", good.data, dir);
    assert_int_equal(fl_hash_new(FL_HASH_SHA256, &h), FL_OK);
    assert_int_equal(fl_file_read(t_path(&good, "checkpoint"), &note, NULL), FL_OK);
    assert_int_equal(sqlite3_open_v2(t_path(&good, "flashline.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(ledger_tree_open(db, &stored, &tree, NULL), FL_OK);
    for (uint64_t i = 0; i < size; i++)
        write_proof(dir, &tree, h, i, size, &note);
    for (uint64_t to = 1; to <= size; to++)
        for (uint64_t from = 1; from <= to; from++)
            write_growth(&growth, &tree, h, from, to);
    (void)snprintf(path, sizeof path, "%s/growth", dir);
    assert_int_equal(fl_file_replace(path, growth.bytes, growth.len, 0644, NULL), FL_OK);
    ledger_tree_close(&stored);
    (void)sqlite3_close(db);
    fl_hash_free(h);
    fl_buf_fini(&note);
    fl_buf_fini(&growth);
}

static int setup_group(void **state)
{
    (void)state;
    struct recorder_opened o;
    t_station_make(&good);
    t_open(&good, &o);
    (void)t_profile(&good);
    for (int i = 1; i <= 3; i++) {
        struct attempt_facts f = t_attempt(i == 3 ? 2 : i, i == 2 ? OUTCOME_FAIL : OUTCOME_PASS);
        (void)t_start(&good, &f);
        (void)t_result(&good, &f);
    }
    t_close(&good);
    t_shell("mkdir %s/older && cp -r %s %s/older/", good.dir, good.data, good.dir); /* yesterday's copy */
    struct attempt_facts f = t_attempt(4, OUTCOME_PASS);
    pid_t pid = fork();
    if (pid == 0) {
        t_open(&good, &o);
        (void)t_start(&good, &f);
        (void)kill(getpid(), SIGKILL);
    }
    if (pid < 0 || waitpid(pid, NULL, 0) != pid)
        return -1;
    t_shell("mkdir %s/torn && cp -r %s %s/torn/", good.dir, good.data, good.dir); /* as the kill left it: with a WAL */
    t_open(&good, &o);
    (void)snprintf(vkey, sizeof vkey, "%s", o.vkey);
    t_close(&good);
    if (getenv("FL_KEEP"))
        keep_for_others(getenv("FL_KEEP"), 17);
    return o.interrupted == 1 && o.leaves == 16 ? 0 : -1;
}

static int teardown_group(void **state)
{
    (void)state;
    t_station_remove(&good);
    return 0;
}

/* ---- a copy to spoil ---------------------------------------------------------------------------------------- */

static void sql_leafhash(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    struct fl_hash *h;
    struct tree_hash out;
    (void)argc;
    assert_int_equal(fl_hash_new(FL_HASH_SHA256, &h), FL_OK);
    assert_int_equal(tree_leaf(h, sqlite3_value_blob(argv[0]), (size_t)sqlite3_value_bytes(argv[0]), &out), FL_OK);
    fl_hash_free(h);
    sqlite3_result_blob(ctx, out.b, sizeof out.b, SQLITE_TRANSIENT);
}

static void exec(sqlite3 *db, const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
}

/* Every record as it is, and none by shape: that is a good log too, and one that SQL can edit. */
#define AS_IT_IS "UPDATE leaf SET rec = CAST((SELECT r.rec FROM record r WHERE r.leaf = idx) AS BLOB);"

/* Run the SQL with the triggers put aside, and put them back as they were: whoever tampers would. */
static void spoil(const char *dir, const char *before, const char *sql)
{
    char path[200], *triggers[64];
    size_t n = 0;
    sqlite3 *db;
    sqlite3_stmt *q;
    (void)snprintf(path, sizeof path, "%s/flashline.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_create_function(db, "leafhash", 1, SQLITE_UTF8, NULL, sql_leafhash, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'", -1, &q, NULL), SQLITE_OK);
    char *drop = sqlite3_mprintf("");
    for (; n < 64 && sqlite3_step(q) == SQLITE_ROW; n++) {
        triggers[n] = sqlite3_mprintf("%s", sqlite3_column_text(q, 1));
        char *more = sqlite3_mprintf("%zDROP TRIGGER %s;", drop, sqlite3_column_text(q, 0));
        drop = more;
    }
    (void)sqlite3_finalize(q);
    assert_true(n >= 7);
    exec(db, drop);
    sqlite3_free(drop);
    exec(db, before);
    exec(db, sql);
    while (n--) {
        exec(db, triggers[n]);
        sqlite3_free(triggers[n]);
    }
    (void)sqlite3_close(db);
}

static struct check_result result;
static void check_with(const char *dir, const char *key, const char *const *heads, size_t n)
{
    struct fl_why why = {0, ""};
    const struct check_config c = {.data = dir, .vkey = key, .heads = heads, .n_heads = n};
    if (check_folder(&c, &result, &why))
        fail_msg("%s: %s", dir, why.text);
}

static bool has_class(enum audit_class c)
{
    for (size_t i = 0; i < result.report.n_findings && i < AUDIT_FINDINGS_MAX; i++)
        if (result.report.finding[i].class == c)
            return true;
    return false;
}

static void expect(const char *what, enum audit_class class, uint64_t first)
{
    const struct audit_finding *w = audit_worst(&result.report);
    if (result.report.verdict != class || (w && w->first != first))
        fail_msg("%s: %s at %lld: %s", what, audit_class_name(result.report.verdict), w ? (long long)w->first : -1, w ? w->text : "");
}

#define EDIT(from, to, idx) "UPDATE leaf SET rec = CAST(replace(CAST(rec AS TEXT), '" from "', '" to "') AS BLOB) WHERE idx = " idx ";"
#define REHASH(idx) "UPDATE leaf SET hash = leafhash(rec) WHERE idx = " idx ";"
#define RENUMBER "UPDATE leaf SET idx = idx + 1000 WHERE idx > 6; UPDATE leaf SET idx = idx - 1001 WHERE idx > 1000;"
#define REWRITE_SEQ "UPDATE leaf SET rec = CAST(replace(CAST(rec AS TEXT), '\"seq\":' || (idx + 1) || ',', '\"seq\":' || idx || ',') AS BLOB) WHERE idx >= 6;"
#define SWAP "UPDATE leaf SET idx = 1000 WHERE idx = 4; UPDATE leaf SET idx = 4 WHERE idx = 9; UPDATE leaf SET idx = 9 WHERE idx = 1000;"

static void by_sql(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sql;
        enum audit_class class;
        uint64_t first;
        int also; /* another class that must be among the findings, -1: none */
    } row[] = {
        {"nothing", "SELECT 1", AUDIT_GOOD, 0, -1},
        {"E1", EDIT("FAIL", "PASS", "7"), AUDIT_CHANGED, 7, AUDIT_ROWS},
        {"E2", EDIT("FAIL", "PASS", "7") REHASH("7"), AUDIT_ROOT, 7, AUDIT_ROWS},
        {"E2 and the row", EDIT("FAIL", "PASS", "7") REHASH("7") "UPDATE attempt SET outcome = 0 WHERE leaf = 7;", AUDIT_ROOT, 7, -1},
        {"E4", EDIT(",\"event\"", ", \"event\"", "7"), AUDIT_CHANGED, 7, AUDIT_FORM},
        {"E5 kind", "UPDATE leaf SET kind = 8 WHERE idx = 7", AUDIT_COPY, 7, -1},
        {"E5 job", "UPDATE leaf SET job = randomblob(16) WHERE idx = 7", AUDIT_COPY, 7, -1},
        {"E5 no job", "UPDATE leaf SET job = NULL WHERE idx = 7", AUDIT_COPY, 7, -1},
        {"D1", "DELETE FROM leaf WHERE idx = 6", AUDIT_MISSING, 6, -1},
        {"D2", "DELETE FROM leaf WHERE idx = 6;" RENUMBER, AUDIT_ORDER, 6, -1},
        {"D2 and seq", "DELETE FROM leaf WHERE idx = 6;" RENUMBER REWRITE_SEQ "UPDATE leaf SET hash = leafhash(rec);", AUDIT_ROOT, 6, -1},
        {"R1", SWAP, AUDIT_ORDER, 4, -1},
        {"I1", "INSERT INTO leaf SELECT 17, CAST(replace(CAST(rec AS TEXT), '\"seq\":16', '\"seq\":17') AS BLOB), hash, kind, NULL FROM leaf WHERE idx = 16;"
               REHASH("17"), AUDIT_UNSIGNED, 17, -1},
        {"I2", "INSERT INTO leaf SELECT 17, rec, hash, kind, NULL FROM leaf WHERE idx = 4", AUDIT_ORDER, 17, AUDIT_UNSIGNED},
        {"T2", "DELETE FROM leaf WHERE idx > 13", AUDIT_MISSING, 14, -1},
        {"T3", "DELETE FROM checkpoint WHERE size > 13", AUDIT_UNSIGNED, 13, -1},
        {"T1", "DELETE FROM leaf WHERE idx > 11; DELETE FROM checkpoint WHERE size > 12; DELETE FROM node WHERE id > 21; "
               "DELETE FROM attempt WHERE leaf > 11; DELETE FROM unit_lot WHERE leaf > 11; DELETE FROM unit WHERE leaf > 11; DELETE FROM boot WHERE leaf > 11;",
         AUDIT_ROLLBACK, 12, -1},
        {"signature", "UPDATE checkpoint SET signature = zeroblob(64) WHERE size = 8", AUDIT_SIGNATURE, 7, -1},
        {"root", "UPDATE checkpoint SET root = zeroblob(32) WHERE size = 8", AUDIT_SIGNATURE, 7, -1},
        {"key", "UPDATE checkpoint SET key = key + 1 WHERE size = 8", AUDIT_KEY, 7, -1},
        {"node", "UPDATE node SET hash = zeroblob(32) WHERE id = 5", AUDIT_NODE, 3, -1},
        {"node gone", "DELETE FROM node WHERE id = 6", AUDIT_NODE, 3, -1},
        {"row changed", "UPDATE attempt SET outcome = 0, fault = NULL WHERE leaf = 7", AUDIT_ROWS, 7, -1},
        {"row gone", "PRAGMA foreign_keys = OFF; DELETE FROM attempt WHERE leaf = 7", AUDIT_ROWS, 7, -1},
        {"row more", "INSERT INTO attempt (leaf, start_leaf, boot, unit, lot, number, slot, bridge, profile, operator, outcome, fault, step, loader, baud, "
                     "start_ms, ms, tries, rungs, bytes_out, bytes_in, plain_bytes) SELECT 2, start_leaf, boot, unit, lot, number, slot, bridge, profile, operator, outcome, fault, step, loader, baud, "
                     "start_ms, ms, tries, rungs, bytes_out, bytes_in, plain_bytes FROM attempt WHERE leaf = 4", AUDIT_ROWS, 2, -1},
        {"unit changed", "UPDATE unit SET flash_size = 8388608 WHERE mac & 255 = 1", AUDIT_ROWS, 4, -1},
        {"yield changed", "UPDATE unit_lot SET passed_at = 1, first_outcome = 0 WHERE unit & 255 = 2", AUDIT_ROWS, 9, -1},
        {"word changed", "UPDATE word SET text = 'link.lost' WHERE text = 'verify.md5'", AUDIT_ROWS, 0, -1},
        {"station changed", "UPDATE station SET name = 'other'", AUDIT_ROWS, 0, -1},
        {"statistics that somebody had SQLite make", "ANALYZE", AUDIT_GOOD, 0, -1},
        {"S2 index gone", "DROP INDEX leaf_job", AUDIT_SCHEMA, 0, -1},
        {"S2 view in front", "CREATE VIEW extra AS SELECT 1", AUDIT_SCHEMA, 0, -1},
        {"S2 table", "CREATE TABLE leaf2 (idx, rec)", AUDIT_SCHEMA, 0, -1},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char dir[100];
        (void)snprintf(dir, sizeof dir, "%s/copy", good.dir);
        t_shell("rm -rf %s && cp -r %s %s", dir, good.data, dir);
        spoil(dir, AS_IT_IS, row[i].sql);
        check_with(dir, vkey, NULL, 0);
        expect(row[i].name, row[i].class, row[i].first);
        if (row[i].also >= 0 && !has_class((enum audit_class)row[i].also))
            fail_msg("%s: no finding %s", row[i].name, audit_class_name((enum audit_class)row[i].also));
        /* production is refused too, for whatever is wrong with the log; the tables are the audit's */
        struct recorder *r = NULL;
        struct recorder_opened o;
        struct fl_why why = {0, ""};
        const struct recorder_config c = {.data = dir};
        bool starts = row[i].class == AUDIT_GOOD || row[i].class == AUDIT_ROWS;
        enum fl_err err = recorder_open(&c, &r, &o, &why);
        recorder_close(r);
        if (err != (starts ? FL_OK : FL_MISMATCH))
            fail_msg("%s: start says %d %s", row[i].name, err, why.text);
        if (!starts && row[i].class != AUDIT_SCHEMA)
            t_shell("grep -q '^key: ' %s/incident-*.txt", dir);
    }
}

/* What is stored by shape: 8 and 13 (starts), 10 (unit_final), 12 and 14 (boot) and 16 (log_close), as the first row holds. */
static void shapes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sql;
        enum audit_class class;
        uint64_t first;
    } row[] = {
        {"those", "CREATE TEMP TABLE t (ok CHECK (ok)); INSERT INTO t SELECT group_concat(idx) = '8,10,12,13,14,16' FROM leaf WHERE rec < x'7b'", AUDIT_GOOD, 0},
        {"as they are", AS_IT_IS, AUDIT_GOOD, 0},
        {"a value", "UPDATE leaf SET rec = CAST(replace(CAST(rec AS TEXT), ':02\"', ':03\"') AS BLOB) WHERE idx = 10", AUDIT_CHANGED, 10},
        {"its time", "UPDATE leaf SET rec = CAST(replace(CAST(rec AS TEXT), ',1', ',2') AS BLOB) WHERE idx = 16", AUDIT_CHANGED, 16},
        {"cut", "UPDATE leaf SET rec = substr(rec, 1, length(rec) - 1) WHERE idx = 8", AUDIT_CHANGED, 8},
        {"something behind", "UPDATE leaf SET rec = CAST(CAST(rec AS TEXT) || ' ' AS BLOB) WHERE idx = 8", AUDIT_CHANGED, 8},
        {"another shape", "UPDATE leaf SET rec = CAST('[2' || substr(CAST(rec AS TEXT), 3) AS BLOB) WHERE idx = 8", AUDIT_CHANGED, 8},
        {"no shape", "UPDATE leaf SET rec = CAST('[999' || substr(CAST(rec AS TEXT), 3) AS BLOB) WHERE idx = 8", AUDIT_CHANGED, 8},
        {"its job", "UPDATE leaf SET job = randomblob(16) WHERE idx = 8", AUDIT_CHANGED, 8},
        {"the hash in front", "UPDATE leaf SET hash = zeroblob(32) WHERE idx = 9", AUDIT_CHANGED, 9},
        {"the shape", "UPDATE shape SET text = replace(text, 'free', 'sync') WHERE id = 1", AUDIT_CHANGED, 8},
        {"the shape's marks", "UPDATE shape SET text = replace(text, '%s', '1') WHERE id = 1", AUDIT_CHANGED, 8},
        {"the shape is gone", "DELETE FROM shape WHERE id = 1", AUDIT_CHANGED, 8},
        {"and the other", "UPDATE shape SET text = replace(text, 'PASS', 'FAIL')", AUDIT_CHANGED, 10},
        {"moved", "UPDATE leaf SET idx = 1000 WHERE idx = 8; UPDATE leaf SET idx = 8 WHERE idx = 13; UPDATE leaf SET idx = 13 WHERE idx = 1000", AUDIT_ORDER, 8},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char dir[100];
        (void)snprintf(dir, sizeof dir, "%s/copy", good.dir);
        t_shell("rm -rf %s && cp -r %s %s", dir, good.data, dir);
        spoil(dir, "SELECT 1", row[i].sql);
        check_with(dir, vkey, NULL, 0);
        expect(row[i].name, row[i].class, row[i].first);
    }
}

/* What somebody would try who knows the program, has the database and the folder, and not the key. */
static void hostile(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sql, *shell; /* done in the copy's folder */
        enum audit_class class;
        uint64_t first;
    } row[] = {
        {"H1 a record at the end of all numbers", "INSERT INTO leaf SELECT 9223372036854775807, rec, hash, kind, NULL FROM leaf WHERE idx = 16", NULL,
         AUDIT_MISSING, 17},
        {"H2 a head far ahead", "INSERT INTO checkpoint SELECT 9223372036854775807, root, key, signature FROM checkpoint WHERE size = 17", NULL,
         AUDIT_MISSING, 17},
        {"H3 a hand-over that was none", "INSERT INTO handover SELECT 17, key, signature FROM checkpoint WHERE size = 17", NULL, AUDIT_KEY, 16},
        {"H4 the names of kinds exchanged", "UPDATE event_kind SET name = 'x' WHERE name = 'attempt_start'; "
                                            "UPDATE event_kind SET name = 'attempt_start' WHERE name = 'heartbeat'; "
                                            "UPDATE event_kind SET name = 'heartbeat' WHERE name = 'x'", NULL, AUDIT_COPY, 3},
        {"H4 what the numbers of outcomes mean", "UPDATE outcome SET name = 'x' WHERE name = 'PASS'; UPDATE outcome SET name = 'PASS' WHERE name = 'FAIL'; "
         "UPDATE outcome SET name = 'FAIL' WHERE name = 'x'", NULL, AUDIT_ROWS, 0},
        {"H4 and of purposes", "UPDATE purpose SET name = 'sample' WHERE id = 1", NULL, AUDIT_ROWS, 0},
        {"H5 a person's name exchanged", "INSERT INTO person (tag, name, salt) VALUES ('#00112233445566778899aabbccddeeff', 'eva', zeroblob(16))",
         NULL, AUDIT_ROWS, 0},
        {"H6 the sums under the reports", "UPDATE tally SET pass = pass + 1", NULL, AUDIT_ROWS, 0},
        {"H7 said to be older", "PRAGMA user_version = 5", NULL, AUDIT_SCHEMA, 0},
        {"H7 said to be newer", "PRAGMA user_version = 500", NULL, AUDIT_SCHEMA, 0},
        {"H7 said to be another program's", "PRAGMA application_id = 1", NULL, AUDIT_SCHEMA, 0},
        {"H8 an index that leads past the rows", "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema "
                                                 "WHERE name = 'serial_unit') WHERE name = 'attempt_unit'; PRAGMA writable_schema = OFF", NULL,
         AUDIT_DATABASE, 0},
        {"H18 a trigger under a name of SQLite's own", "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_zz', 'shift', 0, "
         "'CREATE TRIGGER sqlite_zz AFTER INSERT ON shift BEGIN SELECT 1; END'); PRAGMA writable_schema = OFF", NULL, AUDIT_SCHEMA, 0},
        {"H9 an empty file for a database", NULL, ": >flashline.db", AUDIT_DATABASE, 0},
        {"H9 and no trace of the old one", NULL, "rm -rf cosigned checkpoint; : >flashline.db", AUDIT_DATABASE, 0},
        {"H9 a log without a record", "DELETE FROM leaf; DELETE FROM checkpoint; DELETE FROM node", NULL, AUDIT_ROLLBACK, 0},
        {"H10 the mark overwritten", NULL, ": >checkpoint", AUDIT_SIGNATURE, 0},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char dir[100];
        (void)snprintf(dir, sizeof dir, "%s/copy", good.dir);
        t_shell("rm -rf %s && cp -r %s %s", dir, good.data, dir);
        if (row[i].sql)
            spoil(dir, AS_IT_IS, row[i].sql);
        if (row[i].shell)
            t_shell("cd %s && { %s; }", dir, row[i].shell);
        check_with(dir, vkey, NULL, 0);
        expect(row[i].name, row[i].class, row[i].first);
        /* nor does the station go on from there, but where only rows are wrong, which it does not build on. (Here the signer has no
         * memory; one that has is never fooled by a folder: tests/flow/audit_verbs.sh.) */
        struct recorder *r = NULL;
        struct recorder_opened o;
        struct fl_why why = {0, ""};
        const struct recorder_config c = {.data = dir};
        enum fl_err err = recorder_open(&c, &r, &o, &why);
        recorder_close(r);
        bool all_gone = strcmp(row[i].name, "H9 and no trace of the old one") == 0;
        if (!all_gone && (err == FL_OK) != (row[i].class == AUDIT_ROWS || strncmp(row[i].name, "H10", 3) == 0))
            fail_msg("%s: start says %d %s", row[i].name, err, why.text);
    }
}

/* S1: another program writes while the station has the log open. It is noticed before anything is built on it. */
static void second_writer(void **state)
{
    (void)state;
    static const char *const sql[] = {
        "DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint); DELETE FROM leaf WHERE idx = (SELECT max(idx) FROM leaf)",
        "INSERT INTO leaf SELECT max(idx) + 1, rec, hash, kind, NULL FROM leaf",
        "UPDATE checkpoint SET root = zeroblob(32) WHERE size = (SELECT max(size) FROM checkpoint)",
    };
    for (size_t i = 0; i < T_COUNT(sql); i++) {
        struct t_station s = good;
        struct recorder_opened o;
        struct event_ticket t;
        struct attempt_facts f = t_attempt(20, OUTCOME_PASS);
        t_shell("rm -rf %s/copy && cp -r %s %s/copy", good.dir, good.data, good.dir);
        (void)snprintf(s.data, sizeof s.data, "%s/copy", good.dir);
        s.config.data = s.data;
        t_open(&s, &o);
        spoil(s.data, "SELECT 1", sql[i]);
        assert_int_equal(event_ticket_init(&t), FL_OK);
        struct event *e = event_new(EVENT_ATTEMPT_RESULT, event_attempt_result_body(&f), &t);
        assert_non_null(e);
        assert_int_equal(fl_queue_put(recorder_queue(s.r), e, fl_deadline_in_ms(30000)), FL_OK);
        assert_int_not_equal(event_ticket_wait(&t, fl_deadline_in_ms(30000), NULL, NULL), FL_OK);
        event_ticket_fini(&t);
        t_close(&s);
        check_with(s.data, vkey, NULL, 0);
        assert_int_not_equal(result.report.verdict, AUDIT_GOOD);
    }
}

static void trigger_dropped(void **state)
{
    (void)state;
    char dir[100];
    (void)snprintf(dir, sizeof dir, "%s/copy", good.dir);
    t_shell("rm -rf %s && cp -r %s %s && sqlite3 %s/flashline.db 'DROP TRIGGER leaf_no_update'", dir, good.data, dir, dir);
    check_with(dir, vkey, NULL, 0);
    expect("trigger dropped", AUDIT_SCHEMA, 0);
    assert_non_null(strstr(audit_worst(&result.report)->text, "leaf_no_update"));
    t_shell("rm -rf %s && cp -r %s %s", dir, good.data, dir);
    char path[200];
    sqlite3 *db;
    (void)snprintf(path, sizeof path, "%s/flashline.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK); /* not its shell, whose newer versions refuse this */
    exec(db, "PRAGMA writable_schema = ON;"
             "UPDATE sqlite_schema SET sql = replace(sql, 'RAISE(ABORT', 'RAISE(IGNORE') WHERE name = 'leaf_no_delete'");
    assert_int_equal(sqlite3_changes(db), 1);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    check_with(dir, vkey, NULL, 0);
    assert_int_not_equal(result.report.verdict, AUDIT_GOOD);
}

/* ---- whole files put back, cut, torn ---------------------------------------------------------------------------- */

static void put_back(void **state)
{
    (void)state;
    char dir[100], older[100], head[200];
    (void)snprintf(dir, sizeof dir, "%s/copy", good.dir);
    (void)snprintf(older, sizeof older, "%s/older/data", good.dir);
    (void)snprintf(head, sizeof head, "%s/checkpoint", good.data);
    const char *heads[] = {head};
    /* B1, the whole folder: nothing in it can tell */
    check_with(older, vkey, NULL, 0);
    expect("B1 alone", AUDIT_GOOD, 0);
    check_with(older, vkey, heads, 1);
    expect("B1 with a head from elsewhere", AUDIT_ROLLBACK, 12);
    /* the database alone: the file checkpoint tells */
    t_shell("rm -rf %s && cp -r %s %s && cp %s/flashline.db %s/", dir, good.data, dir, older, dir);
    check_with(dir, vkey, NULL, 0);
    expect("B2", AUDIT_ROLLBACK, 12);
    struct recorder *r;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    const struct recorder_config c = {.data = dir};
    assert_int_equal(recorder_open(&c, &r, &o, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "rollback"));
    t_shell("grep -q 'the file checkpoint' %s/incident-*.txt", dir);
    /* B3: the older copy goes on working; the two histories then meet in one audit */
    t_shell("rm -rf %s && cp -r %s %s", dir, older, dir);
    struct t_station s = good;
    (void)snprintf(s.data, sizeof s.data, "%s/copy", good.dir);
    s.config.data = s.data;
    t_open(&s, &o);
    struct attempt_facts f = t_attempt(7, OUTCOME_PASS);
    for (int i = 0; i < 4; i++) {
        f = t_attempt(7 + i, OUTCOME_PASS);
        (void)t_result(&s, &f);
    }
    t_close(&s);
    check_with(dir, vkey, heads, 1);
    expect("B3", AUDIT_FORK, 0); /* the only older head that agreed is the folder's own, which is newer than the fork */
}

static void torn_files(void **state)
{
    (void)state;
    char dir[100], torn[100];
    (void)snprintf(dir, sizeof dir, "%s/copy", good.dir);
    (void)snprintf(torn, sizeof torn, "%s/torn/data", good.dir);
    /* as a kill left it: the last records are in the WAL, and the folder is not to be written */
    check_with(torn, vkey, NULL, 0);
    expect("after a kill", AUDIT_GOOD, 0);
    assert_int_equal(result.report.leaves, 14);
    assert_true(result.report.open);
    /* F3: the WAL deleted: the mark is ahead of what is left */
    t_shell("rm -rf %s && cp -r %s %s && rm %s/flashline.db-wal %s/flashline.db-shm", dir, torn, dir, dir, dir);
    check_with(dir, vkey, NULL, 0);
    expect("WAL deleted", AUDIT_ROLLBACK, 12);
    /* F3: the WAL's tail zeroed: SQLite takes it up to the last whole commit */
    t_shell("rm -rf %s && cp -r %s %s && truncate -s 5000 %s/flashline.db-wal && rm -f %s/flashline.db-shm", dir, torn, dir, dir, dir);
    check_with(dir, vkey, NULL, 0);
    expect("WAL torn", AUDIT_ROLLBACK, 12);
    /* F3: pages of zeroes */
    for (int page = 1; page < 30; page += 4) {
        t_shell("rm -rf %s && cp -r %s %s && dd if=/dev/zero of=%s/flashline.db bs=4096 seek=%d count=1 conv=notrunc 2>/dev/null", dir, good.data, dir,
                dir, page);
        check_with(dir, vkey, NULL, 0);
        if (result.report.verdict == AUDIT_GOOD && page < 20)
            fail_msg("page %d of zeroes was not seen", page);
        struct recorder *r = NULL;
        struct recorder_opened o;
        struct fl_why why = {0, ""};
        const struct recorder_config c = {.data = dir};
        if (result.report.verdict != AUDIT_GOOD) {
            enum fl_err err = recorder_open(&c, &r, &o, &why);
            if (!r && err != FL_MISMATCH)
                fail_msg("page %d: %d %s", page, err, why.text);
            recorder_close(r);
        }
    }
    t_shell("rm -rf %s && cp -r %s %s && truncate -s 10000 %s/flashline.db", dir, good.data, dir, dir);
    check_with(dir, vkey, NULL, 0);
    expect("cut file", AUDIT_DATABASE, 0);
    /* each byte of the header: damaged, or one that says nothing; never a database that could not be looked at */
    static const int format[] = {16, 18, 19, 20, 21, 44, 47, 56, 59};
    for (size_t i = 0; i < T_COUNT(format); i++) {
        struct fl_why why = {0, ""};
        const struct check_config c = {.data = dir, .vkey = vkey, .log_only = true};
        t_shell("rm -rf %s && cp -r %s %s && printf '\\377' | dd of=%s/flashline.db bs=1 seek=%d conv=notrunc 2>/dev/null", dir, good.data, dir, dir,
                format[i]);
        if (check_folder(&c, &result, &why))
            fail_msg("byte %d: %s", format[i], why.text);
        if (format[i] == 47)
            expect("format", AUDIT_DATABASE, 0);
    }
    t_shell("echo nonsense >%s/flashline.db", dir);
    check_with(dir, vkey, NULL, 0);
    expect("no database", AUDIT_DATABASE, 0);
}

/* an empty read-only folder's WAL cannot be shared: it is read from a copy, and nothing appears in the folder */
static void evidence_stays_untouched(void **state)
{
    (void)state;
    int status;
    char dir[100];
    (void)snprintf(dir, sizeof dir, "%s/copy", good.dir);
    t_shell("rm -rf %s && cp -r %s/torn/data %s && rm %s/flashline.db-shm && chmod -R a-w %s && chmod 755 %s && chmod -R a+rX %s", dir, good.dir, dir,
            dir, dir, good.dir, dir);
    t_shell("mkdir -m 777 %s/tmp && cd %s && ls -la --full-time . >%s/before", good.dir, dir, good.dir);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        /* a folder of its own to copy to: other programs' copies are none of this test's business */
        char tmp[100];
        (void)snprintf(tmp, sizeof tmp, "%s/tmp", good.dir);
        if (setenv("TMPDIR", tmp, 1) != 0)
            _exit(96);
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
            _exit(99);
        struct fl_why why = {0, ""};
        const struct check_config c = {.data = dir, .vkey = vkey};
        enum fl_err err = check_folder(&c, &result, &why);
        _exit(err ? 98 : result.report.verdict == AUDIT_GOOD && result.report.leaves == 14 ? 0 : 97);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    t_shell("cd %s && ls -la --full-time . | cmp - %s/before", dir, good.dir);
    t_shell("chmod -R u+w %s; rmdir %s/tmp", dir, good.dir); /* empty again */
}

static void keys_and_heads(void **state)
{
    (void)state;
    struct fl_why why = {0, ""};
    check_with(good.data, NULL, NULL, 0);
    expect("own key", AUDIT_GOOD, 0);
    assert_true(result.own_key);
    assert_true(result.mark);
    check_with(good.data, vkey, NULL, 0);
    assert_false(result.own_key);
    assert_true(result.rows_checked && result.rows > 20);
    const char *missing[] = {"/nonexistent/head"};
    struct check_config c = {.data = good.data, .vkey = vkey, .heads = missing, .n_heads = 1};
    assert_int_equal(check_folder(&c, &result, &why), FL_NOT_FOUND);
    c = (struct check_config){.data = good.data, .vkey = "x"};
    assert_int_equal(check_folder(&c, &result, &why), FL_FORMAT);
    c = (struct check_config){.data = "/nonexistent"};
    assert_int_equal(check_folder(&c, &result, &why), FL_NOT_FOUND);
    /* S3: the key in the folder replaced: the auditor's own finds the log good, the folder's does not */
    char dir[100], seed[] = "factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    (void)snprintf(dir, sizeof dir, "%s/copy", good.dir);
    t_shell("rm -rf %s && cp -r %s %s && echo '%s' >%s/key/log.vkey", dir, good.data, dir, seed, dir);
    check_with(dir, vkey, NULL, 0);
    expect("S3, key from paper", AUDIT_GOOD, 0);
    check_with(dir, NULL, NULL, 0);
    assert_int_not_equal(result.report.verdict, AUDIT_GOOD);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_heads), cmocka_unit_test(by_sql),     cmocka_unit_test(shapes), cmocka_unit_test(hostile),
        cmocka_unit_test(second_writer),  cmocka_unit_test(trigger_dropped),
        cmocka_unit_test(put_back),       cmocka_unit_test(torn_files), cmocka_unit_test(evidence_stays_untouched),
    };
    static const struct CMUnitTest kept[] = {cmocka_unit_test(keys_and_heads)};
    return getenv("FL_KEEP") ? cmocka_run_group_tests(kept, setup_group, teardown_group)
                             : cmocka_run_group_tests(tests, setup_group, teardown_group);
}
