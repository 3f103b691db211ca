/* SPDX-License-Identifier: Apache-2.0
 * disk_trace [--shown FILE] [--inject WHAT[@PATH]:N[+|-M]:HOW] LOG FOLDER COMMAND...: runs COMMAND and writes down every call of it
 * and of its children that changes FOLDER (disk_log.h). What is written to FILE is what people saw.
 *
 * --inject: the N-th call of that kind (on a path in FOLDER that begins with PATH), N+: and every one after it, N-M: up to the M-th, is not done.
 * WHAT: write, sync, size, create (a file or folder), name (rename, link, unlink), read. HOW: EIO, ENOSPC, 0 (a disk that
 * lies) is its answer; KILL: its process gets SIGKILL.
 * Exit: the command's, 128 and the signal that ended it, 99 if it cannot be traced, 98 if there are fewer than N.
 *
 * By ptrace and a seccomp filter, so that nothing escapes: neither libraries nor libc's own calls, and only the calls that
 * matter are stopped. Writes by mmap are not seen: SQLite's -shm, which is no part of what a disk must keep. */
#include "fault/disk_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum call { C_OPENAT, C_WRITE, C_PWRITE, C_WRITEV, C_PWRITEV, C_FTRUNCATE, C_FSYNC, C_RENAMEAT, C_LINKAT, C_UNLINKAT, C_MKDIRAT,
            C_READ, C_SYNC_ALL, C_REFUSED };

static const struct {
    long nr;
    enum call call;
    bool at; /* paths have a folder's descriptor before them */
} calls[] = {
#ifdef SYS_open
    {SYS_open, C_OPENAT, false}, {SYS_rename, C_RENAMEAT, false}, {SYS_link, C_LINKAT, false},
    {SYS_unlink, C_UNLINKAT, false}, {SYS_rmdir, C_UNLINKAT, false}, {SYS_mkdir, C_MKDIRAT, false},
    {SYS_creat, C_REFUSED, false},
#endif
#ifdef SYS_renameat
    {SYS_renameat, C_RENAMEAT, true},
#endif
    {SYS_openat, C_OPENAT, true}, {SYS_renameat2, C_RENAMEAT, true}, {SYS_linkat, C_LINKAT, true},
    {SYS_unlinkat, C_UNLINKAT, true}, {SYS_mkdirat, C_MKDIRAT, true}, {SYS_write, C_WRITE, false}, {SYS_pwrite64, C_PWRITE, false},
    {SYS_writev, C_WRITEV, false}, {SYS_pwritev, C_PWRITEV, false}, {SYS_ftruncate, C_FTRUNCATE, false},
    {SYS_fsync, C_FSYNC, false}, {SYS_fdatasync, C_FSYNC, false}, {SYS_read, C_READ, false}, {SYS_pread64, C_READ, false},
    {SYS_sync, C_SYNC_ALL, false}, {SYS_syncfs, C_SYNC_ALL, false},
    /* nothing here makes them; if that changes, this program must learn them */
    {SYS_truncate, C_REFUSED, false}, {SYS_fallocate, C_REFUSED, false}, {SYS_copy_file_range, C_REFUSED, false},
    {SYS_sendfile, C_REFUSED, false}, {SYS_openat2, C_REFUSED, true},
};
/* What may be asked for by --inject. */
static const char *const kind_of[] = {[C_OPENAT] = "create", [C_WRITE] = "write", [C_PWRITE] = "write", [C_WRITEV] = "write",
                                      [C_PWRITEV] = "write", [C_FTRUNCATE] = "size", [C_FSYNC] = "sync", [C_RENAMEAT] = "name",
                                      [C_LINKAT] = "name", [C_UNLINKAT] = "name", [C_MKDIRAT] = "create", [C_READ] = "read", [C_SYNC_ALL] = "",
                                      [C_REFUSED] = ""};
enum { CALLS = sizeof calls / sizeof *calls, TASKS = 256 };

struct task {
    pid_t tid; /* 0: free */
    int at;    /* in `calls`, -1: none under way */
    uint64_t args[6];
    bool fresh;          /* openat: the file was not there */
    int64_t since, size; /* fsync; openat: size before */
    char path[DISK_PATH_MAX], to[DISK_PATH_MAX];
    bool injected;
};

struct inject {
    char what[16], path[DISK_PATH_MAX];
    long n, last;
    bool kill;
    int answer;    /* 0 or an errno */
    long seen;
};

