/* SPDX-License-Identifier: Apache-2.0
 * What all kinds share: URLs, the memory link, raw TCP, pseudo-terminals, wake-ups, deadlines. */
#include "unit/link/script.h"

#include "link/mem.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        enum fl_err err;
    } rows[] = {
        {"/dev/ttyUSB0", FL_OK},
        {"/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0", FL_OK},
        {"usb:1-1", FL_OK},
        {"usb:1-1.4.1", FL_OK},
        {"usb:12-3.10:1.1", FL_OK},
        {"rfc2217://10.0.0.7:3001", FL_OK},
        {"rfc2217://line-3.example:1", FL_OK},
        {"rfc2217://[fe80::1%eth0]:65535", FL_OK},
        {"socket://127.0.0.1:6100", FL_OK},
        {"pty:/run/board5", FL_OK},
        {"", FL_FORMAT},
        {"ttyUSB0", FL_FORMAT},
        {"COM3", FL_FORMAT},
        {"usb:", FL_FORMAT},
        {"usb:1", FL_FORMAT},
        {"usb:1-", FL_FORMAT},
        {"usb:1-1.", FL_FORMAT},
        {"usb:1-1..2", FL_FORMAT},
        {"usb:1-1x", FL_FORMAT},
        {"usb:1-1:1", FL_FORMAT},
        {"usb:1-1:1.", FL_FORMAT},
        {"usb:1-1:1.0/../..", FL_FORMAT},
        {"usb:../1-1", FL_FORMAT},
        {"rfc2217://", FL_FORMAT},
        {"rfc2217://10.0.0.7", FL_FORMAT},
        {"rfc2217://10.0.0.7:", FL_FORMAT},
        {"rfc2217://10.0.0.7:0", FL_FORMAT},
        {"rfc2217://10.0.0.7:65536", FL_FORMAT},
        {"rfc2217://10.0.0.7:999999", FL_FORMAT},
        {"rfc2217://10.0.0.7:3001/x", FL_FORMAT},
        {"rfc2217://10.0.0.7:3001?logging=debug", FL_FORMAT},
        {"rfc2217://:3001", FL_FORMAT},
        {"rfc2217://::1:3001", FL_FORMAT},
        {"rfc2217://[::1:3001", FL_FORMAT},
        {"rfc2217://[]:3001", FL_FORMAT},
        {"rfc2217:10.0.0.7:3001", FL_FORMAT},
        {"socket://h:-1", FL_FORMAT},
        {"http://10.0.0.7:80", FL_FORMAT},
        {"pty:board5", FL_FORMAT},
        {"pty:", FL_FORMAT},
        {"/dev/tty\nUSB0", FL_FORMAT},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fl_why why = {0};
        enum fl_err err = link_url_check(rows[i].url, &why);
        if (err != rows[i].err || (err && !why.text[0]))
            fail_msg("'%s': %s (%s)", rows[i].url, fl_err_text(err), why.text);
    }
    char longer[300];
    memset(longer, 'a', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = 0;
    assert_int_equal(link_url_check(longer, NULL), FL_LIMIT);
    longer[199] = 0; /* 199 characters: the longest */
    assert_int_equal(link_url_check(longer, NULL), FL_OK);
}

/* ---- memory ----------------------------------------------------------------------------------- */

struct echo {
    char lines[64];
    uint32_t baud;
};

static void on_write(void *ctx, const uint8_t *bytes, size_t n, struct fl_buf *reply)
{
    (void)ctx;
    fl_buf_add(reply, bytes, n);
    fl_buf_adds(reply, "!");
}

static void on_lines(void *ctx, enum link_wire dtr, enum link_wire rts, struct fl_buf *reply)
{
    struct echo *e = ctx;
    size_t n = strlen(e->lines);
    (void)snprintf(e->lines + n, sizeof e->lines - n, "D%dR%d ", dtr, rts);
    if (rts == LINK_RELEASE)
        fl_buf_adds(reply, "boot");
}

static void on_baud(void *ctx, uint32_t baud)
{
    ((struct echo *)ctx)->baud = baud;
}

