/* SPDX-License-Identifier: Apache-2.0
 * A station that means no good speaks to the signer, which has the key. The input is messages, each behind a byte with its
 * length. Whatever is said: for a size there is one signed root, and no signed head is smaller than one before it. */
#include "log.h"

#include "sign/message.h"
#include "sign/server.h"

#include <sys/socket.h>
#include <unistd.h>

static char dir[] = "/dev/shm/flashline-fuzz-XXXXXX";
static char memory[64];

static void drop(void)
{
    char path[80];
    for (char c = 'a'; c < 'a' + SIGNER_KEEPS; c++) {
        (void)snprintf(path, sizeof path, "%s.%c", memory, c);
        (void)unlink(path);
    }
}

static void leave(void)
{
    drop();
    (void)rmdir(dir);
}

static int64_t clock_of(void *ctx)
{
    (void)ctx;
    return 1795334400000;
}

static struct keeper *keeper(void)
{
    struct seal seal;
    struct key *key;
    struct vkey vkey;
    struct keeper *k = NULL;
    drop();
    log_key(7, LOG_ORIGIN, KEY_NOTE, &key, &vkey);
    seal_of_key(key, &seal);
    const struct keeper_config c = {.key = &seal, .memory = memory, .wall_ms = clock_of};
    FUZZ_HOLDS(keeper_new(&c, &k, NULL) == FL_OK);
    seal_close(&seal);
    return k;
}

/* Puts a length in front of each message of the input. Returns how many. */
static size_t say(int fd, const uint8_t *bytes, size_t n)
{
    struct fl_buf all = FL_BUF(1 << 20);
    size_t count = 0;
    for (size_t at = 0; at < n; count++) {
        size_t k = bytes[at++];
        uint8_t length[4] = {0};
        k = k < n - at ? k : n - at;
        length[0] = (uint8_t)k;
        fl_buf_add(&all, length, sizeof length);
        fl_buf_add(&all, bytes + at, k);
        at += k;
    }
    if (all.len)
        FUZZ_HOLDS(write(fd, all.bytes, all.len) == (ssize_t)all.len);
    fl_buf_fini(&all);
    FUZZ_HOLDS(shutdown(fd, SHUT_WR) == 0);
    return count;
}

static void answers(int fd, const struct keeper *k, size_t most)
{
    struct fl_buf b = FL_BUF(MESSAGE_MAX);
    size_t n = 0;
    while (message_receive(fd, &b, NULL, fl_deadline_in_ms(0), NULL) == FL_OK) {
        n++;
        FUZZ_HOLDS(b.len >= 1 && strchr("kosdhe", b.bytes[0]));
        FUZZ_HOLDS(b.bytes[0] != 's' || b.len == 1 + 2 * KEY_SIGNATURE);
        FUZZ_HOLDS(b.bytes[0] != 'e' || (b.len > 2 && fuzz_for_eyes((const char *)b.bytes + 2, b.len - 2, false)));
    }
    FUZZ_HOLDS(n <= most);
    (void)k;
    fl_buf_fini(&b);
}

/* What the keeper remembers is one history: each head was made from one that is there too, and is larger. */
static void one_history(struct keeper *k)
{
    struct remembered r;
    keeper_tell(k, &r);
    for (size_t i = 0; i < r.n; i++) {
        FUZZ_HOLDS(r.head[i].before_size <= r.head[i].size);
        if (i + 1 < r.n) /* the newest first */
            FUZZ_HOLDS(r.head[i].before_size <= r.head[i + 1].size && r.head[i + 1].size <= r.head[i].size &&
                       (r.head[i].size != r.head[i + 1].size || tree_hash_same(&r.head[i].root, &r.head[i + 1].root)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    int fd[2];
    static struct fl_wake stop;
    if (!memory[0]) {
        FUZZ_HOLDS(mkdtemp(dir) && fl_wake_init(&stop, NULL) == FL_OK && atexit(leave) == 0);
        (void)snprintf(memory, sizeof memory, "%s/memory", dir);
    }
    if (n > 4000)
        return 0;
    struct keeper *k = keeper();
    struct fl_why why = {0, ""};
    FUZZ_HOLDS(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    size_t said = say(fd[0], bytes, n);
    if (server_talk(k, fd[1], &stop, &why))
        FUZZ_HOLDS(why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
    (void)close(fd[1]);
    answers(fd[0], k, said);
    one_history(k);
    (void)close(fd[0]);
    keeper_free(k);
    return 0;
}
