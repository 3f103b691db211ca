/* SPDX-License-Identifier: Apache-2.0 */
#include "fault/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* What all threads of a process group did by now. */
struct seen {
    unsigned long long ticks; /* of processor time */
    bool wanting;             /* one of them runs, or waits for a processor or the disk */
};

static void die(const char *what)
{
    fprintf(stderr, "watch: %s: %s\n", what, strerror(errno));
    exit(99);
}

/* `stat` of a process or thread; false: it is gone, or of another group. */
static bool add_stat(const char *path, pid_t group, struct seen *s)
{
    char text[1024];
    char state;
    long pgrp;
    unsigned long long user, sys, user_ended, sys_ended; /* of children that ended: a shell does its work by them */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        (void)close(fd);
    text[n > 0 ? n : 0] = 0;
    const char *p = strrchr(text, ')'); /* a name may hold anything */
    if (!p || sscanf(p + 1, " %c %*d %ld %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &state, &pgrp, &user, &sys, &user_ended,
                     &sys_ended) != 6 || pgrp != group)
        return false;
    s->ticks += user + sys + user_ended + sys_ended;
    s->wanting = s->wanting || state == 'R' || state == 'D';
    return true;
}

static void look_at_threads(const char *pid, pid_t group, struct seen *s)
{
    char path[600];
    (void)snprintf(path, sizeof path, "/proc/%.20s/task", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        (void)snprintf(path, sizeof path, "/proc/%.20s/task/%.250s/stat", pid, e->d_name);
        if (e->d_name[0] != '.')
            (void)add_stat(path, group, s);
    }
    if (d)
        (void)closedir(d);
}

static struct seen look(pid_t group)
{
    struct seen all = {0, false}, own;
    char path[300];
    DIR *d = opendir("/proc");
    if (!d)
        die("/proc");
    for (struct dirent *e; (e = readdir(d));) {
        own = (struct seen){0, false};
        (void)snprintf(path, sizeof path, "/proc/%.250s/stat", e->d_name);
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && add_stat(path, group, &own))
            look_at_threads(e->d_name, group, &all);
    }
    (void)closedir(d);
    return all;
}

static void child(char *const argv[], const char *said)
{
    const struct rlimit cpu = {WATCH_CPU_S, WATCH_CPU_S + 5};
    int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fd < 0 || setpgid(0, 0) != 0 || setrlimit(RLIMIT_CPU, &cpu) != 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        _exit(99);
    (void)execvp(argv[0], argv);
    _exit(99);
}

static void note(const char *said, const char *text)
{
    FILE *f = fopen(said, "ae");
    if (f) {
        fprintf(f, "%s\n", text);
        (void)fclose(f);
    }
}

int watch_run(char *const argv[], unsigned quiet_s, const char *said)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        child(argv, said);
    if (pid < 0)
        die("fork");
    (void)setpgid(pid, pid); /* whichever of the two comes first */
    struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    if (p.fd < 0)
        die("pidfd_open");
    unsigned long long tick = 1 + (unsigned long long)sysconf(_SC_CLK_TCK) / 100, from = 0;
    for (unsigned quiet = 0; poll(&p, 1, 1000) == 0;) {
        struct seen s = look(pid);
        bool moved = s.wanting || s.ticks > from + tick || s.ticks < from; /* less: some of them ended */
        from = moved ? s.ticks : from;
        quiet = moved ? 0 : quiet + 1;
        if (quiet == quiet_s) {
            (void)kill(-pid, SIGKILL);
            note(said, "it hung: nothing of it ran or wanted to");
        }
    }
    (void)close(p.fd);
    if (waitpid(pid, &status, 0) != pid)
        die("waitpid");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        note(said, "it ran in a circle");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
