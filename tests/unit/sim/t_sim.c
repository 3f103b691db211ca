/* SPDX-License-Identifier: Apache-2.0
 * Boards behind real sockets and real terminals, in a thread: what a client meets. */
#include "unit/t.h"

#include "base/file.h"
#include "sim/sim.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

struct rig {
    char dir[40];
    char station[80];
    struct sim *sim;
    struct fl_wake wake;
    pthread_t thread;
    enum fl_err err;
    bool up;
};

static void *run(void *arg)
{
    struct rig *r = arg;
    r->err = sim_run(r->sim, &r->wake, NULL);
    return NULL;
}

static void start(struct rig *r, struct sim_config c, const char *scenario)
{
    struct fl_why why = {0};
    char path[80];
    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/t_sim.XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->station, sizeof r->station, "%s/station.yaml", r->dir);
    snprintf(path, sizeof path, "%s/scenario.yaml", r->dir);
    if (scenario) {
        assert_int_equal(fl_file_replace(path, scenario, strlen(scenario), 0600, &why), FL_OK);
        c.scenario = path;
    }
    c.station_file = r->station;
    c.seed = 3;
    if (!c.listen)
        c.listen = "127.0.0.1:0";
    assert_int_equal(fl_wake_init(&r->wake, &why), FL_OK);
    enum fl_err err = sim_open(&c, &r->sim, &why);
    if (err)
        print_error("%s\n", why.text);
    assert_int_equal(err, FL_OK);
    assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
    r->up = true;
}

static void stop(struct rig *r)
{
    char path[100];
    static const char *const files[] = {"station.yaml", "scenario.yaml"};
    if (r->up) {
        fl_wake_raise(&r->wake);
        assert_int_equal(pthread_join(r->thread, NULL), 0);
        assert_int_equal(r->err, FL_OK);
    }
    r->up = false;
    sim_close(r->sim);
    fl_wake_fini(&r->wake);
    for (size_t i = 0; i < T_COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", r->dir, files[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(r->dir), 0); /* nothing else was left there */
}

static int connect_to(const char *url)
{
    const char *port = strrchr(url, ':');
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port + 1)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* Reads until `want` was seen in what came, up to 10 s. Gives what came; false: not seen, or closed. */
static bool await(int fd, const void *want, size_t n, uint8_t *got, size_t *len, size_t cap)
{
    *len = 0;
    for (int left = 1000; left > 0; left--) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 10) > 0) {
            ssize_t k = read(fd, got + *len, cap - *len);
            if (k <= 0)
                return false;
            *len += (size_t)k;
        }
        for (size_t i = 0; i + n <= *len; i++)
            if (memcmp(got + i, want, n) == 0)
                return true;
    }
    return false;
}

static const uint8_t sync_frame[] = {
    0xC0, 0, 8, 0x24, 0, 0, 0, 0, 0, 7, 7, 0x12, 0x20, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
    0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
    0x55, 0x55, 0x55, 0x55, 0xC0};
static const uint8_t sync_answer[] = {0xC0, 1, 8, 4, 0, 7, 7, 0x12, 0x20, 0, 0, 0, 0, 0xC0};

/* SET-CONTROL and its answer (command + 100) */
static void control(int fd, uint8_t value)
{
    const uint8_t ask[] = {255, 250, 44, 5, value, 255, 240}, want[] = {255, 250, 44, 105, value, 255, 240};
    uint8_t got[4096];
    size_t n;
    assert_int_equal(write(fd, ask, sizeof ask), sizeof ask);
    assert_true(await(fd, want, sizeof want, got, &n, sizeof got));
}

/* The classic reset sequence, each change acknowledged. */
static void into_download(int fd)
{
    uint8_t got[4096];
    size_t n;
    control(fd, 9);  /* DTR off */
    control(fd, 11); /* RTS on */
    control(fd, 8);
    const uint8_t last[] = {255, 250, 44, 5, 12, 255, 240};
    assert_int_equal(write(fd, last, sizeof last), sizeof last);
    assert_true(await(fd, "waiting for download\r\n", 22, got, &n, sizeof got));
    control(fd, 9);
}