struct trace {
    FILE *log;
    const char *shown;
    char root[PATH_MAX];
    int64_t made;
    struct inject inject;
    struct task task[TASKS];
};

static void die(const char *what)
{
    fprintf(stderr, "disk_trace: %s: %s\n", what, strerror(errno));
    exit(99);
}

/* ---- looking into the other process ------------------------------------------------------------------------------ */

static void peek(pid_t tid, uint64_t at, void *to, size_t n)
{
    struct iovec here = {to, n}, there = {(void *)(uintptr_t)at, n};
    if (process_vm_readv(tid, &here, 1, &there, 1, 0) != (ssize_t)n)
        die("cannot read the other's memory");
}

/* Up to the end of a page at a time: what lies behind a string may not be readable. */
static void peek_text(pid_t tid, uint64_t at, char *to, size_t cap)
{
    size_t have = 0;
    while (have < cap) {
        size_t page = 4096 - (at + have) % 4096, n = page < cap - have ? page : cap - have;
        peek(tid, at + have, to + have, n);
        if (memchr(to + have, 0, n))
            return;
        have += n;
    }
    to[cap - 1] = 0;
}

/* Relative to the folder; false: elsewhere, or a file without a name. */
static bool inside(const struct trace *t, const char *path, char to[static DISK_PATH_MAX])
{
    size_t n = strlen(t->root);
    to[0] = 0;
    if (strncmp(path, t->root, n) != 0 || (path[n] != '/' && path[n] != 0) || strlen(path + n) >= DISK_PATH_MAX)
        return false;
    size_t len = strlen(path);
    if (len > 10 && strcmp(path + len - 10, " (deleted)") == 0)
        return false;
    (void)strcpy(to, path[n] ? path + n + 1 : "");
    return true;
}

static bool link_of(pid_t tid, const char *what, int fd, char to[static PATH_MAX])
{
    char name[64];
    if (fd >= 0)
        (void)snprintf(name, sizeof name, "/proc/%d/fd/%d", (int)tid, fd);
    else
        (void)snprintf(name, sizeof name, "/proc/%d/%s", (int)tid, what);
    ssize_t n = readlink(name, to, PATH_MAX - 1);
    to[n > 0 ? n : 0] = 0;
    return n > 0;
}

static bool fd_inside(const struct trace *t, pid_t tid, uint64_t fd, char to[static DISK_PATH_MAX])
{
    char path[PATH_MAX];
    return link_of(tid, "", (int)fd, path) && inside(t, path, to);
}

/* The folder part resolved, the last part left as it is: it may be a link, or not there yet. */
static bool path_inside(const struct trace *t, pid_t tid, int dir, uint64_t at, char to[static DISK_PATH_MAX])
{
    char text[PATH_MAX], whole[2 * PATH_MAX], real[PATH_MAX];
    peek_text(tid, at, text, sizeof text);
    to[0] = 0;
    if (text[0] == '/')
        (void)snprintf(whole, sizeof whole, "%s", text);
    else if (link_of(tid, "cwd", dir == AT_FDCWD ? -1 : dir, real))
        (void)snprintf(whole, sizeof whole, "%s/%s", real, text);
    else
        return false;
    char *slash = strrchr(whole, '/');
    char last[NAME_MAX + 1];
    (void)snprintf(last, sizeof last, "%s", slash + 1);
    slash[slash == whole] = 0;
    if (!realpath(whole, real) || strlen(real) + strlen(last) + 2 > sizeof real)
        return false;
    (void)strcat(strcat(real, "/"), last);
    if (strcmp(last, ".") == 0 || !*last)
        real[strlen(real) - strlen(last) - 1] = 0;
    return inside(t, real, to);
}

static int64_t position(pid_t tid, uint64_t fd)
{
    char name[64];
    long long pos = -1;
    (void)snprintf(name, sizeof name, "/proc/%d/fdinfo/%d", (int)tid, (int)fd);
    FILE *f = fopen(name, "re");
    if (!f || fscanf(f, "pos: %lld", &pos) != 1)
        die(name);
    (void)fclose(f);
    return pos;
}

/* ---- the log --------------------------------------------------------------------------------------------------------- */

