/* SPDX-License-Identifier: Apache-2.0
 * make_history: a station's data folder with a history whose truth is known (history.h), for measuring and for tests.
 *
 * make_history --help tells how it is asked.
 *
 * It is a real station: leaves, tree and rows are written by the recorder's own functions (ledger/ledger.h), so that
 * `flashline audit` finds it good and rows follow from leaves. Two things are not as on a line: one signature covers a
 * batch of attempts, and nothing waits for the disk. starts=1 also writes the attempt_start records, as a line does.
 * times=N puts N - 1 copies of the whole history behind it, each later, with other units and lots: millions of attempts in
 * minutes. Their rows are as if they had happened; their leaves are copies, so that an audit does not find those good.
 * Prints one line of JSON: attempts, units, the truth, a MAC to ask for, the image of some units and the one of all. */
#include "history/history.h"

#include "event/event.h"
#include "rows/abridge.h"
#include "store/db.h"
#include "store/folder.h"
#include "record/leaf_make.h"
#include "ledger/ledger.h"
#include "record/recorder.h"

#include "base/clock.h"
#include "base/file.h"

#include <stdio.h>

struct maker {
    struct folder folder;
    char station[FOLDER_STATION_MAX];
    struct vkey vkey;
    struct key *key;
    sqlite3 *db;
    struct ledger *ledger;
    struct abridge *abridge;
    struct fl_buf bytes;
    uint64_t jobs;
    int64_t wall_ms; /* of the last record: time never goes back */
    unsigned pending, batch;
    bool starts;
};

static void die(const char *what, const struct fl_why *why)
{
    fprintf(stderr, "make_history: %s: %s\n", what, why->text);
    exit(1);
}

static void must(enum fl_err err, const char *what, const struct fl_why *why)
{
    if (err)
        die(what, why);
}

