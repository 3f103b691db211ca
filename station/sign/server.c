/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/server.h"

#include "base/cursor.h"
#include "sign/message.h"
#include "sign/socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEND_MS = 30000, REST_MS = 10000 };

struct talk {
    struct keeper *keeper;
    struct fl_buf in, out, redo;
    char origin[KEY_NAME_MAX];
};

static void take_head(struct fl_cursor *c, uint64_t *size, struct tree_hash *root)
{
    *size = fl_take_u64le(c);
    const uint8_t *p = fl_take(c, sizeof root->b);
    if (p)
        memcpy(root->b, p, sizeof root->b);
}

static enum fl_err malformed(struct fl_why *why)
{
    return fl_fail(why, FL_FORMAT, "the station said something that a signer does not understand");
}

/* ---- the questions ------------------------------------------------------------------------------------ */

static enum fl_err tell_key(struct talk *t, struct fl_cursor *c, struct fl_why *why)
{
    uint8_t public[KEY_PUBLIC];
    const char *origin = keeper_origin(t->keeper);
    if (c->left)
        return malformed(why);
    keeper_public(t->keeper, public);
    message_begin(&t->out, 'k');
    fl_buf_add(&t->out, public, sizeof public);
    message_u8(&t->out, (uint8_t)strlen(origin));
    fl_buf_adds(&t->out, origin);
    return FL_OK;
}

static enum fl_err open_log(struct talk *t, struct fl_cursor *c, struct fl_why *why)
{
    struct checkpoint head = {.size = 0};
    struct fl_why said = {0, ""};
    uint8_t version = fl_take_u8(c), n = fl_take_u8(c);
    const uint8_t *origin = fl_take(c, n);
    take_head(c, &head.size, &head.root);
    if (c->bad || c->left || version != MESSAGE_VERSION || !key_name_ok((const char *)origin, n))
        return malformed(why);
    memcpy(head.origin, origin, n);
    memcpy(t->origin, head.origin, sizeof t->origin);
    enum fl_err err = keeper_open(t->keeper, &head, &t->redo, &said);
    if (err) {
        message_error(&t->out, err, said.text);
        return FL_OK;
    }
    message_begin(&t->out, 'o');
    message_u32(&t->out, (uint32_t)t->redo.len);
    if (t->redo.len)
        fl_buf_add(&t->out, t->redo.bytes, t->redo.len);
    return FL_OK;
}

static enum fl_err sign(struct talk *t, struct fl_cursor *c, struct fl_why *why)
{
    struct tree_proof proof = {.n = 0};
    struct fl_why said = {0, ""};
    uint8_t flags, signature[2 * KEY_SIGNATURE] = {0};
    struct signer_request r = {.origin = t->origin, .growth = &proof, .redo = &t->redo};
    flags = fl_take_u8(c);
    r.handover_to = fl_take(c, KEY_PUBLIC);
    take_head(c, &r.old_size, &r.old_root);
    take_head(c, &r.new_size, &r.new_root);
    proof.n = fl_take_u8(c);
    const uint8_t *path = fl_take(c, proof.n * FL_SHA256_SIZE);
    uint32_t redo_n = fl_take_u32le(c);
    const uint8_t *redo = fl_take(c, redo_n);
    if (c->bad || c->left || flags > (MESSAGE_HAND_OVER | MESSAGE_ALONE) || proof.n > TREE_PROOF_MAX)
        return malformed(why);
    if (proof.n)
        memcpy(proof.path, path, proof.n * FL_SHA256_SIZE);
    fl_buf_clear(&t->redo);
    fl_buf_add(&t->redo, redo, redo_n);
    r.alone = flags & MESSAGE_ALONE;
    r.handover = flags & MESSAGE_HAND_OVER ? signature + KEY_SIGNATURE : NULL;
    enum fl_err err = fl_buf_err(&t->redo, &said);
    if (!err)
        err = keeper_sign(t->keeper, &r, signature, &said);
    if (err) {
        message_error(&t->out, err, said.text);
        return FL_OK;
    }
    message_begin(&t->out, 's');
    fl_buf_add(&t->out, signature, sizeof signature);
    return FL_OK;
}

static enum fl_err settled(struct talk *t, struct fl_cursor *c, struct fl_why *why)
{
    struct fl_why said = {0, ""};
    if (c->left)
        return malformed(why);
    /* the keeper was opened by the station before, whose last commits this one may know nothing of */
    enum fl_err err = *t->origin ? keeper_settled(t->keeper, &said) : fl_fail(&said, FL_STATE, "the signer was not told of the log's newest head first");
    if (err)
        message_error(&t->out, err, said.text);
    else
        message_begin(&t->out, 'd');
    return FL_OK;
}