static void memory_talks_by_script(void **state)
{
    (void)state;
    struct echo e = {0};
    struct link *l;
    uint8_t b[16];
    size_t n;
    struct fl_deadline now = {0}, soon = fl_deadline_in_ms(1000);
    assert_int_equal(
        link_mem_open(&(struct link_mem_peer){&e, on_write, on_lines, on_baud}, NULL, &l), FL_OK);
    assert_true(link_info(l)->has_lines && link_info(l)->has_speed);
    assert_int_equal(link_read(l, b, sizeof b, &n, now), FL_TIMEOUT);
    assert_int_equal(n, 0);
    assert_int_equal(link_write(l, "hey", 3, soon), FL_OK);
    /* one byte at a time: one read from below */
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(link_read(l, b, 1, &n, soon), FL_OK);
        assert_int_equal(b[0], "hey!"[i]);
    }
    assert_int_equal(link_counters(l).reads, 1);
    assert_int_equal(link_counters(l).writes, 1);
    assert_int_equal(link_counters(l).bytes_in, 4);
    assert_int_equal(link_counters(l).bytes_out, 3);
    assert_int_equal(link_set_lines(l, LINK_KEEP, LINK_ASSERT, soon), FL_OK);
    assert_int_equal(link_set_lines(l, LINK_ASSERT, LINK_RELEASE, soon), FL_OK);
    assert_string_equal(e.lines, "D-1R1 D1R0 ");
    assert_int_equal(link_set_baud(l, 921600, soon), FL_OK);
    assert_int_equal(e.baud, 921600);
    assert_int_equal(link_baud(l), 921600);
    assert_int_equal(link_discard(l), FL_OK); /* "boot" */
    assert_int_equal(link_mem_send(l, "xyz", 3), FL_OK);
    link_mem_hang_up(l);
    assert_int_equal(link_read(l, b, sizeof b, &n, now), FL_OK);
    assert_int_equal(n, 3);
    assert_int_equal(link_read(l, b, sizeof b, &n, soon), FL_GONE);
    assert_int_equal(link_write(l, "x", 1, soon), FL_GONE);
    link_close(l);
    link_close(NULL);
}

static void what_a_kind_has_not_is_unsupported(void **state)
{
    (void)state;
    struct link *l;
    struct fl_deadline d = fl_deadline_in_ms(100);
    assert_int_equal(link_mem_open(&(struct link_mem_peer){0}, NULL, &l), FL_OK);
    assert_false(link_info(l)->has_lines || link_info(l)->has_speed);
    assert_int_equal(link_set_baud(l, 9600, d), FL_UNSUPPORTED);
    assert_int_equal(link_set_lines(l, LINK_ASSERT, LINK_KEEP, d), FL_UNSUPPORTED);
    assert_string_equal(link_why(l)->text, "memory has no modem lines");
    assert_int_equal(link_drain(l, d), FL_OK);
    uint8_t b;
    size_t n;
    assert_int_equal(link_read(l, &b, 0, &n, d), FL_ARG);
    link_close(l);
}

/* ---- raw TCP ----------------------------------------------------------------------------------- */

static void socket_is_the_bytes_alone(void **state)
{
    (void)state;
    struct server s;
    struct link *l;
    struct fl_why why = {0};
    uint8_t b[8];
    size_t n;
    struct fl_deadline d = fl_deadline_in_ms(4000);
    server_start(&s, "socket", "<FF00C0 >FFFFFA00 ");
    assert_int_equal(link_open(s.url, NULL, d, &l, &why), FL_OK);
    assert_int_equal(link_info(l)->kind, LINK_SOCKET);
    assert_false(link_info(l)->has_lines || link_info(l)->has_speed);
    assert_int_equal(link_set_baud(l, 115200, d), FL_UNSUPPORTED);
    assert_int_equal(link_write(l, "\xff\0\xc0", 3, d), FL_OK);
    assert_int_equal(link_drain(l, d), FL_OK);
    for (size_t at = 0; at < 4; at += n)
        assert_int_equal(link_read(l, b + at, sizeof b - at, &n, d), FL_OK);
    assert_memory_equal(b, "\xff\xff\xfa\0", 4);
    assert_int_equal(link_read(l, b, sizeof b, &n, d), FL_GONE);
    server_join(&s);
    link_close(l);
}

static void connections_that_fail(void **state)
{
    (void)state;
    struct link *l;
    struct fl_why why = {0};
    /* a port that is held, so that nobody else may listen there, and where nobody listens */
    char url[64];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof a;
    int held = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(held, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(held, (struct sockaddr *)&a, &len), 0);
    (void)snprintf(url, sizeof url, "socket://127.0.0.1:%u", ntohs(a.sin_port));
    assert_int_equal(link_open(url, NULL, fl_deadline_in_ms(60000), &l, &why), FL_REFUSED);
    assert_non_null(strstr(why.text, "nothing listens on 127.0.0.1:"));
    assert_null(l);
    (void)close(held);
    /* .invalid never exists (RFC 6761); a machine without a name server may take long over it */
    enum fl_err err = link_open("rfc2217://no-such.invalid:3001", NULL, fl_deadline_in_ms(8000), &l, &why);
    assert_true(err == FL_NOT_FOUND || err == FL_TIMEOUT);
    assert_non_null(strstr(why.text, "no-such.invalid"));
    assert_null(l);
}