/* The recorder makes the folder, the key, the first records; then it lets go. */
static void open_all(struct maker *m, const char *dir)
{
    struct fl_why why = {0, ""};
    struct recorder *r;
    struct recorder_opened o;
    const struct recorder_config c = {.data = dir, .create = true, .station = "bench-1"};
    must(recorder_open(&c, &r, &o, &why), "open", &why);
    recorder_close(r);
    must(folder_paths(dir, &m->folder, &why), "folder", &why);
    must(folder_identity(&m->folder, m->station, &m->vkey, &why), "folder", &why);
    must(folder_key(&m->folder, NULL, &m->vkey, &m->key, &why), "key", &why);
    must(db_open_writer(m->folder.db, false, &m->db, &why), "database", &why);
    must(db_exec(m->db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA cache_size = -400000; PRAGMA locking_mode = EXCLUSIVE", &why),
         "database", &why);
    const struct ledger_config l = {.db = m->db, .vkey = &m->vkey, .signer = &signer_in_process, .signer_config = m->key};
    must(ledger_open(&l, &m->ledger, &why), "log", &why);
    must(ledger_begin(m->ledger, &why), "begin", &why);
    must(abridge_new(&m->abridge, &why), "abridge", &why);
    m->bytes = FL_BUF(LEAF_BYTES_MAX);
}

static void seal(struct maker *m)
{
    struct fl_why why = {0, ""};
    must(ledger_seal(m->ledger, &why), "seal", &why);
    must(ledger_commit(m->ledger, &why), "commit", &why);
    m->pending = 0;
}

static void tell(struct maker *m, enum event_kind kind, json_t *body, int64_t wall_ms)
{
    struct fl_why why = {0, ""};
    json_t *leaf, *told;
    char job[80];
    const int64_t index = (int64_t)ledger_size(m->ledger);
    m->wall_ms = wall_ms > m->wall_ms ? wall_ms : m->wall_ms;
    const struct leaf_common c = {.log = m->vkey.name, .station = m->station, .seq = index, .boot = 1,
                                  .wall_ms = m->wall_ms, .mono_ms = m->wall_ms - 1793456000000};
    (void)snprintf(job, sizeof job, "%s", fl_json_text(body, "job"));
    must(abridge_body(m->abridge, kind, body, &told, &why), "abridge", &why);
    must(leaf_make(&c, kind, told, &leaf, &m->bytes, &why), "leaf", &why);
    must(ledger_append(m->ledger, kind, job, leaf, &m->bytes, &why), "append", &why);
    abridge_told(m->abridge, kind, told, index);
    json_decref(told);
    json_decref(leaf);
    json_decref(body);
    if (++m->pending == m->batch) {
        seal(m);
        must(ledger_begin(m->ledger, &why), "begin", &why);
    }
}

/* Profile k: the loader is the same in all, the program its own. */
static void hash_of(int k, char text[65])
{
    for (int i = 0; i < 32; i++)
        (void)snprintf(text + 2 * (size_t)i, 3, "%02x", (unsigned)(k * 37 + i * 11 + 1) & 255);
}

static void profile(struct maker *m, int k, int64_t wall_ms)
{
    char hash[65], loader[65], app[65], version[16], file[24];
    hash_of(1000 + k, hash);
    hash_of(0, loader);
    hash_of(k + 1, app);
    (void)snprintf(version, sizeof version, "1.%d", k);
    (void)snprintf(file, sizeof file, "app-%d.bin", k);
    tell(m, EVENT_PROFILE,
         json_pack("{ss,ss,ss,ss,ss,s[{si,si,ss,ss},{si,si,ss,ss}]}", "job", hash, "hash", hash, "name", "sensor", "version", version, "text",
                   "profile: sensor\n", "images", "offset", 4096, "size", 26768, "file", "bootloader.bin", "sha256", loader, "offset", 65536,
                   "size", 1048576, "file", file, "sha256", app),
         wall_ms);
}

static const struct {
    const char *fault, *step;
    enum outcome outcome;
} failures[] = {{"verify.md5", "write", OUTCOME_FAIL}, {"ram.checksum", "stub", OUTCOME_ERROR}, {"link.lost", "write", OUTCOME_ERROR},
                {"boot.silent", "boot-check", OUTCOME_FAIL}, {"link.damaged", "stub", OUTCOME_ERROR}};

static void fill(struct maker *m, struct history *h, const struct history_attempt *a, struct attempt_facts *f)
{
    static const char *const steps[] = {"connect", "identify", "gate", "stub", "write", "boot-check"};
    size_t why = a->pass ? 0 : (size_t)history_roll(h, sizeof failures / sizeof *failures);
    const char *last = a->pass ? "boot-check" : failures[why].step;
    *f = (struct attempt_facts){
        .slot = a->slot, .bridge_driver = "cdc_acm", .bridge_vid = a->model ? 0x10c4 : 0x1a86, .bridge_pid = a->model ? 0xea60 : 0x55d4,
        .outcome = a->pass ? OUTCOME_PASS : failures[why].outcome, .fault = a->pass ? "" : failures[why].fault,
        .step = a->pass ? "" : failures[why].step, .tries = 1, .chip = "esp32", .has_mac = true, .revision = 301, .flash_id = 0xc84016,
        .flash_size = 4194304, .secure_boot = 0, .flash_encryption = 0, .stub = "esp32.json", .baud = 921600,
        .bytes_out = 612345, .bytes_in = 4321, .plain_bytes = 1075344, .start_ms = a->start_ms, .duration_ms = (uint32_t)a->ms};
    for (int i = 0; i < 6; i++)
        f->mac[i] = (uint8_t)((uint64_t)(a->unit + 0x246f28000000) >> (40 - 8 * i));
    (void)snprintf(f->job, sizeof f->job, "%08x-0000-4000-8000-%012llx", 7, (unsigned long long)m->jobs++);
    (void)snprintf(f->port, sizeof f->port, "usb:1-1.%d.%d", (a->slot - 1) / 4 + 1, (a->slot - 1) % 4 + 1);
    (void)snprintf(f->bridge_path, sizeof f->bridge_path, "1-1.%d.%d", (a->slot - 1) / 4 + 1, (a->slot - 1) % 4 + 1);
    (void)snprintf(f->lot, sizeof f->lot, "L-%03d", a->lot);
    hash_of(1000 + a->profile, f->profile);
    if (!a->pass)
        (void)snprintf(f->why, sizeof f->why, "what the chip holds at 0x10000 is not what was written");
    for (size_t i = 0; i < 6; i++) {
        f->steps[f->n_steps++] = (struct attempt_step){steps[i], (uint32_t)(a->ms / (i == 4 ? 2 : 20)), 0};
        if (strcmp(steps[i], last) == 0)
            break;
    }
    if (f->n_steps < 5)
        return;
    if (history_chance(h, 0.03)) {
        f->n_rungs = 1;
        f->rungs[0] = (struct attempt_rung){"resend", "link.damaged", 4096, 1, "write"};
        f->steps[4].rungs = 1;
    }
    f->n_regions = 2;
    f->regions[0] = (struct attempt_region){.offset = 4096, .size = 26768, .state = 'v', .writes = 1};
    f->regions[1] = (struct attempt_region){.offset = 65536, .size = 1048576, .state = a->pass ? 'v' : 'w', .writes = 1};
}

static void run(struct maker *m, const struct history_config *config, int64_t attempts)
{
    struct history *h = malloc(sizeof *h);
    struct attempt_facts *f = malloc(sizeof *f);
    struct history_attempt a;
    char mac[24] = "", image[65], loader[65];
    int64_t n = 0, made_units = 0;
    history_open(h, config);
    for (int k = 0; k < config->profiles; k++)
        profile(m, k, config->start_ms);
    while (n < attempts && history_next(h, &a)) {
        fill(m, h, &a, f);
        if (m->starts)
            tell(m, EVENT_ATTEMPT_START, event_attempt_start_body(f), a.start_ms);
        tell(m, EVENT_ATTEMPT_RESULT, event_attempt_result_body(f), a.start_ms + a.ms);
        n++;
        made_units = a.unit + 1 > made_units ? a.unit + 1 : made_units;
        if (a.number == 2)
            event_mac_format(f->mac, 6, mac);
    }
    hash_of(config->profiles > 1 ? 2 : 1, image);
    hash_of(0, loader);
    printf("{\"attempts\":%lld,\"units\":%lld,\"truth\":\"%s\",\"bad\":%lld,\"mac\":\"%s\",\"image\":\"%s\",\"loader\":\"%s\",\"lot\":\"L-%03d\"}\n",
           (long long)n, (long long)made_units, history_truths[config->truth], (long long)h->bad, mac, image, loader, config->lots / 2);
    free(f);
    free(h);
}

/* ---- copies ---------------------------------------------------------------------------------------------- */

/* What becomes of a column in the copy: by its name, so that a column more in the schema needs no change here. */
static const struct {
    const char *table, *column, *value;
} moved[] = {
    {"*", "leaf", "leaf + :leaves"}, {"*", "start_leaf", "start_leaf + :leaves"}, {"*", "first_leaf", "first_leaf + :leaves"},
    {"leaf", "idx", "idx + :leaves"},
    {"leaf", "job", "CAST(char(:copy, :copy) || CAST(substr(job, 3) AS TEXT) AS BLOB)"},
    {"*", "unit", "unit + :units"}, {"unit", "mac", "mac + :units"},
    {"*", "lot", "iif(lot > 0, lot + :lots, 0)"}, {"lot", "id", "id + :lots"}, {"lot", "name", "name || '-' || :copy"},
    {"*", "half", "half + :halves"}, {"*", "start_ms", "start_ms + :halves * 1800000"}, {"tally", "last_ms", "last_ms + :halves * 1800000"},
    {"tally_day", "last_ms", "last_ms + :halves * 1800000"},
};
static const struct {
    const char *name, *where;
} copied[] = {{"leaf", "idx < :leaves_1"}, {"lot", "id BETWEEN 1 AND :lots_1"}, {"unit", "leaf < :leaves_1"}, {"attempt", "leaf < :leaves_1"},
              {"unit_lot", "leaf < :leaves_1"}, {"tally", "half < :half_end"}, {"tally_fault", "half < :half_end"}, {"tally_step", "half < :half_end"},
              {"tally_day", "half < :half_end"}, {"tally_step_day", "half < :half_end"}};

static int64_t number(struct maker *m, const char *sql)
{
    int64_t v = 0;
    struct fl_why why = {0, ""};
    must(db_int(m->db, sql, 0, &v, &why), sql, &why);
    return v;
}

static void copy_table(struct maker *m, size_t t, int k, const int64_t step[4])
{
    struct fl_why why = {0, ""};
    struct fl_buf names = FL_BUF(10000), values = FL_BUF(10000), sql = FL_BUF(30000);
    sqlite3_stmt *s;
    fl_buf_addf(&sql, "SELECT name FROM pragma_table_info('%s')", copied[t].name);
    must(db_prepare(m->db, fl_buf_text(&sql), &s, &why), "columns", &why);
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *column = (const char *)sqlite3_column_text(s, 0), *value = column;
        for (size_t i = 0; i < sizeof moved / sizeof *moved; i++)
            if (strcmp(moved[i].column, column) == 0 && (*moved[i].table == '*' || strcmp(moved[i].table, copied[t].name) == 0))
                value = moved[i].value;
        fl_buf_addf(&names, "%s%s", names.len ? ", " : "", column);
        fl_buf_addf(&values, "%s%s", values.len ? ", " : "", value);
    }
    (void)sqlite3_finalize(s);
    fl_buf_clear(&sql);
    fl_buf_addf(&sql, "INSERT INTO %s (%s) SELECT %s FROM %s WHERE %s", copied[t].name, fl_buf_text(&names), fl_buf_text(&values), copied[t].name,
                copied[t].where);
    must(db_prepare(m->db, fl_buf_text(&sql), &s, &why), "copy", &why);
    const struct {
        const char *name;
        int64_t v;
    } bind[] = {{":leaves", k * step[0]}, {":units", k * step[1]}, {":lots", k * step[2]}, {":halves", k * step[3]}, {":leaves_1", step[0]},
                {":lots_1", step[2]}, {":half_end", 1893456000000 / 1800000 + step[3]}, {":copy", k}};
    for (size_t i = 0; i < sizeof bind / sizeof *bind; i++)
        if (sqlite3_bind_parameter_index(s, bind[i].name))
            (void)sqlite3_bind_int64(s, sqlite3_bind_parameter_index(s, bind[i].name), bind[i].v);
    must(db_run(s, &why), "copy", &why);
    (void)sqlite3_finalize(s);
    fl_buf_fini(&names);
    fl_buf_fini(&values);
    fl_buf_fini(&sql);
}

