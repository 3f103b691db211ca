/* SPDX-License-Identifier: Apache-2.0 */
#include "fault/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INODES = 400, NAMES = 400, PAGE = 4096 };

struct content {
    uint8_t *b;
    size_t n;
};

/* Something that was done to a file and is not known to be on disk. */
struct part {
    size_t index;
    bool size, dead; /* a new size; a failed sync left it clean */
    int64_t at;
    size_t n;
    const uint8_t *bytes;
};

struct inode {
    bool dir;
    struct content now, disk;
    struct part *part;
    size_t n, cap;
};

struct name {
    char path[DISK_PATH_MAX];
    int inode;
};
struct names {
    struct name *list;
    size_t n;
};

/* Something that was done to names. */
struct change {
    size_t index;
    enum disk_what what;
    char path[DISK_PATH_MAX], to[DISK_PATH_MAX];
    int inode;
};

struct disk {
    struct inode inode[INODES];
    size_t n;
    struct names now, disk;
    struct change change[NAMES];
    size_t n_changes;
};

static void fail(const char *what)
{
    fprintf(stderr, "disk: %s: %s\n", what, strerror(errno));
    exit(99);
}

static void *grown(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (!q)
        fail("memory");
    return q;
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------- */

static void set_size(struct content *c, size_t n, uint8_t with)
{
    c->b = grown(c->b, n);
    if (n > c->n)
        memset(c->b + c->n, with, n - c->n);
    c->n = n;
}

static void set_bytes(struct content *c, size_t at, const uint8_t *bytes, size_t n)
{
    if (at + n > c->n)
        set_size(c, at + n, 0);
    if (n)
        memcpy(c->b + at, bytes, n);
}

static void do_part(struct content *c, const struct part *p)
{
    if (p->size)
        set_size(c, (size_t)p->at, 0);
    else
        set_bytes(c, (size_t)p->at, p->bytes, p->n);
}

static void hang_on(struct inode *i, struct part p)
{
    if (i->n == i->cap)
        i->part = grown(i->part, (i->cap = i->cap ? 2 * i->cap : 16) * sizeof *i->part);
    i->part[i->n++] = p;
}

/* What lay behind a new end is gone. */
static void forget_beyond(struct inode *i, int64_t size)
{
    size_t kept = 0;
    for (size_t k = 0; k < i->n; k++)
        if (!i->part[k].dead || i->part[k].at < size)
            i->part[kept++] = i->part[k];
    i->n = kept;
}

/* A page that is written to again is dirty again, all of it. */
static void revive(struct inode *i, const struct part *p)
{
    for (size_t k = 0; k < i->n; k++)
        if (i->part[k].dead && i->part[k].at / PAGE <= (p->at + (int64_t)p->n - 1) / PAGE &&
            (i->part[k].at + (int64_t)i->part[k].n - 1) / PAGE >= p->at / PAGE)
            i->part[k].dead = false;
}

static void kill_part(struct inode *i, struct part p)
{
    while (p.n) { /* by pages, for so they come back */
        struct part one = p;
        size_t room = PAGE - (size_t)p.at % PAGE;
        one.n = room < p.n ? room : p.n;
        one.dead = true;
        hang_on(i, one);
        p.at += (int64_t)one.n;
        p.bytes += one.n;
        p.n -= one.n;
    }
}

static void sync_file(struct inode *i, size_t since, bool failed)
{
    size_t had = i->n;
    struct part *old = i->part;
    i->part = NULL;
    i->n = i->cap = 0;
    for (size_t k = 0; k < had; k++) {
        if (old[k].dead || old[k].index >= since || (failed && old[k].size))
            hang_on(i, old[k]);
        else if (failed)
            kill_part(i, old[k]);
        else
            do_part(&i->disk, &old[k]);
    }
    free(old);
}

/* ---- names ----------------------------------------------------------------------------------------------------------- */

static int find(const struct names *s, const char *path)
{
    for (size_t k = 0; k < s->n; k++)
        if (strcmp(s->list[k].path, path) == 0)
            return (int)k;
    return -1;
}

static int inode_at(const struct names *s, const char *path)
{
    int k = find(s, path);
    return k < 0 ? -1 : s->list[k].inode;
}

static void drop(struct names *s, const char *path)
{
    int k = find(s, path);
    if (k >= 0)
        s->list[k] = s->list[--s->n];
}

static void give(struct names *s, const char *path, int inode)
{
    drop(s, path);
    if (s->n == NAMES)
        fail("too many names");
    (void)snprintf(s->list[s->n].path, DISK_PATH_MAX, "%s", path);
    s->list[s->n++].inode = inode;
}

/* With all that is in it, if it is a folder. */
static void move(struct names *s, const char *from, const char *to, int inode)
{
    size_t n = strlen(from);
    char path[2 * DISK_PATH_MAX];
    drop(s, from);
    give(s, to, inode);
    for (size_t k = 0; k < s->n; k++)
        if (strncmp(s->list[k].path, from, n) == 0 && s->list[k].path[n] == '/') {
            (void)snprintf(path, sizeof path, "%s%s", to, s->list[k].path + n);
            (void)snprintf(s->list[k].path, DISK_PATH_MAX, "%.*s", DISK_PATH_MAX - 1, path);
        }
}

static void do_change(struct names *s, const struct change *c)
{
    if (c->what == DISK_UNLINK)
        drop(s, c->path);
    else if (c->what == DISK_RENAME)
        move(s, c->path, c->to, c->inode);
    else
        give(s, c->what == DISK_LINK ? c->to : c->path, c->inode);
}

static bool lies_in(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    if (n && (strncmp(path, folder, n) != 0 || path[n] != '/'))
        return false;
    return !strchr(path + (n ? n + 1 : 0), '/');
}

static void sync_folder(struct disk *d, const char *folder, size_t since)
{
    size_t kept = 0;
    for (size_t k = 0; k < d->n_changes; k++) {
        const struct change *c = &d->change[k];
        if (c->index < since && (lies_in(c->path, folder) || (c->to[0] && lies_in(c->to, folder))))
            do_change(&d->disk, c);
        else
            d->change[kept++] = *c;
    }
    d->n_changes = kept;
}

static void sync_all(struct disk *d, size_t since)
{
    size_t kept = 0;
    for (size_t k = 0; k < d->n; k++)
        sync_file(&d->inode[k], since, false);
    for (size_t k = 0; k < d->n_changes; k++)
        if (d->change[k].index < since)
            do_change(&d->disk, &d->change[k]);
        else
            d->change[kept++] = d->change[k];
    d->n_changes = kept;
}

static int new_inode(struct disk *d, bool dir)
{
    if (d->n == INODES)
        fail("too many files");
    d->inode[d->n].dir = dir;
    return (int)d->n++;
}

static void change(struct disk *d, size_t index, enum disk_what what, const char *path, const char *to, int inode)
{
    if (d->n_changes == NAMES)
        fail("too many changes of names without a sync");
    struct change *c = &d->change[d->n_changes++];
    *c = (struct change){.index = index, .what = what, .inode = inode};
    (void)snprintf(c->path, sizeof c->path, "%s", path);
    (void)snprintf(c->to, sizeof c->to, "%s", to);
    do_change(&d->now, c);
}

/* ---- call by call ------------------------------------------------------------------------------------------------------ */

void disk_call(struct disk *d, size_t index, const struct disk_head *h, const char *path, const char *to, const uint8_t *bytes)
{
    enum disk_what what = (enum disk_what)h->what;
    int at = *path ? inode_at(&d->now, path) : -1;
    struct part p = {.index = index, .size = what == DISK_SIZE, .at = h->a, .n = h->n, .bytes = bytes};
    if (what == DISK_CREATE || what == DISK_MKDIR) {
        change(d, index, what, path, "", new_inode(d, what == DISK_MKDIR));
    } else if (what == DISK_RENAME || what == DISK_LINK || what == DISK_UNLINK) {
        change(d, index, what, path, to, at);
    } else if (what == DISK_SYNC && h->b == DISK_SYNC_ALL) {
        sync_all(d, (size_t)h->a);
    } else if (what == DISK_SYNC && (!*path || (at >= 0 && d->inode[at].dir))) {
        if (!h->b)
            sync_folder(d, path, (size_t)h->a);
    } else if (at >= 0 && what == DISK_SYNC) {
        sync_file(&d->inode[at], (size_t)h->a, h->b != 0);
    } else if (at >= 0 && (what == DISK_WRITE || what == DISK_SIZE)) {
        do_part(&d->inode[at].now, &p);
        if (p.size)
            forget_beyond(&d->inode[at], p.at);
        else
            revive(&d->inode[at], &p);
        hang_on(&d->inode[at], p);
    }
}

static void load(struct disk *d, const char *folder, const char *under)
{
    DIR *dir = opendir(folder);
    if (!dir)
        fail(folder);
    for (struct dirent *e; (e = readdir(dir));) {
        char whole[2 * DISK_PATH_MAX], path[2 * DISK_PATH_MAX];
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        (void)snprintf(whole, sizeof whole, "%s/%s", folder, e->d_name);
        (void)snprintf(path, sizeof path, "%s%s%s", under, *under ? "/" : "", e->d_name);
        if (lstat(whole, &st) != 0)
            fail(whole);
        if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
            continue;
        int at = new_inode(d, S_ISDIR(st.st_mode));
        give(&d->now, path, at);
        give(&d->disk, path, at);
        if (d->inode[at].dir) {
            load(d, whole, path);
            continue;
        }
        struct inode *i = &d->inode[at];
        int fd = open(whole, O_RDONLY | O_CLOEXEC);
        set_size(&i->now, (size_t)st.st_size, 0);
        if (fd < 0 || read(fd, i->now.b, i->now.n) != (ssize_t)i->now.n)
            fail(whole);
        (void)close(fd);
        set_bytes(&i->disk, 0, i->now.b, i->now.n);
    }
    (void)closedir(dir);
}

struct disk *disk_load(const char *folder)
{
    struct disk *d = calloc(1, sizeof *d);
    if (!d)
        fail("memory");
    d->now.list = grown(NULL, NAMES * sizeof(struct name));
    d->disk.list = grown(NULL, NAMES * sizeof(struct name));
    load(d, folder, "");
    return d;
}

void disk_free(struct disk *d)
{
    for (size_t k = 0; k < d->n; k++) {
        free(d->inode[k].now.b);
        free(d->inode[k].disk.b);
        free(d->inode[k].part);
    }
    free(d->now.list);
    free(d->disk.list);
    free(d);
}

/* ---- what a cut leaves ----------------------------------------------------------------------------------------------------- */

struct disk_state {
    struct names names;
    bool dir[NAMES];
    struct content content[NAMES];
};

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u; /* splitmix64 */
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* A write goes to disk sector by sector, each as it was at some moment: of the writes to a sector the first few. */
static void some_bytes(const struct inode *i, uint64_t seed, struct content *c)
{
    size_t sector = mix(seed) & 1 ? 512 : 4096;
    uint8_t beyond = mix(seed + 1) & 1 ? 0 : 0xa5; /* where the file grew and no byte came */
    size_t sectors = i->now.n / sector + 2, grew = i->now.n > i->disk.n ? i->now.n - i->disk.n : 0;
    unsigned *n = calloc(sectors, sizeof *n), *done = calloc(sectors, sizeof *done);
    if (!n || !done)
        fail("memory");
    for (size_t k = 0; k < i->n; k++)
        for (size_t s = (size_t)i->part[k].at / sector; !i->part[k].size && s < sectors && s * sector < (size_t)i->part[k].at + i->part[k].n; s++)
            n[s] += !i->part[k].dead;
    if (grew)
        set_size(c, i->disk.n + mix(seed + 2) % (grew + 1), beyond);
    for (size_t k = 0; k < i->n; k++) {
        const struct part *p = &i->part[k];
        if (p->dead)
            continue;
        if (p->size && mix(seed + 3 + k) & 1)
            set_size(c, (size_t)p->at, beyond);
        for (size_t at = (size_t)p->at, end = at + p->n; !p->size && at < end;) {
            size_t s = at / sector, next = (s + 1) * sector < end ? (s + 1) * sector : end;
            if (s >= sectors || done[s]++ < mix(seed ^ mix(s + 7)) % (n[s] + 1)) {
                if (c->n < at)
                    set_size(c, at, beyond);
                set_bytes(c, at, p->bytes + (at - (size_t)p->at), next - at);
            }
            at = next;
        }
    }
    free(n);
    free(done);
}

static void left_of_file(const struct inode *i, enum disk_left left, uint64_t seed, struct content *c)
{
    const struct content *from = left == DISK_ALL ? &i->now : &i->disk;
    set_bytes(c, 0, from->b, from->n);
    if (left == DISK_CHANCE)
        some_bytes(i, seed, c);
    for (size_t k = 0; k < i->n && left == DISK_BYTES; k++)
        if (!i->part[k].dead)
            do_part(c, &i->part[k]);
}

static void left_of_names(const struct disk *d, enum disk_left left, uint64_t seed, struct names *s)
{
    size_t first = mix(seed + 11) % (d->n_changes + 1);
    bool journal = mix(seed + 12) & 1;
    for (size_t k = 0; k < d->n_changes; k++)
        if (left == DISK_NAMES || (left == DISK_CHANCE && (journal ? k < first : mix(seed + 13 + k) & 1)))
            do_change(s, &d->change[k]);
}

static bool in_a_folder(const struct disk *d, const struct names *s, const char *path)
{
    char folder[DISK_PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash)
        return true;
    *slash = 0;
    int at = inode_at(s, folder);
    return at >= 0 && d->inode[at].dir && in_a_folder(d, s, folder);
}

static bool left_out(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, "-shm") == 0; /* made anew by whoever comes first */
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

struct disk_state *disk_cut(const struct disk *d, enum disk_left left, uint64_t seed)
{
    struct disk_state *s = calloc(1, sizeof *s);
    const struct names *from = left == DISK_ALL ? &d->now : &d->disk;
    if (!s)
        fail("memory");
    struct names all = {grown(NULL, NAMES * sizeof(struct name)), from->n};
    memcpy(all.list, from->list, from->n * sizeof *from->list);
    left_of_names(d, left, seed, &all);
    qsort(all.list, all.n, sizeof *all.list, by_path);
    s->names.list = grown(NULL, (all.n + 1) * sizeof *all.list);
    for (size_t k = 0; k < all.n; k++) {
        int at = all.list[k].inode;
        if (at < 0 || left_out(all.list[k].path) || !in_a_folder(d, &all, all.list[k].path))
            continue;
        size_t me = s->names.n++;
        s->names.list[me] = all.list[k];
        s->dir[me] = d->inode[at].dir;
        if (!s->dir[me])
            left_of_file(&d->inode[at], left, mix(seed ^ mix((uint64_t)at)), &s->content[me]);
    }
    free(all.list);
    return s;
}

void disk_state_free(struct disk_state *s)
{
    for (size_t k = 0; k < s->names.n; k++)
        free(s->content[k].b);
    free(s->names.list);
    free(s);
}

uint64_t disk_state_hash(const struct disk_state *s)
{
    uint64_t h = 1;
    for (size_t k = 0; k < s->names.n; k++) {
        const struct content *c = &s->content[k];
        for (const char *p = s->names.list[k].path; *p; p++)
            h = (h ^ (uint8_t)*p) * 0x100000001b3u;
        h = mix(h ^ c->n);
        for (size_t at = 0; at < c->n; at += 8) {
            uint64_t word = 0;
            memcpy(&word, c->b + at, c->n - at < 8 ? c->n - at : 8);
            h = (h ^ word) * 0x9e3779b97f4a7c15u;
            h ^= h >> 29;
        }
    }
    return h;
}

void disk_state_write(const struct disk_state *s, const char *folder)
{
    if (mkdir(folder, 0700) != 0)
        fail(folder);
    for (size_t k = 0; k < s->names.n; k++) {
        char path[2 * DISK_PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/%s", folder, s->names.list[k].path);
        if (s->dir[k]) {
            if (mkdir(path, 0700) != 0)
                fail(path);
            continue;
        }
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, s->content[k].b, s->content[k].n) != (ssize_t)s->content[k].n)
            fail(path);
        (void)close(fd);
    }
}