/* A listener whose queue is full lets a connection hang: that is the time-out without any network. */
static void a_connection_that_hangs_ends_at_its_deadline(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof a;
    int fds[8], ear = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(ear, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(ear, 0), 0);
    assert_int_equal(getsockname(ear, (struct sockaddr *)&a, &len), 0);
    for (size_t i = 0; i < T_COUNT(fds); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&a, sizeof a);
    }
    char url[64];
    struct link *l;
    struct fl_why why = {0};
    (void)snprintf(url, sizeof url, "socket://127.0.0.1:%u", ntohs(a.sin_port));
    uint64_t t = fl_mono_ms();
    assert_int_equal(link_open(url, NULL, fl_deadline_in_ms(300), &l, &why), FL_TIMEOUT);
    uint64_t took = fl_mono_ms() - t;
    assert_true(took >= 290 && took < 5000);
    for (size_t i = 0; i < T_COUNT(fds); i++)
        (void)close(fds[i]);
    (void)close(ear);
}

/* ---- pseudo-terminals --------------------------------------------------------------------------- */

/* The master end of a new pseudo-terminal; `url` names the other one. */
static int pty_new(char url[64])
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0);
    (void)snprintf(url, 64, "pty:%s", ptsname(fd));
    return fd;
}

static void pty_carries_all_bytes_and_tells_the_speed(void **state)
{
    (void)state;
    char url[64];
    int master = pty_new(url);
    struct link *l;
    struct fl_why why = {0};
    struct fl_deadline d = fl_deadline_in_ms(4000);
    struct termios t;
    uint8_t all[256], b[256];
    size_t n;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    /* raw from the start: a cooked terminal would echo what comes before the link is open */
    int raw = open(url + strlen("pty:"), O_RDWR | O_NOCTTY);
    assert_int_equal(tcgetattr(raw, &t), 0);
    cfmakeraw(&t);
    assert_int_equal(tcsetattr(raw, TCSANOW, &t), 0);
    assert_int_equal(write(master, "old", 3), 3);
    struct pollfd p = {raw, POLLIN, 0};
    assert_int_equal(poll(&p, 1, 4000), 1);
    if (link_open(url, NULL, d, &l, &why) != FL_OK)
        fail_msg("%s", why.text);
    assert_true(link_info(l)->has_speed && !link_info(l)->has_lines);
    assert_int_equal(link_set_lines(l, LINK_ASSERT, LINK_KEEP, d), FL_UNSUPPORTED);
    assert_int_equal(link_write(l, all, sizeof all, d), FL_OK);
    assert_int_equal(link_drain(l, d), FL_OK);
    for (size_t at = 0; at < sizeof b; at += n)
        n = (size_t)read(master, b + at, sizeof b - at);
    assert_memory_equal(b, all, sizeof all); /* no echo, no CR, no XON */
    assert_int_equal(write(master, all, sizeof all), sizeof all);
    for (size_t at = 0; at < sizeof b; at += n)
        assert_int_equal(link_read(l, b + at, 1, &n, d), FL_OK);
    assert_memory_equal(b, all, sizeof all); /* and nothing of "old" */
    assert_true(link_counters(l).reads < 20); /* not one for each of 256 reads */
    assert_int_equal(link_set_baud(l, 921600, d), FL_OK);
    assert_int_equal(tcgetattr(master, &t), 0);
    assert_int_equal(cfgetospeed(&t), B921600);
    /* a second one on the same port */
    struct link *second;
    assert_int_equal(link_open(url, NULL, d, &second, &why), FL_BUSY);
    (void)close(raw);
    (void)close(master);
    assert_int_equal(link_read(l, b, sizeof b, &n, d), FL_GONE);
    assert_int_equal(link_write(l, b, 1, d), FL_GONE);
    link_close(l);
}

static void *unlink_later(void *name)
{
    (void)usleep(50000);
    (void)unlink(name);
    return NULL;
}