static void rfc2217_clients(void **state)
{
    struct rig r;
    uint8_t got[4096];
    size_t n;
    (void)state;
    start(&r, (struct sim_config){.boards = 3}, NULL);
    struct fl_buf file = FL_BUF(4096);
    assert_int_equal(fl_file_read(r.station, &file, NULL), FL_OK);
    char line[200];
    snprintf(line, sizeof line, "  - {slot: 3, port: \"%s\"}\n", sim_url(r.sim, 2));
    assert_non_null(strstr(fl_buf_text(&file), line));
    fl_buf_fini(&file);
    assert_int_equal(atoi(strrchr(sim_url(r.sim, 2), ':') + 1), atoi(strrchr(sim_url(r.sim, 0), ':') + 1) + 2);

    int fd = connect_to(sim_url(r.sim, 1));
    assert_true(fd >= 0);
    into_download(fd);
    assert_int_equal(write(fd, sync_frame, sizeof sync_frame), sizeof sync_frame);
    assert_true(await(fd, sync_answer, sizeof sync_answer, got, &n, sizeof got));
    /* a second client is turned away, the first does not notice */
    int second = connect_to(sim_url(r.sim, 1));
    if (second >= 0) {
        assert_false(await(second, "x", 1, got, &n, sizeof got));
        (void)close(second);
    }
    assert_int_equal(write(fd, sync_frame, sizeof sync_frame), sizeof sync_frame);
    assert_true(await(fd, sync_answer, sizeof sync_answer, got, &n, sizeof got));
    (void)close(fd);
    /* the board is still in its loader for the next one */
    for (int tries = 0; tries < 100; tries++) {
        fd = connect_to(sim_url(r.sim, 1));
        assert_true(fd >= 0);
        if (write(fd, sync_frame, sizeof sync_frame) == sizeof sync_frame &&
            await(fd, sync_answer, sizeof sync_answer, got, &n, sizeof got))
            break;
        (void)close(fd); /* the simulator had not seen the first one leave */
        fd = -1;
    }
    assert_true(fd >= 0);
    (void)close(fd);
    stop(&r);
}

static void plain_tcp(void **state)
{
    struct rig r;
    uint8_t got[4096];
    size_t n;
    (void)state;
    start(&r, (struct sim_config){.boards = 1}, "defaults: {telnet: off, power_up: download}\n");
    assert_int_equal(strncmp(sim_url(r.sim, 0), "socket://127.0.0.1:", 19), 0);
    int fd = connect_to(sim_url(r.sim, 0));
    assert_true(fd >= 0);
    /* 0xFF is a byte like any other */
    assert_int_equal(write(fd, "\xFF\xFF\xC0", 3), 3);
    assert_int_equal(write(fd, sync_frame, sizeof sync_frame), sizeof sync_frame);
    assert_true(await(fd, sync_answer, sizeof sync_answer, got, &n, sizeof got));
    (void)close(fd);
    stop(&r);
}

static void port_vanishes(void **state)
{
    struct rig r;
    uint8_t got[4096];
    size_t n;
    (void)state;
    start(&r, (struct sim_config){.boards = 1},
          "boards: [{board: 1, power_up: download, faults: [{kind: unplug, op: 8, nth: 1, ms: 300}]}]\n");
    int fd = connect_to(sim_url(r.sim, 0));
    assert_true(fd >= 0);
    assert_int_equal(write(fd, sync_frame, sizeof sync_frame), sizeof sync_frame);
    assert_false(await(fd, sync_answer, sizeof sync_answer, got, &n, sizeof got)); /* closed */
    (void)close(fd);
    fd = -1;
    for (int tries = 0; tries < 500 && fd < 0; tries++, usleep(10000))
        fd = connect_to(sim_url(r.sim, 0)); /* refused until it is back */
    assert_true(fd >= 0);
    assert_int_equal(write(fd, sync_frame, sizeof sync_frame), sizeof sync_frame);
    assert_true(await(fd, sync_answer, sizeof sync_answer, got, &n, sizeof got));
    (void)close(fd);
    stop(&r);
}

/* Two simulators in one process, each its own. */
static void two_of_it(void **state)
{
    struct rig a, b;
    uint8_t mac_a[6], mac_b[6];
    (void)state;
    start(&a, (struct sim_config){.boards = 2}, NULL);
    start(&b, (struct sim_config){.boards = 2, .chip = "esp32c3"}, "seed: 4\n");
    assert_string_equal(sim_chip_name(a.sim, 1), "esp32");
    assert_string_equal(sim_chip_name(b.sim, 1), "esp32c3");
    sim_mac(a.sim, 1, mac_a);
    sim_mac(b.sim, 1, mac_b);
    assert_memory_not_equal(mac_a, mac_b, 6);
    for (int i = 0; i < 2; i++) {
        int fd = connect_to(sim_url(i ? b.sim : a.sim, 1));
        assert_true(fd >= 0);
        into_download(fd);
        (void)close(fd);
    }
    stop(&a);
    stop(&b);
}

