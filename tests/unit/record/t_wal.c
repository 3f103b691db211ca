/* SPDX-License-Identifier: Apache-2.0
 * The WAL beside readers: it does not grow for ever where they overlap without end, and gives its room back behind one that held
 * an old state for long. */
#include "unit/t.h"

#include "unit/record/station.h"

#include "sign/keeper.h"
#include "store/folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MEASURE = 40,                /* pages that are many here */
    LONG = MEASURE * 16 * 4096,  /* bytes: then readers are waited for (ledger_wal.c), and no more is left in the file */
    HOLD_MS = 60,                /* how long each of the overlapping readers reads */
};

struct t_wal {
    struct t_station s;
    struct keeper *keeper;
    char db[200];
    atomic_bool stop;
    atomic_uint rounds;
};

static int setup(void **state)
{
    struct t_wal *t = calloc(1, sizeof *t);
    struct folder f;
    struct seal key = {.ctx = NULL};
    struct recorder_opened opened;
    t_station_make(&t->s);
    (void)strcpy(t->db, t_path(&t->s, "flashline.db"));
    assert_int_equal(folder_paths(t->s.data, &f, NULL), FL_OK);
    assert_int_equal(folder_create(&f, &(struct folder_new){.station = "bench-1"}, NULL), FL_OK);
    assert_int_equal(seal_open(f.key, NULL, &key, NULL), FL_OK);
    assert_int_equal(keeper_new(&(struct keeper_config){.key = &key, .memory = f.memory}, &t->keeper, NULL), FL_OK);
    folder_fini(&f);
    t->s.hooks = (struct recorder_hooks){.signer = &signer_keeper, .signer_config = &t->keeper, .wal_pages = MEASURE};
    t_open(&t->s, &opened);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct t_wal *t = *state;
    t_close(&t->s);
    keeper_free(t->keeper);
    t_station_remove(&t->s);
    free(t);
    return 0;
}

static long wal_bytes(struct t_wal *t)
{
    char path[220];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s-wal", t->db);
    assert_int_equal(stat(path, &st), 0);
    return (long)st.st_size;
}

static sqlite3 *begin_reading(const char *path)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 10000);
    assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM leaf", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

/* One begins before the other ends, always. */
static void *read_without_end(void *ctx)
{
    struct t_wal *t = ctx;
    sqlite3 *now = begin_reading(t->db);
    while (!atomic_load(&t->stop)) {
        (void)usleep(HOLD_MS * 1000 / 2);
        sqlite3 *next = begin_reading(t->db);
        (void)usleep(HOLD_MS * 1000 / 2);
        (void)sqlite3_close(now);
        now = next;
        atomic_fetch_add(&t->rounds, 1);
    }
    (void)sqlite3_close(now);
    return NULL;
}

/* As many records as have so many bytes where each is twelve pages; the smallest are half of that. */
static void record(struct t_wal *t, long bytes)
{
    for (long i = 0; i < bytes / (12 * 4096); i++)
        (void)t_told(&t->s, EVENT_OPERATOR, json_pack("{ss,ss}", "operator", "eva", "change", i % 2 ? "end" : "begin"));
}

static void readers_that_overlap_without_end(void **state)
{
    struct t_wal *t = *state;
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, read_without_end, t), 0);
    while (!atomic_load(&t->rounds))
        (void)usleep(1000);
    record(t, 12L * LONG);
    long bytes = wal_bytes(t);
    atomic_store(&t->stop, true);
    (void)pthread_join(reader, NULL);
    if (bytes > 2L * LONG) /* waited for once in vain, perhaps, where the machine is slow */
        fail_msg("the WAL has %ld bytes, and nobody read longer than %d ms", bytes, HOLD_MS);
    t_verdict(&t->s, AUDIT_GOOD);
}

/* Until the WAL has more than `bytes`, while somebody keeps it from beginning anew. */
static void record_until(struct t_wal *t, long bytes)
{
    for (int i = 0; wal_bytes(t) <= bytes; i++) {
        assert_true(i < 1000);
        record(t, LONG / 20);
    }
}

static void one_that_reads_long_and_leaves(void **state)
{
    struct t_wal *t = *state;
    sqlite3 *reader = begin_reading(t->db);
    record_until(t, LONG / 2); /* not so long that he is waited for */
    record_until(t, 3L * LONG / 2); /* waited for in vain, and it goes on */
    (void)sqlite3_close(reader);
    record(t, LONG);
    if (wal_bytes(t) > LONG)
        fail_msg("%ld bytes stay in the WAL when nobody reads any more", wal_bytes(t));
    t_verdict(&t->s, AUDIT_GOOD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers_that_overlap_without_end, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_reads_long_and_leaves, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