static void put(struct trace *t, enum disk_what what, const char *path, const char *to, int64_t a, int64_t b, const void *bytes,
                size_t n)
{
    struct disk_head h = {(uint32_t)what, (uint32_t)n, a, b, (uint16_t)strlen(path), (uint16_t)strlen(to)};
    if (fwrite(&h, sizeof h, 1, t->log) != 1 || fwrite(path, 1, h.path_n, t->log) != h.path_n ||
        fwrite(to, 1, h.to_n, t->log) != h.to_n || (n && fwrite(bytes, 1, n, t->log) != n))
        die("the log");
    t->made++;
}

static void put_bytes(struct trace *t, struct task *k, int64_t offset, uint64_t at, size_t n, const char *path)
{
    void *bytes = malloc(n + 1);
    if (!bytes)
        die("memory");
    peek(k->tid, at, bytes, n);
    put(t, path ? DISK_WRITE : DISK_SHOWN, path ? path : "", "", offset, 0, bytes, n);
    free(bytes);
}

static void put_vector(struct trace *t, struct task *k, int64_t offset, size_t left, const char *path)
{
    struct iovec v;
    for (uint64_t i = 0; left; i++) {
        peek(k->tid, k->args[1] + i * sizeof v, &v, sizeof v);
        size_t n = v.iov_len < left ? v.iov_len : left;
        if (n)
            put_bytes(t, k, offset, (uint64_t)(uintptr_t)v.iov_base, n, path);
        offset += (int64_t)n;
        left -= n;
    }
}

/* ---- a call begins, a call is done ------------------------------------------------------------------------------------- */

static int dir_of(const struct task *k, int arg)
{
    return calls[k->at].at ? (int)k->args[arg] : AT_FDCWD;
}

static void opening(struct trace *t, struct task *k)
{
    struct stat st;
    char whole[2 * PATH_MAX];
    int arg = calls[k->at].at ? 1 : 0;
    uint64_t flags = k->args[arg + 1];
    k->size = -1;
    if (!(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE || !path_inside(t, k->tid, dir_of(k, 0), k->args[arg], k->path)) {
        k->path[0] = 0;
        return;
    }
    (void)snprintf(whole, sizeof whole, "%s/%s", t->root, k->path);
    k->fresh = lstat(whole, &st) != 0;
    if (!k->fresh && (flags & O_TRUNC))
        k->size = st.st_size;
}

static void begins(struct trace *t, struct task *k)
{
    int at = calls[k->at].at ? 1 : 0;
    k->path[0] = k->to[0] = 0;
    k->fresh = k->injected = false;
    switch (calls[k->at].call) {
    case C_OPENAT:
        opening(t, k);
        break;
    case C_FSYNC:
    case C_SYNC_ALL:
        k->since = t->made;
        break;
    case C_RENAMEAT:
    case C_LINKAT: {
        bool from = path_inside(t, k->tid, dir_of(k, 0), k->args[at], k->path);
        bool to = path_inside(t, k->tid, dir_of(k, 2), k->args[at ? 3 : 1], k->to);
        if (!from || !to)
            k->path[0] = 0;
        break;
    }
    case C_UNLINKAT:
    case C_MKDIRAT:
        (void)path_inside(t, k->tid, dir_of(k, 0), k->args[at], k->path);
        break;
    default:
        break;
    }
}

static void wrote(struct trace *t, struct task *k, int64_t rc)
{
    char path[DISK_PATH_MAX], whole[PATH_MAX];
    enum call call = calls[k->at].call;
    bool in = fd_inside(t, k->tid, k->args[0], path);
    bool shown = !in && t->shown && link_of(k->tid, "", (int)k->args[0], whole) && strcmp(whole, t->shown) == 0;
    if (!in && !shown)
        return;
    bool placed = call == C_PWRITE || call == C_PWRITEV;
    int64_t offset = shown ? 0 : placed ? (int64_t)k->args[3] : position(k->tid, k->args[0]) - rc;
    if (call == C_WRITE || call == C_PWRITE)
        put_bytes(t, k, offset, k->args[1], (size_t)rc, in ? path : NULL);
    else
        put_vector(t, k, offset, (size_t)rc, in ? path : NULL);
}

static void done(struct trace *t, struct task *k, int64_t rc)
{
    char path[DISK_PATH_MAX];
    if (calls[k->at].call == C_FSYNC && fd_inside(t, k->tid, k->args[0], path))
        put(t, DISK_SYNC, path, "", k->since, rc != 0, NULL, 0);
    if (rc < 0)
        return;
    switch (calls[k->at].call) {
    case C_SYNC_ALL:
        put(t, DISK_SYNC, "", "", k->since, DISK_SYNC_ALL, NULL, 0);
        break;
    case C_OPENAT:
        if (k->path[0] && k->fresh)
            put(t, DISK_CREATE, k->path, "", 0, 0, NULL, 0);
        else if (k->path[0] && k->size > 0)
            put(t, DISK_SIZE, k->path, "", 0, 0, NULL, 0);
        break;
    case C_WRITE:
    case C_PWRITE:
    case C_WRITEV:
    case C_PWRITEV:
        if (rc > 0)
            wrote(t, k, rc);
        break;
    case C_FTRUNCATE:
        if (fd_inside(t, k->tid, k->args[0], path))
            put(t, DISK_SIZE, path, "", (int64_t)k->args[1], 0, NULL, 0);
        break;
    case C_RENAMEAT:
    case C_LINKAT:
        if (k->path[0])
            put(t, calls[k->at].call == C_LINKAT ? DISK_LINK : DISK_RENAME, k->path, k->to, 0, 0, NULL, 0);
        break;
    case C_UNLINKAT:
    case C_MKDIRAT:
        if (k->path[0])
            put(t, calls[k->at].call == C_MKDIRAT ? DISK_MKDIR : DISK_UNLINK, k->path, "", 0, 0, NULL, 0);
        break;
    case C_REFUSED:
        if (fd_inside(t, k->tid, k->args[0], path)) {
            errno = ENOSYS;
            die("a call that this program does not know");
        }
        break;
    case C_FSYNC:
    case C_READ:
        break;
    }
}

/* ---- a call that is not done ---------------------------------------------------------------------------------------------- */

#ifdef __x86_64__
static void answer(pid_t tid, int err, bool skip)
{
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) != 0)
        die("registers");
    if (skip)
        regs.orig_rax = (unsigned long long)-1;
    regs.rax = (unsigned long long)(long long)-err;
    if (ptrace(PTRACE_SETREGS, tid, NULL, &regs) != 0)
        die("registers");
}
#else
static void answer(pid_t tid, int err, bool skip)
{
    (void)tid;
    (void)err;
    (void)skip;
    errno = ENOSYS;
    die("--inject with an answer, on this machine");
}
#endif

