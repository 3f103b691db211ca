/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/message.h"

#include "base/cursor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void message_begin(struct fl_buf *b, char letter)
{
    static const uint8_t length[4];
    fl_buf_clear(b);
    fl_buf_add(b, length, sizeof length);
    fl_buf_addc(b, letter);
}

void message_u8(struct fl_buf *b, uint8_t v)
{
    fl_buf_add(b, &v, 1);
}

void message_u32(struct fl_buf *b, uint32_t v)
{
    uint8_t p[4];
    fl_put_u32le(p, v);
    fl_buf_add(b, p, sizeof p);
}

void message_head(struct fl_buf *b, uint64_t size, const struct tree_hash *root)
{
    uint8_t p[8];
    fl_put_u64le(p, size);
    fl_buf_add(b, p, sizeof p);
    fl_buf_add(b, root->b, sizeof root->b);
}

void message_error(struct fl_buf *b, enum fl_err err, const char *text)
{
    message_begin(b, 'e');
    message_u8(b, (uint8_t)err);
    fl_buf_adds(b, text);
}

/* ---- a descriptor ----------------------------------------------------------------------------------------- */

static enum fl_err gone(enum fl_err err, struct fl_why *why)
{
    return fl_fail(why, err, err == FL_TIMEOUT ? "the other side of the signer's connection gave no answer in time"
                             : err == FL_CANCELLED ? "woken up to stop"
                                                   : "the other side of the signer's connection is gone");
}

enum fl_err message_send(int fd, struct fl_buf *b, struct fl_wake *stop, struct fl_deadline d, struct fl_why *why)
{
    enum fl_err err = fl_buf_err(b, why);
    size_t done = 0;
    if (err)
        return err;
    fl_put_u32le(b->bytes, (uint32_t)(b->len - 4));
    while (done < b->len) {
        ssize_t k = send(fd, b->bytes + done, b->len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k > 0) {
            done += (size_t)k;
            continue;
        }
        if (k < 0 && errno == EINTR)
            continue;
        err = k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? fl_wake_poll(stop, fd, POLLOUT, d) : FL_GONE;
        if (err)
            return gone(err, why);
    }
    return FL_OK;
}

static enum fl_err read_all(int fd, uint8_t *to, size_t n, struct fl_wake *stop, struct fl_deadline d, struct fl_why *why)
{
    size_t done = 0;
    while (done < n) {
        ssize_t k = recv(fd, to + done, n - done, MSG_DONTWAIT);
        if (k > 0) {
            done += (size_t)k;
            continue;
        }
        if (k < 0 && errno == EINTR)
            continue;
        enum fl_err err = k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? fl_wake_poll(stop, fd, POLLIN, d) : FL_GONE;
        if (err)
            return gone(err, why);
    }
    return FL_OK;
}

enum fl_err message_receive(int fd, struct fl_buf *b, struct fl_wake *stop, struct fl_deadline d, struct fl_why *why)
{
    uint8_t length[4];
    fl_buf_clear(b);
    enum fl_err err = read_all(fd, length, sizeof length, stop, d, why);
    if (err)
        return err;
    size_t n = fl_get_u32le(length);
    if (n == 0 || n > MESSAGE_MAX)
        return fl_fail(why, FL_LIMIT, "a message of %zu bytes on the signer's connection", n);
    uint8_t *room = fl_buf_room(b, n);
    if (!room)
        return fl_buf_err(b, why);
    err = read_all(fd, room, n, stop, d, why);
    if (!err)
        b->len += n;
    return err;
}