static enum fl_err tell_heads(struct talk *t, struct fl_cursor *c, struct fl_why *why)
{
    struct remembered r;
    if (c->left)
        return malformed(why);
    keeper_tell(t->keeper, &r);
    message_begin(&t->out, 'h');
    message_u8(&t->out, (uint8_t)strlen(r.origin));
    fl_buf_adds(&t->out, r.origin);
    message_u8(&t->out, (uint8_t)r.n);
    for (size_t i = 0; i < r.n; i++) {
        const struct remembered_head *h = &r.head[i];
        message_head(&t->out, h->before_size, &h->before_root);
        message_head(&t->out, h->size, &h->root);
        fl_buf_add(&t->out, h->public, sizeof h->public);
        message_u8(&t->out, h->is_signed);
        fl_buf_add(&t->out, h->signature, sizeof h->signature);
    }
    return FL_OK;
}

static enum fl_err answer(struct talk *t, struct fl_why *why)
{
    static const struct {
        char letter;
        enum fl_err (*to)(struct talk *t, struct fl_cursor *c, struct fl_why *why);
    } question[] = {{'K', tell_key}, {'O', open_log}, {'S', sign}, {'D', settled}, {'H', tell_heads}};
    struct fl_cursor c = fl_cursor_of(t->in.bytes, t->in.len);
    char letter = (char)fl_take_u8(&c);
    for (size_t i = 0; i < sizeof question / sizeof *question; i++)
        if (letter == question[i].letter)
            return question[i].to(t, &c, why);
    return malformed(why);
}

enum fl_err server_talk(struct keeper *k, int fd, struct fl_wake *stop, struct fl_why *why)
{
    struct talk t = {.keeper = k, .in = FL_BUF(MESSAGE_MAX), .out = FL_BUF(MESSAGE_MAX + 4), .redo = FL_BUF(SIGNER_REDO_MAX)};
    enum fl_err err = FL_OK;
    while (!err) {
        err = message_receive(fd, &t.in, stop, fl_deadline_never(), why);
        if (err)
            break;
        err = answer(&t, why);
        if (!err)
            err = message_send(fd, &t.out, stop, fl_deadline_in_ms(SEND_MS), why);
    }
    fl_buf_fini(&t.in);
    fl_buf_fini(&t.out);
    fl_buf_fini(&t.redo);
    return err == FL_GONE ? FL_OK : err;
}

void server_refuse(int fd, enum fl_err err, const char *text)
{
    struct fl_buf b = FL_BUF(MESSAGE_MAX);
    struct fl_deadline d = fl_deadline_in_ms(REST_MS);
    if (message_receive(fd, &b, NULL, d, NULL) == FL_OK) {
        message_error(&b, err, text);
        if (message_send(fd, &b, NULL, d, NULL))
            fl_buf_clear(&b); /* nobody is left to be told */
    }
    fl_buf_fini(&b);
}

/* ---- a socket -------------------------------------------------------------------------------------------------- */

static enum fl_err bind_at(int fd, const struct sockaddr_un *at, struct fl_why *why)
{
    struct stat st;
    if (lstat(at->sun_path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        int probe = socket(AF_UNIX, SOCK_STREAM, 0);
        bool alive = probe >= 0 && connect(probe, (const struct sockaddr *)at, sizeof *at) == 0;
        if (probe >= 0)
            (void)close(probe);
        if (alive)
            return fl_fail(why, FL_BUSY, "another signer listens at %s", at->sun_path);
        (void)unlink(at->sun_path); /* left by one that was killed */
    }
    mode_t was = umask(0117);
    int rc = bind(fd, (const struct sockaddr *)at, sizeof *at);
    (void)umask(was);
    return rc == 0 && listen(fd, 4) == 0 ? FL_OK : fl_fail_os(why, "cannot listen at %s", at->sun_path);
}

/* What a station did wrong ends its connection, not the signer. */
static enum fl_err serve_all(struct keeper *k, int fd, struct fl_wake *stop, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    while (!err) {
        err = fl_wake_poll(stop, fd, POLLIN, fl_deadline_in_ms(REST_MS));
        if (err == FL_TIMEOUT) {
            err = FL_OK;
            continue;
        }
        int one = err ? -1 : accept(fd, NULL, NULL);
        if (err || one < 0) {
            err = err ? err : errno == EINTR || errno == ECONNABORTED ? FL_OK : fl_fail_os(why, "cannot take a connection");
            continue;
        }
        enum fl_err talked = server_talk(k, one, stop, why);
        (void)close(one);
        err = talked == FL_CANCELLED ? talked : FL_OK;
    }
    return err == FL_CANCELLED ? FL_OK : err;
}

enum fl_err server_listen(struct keeper *k, const char *path, struct fl_wake *stop, void (*ready)(void *ctx), void *ctx,
                          struct fl_why *why)
{
    struct sockaddr_un at;
    int fd;
    enum fl_err err = socket_at(path, &at, &fd, why);
    if (err)
        return err;
    err = bind_at(fd, &at, why);
    if (!err) {
        if (ready)
            ready(ctx);
        err = serve_all(k, fd, stop, why);
        (void)unlink(path);
    }
    (void)close(fd);
    return err;
}
