/* SPDX-License-Identifier: Apache-2.0
 * What a frame costs of the system: one look whether anything came late, one write, one wait for the answer, one read,
 * however long the frame is. Counted where the calls are made: this program has read, send, write and ppoll of its own,
 * which count and pass on. Whole attempts over sockets, against boards in a thread of their own. */
#include "unit/t.h"

#include "base/hash.h"
#include "base/wake.h"
#include "esp/esp.h"
#include "link/link.h"
#include "sim/sim.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#ifdef __linux__
#include <sys/syscall.h>

enum { SIZE = 0x60000, AT = 0x10000, KERNEL_SIGSET = 8 };

static _Thread_local struct {
    bool on; /* the slot's thread, while it writes */
    unsigned reads, writes, waits;
    size_t written;
} calls;

ssize_t read(int fd, void *to, size_t n)
{
    calls.reads += calls.on;
    return syscall(SYS_read, fd, to, n);
}

ssize_t write(int fd, const void *from, size_t n)
{
    ssize_t k = syscall(SYS_write, fd, from, n);
    calls.writes += calls.on;
    calls.written += calls.on && k > 0 ? (size_t)k : 0;
    return k;
}

ssize_t send(int fd, const void *from, size_t n, int flags)
{
    ssize_t k = syscall(SYS_sendto, fd, from, n, flags, NULL, 0);
    calls.writes += calls.on;
    calls.written += calls.on && k > 0 ? (size_t)k : 0;
    return k;
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *left, const sigset_t *set)
{
    struct timespec own = left ? *left : (struct timespec){0}; /* the kernel writes there what is left */
    calls.waits += calls.on;
    return (int)syscall(SYS_ppoll, fds, n, left ? &own : NULL, set, KERNEL_SIGSET);
}

/* what a compiler that fortifies by itself, as Ubuntu's does, calls instead */
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *left, const sigset_t *set, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *left, const sigset_t *set, size_t room)
{
    (void)room;
    return ppoll(fds, n, left, set);
}

ssize_t __read_chk(int fd, void *to, size_t n, size_t room);
ssize_t __read_chk(int fd, void *to, size_t n, size_t room)
{
    (void)room;
    return read(fd, to, n);
}

struct board {
    struct sim *sim;
    struct fl_wake stop;
    pthread_t thread;
};

static void *serve(void *arg)
{
    struct board *b = arg;
    struct fl_why why;
    (void)!sim_run(b->sim, &b->stop, &why);
    return NULL;
}

static void board_start(struct board *b)
{
    struct fl_why why = {0};
    const struct sim_config c = {.boards = 2, .listen = "127.0.0.1:0", .seed = 1};
    if (sim_open(&c, &b->sim, &why) || fl_wake_init(&b->stop, &why))
        fail_msg("%s", why.text);
    assert_int_equal(pthread_create(&b->thread, NULL, serve, b), 0);
}

static void board_end(struct board *b)
{
    fl_wake_raise(&b->stop);
    (void)pthread_join(b->thread, NULL);
    sim_close(b->sim);
    fl_wake_fini(&b->stop);
}

static struct esp_region made_up(bool deflate)
{
    uint8_t *plain = malloc(SIZE);
    uLongf n = compressBound(SIZE);
    uint8_t *z = deflate ? malloc(n) : NULL;
    uint32_t x = 8;
    assert_true(plain && (z || !deflate));
    for (uint32_t i = 0; i < SIZE; i++) {
        x = x * 1664525u + 1013904223u;
        plain[i] = (uint8_t)(x >> 24 & 0x3f);
    }
    struct esp_region r = {.offset = AT, .size = SIZE, .plain = plain, .deflated = z};
    if (deflate)
        assert_int_equal(compress2(z, &n, plain, SIZE, 6), Z_OK);
    r.deflated_size = deflate ? n : 0;
    assert_int_equal(fl_md5(plain, SIZE, r.md5), FL_OK);
    return r;
}

static void a_frame(void **state)
{
    (void)state;
    /* compressed to the stub in blocks of 16 KB; plain ones to the ROM, of 6 KB: as many calls for each */
    static const struct {
        enum esp_stub_mode stub;
        bool deflate;
        unsigned frames; /* at least */
    } rows[] = {{ESP_STUB_AUTO, true, 16}, {ESP_STUB_NEVER, false, 64}};
    struct board b = {.sim = NULL};
    board_start(&b);
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fl_wake stop;
        struct fl_why why = {0};
        struct link *l = NULL;
        struct esp *e = NULL;
        struct esp_problem p = {0};
        struct esp_unit unit;
        struct esp_flash_info flash;
        struct esp_region_result res;
        struct esp_region r = made_up(rows[i].deflate);
        const struct esp_config config = {.chip = "esp32", .baud = 921600, .stub = rows[i].stub, .reset = "auto"};
        assert_int_equal(fl_wake_init(&stop, &why), FL_OK);
        if (link_open(sim_url(b.sim, (unsigned)i), &stop, fl_deadline_in_ms(5000), &l, &why))
            fail_msg("%s", why.text);
        assert_int_equal(esp_open(l, &config, NULL, NULL, &e), FL_OK);
        enum fl_err err = esp_connect(e, &p);
        if (!err)
            err = esp_identify(e, &unit, &p);
        if (!err)
            err = esp_prepare(e, &p);
        if (!err)
            err = esp_attach_flash(e, 0, &flash, &p);
        uint64_t before = link_counters(l).writes;
        memset(&calls, 0, sizeof calls);
        calls.on = true;
        if (!err)
            err = esp_write(e, &r, 1, false, &res, &p);
        calls.on = false;
        if (err)
            fail_msg("%s: %s", esp_fault_name(p.fault), p.text);
        unsigned frames = (unsigned)(link_counters(l).writes - before);
        print_message("# %u frames, %zu bytes: %u writes, %u waits, %u reads\n", frames, calls.written, calls.writes, calls.waits,
                      calls.reads);
        assert_true(frames >= rows[i].frames);
        assert_int_equal(calls.writes, frames);
        assert_true(calls.written > (rows[i].deflate ? r.deflated_size : r.size));
        /* an answer may come in two pieces, which is rare: one more of each for a frame in four */
        assert_in_range(calls.waits, frames, frames + frames / 4);
        assert_in_range(calls.reads, 2 * frames, 2 * frames + frames / 4);
        esp_close(e);
        link_close(l);
        fl_wake_fini(&stop);
        free((void *)(uintptr_t)r.plain);
        free((void *)(uintptr_t)r.deflated);
    }
    board_end(&b);
}
#else
static void a_frame(void **state)
{
    (void)state;
    skip(); /* the calls are passed on by their Linux numbers */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_frame)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