/* Triggers would count again what is copied, and an index that is made at the end is made faster; afterwards they are as
 * they were. */
static void multiply(struct maker *m, int times)
{
    struct fl_why why = {0, ""};
    struct fl_buf again = FL_BUF(1 << 20), drop = FL_BUF(1 << 20);
    sqlite3_stmt *s;
    must(db_prepare(m->db, "SELECT name, sql, type FROM sqlite_schema WHERE type = 'trigger' OR (type = 'index' AND sql IS NOT NULL)", &s, &why), "triggers", &why);
    while (sqlite3_step(s) == SQLITE_ROW) {
        fl_buf_addf(&drop, "DROP %s %s;", sqlite3_column_text(s, 2), sqlite3_column_text(s, 0));
        fl_buf_addf(&again, "%s;", sqlite3_column_text(s, 1));
    }
    (void)sqlite3_finalize(s);
    const int64_t step[4] = {number(m, "SELECT max(idx) + 1 FROM leaf"), number(m, "SELECT max(mac) - min(mac) + 1 FROM unit"),
                             number(m, "SELECT max(id) FROM lot"), number(m, "SELECT max(half) - min(half) + 48 FROM tally_day")};
    must(db_exec(m->db, "PRAGMA foreign_keys = OFF", &why), "keys", &why);
    must(db_exec(m->db, fl_buf_text(&drop), &why), "triggers", &why);
    for (int k = 1; k < times; k++) {
        must(db_exec(m->db, "BEGIN", &why), "begin", &why);
        for (size_t t = 0; t < sizeof copied / sizeof *copied; t++)
            copy_table(m, t, k, step);
        must(db_exec(m->db, "COMMIT", &why), "commit", &why);
    }
    must(db_exec(m->db, fl_buf_text(&again), &why), "triggers", &why);
    fl_buf_fini(&again);
    fl_buf_fini(&drop);
}

