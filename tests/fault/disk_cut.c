/* SPDX-License-Identifier: Apache-2.0
 * disk_cut [--seeds N] [--seed S] [--some N] [--jobs N] [--quiet S] [--keep FOLDER] LOG BEFORE SCRATCH COMMAND...: the power is
 * cut after every call in LOG (disk_trace), in each way that disk.h knows and N by chance; what the disk then holds of the folder
 * BEFORE is put into SCRATCH, and COMMAND must say 0 about it. In COMMAND %d is that folder, %s a file with what people had seen.
 * It may be as slow as the machine is, but not sleep for S seconds (watch.h). The same disk is looked at once, with all that was
 * seen by then; --some: N of them, evenly chosen.
 * Exit: 0 all good, 1 not; what failed is kept in FOLDER. The last line: what was done. */
#include "fault/disk.h"
#include "fault/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED_MAX = 5, JOBS_MAX = 16 };

struct calls {
    const uint8_t *p;
    size_t n, at, index;
};

struct one {
    struct disk_head head;
    char path[DISK_PATH_MAX], to[DISK_PATH_MAX];
    const uint8_t *bytes;
};

/* One way of one cut. */
struct way {
    size_t index; /* of the last call that was done */
    enum disk_left left;
    uint64_t seed, hash;
};

struct cutting {
    struct calls log;
    const char *before, *scratch, *keep;
    char **argv;
    unsigned seeds, some, jobs, quiet_s;
    uint64_t seed;
    struct way *way;
    size_t n, cap, calls;
};

static void die(const char *what)
{
    fprintf(stderr, "disk_cut: %s: %s\n", what, strerror(errno));
    exit(99);
}

/* ---- the log ----------------------------------------------------------------------------------------------------------- */

static struct calls open_log(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size < 8)
        die(path);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED || memcmp(p, DISK_LOG_MAGIC, 8) != 0)
        die(path);
    (void)close(fd);
    return (struct calls){p, (size_t)st.st_size, 8, 0};
}

static bool next_call(struct calls *c, struct one *o)
{
    if (c->at + sizeof o->head > c->n)
        return false;
    memcpy(&o->head, c->p + c->at, sizeof o->head);
    c->at += sizeof o->head;
    if (o->head.path_n >= DISK_PATH_MAX || o->head.to_n >= DISK_PATH_MAX || c->at + o->head.path_n + o->head.to_n + o->head.n > c->n)
        return false;
    memcpy(o->path, c->p + c->at, o->head.path_n);
    o->path[o->head.path_n] = 0;
    c->at += o->head.path_n;
    memcpy(o->to, c->p + c->at, o->head.to_n);
    o->to[o->head.to_n] = 0;
    c->at += o->head.to_n;
    o->bytes = c->p + c->at;
    c->at += o->head.n;
    return true;
}

/* ---- which disks there can be --------------------------------------------------------------------------------------------- */

static void consider(struct cutting *c, const struct disk *d, size_t index, enum disk_left left, uint64_t seed)
{
    if (c->n == c->cap && !(c->way = realloc(c->way, (c->cap = c->cap ? 2 * c->cap : 1024) * sizeof *c->way)))
        die("memory");
    struct disk_state *s = disk_cut(d, left, seed);
    c->way[c->n++] = (struct way){index, left, seed, disk_state_hash(s)};
    disk_state_free(s);
}

static void consider_all(struct cutting *c)
{
    struct calls log = c->log;
    struct one o;
    struct disk *d = disk_load(c->before);
    while (next_call(&log, &o))
        c->calls++;
    log = c->log;
    /* a few are wanted: several times as many are enough to choose from */
    size_t each = c->some ? c->calls * (DISK_CHANCE + c->seeds) / (8u * c->some) + 1 : 1;
    for (size_t i = 0; next_call(&log, &o); i++) {
        disk_call(d, i, &o.head, o.path, o.to, o.bytes);
        if (i % each != c->seed % each)
            continue;
        for (int left = DISK_ALL; left < DISK_CHANCE; left++)
            consider(c, d, i, (enum disk_left)left, 0);
        for (unsigned k = 0; k < c->seeds; k++)
            consider(c, d, i, DISK_CHANCE, c->seed + 1000003 * i + k);
    }
    disk_free(d);
}

static int by_hash(const void *a, const void *b)
{
    const struct way *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->index < y->index ? 1 : x->index > y->index ? -1 : 0; /* the latest first: by then most was seen */
}

static int by_index(const void *a, const void *b)
{
    const struct way *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index ? 1 : x->left < y->left ? -1 : x->left > y->left ? 1 : x->seed < y->seed ? -1 : 1;
}

static void once_each(struct cutting *c)
{
    size_t n = 0;
    qsort(c->way, c->n, sizeof *c->way, by_hash);
    for (size_t i = 0; i < c->n; i++)
        if (!i || c->way[i].hash != c->way[i - 1].hash)
            c->way[n++] = c->way[i];
    qsort(c->way, n, sizeof *c->way, by_index);
    if (c->some && c->some < n) {
        for (size_t i = 0; i < c->some; i++)
            c->way[i] = c->way[i * n / c->some];
        n = c->some;
    }
    c->n = n;
}

/* ---- looking at each ---------------------------------------------------------------------------------------------------------- */

