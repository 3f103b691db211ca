/* SPDX-License-Identifier: Apache-2.0
 * bench-log [--quick | --verify FOLDER | --commits FOLDER [N]]: what the signed log costs, as rows for scripts/bench: {what,
 * value, unit, limit, target, ...}.
 *
 * Durable commits beside what the disk gives to a program that does nothing but append 4 KiB and wait for it: with a signer in a
 * process of its own, which remembers each head on disk before its signature leaves, as flash and run have it, and with the
 * key in the process. One record at a time, each in a commit of its own: how long a slot waits. Many slots at once share
 * commits: what a station gets through. 64 attempts end together. The re-verification that every start makes. A proof out of a tree
 * of ten million leaves. */
#include "log.h"

#include "base/clock.h"
#include "base/file.h"
#include "event/event.h"
#include "store/db.h"
#include "store/shapes.h"
#include "ledger/ledger.h"
#include "record/recorder_hooks.h"
#include "ledger/start.h"
#include "sign/remote.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { PUT_MS = 60000, BATCH = 256, SLOTS = 64 };

static char dir[200];
static bool quick;

void bench_die(const char *what, const struct fl_why *why)
{
    fprintf(stderr, "bench-log: %s: %s\n", what, why->text);
    exit(1);
}

double bench_core_seconds(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
        exit(1);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of this process, or of its children that ended: a signer's, once its station is closed. */
static double processor_seconds(int who)
{
    struct rusage u;
    if (getrusage(who, &u) != 0)
        exit(1);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double seconds(void)
{
    return (double)fl_mono_ns() / 1e9;
}

void bench_row(const char *what, double value, const char *unit, double limit, double target, bool most, const char *note)
{
    bool met = most ? value <= target : value >= target;
    printf("{\"what\":\"%s\",\"value\":%.4g,\"min\":%.4g,\"max\":%.4g,\"runs\":1,\"unit\":\"%s\"", what, value, value, value, unit);
    if (limit > 0)
        printf(",\"limit\":%.4g", limit);
    if (target > 0)
        printf(",\"target\":%.4g,\"sense\":\"%s\",\"met\":%s", target, most ? "<=" : ">=", met ? "true" : "false");
    printf(",\"note\":\"%s\"}\n", note);
    (void)fflush(stdout);
}

/* ---- the disk alone ---------------------------------------------------------------------------------------------- */

struct bare {
    char path[300];
    int fd;
};

static void bare_open(struct bare *b)
{
    (void)snprintf(b->path, sizeof b->path, "%s/bare", dir);
    b->fd = open(b->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (b->fd < 0)
        exit(1);
}

/* Seconds for n times 4 KiB appended and waited for. */
static double bare_run(struct bare *b, unsigned n)
{
    static uint8_t page[4096];
    double start = seconds();
    for (unsigned i = 0; i < n; i++)
        if (write(b->fd, page, sizeof page) != (ssize_t)sizeof page || fdatasync(b->fd) != 0)
            exit(1);
    return seconds() - start;
}

static void bare_close(struct bare *b)
{
    (void)close(b->fd);
    (void)unlink(b->path);
}

/* ---- a station ---------------------------------------------------------------------------------------------------- */

struct station {
    char data[300];
    struct recorder *r;
    struct remote *signer;
    unsigned jobs; /* rounds of attempts so far */
};

/* apart: with a signer as flash and run have it, a process of its own that remembers. */
static void open_station(struct station *s, const char *name, bool apart)
{
    struct fl_why why = {0, ""};
    struct folder f;
    struct recorder_opened o;
    struct recorder_hooks hooks = {.ctx = NULL};
    const struct folder_new new = {.station = "bench"};
    const struct recorder_config c = {.data = s->data};
    memset(s, 0, sizeof *s);
    (void)snprintf(s->data, sizeof s->data, "%s/%s", dir, name);
    if (folder_paths(s->data, &f, &why) || folder_create(&f, &new, &why))
        bench_die("folder", &why);
    const char *program = getenv("BENCH_FL");
    const struct remote_child child = {.program = program ? program : "build/release/flashline", .key = f.key, .memory = f.memory};
    if (apart) {
        if (remote_start(&child, &s->signer, &why))
            bench_die("signer", &why);
        hooks.signer = &signer_remote;
        hooks.signer_config = &s->signer;
    }
    if (recorder_open_hooked(&c, &hooks, &s->r, &o, &why))
        bench_die("station", &why);
    folder_fini(&f);
}

static void close_station(struct station *s)
{
    recorder_close(s->r);
    remote_free(s->signer);
}

/* An attempt's start or, with the same job, its end: a record as a station makes it. NULL job: a heartbeat, the smallest. */
static struct event *make(const char *job, bool end, unsigned n, struct event_ticket *t)
{
    struct attempt_facts f;
    if (!job)
        return event_new(EVENT_HEARTBEAT, json_object(), t);
    f = (struct attempt_facts){
        .slot = 1, .port = "usb:1-1.4.1", .outcome = OUTCOME_PASS, .fault = "", .step = "verify", .tries = 1, .chip = "esp32",
        .has_mac = true, .mac = {0x24, 0x6f, 0x28, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, .revision = 301,
        .stub = "esp32.json", .baud = 921600, .bytes_out = 612345, .plain_bytes = 1048576, .start_ms = 1795334400000,
        .end_ms = 1795334408123, .duration_ms = 8123, .n_steps = 2, .steps = {{"connect", 312}, {"write", 7000}}, .n_regions = 1,
        .regions = {{.offset = 4096, .size = 1048576, .state = 'v', .writes = 1}},
    };
    (void)strcpy(f.job, job);
    memset(f.profile, 'a', 64);
    return event_attempt(end ? EVENT_ATTEMPT_RESULT : EVENT_ATTEMPT_START, &f, t);
}

/* Seconds for n records one after the other, each waited for; `unit` is the first board's number. */
static double commits(struct station *s, unsigned unit, unsigned n)
{
    struct event_ticket t;
    struct fl_why why = {0, ""};
    char job[EVENT_JOB_TEXT];
    if (event_ticket_init(&t))
        exit(1);
    double start = seconds();
    for (unsigned i = 0; i < n; i++) {
        if (i % 2 == 0 && event_job(job))
            exit(1);
        event_ticket_reset(&t);
        if (fl_queue_put(recorder_queue(s->r), make(job, i % 2, unit + i / 2, &t), fl_deadline_in_ms(PUT_MS)) ||
            event_ticket_wait(&t, fl_deadline_never(), NULL, &why))
            bench_die("commit", &why);
    }
    double took = seconds() - start;
    event_ticket_fini(&t);
    return took;
}

/* Beside the bare disk, a few of each by turns: other work on the machine hits both alike. */
static void commit_rows(struct station *s, const char *what, unsigned n, bool apart)
{
    enum { TURN = 20 };
    struct bare b;
    char note[100];
    double disk = 0, took = 0, processor = 0;
    bare_open(&b);
    (void)commits(s, 0, TURN); /* the signer makes the files of its memory once in a station's life */
    for (unsigned i = 0; i < n; i += TURN) {
        disk += bare_run(&b, TURN);
        processor -= processor_seconds(RUSAGE_SELF);
        took += commits(s, i, TURN);
        processor += processor_seconds(RUSAGE_SELF);
    }
    bare_close(&b);
    double bare = n / disk, rate = n / took;
    (void)snprintf(note, sizeof note, "bare disk beside it: %.0f/s; two waits one after the other could be %.0f/s", bare, bare / 2);
    if (!apart)
        (void)snprintf(note, sizeof note, "bare disk beside it: %.0f/s", bare);
    bench_row(what, rate, "/s", bare, 200, false, note);
    bench_row("  of the bare disk's rate", rate / bare, "", 1, 0.8, false, apart ? "two in a row could reach 0.5" : "");
    bench_row("  a commit beyond the disk's own time", 1e6 / rate - 1e6 / bare, "us", 0, 0, false, "");
    bench_row("  processor time of a commit", processor / n * 1e6, "us", 0, 0, false,
        apart ? "one slot and the recorder; the signer's: below" : "one slot, recorder and signer");
}

/* ---- many at once --------------------------------------------------------------------------------------------------- */

struct slot {
    struct station *s;
    pthread_t thread;
    unsigned n, records;
};

static void *slot_main(void *ctx)
{
    struct slot *t = ctx;
    (void)commits(t->s, 65536 * (t->n + 1), t->records);
    return NULL;
}

static int64_t heads_of(struct station *s)
{
    struct fl_why why = {0, ""};
    struct folder f;
    struct db_reader reader;
    int64_t n;
    if (folder_paths(s->data, &f, &why) || db_open_reader(f.db, false, &reader, &why) ||
        db_int(reader.db, "SELECT count(*) FROM checkpoint", 0, &n, &why))
        bench_die("heads", &why);
    db_close_reader(&reader);
    folder_fini(&f);
    return n;
}

static void shared_rows(struct station *s, unsigned records)
{
    enum { BARE = 100 };
    static struct slot slot[SLOTS];
    char note[100];
    struct bare b;
    int64_t before = heads_of(s);
    bare_open(&b);
    double disk = bare_run(&b, BARE), start = seconds();
    for (unsigned i = 0; i < SLOTS; i++) {
        slot[i] = (struct slot){.s = s, .n = i, .records = records};
        if (pthread_create(&slot[i].thread, NULL, slot_main, &slot[i]) != 0)
            exit(1);
    }
    for (unsigned i = 0; i < SLOTS; i++)
        (void)pthread_join(slot[i].thread, NULL);
    double took = seconds() - start, n = (double)SLOTS * records, heads = (double)(heads_of(s) - before);
    disk += bare_run(&b, BARE);
    bare_close(&b);
    double bare = 2 * BARE / disk;
    (void)snprintf(note, sizeof note, "%.0f commits/s, %.1f records in each; bare disk before and after: %.0f/s", heads / took, n / heads, bare);
    bench_row("64 slots, each waits for each record", n / took, "records/s", bare, 0, false, note);
    bench_row("  of the bare disk's rate", n / took / bare, "", 0, 0.8, false, "what waits together shares one wait for the disk");
}

/* As fast as the queue takes them; the last one's answer ends it. */
static double leaves(struct station *s, unsigned n, bool attempts)
{
    struct event_ticket t;
    struct fl_why why = {0, ""};
    char job[EVENT_JOB_TEXT];
    if (event_ticket_init(&t))
        exit(1);
    double start = seconds();
    for (unsigned i = 0; i < n; i++) {
        if (attempts && i % 2 == 0 && event_job(job))
            exit(1);
        if (fl_queue_put(recorder_queue(s->r), make(attempts ? job : NULL, i % 2, i / 2, i + 1 == n ? &t : NULL), fl_deadline_in_ms(PUT_MS)))
            exit(1);
    }
    if (event_ticket_wait(&t, fl_deadline_never(), NULL, &why))
        bench_die("leaves", &why);
    double rate = n / (seconds() - start);
    event_ticket_fini(&t);
    return rate;
}

/* ---- many slots at once ----------------------------------------------------------------------------------------------- */

enum { WITHIN_US = 1000000 };

struct slot_ends {
    struct station *s;
    unsigned n, after_us; /* its attempt ends so long after the gate opened */
    pthread_barrier_t *gate;
    double durable, start; /* seconds: an end's wait for its record; the next attempt's start, from that end on */
};

static void put_wait(struct station *s, struct event *e, struct event_ticket *t)
{
    struct fl_why why = {0, ""};
    if (!e || fl_queue_put(recorder_queue(s->r), e, fl_deadline_in_ms(PUT_MS)) ||
        event_ticket_wait(t, fl_deadline_never(), NULL, &why))
        bench_die("slot", &why);
}

/* As a slot does it: a start durable before the unit is touched, an end durable before PASS is shown, then the next. */
static void *slot_ends(void *arg)
{
    struct slot_ends *me = arg;
    struct event_ticket t;
    char job[EVENT_JOB_TEXT], next[EVENT_JOB_TEXT];
    if (event_ticket_init(&t) || event_job(job) || event_job(next))
        exit(1);
    put_wait(me->s, make(job, false, me->n, &t), &t);
    (void)pthread_barrier_wait(me->gate);
    (void)usleep(me->after_us);
    double end = seconds();
    event_ticket_reset(&t);
    put_wait(me->s, make(job, true, me->n, &t), &t);
    me->durable = seconds() - end;
    event_ticket_reset(&t);
    put_wait(me->s, make(next, false, me->n + SLOTS, &t), &t);
    me->start = seconds() - end;
    event_ticket_fini(&t);
    return NULL;
}

static void burst(struct station *s, unsigned within_us, const char *name)
{
    static struct slot_ends slot[SLOTS];
    static pthread_t thread[SLOTS];
    pthread_barrier_t gate;
    double durable = 0, start = 0;
    char what[100];
    if (pthread_barrier_init(&gate, NULL, SLOTS))
        exit(1);
    for (unsigned i = 0; i < SLOTS; i++) {
        slot[i] = (struct slot_ends){.s = s, .n = 1000000 + 2 * SLOTS * s->jobs + i, .after_us = within_us / SLOTS * i, .gate = &gate};
        if (pthread_create(&thread[i], NULL, slot_ends, &slot[i]) != 0)
            exit(1);
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        (void)pthread_join(thread[i], NULL);
        durable = slot[i].durable > durable ? slot[i].durable : durable;
        start = slot[i].start > start ? slot[i].start : start;
    }
    s->jobs++;
    (void)pthread_barrier_destroy(&gate);
    (void)snprintf(what, sizeof what, "%u attempts ending %s: the slowest to be durable", (unsigned)SLOTS, name);
    bench_row(what, durable * 1000, "ms", 0, 250, true, "");
    (void)snprintf(what, sizeof what, "%u attempts ending %s: the longest until a slot's next start is recorded", (unsigned)SLOTS, name);
    bench_row(what, start * 1000, "ms", 0, 50, true, "its end's record and its start's, one behind the other");
}

/* ---- reading it all again ------------------------------------------------------------------------------------------- */

static double verify(const char *data, double *bytes)
{
    struct fl_why why = {0, ""};
    struct folder f;
    struct vkey vkey;
    struct start_found found;
    char station[FOLDER_STATION_MAX];
    struct db_reader reader;
    int64_t n, sum;
    if (folder_paths(data, &f, &why) || folder_identity(&f, station, &vkey, &why) || db_open_reader(f.db, false, &reader, &why) ||
        db_int(reader.db, "SELECT count(*) FROM leaf", 0, &n, &why) || db_int(reader.db, "SELECT sum(length(rec)) FROM leaf", 0, &sum, &why))
        bench_die("verify", &why);
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        double start = bench_core_seconds();
        if (start_verify(&f, reader.db, &vkey, &found, &why))
            bench_die("verify", &why);
        double took = bench_core_seconds() - start;
        best = took < best ? took : best;
    }
    db_close_reader(&reader);
    folder_fini(&f);
    *bytes = (double)sum / (double)n;
    return (double)n / best;
}

static void clean(void)
{
    char cmd[300];
    (void)snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    if (system(cmd) != 0)
        fprintf(stderr, "bench-log: %s is left\n", dir);
}

int main(int argc, char **argv)
{
    struct station here, apart, small;
    const char *base = getenv("BENCH_OUT");
    double bytes;
    quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    if (argc == 3 && strcmp(argv[1], "--verify") == 0) { /* one folder again and again, for a profiler */
        printf("%.0f leaves/s\n", verify(argv[2], &bytes));
        return 0;
    }
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "--commits") == 0) { /* so many in a new station there, for profilers */
        unsigned n = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 1000;
        (void)snprintf(dir, sizeof dir, "%s", argv[2]);
        open_station(&apart, "commits", true);
        printf("%.0f commits/s\n", n / commits(&apart, 0, n));
        close_station(&apart);
        return 0;
    }
    (void)snprintf(dir, sizeof dir, "%s/log-XXXXXX", base ? base : "build");
    if (!mkdtemp(dir))
        return 1;
    if (!getenv("BENCH_KEEP"))
        (void)atexit(clean);

    open_station(&apart, "apart", true);
    commit_rows(&apart, "durable signed commits, as a line makes them", quick ? 400 : 2000, true);
    shared_rows(&apart, quick ? 20 : 100);
    burst(&apart, WITHIN_US, "within one second");
    burst(&apart, 0, "in the same moment");
    double rate = leaves(&apart, quick ? 4000 : 20000, true);
    bench_row("attempts in batches, as a line makes them", rate, "leaves/s", 0, 0, false, "with all rows that reports need");
    double heads = (double)heads_of(&apart);
    close_station(&apart);
    bench_row("processor time of a head in the signer", processor_seconds(RUSAGE_CHILDREN) / heads * 1e6, "us", 0, 0, false, "its start counted in");
    open_station(&here, "here", false);
    commit_rows(&here, "durable signed commits, key in the process", quick ? 400 : 2000, false);
    open_station(&small, "small", false);
    rate = leaves(&small, quick ? 250000 : 1000000, false);
    bench_row("small records in batches of 256", rate, "leaves/s", 0, 20000, false, "");
    close_station(&small);
    (void)leaves(&here, quick ? 4000 : 40000, true);
    close_station(&here);
    rate = verify(small.data, &bytes);
    char note[80];
    (void)snprintf(note, sizeof note, "records of %.0f bytes, the newest 1000 signatures", bytes);
    /* so many signatures cost what half of a short log's records do: only a long one is held to the target */
    bench_row("re-verification at the start, small records", rate, "leaves/s", 0, quick ? 0 : 500000, false, note);
    rate = verify(here.data, &bytes);
    (void)snprintf(note, sizeof note, "records of %.0f bytes, the newest 1000 signatures", bytes);
    bench_row("re-verification at the start, attempts", rate, "leaves/s", 0, 0, false, note);
    bench_proofs(dir, here.data, quick ? 1000000 : 10000000);
    return 0;
}