static bool option(const char *arg, const char *name, double *out)
{
    size_t n = strlen(name);
    if (strncmp(arg, name, n) != 0 || arg[n] != '=')
        return false;
    *out = atof(arg + n + 1);
    return true;
}

static void usage(FILE *out)
{
    fputs("make_history: a station's folder with a history whose truth is known, for measuring and for tests\n\n"
          "usage: make_history DIR [attempts=100000] [seed=1] [truth=nothing|slot|lot|hour|image|bridge|units] [slots=64] [lots=40]\n"
          "                    [profiles=8] [models=2] [base=0.02] [bad=0.15] [starts=0] [batch=20000] [times=1]\n\n"
          "  base      probability that an attempt fails by chance\n"
          "  bad       the same where the truth applies\n"
          "  starts    1: attempt_start records too, as a line writes them\n"
          "  batch     attempts under one signature\n"
          "  times     N: N - 1 copies of it behind it, each later and with other units (an audit does not find copies good)\n\n"
          "example:\n"
          "  make_history /tmp/h attempts=20000 truth=slot\n", out);
}

int main(int argc, char **argv)
{
    double attempts = 100000, seed = 1, slots = 64, lots = 40, profiles = 8, models = 2, base = 0.02, bad = 0.15, starts = 0, batch = 20000, times = 1;
    int truth = TRUTH_NOTHING;
    struct maker m = {.db = NULL};
    struct fl_why why = {0, ""};
    const struct {
        const char *name;
        double *to;
    } options[] = {{"attempts", &attempts}, {"seed", &seed}, {"slots", &slots}, {"lots", &lots}, {"profiles", &profiles}, {"models", &models},
                   {"base", &base}, {"bad", &bad}, {"starts", &starts}, {"batch", &batch}, {"times", &times}};
    if (argc > 1 && argv[1][0] == '-') { /* --help, or a slip: no name for a folder */
        bool asked = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
        usage(asked ? stdout : stderr);
        return asked ? 0 : 2;
    }
    for (int i = 2; i < argc; i++) {
        size_t k = 0, known = 0;
        for (int t = 0; t < TRUTH_COUNT; t++)
            if (strncmp(argv[i], "truth=", 6) == 0 && strcmp(argv[i] + 6, history_truths[t]) == 0)
                truth = t, known = 1;
        while (!known && k < sizeof options / sizeof *options && !option(argv[i], options[k].name, options[k].to))
            k++;
        if (k == sizeof options / sizeof *options) {
            fprintf(stderr, "make_history: '%s'?\n", argv[i]);
            return 2;
        }
    }
    if (argc < 2 || slots > (double)HISTORY_SLOTS) {
        usage(stderr);
        return 2;
    }
    const struct history_config c = {.seed = (uint64_t)seed, .truth = (enum history_truth)truth, .units = (int64_t)(attempts / (1 + base)),
                                     .slots = (int)slots, .lots = (int)lots, .profiles = (int)profiles, .models = (int)models, .base = base,
                                     .bad = bad, .start_ms = 1893456000000}; /* 2030-01-01: after the records that the recorder makes now */
    m.batch = (unsigned)batch;
    m.starts = starts > 0;
    open_all(&m, argv[1]);
    run(&m, &c, (int64_t)attempts);
    seal(&m);
    struct fl_buf head = FL_BUF(65536);
    must(ledger_head(m.ledger, &head, &why), "head", &why);
    must(fl_file_replace(m.folder.checkpoint, head.bytes, head.len, 0644, &why), "checkpoint", &why);
    fl_buf_fini(&head);
    abridge_free(m.abridge);
    ledger_close(m.ledger);
    if (times > 1)
        multiply(&m, (int)times);
    must(db_exec(m.db, "PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL", &why), "database", &why);
    (void)sqlite3_close(m.db);
    key_free(m.key);
    folder_fini(&m.folder);
    fl_buf_fini(&m.bytes);
    return 0;
}
