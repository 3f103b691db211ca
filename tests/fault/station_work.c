/* SPDX-License-Identifier: Apache-2.0
 * station_work DIR work SEEN N: a station that records N attempts and tells each leaf in the file SEEN once it is answered
 * durable, as a slot would show it; and each label that it then said it had printed. Ends with 0 also when the station
 * stopped: what came of it is for
 * station_work DIR check SEEN: opens the station again and holds what is there against what was seen.
 *
 * The signer is in this process, with its memory on disk, so that one process makes every write there is; "apart" for "work":
 * in a process of its own, as flashline has it. */
#include "base/file.h"
#include "cli/cli.h"
#include "event/event.h"
#include "prove/check.h"
#include "record/recorder_hooks.h"
#include "sign/keeper.h"
#include "store/line_past.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { JOB = 37 };
enum { START, RESULT, PRINTED }; /* what is seen */

struct work {
    const char *dir, *seen;
    struct folder folder;
    struct keeper *keeper;
    struct recorder *recorder;
    struct recorder_opened opened;
    int fd;
    bool apart;
};

static int say(const char *what, const struct fl_why *why)
{
    fprintf(stderr, "%s: %s\n", what, why->text);
    return 1;
}

static enum fl_err open_station(struct work *w, struct fl_why *why)
{
    struct seal key = {.ctx = NULL};
    const struct folder_new new = {.station = "fault"};
    const struct recorder_config config = {.data = w->dir, .signer_apart = w->apart};
    const struct keeper_config k = {.key = &key, .memory = w->folder.memory};
    enum fl_err err = fl_path_exists(w->folder.vkey) ? FL_OK : folder_create(&w->folder, &new, why);
    if (!err && w->apart)
        return recorder_open(&config, &w->recorder, &w->opened, why);
    if (!err)
        err = seal_open(w->folder.key, NULL, &key, why);
    if (!err)
        err = keeper_new(&k, &w->keeper, why);
    seal_close(&key);
    const struct recorder_hooks hooks = {.signer = &signer_keeper, .signer_config = &w->keeper, .mark_ms = 1};
    return err ? err : recorder_open_hooked(&config, &hooks, &w->recorder, &w->opened, why);
}

static void close_station(struct work *w)
{
    recorder_close(w->recorder);
    keeper_free(w->keeper);
    w->recorder = NULL;
    w->keeper = NULL;
}

static void job_of(int n, char out[static JOB])
{
    (void)snprintf(out, JOB, "00000000-0000-4000-8000-%012d", n);
}

static enum fl_err put(struct work *w, struct event *e, struct event_ticket *t, int64_t *leaf, struct fl_why *why)
{
    /* however slow the machine is: whoever runs this sees when it hangs */
    enum fl_err err = fl_queue_put(recorder_queue(w->recorder), e, fl_deadline_never());
    if (err)
        event_free(e);
    else
        err = event_ticket_wait(t, fl_deadline_never(), leaf, why);
    return err;
}

/* One leaf, with a parcel on a result, by somebody who was never there before. *leaf: where it is. */
static enum fl_err send_one(struct work *w, int n, bool result, int64_t *leaf, struct fl_why *why)
{
    struct attempt_facts *f = calloc(1, sizeof *f);
    struct event_ticket t;
    if (!f || event_ticket_init(&t))
        abort();
    f->slot = 1;
    f->outcome = OUTCOME_FAIL;
    f->fault = "verify.md5";
    f->step = "verify";
    f->has_mac = true;
    f->mac[5] = (uint8_t)n;
    f->start_ms = 1795334400000;
    f->end_ms = 1795334401000;
    (void)snprintf(f->operator_id, sizeof f->operator_id, "person %d", n);
    (void)strcpy(f->port, "usb:1-1");
    memset(f->profile, 'a', 64);
    job_of(n, f->job);
    struct event *e = event_attempt(result ? EVENT_ATTEMPT_RESULT : EVENT_ATTEMPT_START, f, &t);
    if (!e || (result && event_parcel(e, "label", "p", NULL, "label", 5)))
        abort();
    enum fl_err err = put(w, e, &t, leaf, why);
    event_ticket_fini(&t);
    free(f);
    return err;
}

