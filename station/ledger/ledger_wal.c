/* SPDX-License-Identifier: Apache-2.0
 * The WAL kept short.
 *
 *   pages in the WAL   behind an answer
 *   PAGES              they go into the file as far as nobody reads older ones; again when there are as many more
 *   LONG, 2 LONG, ...  everybody who reads is waited for, so that it can begin anew. Readers that overlap without end (two audits,
 *                      each in a loop) would never let it, and it would fill the disk
 *
 * Slots wait meanwhile: for a second at first, twice as long after each time that was in vain, since then the readers take longer.
 * Who holds one state of the records for hours is not waited for so long; when he has gone the file gives its room back. */
#include "ledger/ledger_inside.h"

#include "store/db.h"

enum {
    PAGES = 1000, /* SQLite's own measure */
    LONG = 16,    /* times that: 64 MB */
    WAIT_MS = 1000, WAIT_MOST_MS = 16000, /* an answer may take 30 s (lineside) */
};

static void begins_anew(struct ledger *l)
{
    l->wal.move_at = l->wal.measure;
    l->wal.wait_at = l->wal.measure * LONG;
    l->wal.wait_ms = WAIT_MS;
}

static int on_commit(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct ledger *l = ctx;
    (void)db;
    (void)name;
    if (pages < l->wal.pages)
        begins_anew(l);
    l->wal.pages = pages;
    return SQLITE_OK;
}

enum fl_err ledger_wal_open(struct ledger *l, int measure, struct fl_why *why)
{
    char sql[60];
    l->wal.measure = measure ? measure : PAGES;
    begins_anew(l);
    (void)sqlite3_wal_autocheckpoint(l->db, 0);
    (void)sqlite3_wal_hook(l->db, on_commit, l);
    (void)snprintf(sql, sizeof sql, "PRAGMA journal_size_limit = %d", l->wal.wait_at * 4096); /* bytes; a page has 4096 */
    return db_exec(l->db, sql, why);
}

/* Nobody can be in the way but readers: those of the writer's own connection are reset. */
static int move(struct ledger *l, bool wait)
{
    if (!wait)
        return sqlite3_wal_checkpoint_v2(l->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    (void)sqlite3_busy_timeout(l->db, l->wal.wait_ms);
    int rc = sqlite3_wal_checkpoint_v2(l->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    (void)sqlite3_busy_timeout(l->db, DB_BUSY_MS);
    l->wal.wait_at = l->wal.pages + l->wal.measure * LONG;
    l->wal.wait_ms = 2 * l->wal.wait_ms < WAIT_MOST_MS ? 2 * l->wal.wait_ms : WAIT_MOST_MS;
    return rc;
}

enum fl_err ledger_tidy(struct ledger *l, struct fl_why *why)
{
    if (!l->flush || l->wal.pages < l->wal.move_at)
        return FL_OK;
    enum fl_err err = ledger_durable(l, why);
    if (err)
        return err;
    l->wal.move_at = l->wal.pages + l->wal.measure;
    int rc = move(l, l->wal.pages >= l->wal.wait_at) & 0xff;
    return rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? FL_OK : db_fail(l->db, why, "cannot put pages from the WAL into the file");
}
