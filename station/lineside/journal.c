/* SPDX-License-Identifier: Apache-2.0 */
#include "lineside/journal.h"

#include "base/buf.h"
#include "base/cursor.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 8192 }; /* far below any socket buffer, far above any attempt */

struct journal {
    pthread_mutex_t lock; /* guards the rest */
    int fd;
    struct sockaddr_un to;
    unsigned long lost; /* since the last line that got through */
};

/* Set by systemd as "device:inode" of the stream it connected; a pipe put in between has another. */
static bool stderr_is_journal(void)
{
    const char *s = getenv("JOURNAL_STREAM");
    struct stat st;
    char *end;
    if (!s || fstat(STDERR_FILENO, &st))
        return false;
    unsigned long long dev = strtoull(s, &end, 10);
    if (*end != ':')
        return false;
    unsigned long long ino = strtoull(end + 1, &end, 10);
    return !*end && dev == (unsigned long long)st.st_dev && ino == (unsigned long long)st.st_ino;
}

enum fl_err journal_open(const char *path, struct journal **out, struct fl_why *why)
{
    struct stat st;
    *out = NULL;
    bool wanted = path != NULL; /* else the journal is a comfort: a container may have its stream and not its socket */
    if (!wanted && !stderr_is_journal())
        return FL_OK;
    if (!wanted)
        path = JOURNAL_SOCKET;
    struct journal *j = calloc(1, sizeof *j);
    if (!j)
        return fl_fail(why, FL_NOMEM, "out of memory");
    j->to.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof j->to.sun_path) {
        free(j);
        return fl_fail(why, FL_LIMIT, "the path of the journal's socket is too long: %s", path);
    }
    memcpy(j->to.sun_path, path, strlen(path) + 1);
    j->fd = stat(path, &st) == 0 && S_ISSOCK(st.st_mode) ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    if (j->fd < 0 || pthread_mutex_init(&j->lock, NULL) != 0) {
        if (j->fd >= 0)
            (void)close(j->fd);
        free(j);
        return wanted ? fl_fail(why, FL_NOT_FOUND, "no journal listens at %s", path) : FL_OK;
    }
    *out = j;
    return FL_OK;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    (void)close(j->fd);
    (void)pthread_mutex_destroy(&j->lock);
    free(j);
}

/* What boards and hosts say may hold line feeds: only then the form with a length. */
static void field(struct fl_buf *b, const char *key, const char *value)
{
    size_t n = strlen(value);
    if (!n)
        return;
    fl_buf_adds(b, key);
    if (memchr(value, '\n', n)) {
        fl_buf_addc(b, '\n');
        for (unsigned i = 0; i < 8; i++)
            fl_buf_addc(b, (char)((uint64_t)n >> 8 * i & 0xff));
    } else {
        fl_buf_addc(b, '=');
    }
    fl_buf_add(b, value, n);
    fl_buf_addc(b, '\n');
}

static void number(struct fl_buf *b, const char *key, int64_t value)
{
    fl_buf_addf(b, "%s=%lld\n", key, (long long)value);
}

static void start(struct fl_buf *b, int priority, const char *message)
{
    field(b, "MESSAGE", message);
    number(b, "PRIORITY", priority);
    field(b, "SYSLOG_IDENTIFIER", "flashline");
}

static void send_line(struct journal *j, struct fl_buf *b)
{
    (void)pthread_mutex_lock(&j->lock);
    if (j->lost)
        number(b, "FLASHLINE_LOST", (int64_t)j->lost);
    bool sent = !b->err && sendto(j->fd, b->bytes, b->len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&j->to,
                                  sizeof j->to) == (ssize_t)b->len;
    j->lost = sent ? 0 : j->lost + 1;
    (void)pthread_mutex_unlock(&j->lock);
    fl_buf_fini(b);
}

void journal_line(struct journal *j, int priority, const char *message)
{
    struct fl_buf b = FL_BUF(DATAGRAM_MAX);
    if (!j)
        return;
    start(&b, priority, message);
    send_line(j, &b);
}

void journal_attempt(struct journal *j, const struct attempt_facts *f, int64_t leaf)
{
    static const int priority[] = {[OUTCOME_PASS] = LOG_INFO, [OUTCOME_FAIL] = LOG_WARNING, [OUTCOME_ERROR] = LOG_ERR,
                                   [OUTCOME_ABORTED] = LOG_NOTICE, [OUTCOME_INTERRUPTED] = LOG_NOTICE};
    struct fl_buf b = FL_BUF(DATAGRAM_MAX);
    char mac[24] = "", message[600];
    if (!j)
        return;
    if (f->has_mac)
        event_mac_format(f->mac, 6, mac);
    (void)snprintf(message, sizeof message, "slot %d: %s %s%s%s%s%s", f->slot, outcome_name(f->outcome),
                   f->has_mac ? mac : "no MAC", f->fault[0] ? " " : "", f->fault, f->why[0] ? ": " : "", f->why);
    start(&b, priority[f->outcome], message);
    field(&b, "MESSAGE_ID", JOURNAL_ATTEMPT_ID);
    number(&b, "FLASHLINE_SLOT", f->slot);
    field(&b, "FLASHLINE_PORT", f->port);
    field(&b, "FLASHLINE_MAC", mac);
    field(&b, "FLASHLINE_CHIP", f->chip);
    field(&b, "FLASHLINE_OUTCOME", outcome_name(f->outcome));
    field(&b, "FLASHLINE_FAULT", f->fault);
    field(&b, "FLASHLINE_STEP", f->fault[0] ? f->step : "");
    field(&b, "FLASHLINE_WHY", f->why);
    number(&b, "FLASHLINE_RUNGS", (int64_t)f->n_rungs);
    if (f->baud)
        number(&b, "FLASHLINE_BAUD", f->baud);
    number(&b, "FLASHLINE_MS", f->duration_ms);
    field(&b, "FLASHLINE_LOT", f->lot);
    field(&b, "FLASHLINE_OPERATOR", f->operator_id);
    if (leaf >= 0)
        number(&b, "FLASHLINE_LEAF", leaf);
    send_line(j, &b);
}