/* That the label of that record left the printer: on record first, as the line does it (lineside/labels.c). */
static enum fl_err record_printed(struct work *w, int n, int64_t leaf, struct fl_why *why)
{
    struct event_ticket t;
    char job[65];
    json_t *b, *more;
    (void)snprintf(job, sizeof job, "%064d", n);
    enum fl_err err = line_past_attempt(w->dir, leaf, &b, why);
    if (err)
        return err;
    more = json_pack("{ss,ss,ss,sI}", "job", job, "state", "printed", "printer", "p", "attempt", (json_int_t)leaf);
    if (!more || json_object_update(b, more) || event_ticket_init(&t))
        abort();
    json_decref(more);
    struct event *e = event_new(EVENT_LABEL, b, &t);
    if (!e)
        abort();
    err = put(w, e, &t, NULL, why);
    event_ticket_fini(&t);
    return err;
}

/* The printer's side: the label of that record is printed, and must not be again once that is answered. */
static enum fl_err print_one(struct work *w, int n, int64_t leaf, struct fl_why *why)
{
    struct event_ticket t;
    sqlite3 *db;
    sqlite3_stmt *s;
    int64_t id = 0;
    if (sqlite3_open_v2(w->folder.db, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK && sqlite3_busy_timeout(db, 5000) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT id FROM outbox WHERE leaf = ? AND state = 0", -1, &s, NULL) == SQLITE_OK) {
        if (sqlite3_bind_int64(s, 1, leaf) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
            id = sqlite3_column_int64(s, 0);
        (void)sqlite3_finalize(s);
    }
    (void)sqlite3_close(db);
    if (!id)
        return fl_fail(why, FL_NOT_FOUND, "no label waits for record %lld", (long long)leaf);
    enum fl_err err = record_printed(w, n, leaf, why);
    if (err)
        return err;
    if (event_ticket_init(&t))
        abort();
    struct event *e = event_leafless(&t);
    if (!e || event_parcel_result(e, id, PARCEL_SENT, 0, NULL))
        abort();
    err = put(w, e, &t, NULL, why);
    event_ticket_fini(&t);
    return err;
}

/* A number that no attempt has yet. */
static int first_free(struct work *w)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    int n = 0;
    if (sqlite3_open_v2(w->folder.db, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT count(*) FROM leaf WHERE kind = 3", -1, &s, NULL) == SQLITE_OK) {
        if (sqlite3_step(s) == SQLITE_ROW)
            n = sqlite3_column_int(s, 0);
        (void)sqlite3_finalize(s);
    }
    (void)sqlite3_close(db);
    return n;
}

/* By writev(2), which nothing else uses: a fault put into the station's writes does not hit it. */
static void tell(struct work *w, int n, int what, int64_t leaf)
{
    char line[60];
    int len = snprintf(line, sizeof line, "%d %d %lld\n", n, what, (long long)leaf);
    struct iovec one = {line, (size_t)len};
    if (writev(w->fd, &one, 1) != len)
        abort();
}

static int work(struct work *w, int count)
{
    struct fl_why why = {0, ""};
    w->fd = open(w->seen, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    enum fl_err err = open_station(w, &why);
    for (int n = err ? 0 : first_free(w), end = n + count; n < end && !err; n++) {
        int64_t leaf;
        for (int what = START; what <= RESULT && !err; what++) {
            err = send_one(w, n, what == RESULT, &leaf, &why);
            if (!err)
                tell(w, n, what, leaf);
        }
        if (!err)
            err = print_one(w, n, leaf, &why);
        if (!err)
            tell(w, n, PRINTED, leaf);
    }
    if (err)
        fprintf(stderr, "stopped: %s\n", why.text);
    close_station(w);
    return 0;
}

/* ---- afterwards --------------------------------------------------------------------------------------------- */

static int query(sqlite3 *db, const char *sql, int64_t want)
{
    sqlite3_stmt *s;
    int64_t got = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        got = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    if (got != want)
        fprintf(stderr, "%s: %lld, expected %lld\n", sql, (long long)got, (long long)want);
    return got != want;
}

static bool was_printed(struct work *w, int64_t leaf)
{
    char sql[100];
    sqlite3 *db;
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM outbox WHERE leaf = %lld AND state = 1", (long long)leaf);
    bool yes = sqlite3_open_v2(w->folder.db, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK && query(db, sql, 1) == 0;
    (void)sqlite3_close(db);
    return yes;
}

/* Everything seen is there, at its place; told again it is the same. */
static int seen_is_durable(struct work *w)
{
    FILE *f = fopen(w->seen, "r");
    int n, what, bad = 0;
    long long leaf;
    while (f && fscanf(f, "%d %d %lld", &n, &what, &leaf) == 3) {
        struct fl_why why = {0, ""};
        int64_t now = -1;
        if (what == PRINTED) {
            bad |= !was_printed(w, leaf);
        } else if (send_one(w, n, what == RESULT, &now, &why) || now != leaf) {
            fprintf(stderr, "attempt %d: %s was seen as leaf %lld and is %lld now: %s\n", n, what == RESULT ? "end" : "start", leaf,
                    (long long)now, why.text);
            bad = 1;
        }
    }
    if (f)
        (void)fclose(f);
    return bad;
}

static int rows(struct work *w)
{
    sqlite3 *db;
    if (sqlite3_open_v2(w->folder.db, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        return 1;
    int bad = query(db, "SELECT (SELECT max(size) FROM checkpoint) - (SELECT count(*) FROM leaf)", 0);
    bad |= query(db, "SELECT count(*) FROM (SELECT 1 FROM leaf WHERE job IS NOT NULL GROUP BY job, kind HAVING count(*) > 1)", 0);
    /* every start has one end, a result or an interruption */
    bad |= query(db, "SELECT count(*) FROM leaf s WHERE s.kind = 3 AND "
                     "(SELECT count(*) FROM leaf e WHERE e.job = s.job AND e.kind IN (4, 5)) <> 1", 0);
    bad |= query(db, "SELECT count(*) FROM attempt a WHERE (SELECT count(*) FROM attempt b WHERE b.start_leaf = a.start_leaf) <> 1", 0);
    /* and every result its one parcel */
    bad |= query(db, "SELECT (SELECT count(*) FROM leaf WHERE kind = 4) - (SELECT count(*) FROM outbox)", 0);
    bad |= query(db, "SELECT count(*) FROM leaf l WHERE l.kind = 4 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.leaf = l.idx)", 0);
    /* whoever the log names by a tag is known by name */
    bad |= query(db, "SELECT count(*) FROM operator o WHERE o.id > 0 AND NOT EXISTS (SELECT 1 FROM person p WHERE p.tag = o.name)", 0);
    (void)sqlite3_close(db);
    return bad;
}

static int check(struct work *w)
{
    struct fl_why why = {0, ""};
    struct check_result *r = malloc(sizeof *r);
    const struct check_config c = {.data = w->dir};
    if (!r || open_station(w, &why)) {
        free(r);
        return say("the station does not open again", &why);
    }
    unsigned recovered = w->opened.recovered;
    int bad = seen_is_durable(w);
    close_station(w);
    if (check_folder(&c, r, &why))
        bad = say("the folder cannot be checked", &why);
    else if (r->report.verdict != AUDIT_GOOD || !r->mark) {
        fprintf(stderr, "verdict %s: %s\n", audit_class_name(r->report.verdict), r->report.n_findings ? r->report.finding[0].text : "");
        bad = 1;
    }
    bad |= rows(w);
    printf("%s, %llu leaves, %u made again\n", bad ? "bad" : "good", (unsigned long long)r->report.leaves, recovered);
    free(r);
    return bad;
}

int main(int argc, char **argv)
{
    struct work w = {.fd = -1};
    if (argc > 1 && strcmp(argv[1], "signer") == 0) /* as its own child */
        return cmd_signer.run(argc - 1, argv + 1);
    struct fl_why why = {0, ""};
    if (argc < 4)
        return 2;
    w.dir = argv[1];
    w.seen = argv[3];
    if (folder_paths(w.dir, &w.folder, &why))
        return say("paths", &why);
    w.apart = strcmp(argv[2], "apart") == 0;
    int code = argc == 5 ? work(&w, atoi(argv[4])) : check(&w);
    folder_fini(&w.folder);
    if (w.fd >= 0)
        (void)close(w.fd);
    return code;
}
