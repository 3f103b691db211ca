/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/remote.h"

#include "base/cursor.h"
#include "sign/message.h"
#include "sign/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    ANSWER_MS = 60000, /* a slow disk under the signer's memory, a token in a slow reader */
    ERROR_MAX = 64,
    CHILD_SOCKET = 3, CHILD_SECRET = 4,
};

struct remote {
    int fd;
    pid_t child; /* 0: none */
    unsigned answer_ms;
    struct fl_buf out, in;
};

/* ---- asking ---------------------------------------------------------------------------------------------------- */

static enum fl_err gone(enum fl_err err, struct fl_why *why)
{
    return err == FL_GONE ? fl_fail(why, err, "the signer ended: nothing can be signed until the station is started again") : err;
}

/* What is in `out`. */
static enum fl_err send_out(struct remote *r, struct fl_why *why)
{
    return gone(message_send(r->fd, &r->out, NULL, fl_deadline_in_ms(r->answer_ms), why), why);
}

/* The answer with `letter`; the cursor stands behind that letter. */
static enum fl_err take_answer(struct remote *r, char letter, struct fl_cursor *c, struct fl_why *why)
{
    enum fl_err err = gone(message_receive(r->fd, &r->in, NULL, fl_deadline_in_ms(r->answer_ms), why), why);
    if (err)
        return err;
    *c = fl_cursor_of(r->in.bytes, r->in.len);
    char got = (char)fl_take_u8(c);
    if (got == letter)
        return FL_OK;
    uint8_t code = got == 'e' ? fl_take_u8(c) : 0;
    if (got != 'e' || c->bad || code == 0 || code >= ERROR_MAX)
        return fl_fail(why, FL_FORMAT, "the signer said something that a station does not understand");
    return fl_fail(why, (enum fl_err)code, "%.*s", (int)(c->left < 300 ? c->left : 300), (const char *)c->p);
}

static enum fl_err ask(struct remote *r, char letter, struct fl_cursor *c, struct fl_why *why)
{
    enum fl_err err = send_out(r, why);
    return err ? err : take_answer(r, letter, c, why);
}

static enum fl_err not_understood(struct fl_why *why)
{
    return fl_fail(why, FL_FORMAT, "the signer's answer is malformed");
}

enum fl_err remote_key(struct remote *r, uint8_t public[static KEY_PUBLIC], char origin[static KEY_NAME_MAX], struct fl_why *why)
{
    struct fl_cursor c;
    message_begin(&r->out, 'K');
    enum fl_err err = ask(r, 'k', &c, why);
    if (err)
        return err;
    const uint8_t *key = fl_take(&c, KEY_PUBLIC);
    uint8_t n = fl_take_u8(&c);
    const uint8_t *name = fl_take(&c, n);
    if (c.bad || c.left || n >= KEY_NAME_MAX)
        return not_understood(why);
    memcpy(public, key, KEY_PUBLIC);
    memcpy(origin, name, n);
    origin[n] = 0;
    return FL_OK;
}

static void take_head(struct fl_cursor *c, uint64_t *size, struct tree_hash *root)
{
    *size = fl_take_u64le(c);
    const uint8_t *p = fl_take(c, sizeof root->b);
    if (p)
        memcpy(root->b, p, sizeof root->b);
}

static void take_remembered(struct fl_cursor *c, struct remembered_head *h)
{
    take_head(c, &h->before_size, &h->before_root);
    take_head(c, &h->size, &h->root);
    const uint8_t *key = fl_take(c, KEY_PUBLIC);
    h->is_signed = fl_take_u8(c) == 1;
    const uint8_t *signature = fl_take(c, KEY_SIGNATURE);
    if (c->bad)
        return;
    memcpy(h->public, key, KEY_PUBLIC);
    memcpy(h->signature, signature, KEY_SIGNATURE);
}

enum fl_err remote_heads(struct remote *r, unsigned ms, struct remembered *out, struct fl_why *why)
{
    struct fl_cursor c;
    *out = (struct remembered){.known = REMEMBERED_TOLD};
    r->answer_ms = ms;
    message_begin(&r->out, 'H');
    enum fl_err err = ask(r, 'h', &c, why);
    r->answer_ms = ANSWER_MS;
    if (err)
        return err;
    uint8_t n = fl_take_u8(&c);
    const uint8_t *name = fl_take(&c, n);
    uint8_t heads = fl_take_u8(&c);
    if (c.bad || n >= KEY_NAME_MAX || heads > SIGNER_KEEPS)
        return not_understood(why);
    memcpy(out->origin, name, n);
    out->n = heads;
    for (size_t i = 0; i < heads; i++)
        take_remembered(&c, &out->head[i]);
    if (c.bad || c.left)
        return not_understood(why);
    if (!heads || !out->head[0].size)
        out->known = REMEMBERED_NOTHING;
    return FL_OK;
}