/* A port that is let go of is closed; it is opened again when it is there, and until then nothing of it can be used. */
static void a_port_that_comes_back(void **state)
{
    (void)state;
    char dir[] = "/tmp/flashline-t-XXXXXX", name[64], url[80], there[64];
    struct fl_deadline d = fl_deadline_in_ms(4000);
    struct fl_why why = {0};
    struct link *l;
    uint8_t b[4];
    size_t n;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(name, sizeof name, "%s/board", dir);
    (void)snprintf(url, sizeof url, "pty:%s", name);
    int master = pty_new(there);
    assert_int_equal(symlink(there + strlen("pty:"), name), 0);
    struct fl_wake w;
    assert_int_equal(fl_wake_init(&w, NULL), FL_OK);
    assert_int_equal(link_open(url, &w, d, &l, &why), FL_OK);
    assert_int_equal(link_write(l, "abc", 3, d), FL_OK);
    assert_int_equal(link_let_go(&l), FL_OK);
    assert_int_equal(link_read(l, b, sizeof b, &n, d), FL_GONE);
    assert_int_equal(link_write(l, b, 1, d), FL_GONE);
    assert_int_equal(link_discard(l), FL_GONE);
    assert_int_equal(link_set_baud(l, 115200, d), FL_GONE);
    assert_int_equal(link_set_lines(l, LINK_ASSERT, LINK_KEEP, d), FL_GONE);
    assert_int_equal(link_counters(l).bytes_out, 3);
    assert_string_equal(link_info(l)->url, url);
    assert_false(link_goes(l, fl_deadline_in_ms(30)));
    pthread_t unplug;
    assert_int_equal(pthread_create(&unplug, NULL, unlink_later, name), 0);
    assert_true(link_goes(l, fl_deadline_never()));
    assert_int_equal(pthread_join(unplug, NULL), 0);
    assert_true(link_goes(l, d)); /* it is away already */
    assert_int_equal(link_come_back(&l, fl_deadline_in_ms(30), &why), FL_GONE);
    assert_non_null(strstr(why.text, "it did not come back: "));
    assert_int_equal(link_read(l, b, sizeof b, &n, d), FL_GONE);
    (void)close(master);
    master = pty_new(there); /* under another name, at the same place */
    assert_int_equal(symlink(there + strlen("pty:"), name), 0);
    assert_int_equal(link_come_back(&l, d, &why), FL_OK);
    assert_int_equal(link_counters(l).bytes_out, 0);
    assert_int_equal(link_write(l, "abc", 3, d), FL_OK);
    assert_int_equal(read(master, b, sizeof b), 3);
    assert_memory_equal(b, "abc", 3);
    (void)unlink(name);
    assert_int_equal(link_let_go(&l), FL_OK);
    fl_wake_raise(&w);
    assert_int_equal(link_come_back(&l, fl_deadline_never(), &why), FL_CANCELLED);
    assert_int_equal(symlink("/", name), 0);
    assert_false(link_goes(l, fl_deadline_never())); /* there for ever: the wake ends it */
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rmdir(dir), 0);
    link_close(l);
    (void)close(master);
    fl_wake_fini(&w);
}

static void paths_that_are_no_port(void **state)
{
    (void)state;
    struct link *l;
    struct fl_why why = {0};
    struct fl_deadline d = fl_deadline_in_ms(1000);
    assert_int_equal(link_open("pty:/nowhere/at/all", NULL, d, &l, &why), FL_NOT_FOUND);
    assert_int_equal(link_open("pty:/dev/null", NULL, d, &l, &why), FL_FORMAT);
    assert_int_equal(link_open("nonsense", NULL, d, &l, &why), FL_FORMAT);
    assert_null(l);
}

/* ---- waits ------------------------------------------------------------------------------------- */

static void *raise_later(void *arg)
{
    (void)usleep(50000);
    fl_wake_raise(arg);
    return NULL;
}

enum wait_kind { W_READ, W_WRITE, W_LINES, W_OPEN, W_DRAIN };