static void refusals(void **state)
{
    static const struct {
        struct sim_config c;
        enum fl_err err;
        const char *says;
    } row[] = {
        {{.boards = 0, .listen = "127.0.0.1:0"}, FL_ARG, "from 1 to 512"},
        {{.boards = 513, .listen = "127.0.0.1:0"}, FL_ARG, "from 1 to 512"},
        {{.boards = 1, .listen = "127.0.0.1"}, FL_FORMAT, "expected HOST:PORT"},
        {{.boards = 1, .listen = "127.0.0.1:66000"}, FL_FORMAT, "expected HOST:PORT"},
        {{.boards = 1, .listen = "nowhere.invalid:1000"}, FL_FORMAT, "not a numeric address"},
        {{.boards = 9, .listen = "127.0.0.1:65530"}, FL_ARG, "9 ports do not fit above 65530"},
        {{.boards = 1, .listen = "127.0.0.1:0", .chip = "esp99"}, FL_NOT_FOUND, "there is no chip 'esp99'"},
        {{.boards = 1, .pty = true}, FL_ARG, "need a station file"},
        {{.boards = 1, .listen = "127.0.0.1:0", .station_file = "/nowhere/at/all/s.yaml"}, FL_NOT_FOUND, "/nowhere"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct sim *s;
        struct fl_why why = {0};
        enum fl_err err = sim_open(&row[i].c, &s, &why);
        if (err != row[i].err || !strstr(why.text, row[i].says))
            print_error("row %zu: %d %s\n", i, (int)err, why.text);
        assert_int_equal(err, row[i].err);
        assert_non_null(strstr(why.text, row[i].says));
        assert_null(s);
    }
}

/* ---- terminals -------------------------------------------------------------------------------------------------- */

static void wires(int fd, const char *message)
{
    assert_int_equal(send(fd, message, strlen(message), 0), (ssize_t)strlen(message));
}

static void terminals(void **state)
{
    struct rig r;
    uint8_t got[8192];
    size_t n;
    char path[100];
    struct termios t;
    (void)state;
    start(&r, (struct sim_config){.boards = 2, .pty = true}, "boards: [{board: 2, chip: esp8266}]\n");
    for (unsigned i = 0; i < 2; i++) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        assert_int_equal(strncmp(sim_url(r.sim, i), "pty:/", 5), 0);
        snprintf(path, sizeof path, "%s", sim_url(r.sim, i) + 4);
        assert_int_equal(strncmp(path, r.dir, strlen(r.dir)), 0);
        int fd = open(path, O_RDWR | O_NOCTTY);
        assert_true(fd >= 0);
        snprintf(a.sun_path, sizeof a.sun_path, "%s.lines", path);
        int lines = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        assert_true(lines >= 0);
        assert_int_equal(connect(lines, (struct sockaddr *)&a, sizeof a), 0);
        assert_int_equal(tcgetattr(fd, &t), 0);
        assert_int_equal(t.c_lflag & (ECHO | ICANON), 0); /* raw before anybody opens it */
        assert_int_equal(cfsetspeed(&t, B57600), 0);
        assert_int_equal(tcsetattr(fd, TCSANOW, &t), 0);
        bool answered = false;
        for (int tries = 0; tries < 10 && !answered; tries++) {
            wires(lines, "D0R1");
            usleep(20000);
            wires(lines, "D1R0");
            usleep(20000); /* EN needs its millisecond with the strap held; a simulator that is held up may see none of it */
            wires(lines, "D0");
            /* the ROM takes the speed of the first SYNC: the terminal's */
            assert_int_equal(write(fd, sync_frame, sizeof sync_frame), sizeof sync_frame);
            answered = await(fd, i ? "\xC0\x01\x08\x02\x00\x07\x07\x12\x20\x00\x00\xC0" : (const char *)sync_answer,
                             i ? 12 : sizeof sync_answer, got, &n, sizeof got);
        }
        assert_true(answered);
        (void)close(lines);
        (void)close(fd);
    }
    stop(&r);
}

static void terminal_vanishes(void **state)
{
    struct rig r;
    uint8_t got[8192];
    size_t n;
    (void)state;
    start(&r, (struct sim_config){.boards = 1, .pty = true},
          "defaults: {power_up: download, faults: [{kind: unplug, op: 8, nth: 1, ms: 300}]}\n");
    char path[100];
    snprintf(path, sizeof path, "%s", sim_url(r.sim, 0) + 4);
    int fd = open(path, O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, sync_frame, sizeof sync_frame), sizeof sync_frame);
    assert_false(await(fd, sync_answer, sizeof sync_answer, got, &n, sizeof got)); /* hung up */
    (void)close(fd);
    fd = -1;
    for (int tries = 0; tries < 500 && fd < 0; tries++, usleep(10000))
        fd = open(path, O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, sync_frame, sizeof sync_frame), sizeof sync_frame);
    assert_true(await(fd, sync_answer, sizeof sync_answer, got, &n, sizeof got));
    (void)close(fd);
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc2217_clients), cmocka_unit_test(plain_tcp), cmocka_unit_test(port_vanishes),
        cmocka_unit_test(two_of_it),       cmocka_unit_test(refusals),  cmocka_unit_test(terminals),
        cmocka_unit_test(terminal_vanishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