static enum fl_err remote_open(const void *config, const struct checkpoint *last, struct fl_buf *redo, struct signer **out,
                               struct fl_why *why)
{
    struct remote *r = *(struct remote *const *)config;
    struct fl_cursor c;
    *out = NULL;
    fl_buf_clear(redo);
    message_begin(&r->out, 'O');
    message_u8(&r->out, MESSAGE_VERSION);
    message_u8(&r->out, (uint8_t)strlen(last->origin));
    fl_buf_adds(&r->out, last->origin);
    message_head(&r->out, last->size, &last->root);
    enum fl_err err = ask(r, 'o', &c, why);
    if (err)
        return err;
    uint32_t n = fl_take_u32le(&c);
    const uint8_t *p = fl_take(&c, n);
    if (c.bad || c.left)
        return not_understood(why);
    fl_buf_add(redo, p, n);
    err = fl_buf_err(redo, why);
    if (!err)
        *out = (struct signer *)(void *)r;
    return err;
}

static enum fl_err remote_sign(struct signer *s, const struct signer_request *q, uint8_t out[static KEY_SIGNATURE],
                               struct fl_why *why)
{
    static const uint8_t nobody[KEY_PUBLIC];
    struct remote *r = (struct remote *)(void *)s;
    struct fl_cursor c;
    size_t proof_n = q->old_size ? q->growth->n : 0, redo_n = q->redo ? q->redo->len : 0;
    message_begin(&r->out, 'S');
    message_u8(&r->out, (uint8_t)((q->handover ? MESSAGE_HAND_OVER : 0) | (q->alone ? MESSAGE_ALONE : 0)));
    fl_buf_add(&r->out, q->handover ? q->handover_to : nobody, KEY_PUBLIC);
    message_head(&r->out, q->old_size, &q->old_root);
    message_head(&r->out, q->new_size, &q->new_root);
    message_u8(&r->out, (uint8_t)proof_n);
    if (proof_n)
        fl_buf_add(&r->out, q->growth->path, proof_n * sizeof *q->growth->path);
    message_u32(&r->out, (uint32_t)redo_n);
    if (redo_n)
        fl_buf_add(&r->out, q->redo->bytes, redo_n);
    enum fl_err err = send_out(r, why);
    if (!err && q->meanwhile)
        err = q->meanwhile(q->ctx, why);
    if (!err)
        err = take_answer(r, 's', &c, why);
    if (err)
        return err;
    const uint8_t *one = fl_take(&c, KEY_SIGNATURE), *two = fl_take(&c, KEY_SIGNATURE);
    if (c.bad || c.left)
        return not_understood(why);
    memcpy(out, one, KEY_SIGNATURE);
    if (q->handover)
        memcpy(q->handover, two, KEY_SIGNATURE);
    return FL_OK;
}

static enum fl_err remote_settled(struct signer *s, struct fl_why *why)
{
    struct remote *r = (struct remote *)(void *)s;
    struct fl_cursor c;
    message_begin(&r->out, 'D');
    return ask(r, 'd', &c, why);
}

/* It speaks when it is asked: between two questions there is nothing to read but its end. */
static enum fl_err remote_there(struct signer *s, struct fl_why *why)
{
    struct pollfd p = {.fd = ((struct remote *)(void *)s)->fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0 ? gone(FL_GONE, why) : FL_OK;
}

static void remote_close(struct signer *s)
{
    (void)s; /* the connection is its owner's */
}

const struct signer_kind signer_remote = {"process", remote_open, remote_sign, remote_close, true, remote_settled, remote_there};

/* ---- where it is ------------------------------------------------------------------------------------------------ */

static enum fl_err made(int fd, pid_t child, struct remote **out, struct fl_why *why)
{
    struct remote *r = calloc(1, sizeof *r);
    if (!r)
        return fl_fail(why, FL_NOMEM, "out of memory");
    *r = (struct remote){.fd = fd, .child = child, .answer_ms = ANSWER_MS, .out = FL_BUF(MESSAGE_MAX + 4), .in = FL_BUF(MESSAGE_MAX)};
    *out = r;
    return FL_OK;
}

enum fl_err remote_connect(const char *path, struct remote **out, struct fl_why *why)
{
    struct sockaddr_un at;
    int fd;
    *out = NULL;
    enum fl_err err = socket_at(path, &at, &fd, why);
    if (err)
        return err;
    err = connect(fd, (const struct sockaddr *)&at, sizeof at) == 0
                          ? made(fd, 0, out, why)
                          : fl_fail_os(why, "no signer answers at %s", path);
    if (err)
        (void)close(fd);
    return err;
}

/* The descriptors the child is to have, above those it gets them as, so that placing one cannot hit another. */
static int high(int fd)
{
    int up = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10);
    if (fd >= 0)
        (void)close(fd);
    return up;
}