/* Every kind of wait, on a peer that does nothing, ends when another thread says so. */
static void a_wake_ends_every_wait(void **state)
{
    (void)state;
    static const struct {
        const char *scheme; /* NULL: pty; "": memory */
        const char *script;
        enum wait_kind wait;
    } rows[] = {
        {"socket", "=", W_READ},         {"socket", "=", W_WRITE},
        {"socket", "=", W_DRAIN},        {"rfc2217", OPEN "=", W_READ},
        {"rfc2217", OPEN "=", W_WRITE},  {"rfc2217", OPEN "=", W_LINES},
        {"rfc2217", "=", W_OPEN},        {"rfc2217", ASK AGREE "=", W_OPEN},
        {NULL, NULL, W_READ},               {NULL, NULL, W_WRITE},
        {"", NULL, W_READ},
    };
    static uint8_t big[16 << 20];
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fl_wake wake;
        struct server s;
        struct link *l = NULL;
        char url[64];
        pthread_t th;
        int master = -1;
        size_t n;
        uint8_t b[8];
        struct fl_deadline d = fl_deadline_in_ms(20000);
        enum fl_err err = FL_OK;
        bool net = rows[i].scheme && rows[i].scheme[0];
        assert_int_equal(fl_wake_init(&wake, NULL), FL_OK);
        if (net)
            server_start(&s, rows[i].scheme, rows[i].script);
        else if (!rows[i].scheme)
            master = pty_new(url);
        if (rows[i].wait == W_OPEN)
            assert_int_equal(pthread_create(&th, NULL, raise_later, &wake), 0);
        if (rows[i].scheme && !net)
            err = link_mem_open(&(struct link_mem_peer){0}, &wake, &l);
        else
            err = link_open(net ? s.url : url, &wake, d, &l, NULL);
        if (rows[i].wait != W_OPEN) {
            assert_int_equal(err, FL_OK);
            if (rows[i].wait == W_DRAIN)
                (void)!link_write(l, big, sizeof big, fl_deadline_in_ms(20)); /* the peer reads nothing */
            assert_int_equal(pthread_create(&th, NULL, raise_later, &wake), 0);
            err = rows[i].wait == W_READ    ? link_read(l, b, sizeof b, &n, d)
                  : rows[i].wait == W_WRITE ? link_write(l, big, sizeof big, d)
                  : rows[i].wait == W_DRAIN ? link_drain(l, d)
                                            : link_set_lines(l, LINK_ASSERT, LINK_ASSERT, d);
        }
        if (err != FL_CANCELLED)
            fail_msg("row %zu: %s", i, fl_err_text(err));
        (void)pthread_join(th, NULL);
        /* it stays raised: the next wait does not begin */
        if (l)
            assert_int_equal(link_read(l, b, sizeof b, &n, d), FL_CANCELLED);
        link_close(l);
        if (net)
            server_join(&s);
        if (master >= 0)
            (void)close(master);
        fl_wake_fini(&wake);
    }
}

/* Two links of each kind at once on two threads share nothing: the thread sanitizer looks on. */
struct lane {
    const char *url;
    enum fl_err err;
    char what[FL_WHY_MAX];
};

static void *one_lane(void *arg)
{
    struct lane *lane = arg;
    struct link *l = NULL;
    struct fl_wake wake;
    struct fl_why why = {0};
    struct fl_deadline d = fl_deadline_in_ms(8000);
    uint8_t b[4];
    size_t n;
    lane->err = fl_wake_init(&wake, &why);
    if (!lane->err)
        lane->err = link_open(lane->url, &wake, d, &l, &why);
    for (int i = 0; i < 50 && !lane->err; i++) {
        lane->err = link_write(l, "Q", 1, d);
        for (size_t got = 0; got < 2 && !lane->err; got += n)
            lane->err = link_read(l, b, sizeof b, &n, d);
    }
    (void)snprintf(lane->what, sizeof lane->what, "%s", l ? link_why(l)->text : why.text);
    link_close(l);
    fl_wake_fini(&wake);
    return NULL;
}

static void two_links_share_nothing(void **state)
{
    (void)state;
    static char talk[1024], raw[1024];
    strcpy(talk, OPEN);
    for (int i = 0; i < 50; i++) {
        strcat(talk, "<51 >41FFFF ");
        strcat(raw, "<51 >41FF ");
    }
    struct server s[4];
    struct lane lanes[4];
    pthread_t th[4];
    for (size_t i = 0; i < 4; i++) {
        server_start(&s[i], i % 2 ? "rfc2217" : "socket", i % 2 ? talk : raw);
        lanes[i] = (struct lane){.url = s[i].url};
        assert_int_equal(pthread_create(&th[i], NULL, one_lane, &lanes[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(th[i], NULL);
        server_join(&s[i]);
        if (lanes[i].err)
            fail_msg("lane %zu: %s", i, lanes[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(memory_talks_by_script),
        cmocka_unit_test(what_a_kind_has_not_is_unsupported),
        cmocka_unit_test(socket_is_the_bytes_alone),
        cmocka_unit_test(connections_that_fail),
        cmocka_unit_test(a_connection_that_hangs_ends_at_its_deadline),
        cmocka_unit_test(pty_carries_all_bytes_and_tells_the_speed),
        cmocka_unit_test(a_port_that_comes_back),
        cmocka_unit_test(paths_that_are_no_port),
        cmocka_unit_test(a_wake_ends_every_wait),
        cmocka_unit_test(two_links_share_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
