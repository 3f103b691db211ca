/* SPDX-License-Identifier: Apache-2.0 */
#include "line/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 32, LOOK_MS = 20 };

extern char **environ;

static enum fl_err start(char **argv, pid_t *pid, struct fl_why *why)
{
    posix_spawn_file_actions_t io;
    posix_spawnattr_t attr;
    enum fl_err err = FL_OK;
    if (posix_spawn_file_actions_init(&io) != 0)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (posix_spawnattr_init(&attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&io);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    sigset_t none;
    (void)sigemptyset(&none);
    if (posix_spawn_file_actions_addopen(&io, 0, "/dev/null", O_RDONLY, 0) != 0 ||
        posix_spawn_file_actions_adddup2(&io, 2, 1) != 0 ||
        posix_spawnattr_setpgroup(&attr, 0) != 0 || posix_spawnattr_setsigmask(&attr, &none) != 0 ||
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK) != 0) {
        err = fl_fail(why, FL_NOMEM, "out of memory");
    } else {
        int rc = posix_spawnp(pid, argv[0], &io, &attr, argv, environ);
        if (rc != 0) {
            errno = rc;
            err = fl_fail_os(why, "cannot run '%s'", argv[0]);
        }
    }
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&io);
    return err;
}

/* There is no portable way to poll for a child beside a descriptor, so it is looked at every 20 ms: a power
 * switch takes seconds. */
static enum fl_err wait_end(pid_t pid, int *status, struct fl_wake *wake, struct fl_deadline d)
{
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid)
            return FL_OK;
        if (got < 0 && errno != EINTR)
            return FL_IO;
        enum fl_err err = fl_wake_sleep(wake, fl_deadline_min(d, fl_deadline_in_ms(LOOK_MS)));
        if (!err && fl_deadline_passed(d))
            err = FL_TIMEOUT;
        if (err) {
            (void)kill(-pid, SIGKILL);
            while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
            }
            return err;
        }
    }
}

enum fl_err command_run(const char *text, struct fl_wake *wake, struct fl_deadline d,
                        struct fl_why *why)
{
    char *copy = strdup(text), *argv[WORDS_MAX + 1], *save = NULL;
    enum fl_err err = FL_OK;
    size_t n = 0;
    pid_t pid;
    int status = 0;
    if (!copy)
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (char *w = strtok_r(copy, " \t", &save); w && n < WORDS_MAX; w = strtok_r(NULL, " \t", &save))
        argv[n++] = w;
    argv[n] = NULL;
    if (n == 0) {
        err = fl_fail(why, FL_ARG, "the command is empty");
        goto out;
    }
    err = start(argv, &pid, why);
    if (err)
        goto out;
    err = wait_end(pid, &status, wake, d);
    if (err)
        err = fl_fail(why, err, "'%s': %s", text, fl_err_text(err));
    else if (!WIFEXITED(status))
        err = fl_fail(why, FL_REFUSED, "'%s' was ended by signal %d", text, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        err = fl_fail(why, FL_REFUSED, "'%s' ended with %d", text, WEXITSTATUS(status));
out:
    free(copy);
    return err;
}