static void run(const char *program, const char *a, const char *b, const char *c)
{
    const char *argv[] = {program, a, b, c, NULL};
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        (void)execvp(program, (char *const *)(uintptr_t)argv);
        _exit(99);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        die(program);
}

static int check(const struct cutting *c, const char *dir, const char *shown, const char *said)
{
    char *argv[40] = {NULL};
    for (int i = 0; c->argv[i] && i < 39; i++)
        argv[i] = strcmp(c->argv[i], "%d") == 0 ? (char *)(uintptr_t)dir : strcmp(c->argv[i], "%s") == 0 ? (char *)(uintptr_t)shown : c->argv[i];
    return watch_run(argv, c->quiet_s, said);
}

static const char *const left_name[] = {"all is left", "only what was synced", "all names, synced bytes", "all bytes, synced names", "by chance"};

static bool look(const struct cutting *c, const struct disk *d, const struct way *w, const struct one *last, const char *shown, unsigned job)
{
    char dir[1000], said[1100], kept[1100], seen[1200];
    (void)snprintf(dir, sizeof dir, "%s/%u", c->scratch, job);
    (void)snprintf(said, sizeof said, "%s.said", dir);
    run("rm", "-rf", dir, NULL);
    struct disk_state *s = disk_cut(d, w->left, w->seed);
    disk_state_write(s, dir);
    int code = check(c, dir, shown, said);
    if (code) {
        (void)snprintf(kept, sizeof kept, "%.900s/%zu-%d-%llu", c->keep ? c->keep : c->scratch, w->index, (int)w->left,
                       (unsigned long long)w->seed);
        printf("FAILED (exit %d): cut after call %zu (%u %s%s%s), %s, seed %llu; kept: %s\n", code, w->index, last->head.what, last->path,
               *last->to ? " -> " : "", last->to, left_name[w->left], (unsigned long long)w->seed, c->keep ? kept : "no");
        (void)fflush(stdout);
        run("cat", said, NULL, NULL);
        if (c->keep) {
            (void)mkdir(c->keep, 0700);
            (void)snprintf(seen, sizeof seen, "%s.shown", kept);
            run("rm", "-rf", kept, NULL);
            disk_state_write(s, kept);
            run("cp", shown, seen, NULL);
        }
    }
    disk_state_free(s);
    return code == 0;
}

static int do_job(const struct cutting *c, unsigned job)
{
    char shown[1000];
    struct calls log = c->log;
    struct one o;
    struct disk *d = disk_load(c->before);
    int failed = 0;
    (void)snprintf(shown, sizeof shown, "%s/%u.shown", c->scratch, job);
    FILE *f = fopen(shown, "we");
    if (!f)
        die(shown);
    for (size_t i = 0, w = 0; w < c->n && failed < FAILED_MAX && next_call(&log, &o); i++) {
        disk_call(d, i, &o.head, o.path, o.to, o.bytes);
        if (o.head.what == DISK_SHOWN && (fwrite(o.bytes, 1, o.head.n, f) != o.head.n || fflush(f) != 0))
            die(shown);
        for (; w < c->n && c->way[w].index == i && failed < FAILED_MAX; w++)
            if (w % c->jobs == job)
                failed += !look(c, d, &c->way[w], &o, shown, job);
    }
    (void)fclose(f);
    disk_free(d);
    return failed ? 1 : 0;
}

static int do_all(const struct cutting *c)
{
    pid_t child[JOBS_MAX];
    int bad = 0, status;
    for (unsigned j = 0; j < c->jobs; j++) {
        child[j] = fork();
        if (child[j] == 0)
            exit(do_job(c, j));
        if (child[j] < 0)
            die("fork");
    }
    for (unsigned j = 0; j < c->jobs; j++)
        if (waitpid(child[j], &status, 0) != child[j] || status != 0)
            bad = 1;
    return bad;
}

int main(int argc, char **argv)
{
    struct cutting c = {.seeds = 4, .jobs = 1, .seed = 1, .quiet_s = WATCH_QUIET_S};
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        unsigned long long v = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seeds") == 0)
            c.seeds = (unsigned)v;
        else if (strcmp(argv[i], "--seed") == 0)
            c.seed = v;
        else if (strcmp(argv[i], "--some") == 0)
            c.some = (unsigned)v;
        else if (strcmp(argv[i], "--quiet") == 0)
            c.quiet_s = (unsigned)v;
        else if (strcmp(argv[i], "--jobs") == 0 && v >= 1 && v <= JOBS_MAX)
            c.jobs = (unsigned)v;
        else if (strcmp(argv[i], "--keep") == 0)
            c.keep = argv[i + 1];
    }
    if (argc - i < 4)
        return 99;
    c.log = open_log(argv[i]);
    c.before = argv[i + 1];
    c.scratch = argv[i + 2];
    c.argv = argv + i + 3;
    if (mkdir(c.scratch, 0700) != 0 && errno != EEXIST)
        die(c.scratch);
    consider_all(&c);
    size_t ways = c.n;
    once_each(&c);
    (void)fflush(stdout);
    int bad = do_all(&c);
    printf("%zu calls, %zu cuts, %zu different disks%s\n", c.calls, ways, c.n, bad ? ": NOT ALL GOOD" : "");
    free(c.way);
    return bad;
}