static enum fl_err spawn(const struct remote_child *c, int socket_fd, int secret_fd, pid_t *child, struct fl_why *why)
{
    const char *argv[16] = {"flashline", "signer", "--fd", "3", "--key", c->key, "--memory", c->memory};
    size_t n = 8;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, plain;
    if (c->next) {
        argv[n++] = "--next";
        argv[n++] = c->next;
    }
    if (c->adopt)
        argv[n++] = "--adopt";
    if (c->set_clock)
        argv[n++] = "--set-clock";
    if (secret_fd >= 0) {
        argv[n++] = "--passphrase-fd";
        argv[n++] = "4";
    }
    (void)sigemptyset(&none);
    (void)sigemptyset(&plain);
    (void)sigaddset(&plain, SIGPIPE);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (posix_spawnattr_init(&attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    bool ok = posix_spawn_file_actions_adddup2(&actions, socket_fd, CHILD_SOCKET) == 0 &&
              (secret_fd < 0 || posix_spawn_file_actions_adddup2(&actions, secret_fd, CHILD_SECRET) == 0) &&
              posix_spawnattr_setsigmask(&attr, &none) == 0 && posix_spawnattr_setsigdefault(&attr, &plain) == 0 &&
              posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0;
    /* this very program, also when its file was replaced meanwhile; elsewhere than on Linux the one that is installed */
    int rc = !ok ? ENOMEM
                 : posix_spawn(child, c->program ? c->program : "/proc/self/exe", &actions, &attr,
                               (char *const *)(uintptr_t)argv, environ);
    if (rc == ENOENT && !c->program)
        rc = posix_spawnp(child, "flashline", &actions, &attr, (char *const *)(uintptr_t)argv, environ);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    errno = rc;
    return rc == 0 ? FL_OK : fl_fail_os(why, "cannot start the signer");
}

/* A passphrase is shorter than any pipe is deep, so this cannot block. */
static enum fl_err put_secret(const char *secret, int *reading, struct fl_why *why)
{
    int fd[2];
    *reading = -1;
    if (!secret)
        return FL_OK;
    if (pipe(fd) != 0)
        return fl_fail_os(why, "cannot make a pipe");
    ssize_t k = write(fd[1], secret, strlen(secret));
    (void)close(fd[1]);
    *reading = high(fd[0]);
    return k == (ssize_t)strlen(secret) && *reading >= 0 ? FL_OK : fl_fail_os(why, "cannot hand the passphrase to the signer");
}

enum fl_err remote_spawn(const struct remote_child *c, struct remote **out, struct fl_why *why)
{
    int pair[2] = {-1, -1}, secret = -1;
    pid_t child = 0;
    *out = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return fl_fail_os(why, "cannot make a pair of sockets");
    pair[1] = high(pair[1]);
    enum fl_err err = pair[1] < 0 ? fl_fail_os(why, "cannot make a pair of sockets") : put_secret(c->passphrase, &secret, why);
    if (!err)
        err = spawn(c, pair[1], secret, &child, why);
    if (secret >= 0)
        (void)close(secret);
    if (pair[1] >= 0)
        (void)close(pair[1]); /* or its end would never be seen */
    if (!err)
        err = made(pair[0], child, out, why);
    if (err)
        (void)close(pair[0]);
    return err;
}

enum fl_err remote_greet(struct remote *r, struct fl_why *why)
{
    uint8_t public[KEY_PUBLIC];
    char origin[KEY_NAME_MAX];
    return remote_key(r, public, origin, why);
}

enum fl_err remote_start(const struct remote_child *c, struct remote **out, struct fl_why *why)
{
    enum fl_err err = remote_spawn(c, out, why);
    if (!err)
        err = remote_greet(*out, why);
    if (err) {
        remote_free(*out);
        *out = NULL;
    }
    return err;
}

void remote_free(struct remote *r)
{
    int status;
    if (!r)
        return;
    (void)close(r->fd);
    while (r->child > 0 && waitpid(r->child, &status, 0) < 0 && errno == EINTR)
        ;
    fl_buf_fini(&r->out);
    fl_buf_fini(&r->in);
    free(r);
}