static bool meant(const struct trace *t, struct task *k)
{
    char path[DISK_PATH_MAX];
    enum call call = calls[k->at].call;
    if (strcmp(t->inject.what, kind_of[call]) != 0)
        return false;
    if (call == C_OPENAT && !k->fresh)
        return false;
    if (call == C_OPENAT || call == C_RENAMEAT || call == C_LINKAT || call == C_UNLINKAT || call == C_MKDIRAT)
        (void)snprintf(path, sizeof path, "%s", k->path);
    else if (!fd_inside(t, k->tid, k->args[0], path))
        return false;
    return (path[0] || call == C_FSYNC) && strncmp(path, t->inject.path, strlen(t->inject.path)) == 0;
}

static void maybe_inject(struct trace *t, struct task *k)
{
    if (!t->inject.n || !meant(t, k))
        return;
    t->inject.seen++;
    if (t->inject.seen < t->inject.n || t->inject.seen > t->inject.last)
        return;
    if (t->inject.kill) {
        (void)kill(k->tid, SIGKILL); /* its whole process */
        k->at = -1;
        return;
    }
    k->injected = true;
    answer(k->tid, t->inject.answer, true);
}

static bool parse_inject(const char *text, struct inject *i)
{
    static const struct {
        const char *name;
        int answer;
    } how[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"0", 0}, {"KILL", -1}};
    char what[sizeof i->what + sizeof i->path], word[16], plus[2];
    if (sscanf(text, "%610[^:]:%ld%1[+]:%15s", what, &i->n, plus, word) == 4)
        i->last = LONG_MAX;
    else if (sscanf(text, "%610[^:]:%ld:%15s", what, &i->n, word) == 3)
        i->last = i->n;
    else if (sscanf(text, "%610[^:]:%ld-%ld:%15s", what, &i->n, &i->last, word) != 4)
        return false;
    char *at = strchr(what, '@');
    if (at)
        *at++ = 0;
    (void)snprintf(i->what, sizeof i->what, "%.15s", what);
    (void)snprintf(i->path, sizeof i->path, "%.590s", at ? at : "");
    for (size_t k = 0; k < sizeof how / sizeof *how; k++)
        if (strcmp(word, how[k].name) == 0) {
            i->kill = how[k].answer < 0;
            i->answer = i->kill ? 0 : how[k].answer;
            return i->n > 0;
        }
    return false;
}

