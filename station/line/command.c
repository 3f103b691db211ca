/* SPDX-License-Identifier: Apache-2.0 */
#include "line/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* READS_MAX, of 4 KB each, is more than a pipe holds: one that writes as fast as it is read must not keep us from the clock */
enum { WORDS_MAX = 32, LOOK_MS = 20, READS_MAX = 64, NOT_STARTED = 127 };

extern char **environ;

struct run {
    const struct command *c;
    struct command_end *end;
    FILE *input;     /* a file without a name: a program that reads none of it, or all, holds nobody up */
    int in, out[2];  /* what it reads; the pipe it writes to, read end first */
    pid_t pid;
};

/* ---- starting ---------------------------------------------------------------------------------------- */

static enum fl_err make_pipe(int fd[2], struct fl_why *why)
{
    if (pipe(fd) != 0)
        return fl_fail_os(why, "cannot make a pipe");
    /* another program started in this moment may keep the writing end: nobody here waits for its closing */
    for (int i = 0; i < 2; i++)
        (void)fcntl(fd[i], F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd[0], F_SETFL, O_NONBLOCK);
    return FL_OK;
}

static enum fl_err open_ends(struct run *r, struct fl_why *why)
{
    if (r->c->input) {
        r->input = tmpfile();
        if (!r->input || fwrite(r->c->input, 1, r->c->input_n, r->input) != r->c->input_n ||
            fflush(r->input) != 0 || lseek(fileno(r->input), 0, SEEK_SET) != 0)
            return fl_fail_os(why, "cannot write the command's input");
        r->in = fileno(r->input);
        (void)fcntl(r->in, F_SETFD, FD_CLOEXEC); /* another slot's command has no use for it */
    } else {
        r->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    return r->c->output ? make_pipe(r->out, why) : FL_OK;
}

static void close_ends(struct run *r)
{
    for (int i = 0; i < 2; i++)
        if (r->out[i] >= 0)
            (void)close(r->out[i]);
    if (r->input)
        (void)fclose(r->input);
    else if (r->in >= 0)
        (void)close(r->in);
}

static enum fl_err spawn(struct run *r, struct fl_why *why)
{
    posix_spawn_file_actions_t io;
    posix_spawnattr_t attr;
    enum fl_err err = FL_OK;
    int to = r->c->output ? r->out[1] : 2;
    if (posix_spawn_file_actions_init(&io) != 0)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (posix_spawnattr_init(&attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&io);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    sigset_t none, usual;
    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE); /* ours is ignored; a program expects the usual */
    if (posix_spawn_file_actions_adddup2(&io, r->in, 0) != 0 || posix_spawn_file_actions_adddup2(&io, to, 1) != 0 ||
        posix_spawn_file_actions_adddup2(&io, to, 2) != 0 || posix_spawnattr_setpgroup(&attr, 0) != 0 ||
        posix_spawnattr_setsigmask(&attr, &none) != 0 || posix_spawnattr_setsigdefault(&attr, &usual) != 0 ||
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) != 0) {
        err = fl_fail(why, FL_NOMEM, "out of memory");
    } else {
        int rc = posix_spawnp(&r->pid, r->c->argv[0], &io, &attr, (char *const *)(uintptr_t)r->c->argv, environ);
        if (rc != 0) {
            errno = rc;
            err = fl_fail_os(why, "cannot run '%s'", r->c->argv[0]);
        }
    }
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&io);
    return err;
}

/* ---- running ----------------------------------------------------------------------------------------- */

/* What it said, the last `cap` bytes of it. */
static void listen_to(struct run *r)
{
    char bytes[4096];
    ssize_t got;
    if (!r->c->output)
        return;
    for (int i = 0; i < READS_MAX && (got = read(r->out[0], bytes, sizeof bytes)) > 0; i++) {
        size_t n = (size_t)got, cap = r->c->cap, *have = &r->end->output_n;
        const char *from = bytes;
        if (n > cap) {
            from += n - cap;
            n = cap;
        }
        if (*have + n > cap) {
            size_t drop = *have + n - cap;
            memmove(r->c->output, r->c->output + drop, *have - drop);
            *have -= drop;
        }
        memcpy(r->c->output + *have, from, n);
        *have += n;
    }
}

/* There is no portable way to poll for a child beside a descriptor, so it is looked at every 20 ms: what is run here
 * takes seconds, and output wakes sooner. */
static enum fl_err pause_for(struct run *r, struct fl_wake *wake, struct fl_deadline d)
{
    struct fl_deadline look = fl_deadline_min(d, fl_deadline_in_ms(LOOK_MS));
    enum fl_err err = fl_wake_sleep(wake, look);
    if (err)
        return err;
    listen_to(r);
    return fl_deadline_passed(d) ? FL_TIMEOUT : FL_OK;
}

static enum fl_err wait_end(struct run *r, int *status, struct fl_wake *wake, struct fl_deadline d)
{
    for (;;) {
        pid_t got = waitpid(r->pid, status, WNOHANG);
        if (got == r->pid)
            return FL_OK;
        if (got < 0 && errno != EINTR)
            return FL_IO;
        enum fl_err err = pause_for(r, wake, d);
        /* a machine that was held up past the deadline may have kept us from seeing an end that came in time */
        if (err == FL_TIMEOUT && waitpid(r->pid, status, WNOHANG) == r->pid)
            return FL_OK;
        if (err) {
            (void)kill(-r->pid, SIGKILL);
            while (waitpid(r->pid, status, 0) < 0 && errno == EINTR) {
            }
            return err;
        }
    }
}

enum fl_err command_run(const struct command *c, struct command_end *end, struct fl_wake *wake,
                        struct fl_deadline d, struct fl_why *why)
{
    struct run r = {.c = c, .end = end, .in = -1, .out = {-1, -1}};
    const char *name = c->argv[0];
    int status = 0;
    *end = (struct command_end){.code = NOT_STARTED};
    enum fl_err err = open_ends(&r, why);
    if (!err)
        err = spawn(&r, why);
    if (err) {
        close_ends(&r);
        return err;
    }
    err = wait_end(&r, &status, wake, d);
    listen_to(&r);
    close_ends(&r);
    end->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    if (err)
        return fl_fail(why, err, "'%s': %s", name, err == FL_TIMEOUT ? "not finished in time, killed" : fl_err_text(err));
    if (end->code < 0)
        return fl_fail(why, FL_REFUSED, "'%s' was ended by signal %d", name, -end->code);
    return end->code ? fl_fail(why, FL_REFUSED, "'%s' ended with %d", name, end->code) : FL_OK;
}

enum fl_err command_run_text(const char *text, struct fl_wake *wake, struct fl_deadline d, struct fl_why *why)
{
    char *copy = strdup(text), *argv[WORDS_MAX + 1], *save = NULL;
    struct command_end end;
    size_t n = 0;
    if (!copy)
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (char *w = strtok_r(copy, " \t", &save); w && n < WORDS_MAX; w = strtok_r(NULL, " \t", &save))
        argv[n++] = w;
    argv[n] = NULL;
    const struct command c = {.argv = (const char *const *)argv};
    enum fl_err err = n ? command_run(&c, &end, wake, d, why) : fl_fail(why, FL_ARG, "the command is empty");
    free(copy);
    return err;
}