/* ---- tracing ------------------------------------------------------------------------------------------------------------- */

/* Reads are many, and stopped only when one is meant to fail. */
static void filter_calls(bool reads)
{
    struct sock_filter f[2 * CALLS + 2];
    unsigned n = 0;
    f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < CALLS; i++) {
        if (calls[i].call == C_READ && !reads)
            continue;
        f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].nr, 0, 1);
        f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog p = {(unsigned short)n, f};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) != 0)
        _exit(99);
}

static struct task *task_of(struct trace *t, pid_t tid)
{
    struct task *free_one = NULL;
    for (int i = 0; i < TASKS; i++) {
        if (t->task[i].tid == tid)
            return &t->task[i];
        if (!t->task[i].tid && !free_one)
            free_one = &t->task[i];
    }
    if (!free_one) {
        errno = EAGAIN;
        die("too many threads");
    }
    *free_one = (struct task){.tid = tid, .at = -1};
    return free_one;
}

static void entered(struct trace *t, struct task *k)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, k->tid, sizeof info, &info) <= 0)
        return; /* killed meanwhile */
    k->at = -1;
    for (int i = 0; i < CALLS; i++)
        if ((uint64_t)calls[i].nr == info.seccomp.nr)
            k->at = i;
    if (k->at < 0)
        return;
    memcpy(k->args, info.seccomp.args, sizeof k->args);
    begins(t, k);
    maybe_inject(t, k);
}

static void left(struct trace *t, struct task *k)
{
    struct __ptrace_syscall_info info;
    if (k->at >= 0 && ptrace(PTRACE_GET_SYSCALL_INFO, k->tid, sizeof info, &info) > 0 && info.op == PTRACE_SYSCALL_INFO_EXIT) {
        if (k->injected)
            answer(k->tid, t->inject.answer, false);
        if (!k->injected || t->inject.answer) /* what a disk lies about is written down nowhere */
            done(t, k, k->injected ? -t->inject.answer : info.exit.rval);
    }
    k->at = -1;
}

static int follow(struct trace *t, pid_t child)
{
    int status, code = 99;
    pid_t tid;
    while ((tid = waitpid(-1, &status, __WALL)) > 0) {
        struct task *k = task_of(t, tid);
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            k->tid = 0;
            if (tid == child)
                code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int sig = WSTOPSIG(status), event = status >> 16, pass = 0;
        long how = PTRACE_CONT;
        if (event == PTRACE_EVENT_SECCOMP) {
            entered(t, k);
            how = k->at >= 0 ? PTRACE_SYSCALL : PTRACE_CONT;
        } else if (sig == (SIGTRAP | 0x80)) {
            left(t, k);
        } else if (!event && sig != SIGSTOP) {
            pass = sig;
        }
        (void)ptrace((enum __ptrace_request)how, tid, NULL, (void *)(intptr_t)pass); /* gone is seen by waitpid */
    }
    return code;
}

static pid_t start(char **argv, bool reads)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(99);
        (void)raise(SIGSTOP);
        filter_calls(reads);
        (void)execvp(argv[0], argv);
        _exit(99);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(intptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE |
                                                                PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
                                                                PTRACE_O_EXITKILL)) != 0)
        die("cannot trace here");
    (void)ptrace(PTRACE_CONT, child, NULL, NULL);
    return child;
}

int main(int argc, char **argv)
{
    struct trace *t = calloc(1, sizeof *t);
    char shown[PATH_MAX];
    int i = 1;
    if (!t)
        return 99;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--shown") == 0)
            t->shown = argv[++i];
        else if (strcmp(argv[i], "--inject") == 0 && !parse_inject(argv[++i], &t->inject))
            return 99;
    }
    if (argc - i < 3)
        return 99;
    if (t->shown && (close(open(t->shown, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) != 0 || !realpath(t->shown, shown)))
        die(t->shown);
    t->shown = t->shown ? shown : NULL;
    t->log = fopen(argv[i], "we");
    if (!t->log || !realpath(argv[i + 1], t->root) || fwrite(DISK_LOG_MAGIC, 8, 1, t->log) != 1)
        die(argv[i]);
    int code = follow(t, start(argv + i + 2, strcmp(t->inject.what, "read") == 0));
    if (fclose(t->log) != 0)
        die("the log");
    if (t->inject.n > t->inject.seen)
        code = 98;
    free(t);
    return code;
}
