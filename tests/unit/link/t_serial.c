/* SPDX-License-Identifier: Apache-2.0
 * The real serial path, with libserialport, on a pseudo-terminal that tests/preload/preload_tty.c lends a
 * name, lines and a USB place. The program starts itself again under that library; it listens to the
 * lines on the socket and looks at the settings from the terminal's other end. */
#include "unit/t.h"

#include "link/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* What the first run made for the second: three ports, and a folder. */
enum { N_PORTS = 3 };
struct bench {
    char dir[64];
    int master[N_PORTS];
    int ear, lines; /* the first port's line socket: listening, connected */
};

static char dir_of_bench[64];

/* ---- the bench ----------------------------------------------------------------------------------- */

static void listen_for_lines(struct bench *b)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s/board0.lines", b->dir);
    (void)unlink(a.sun_path);
    b->ear = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(b->ear, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(b->ear, 4), 0);
    b->lines = -1;
}

/* New pseudo-terminals under the names that the preload library maps. */
static int set_up(void **state)
{
    static struct bench b;
    (void)snprintf(b.dir, sizeof b.dir, "%s", dir_of_bench);
    for (int i = 0; i < N_PORTS; i++) {
        char path[128];
        b.master[i] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(b.master[i] >= 0 && grantpt(b.master[i]) == 0 && unlockpt(b.master[i]) == 0);
        (void)snprintf(path, sizeof path, "%s/board%d", b.dir, i);
        (void)unlink(path);
        assert_int_equal(symlink(ptsname(b.master[i]), path), 0);
    }
    listen_for_lines(&b);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < N_PORTS; i++)
        if (b->master[i] >= 0)
            (void)close(b->master[i]);
    (void)close(b->ear);
    if (b->lines >= 0)
        (void)close(b->lines);
    return 0;
}

/* The next change of the first port's lines; "" when none came within the time. */
static const char *heard(struct bench *b, int ms)
{
    static char text[16];
    text[0] = 0;
    struct pollfd p = {b->ear, POLLIN, 0};
    if (b->lines < 0 && poll(&p, 1, ms) > 0)
        b->lines = accept(b->ear, NULL, NULL);
    p.fd = b->lines;
    if (b->lines < 0 || poll(&p, 1, ms) <= 0)
        return text;
    ssize_t n = read(b->lines, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    return text;
}

static struct link *opened(const char *url)
{
    struct link *l;
    struct fl_why why = {0};
    if (link_open(url, NULL, fl_deadline_in_ms(5000), &l, &why) != FL_OK)
        fail_msg("%s: %s", url, why.text);
    return l;
}

static struct fl_deadline soon(void)
{
    return fl_deadline_in_ms(4000);
}

/* ---- the tests ----------------------------------------------------------------------------------- */

static void opens_quietly_and_says_what_it_is(void **state)
{
    struct bench *b = *state;
    struct termios t;
    /* what another program left behind: flow control, cooked, parity, hang up on close, and bytes */
    int left = open(ptsname(b->master[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(tcgetattr(left, &t), 0);
    t.c_iflag |= IXON | ICRNL | ISTRIP;
    t.c_cflag |= CRTSCTS | HUPCL | PARENB | CSTOPB;
    t.c_lflag &= ~(tcflag_t)ECHO;
    t.c_cflag = (t.c_cflag & ~(tcflag_t)CSIZE) | CS7;
    assert_int_equal(tcsetattr(left, TCSANOW, &t), 0);
    assert_int_equal(write(b->master[0], "old\n", 4), 4);
    struct pollfd p = {left, POLLIN, 0};
    assert_int_equal(poll(&p, 1, 4000), 1);

    struct link *l = opened("/dev/ttyUSB90");
    assert_string_equal(heard(b, 4000), "D1R1"); /* the kernel's doing */
    assert_string_equal(heard(b, 4000), "D0R0"); /* ours: both in one ioctl */
    assert_string_equal(heard(b, 50), "");
    const struct link_info *i = link_info(l);
    assert_int_equal(i->kind, LINK_SERIAL);
    assert_string_equal(i->url, "/dev/ttyUSB90");
    assert_string_equal(i->device, "/dev/ttyUSB90");
    assert_string_equal(i->usb_path, "9-1.2");
    assert_int_equal(i->usb_vid, 0x10c4);
    assert_int_equal(i->usb_pid, 0xea60);
    assert_string_equal(i->usb_serial, "0001");
    assert_string_equal(i->product, "CP2104 Bridge");
    assert_string_equal(i->driver, "cp210x");
    assert_true(i->has_lines && i->has_speed);
    assert_int_equal(i->low_latency, LINK_YES);

    assert_int_equal(tcgetattr(b->master[0], &t), 0); /* the other end sees the same settings */
    assert_int_equal(t.c_cflag & (CRTSCTS | HUPCL | PARENB | CSTOPB | CSIZE | CLOCAL | CREAD),
                     CS8 | CLOCAL | CREAD);
    assert_int_equal(t.c_iflag & (IXON | IXOFF | ICRNL | INLCR | ISTRIP), 0);
    assert_int_equal(t.c_lflag & (ICANON | ECHO | ISIG | IEXTEN), 0);
    assert_int_equal(t.c_oflag & OPOST, 0);
    assert_int_equal(cfgetospeed(&t), B115200);
    link_close(l);
    assert_string_equal(heard(b, 50), ""); /* nor does closing move a line */
    (void)close(left);
}

static void carries_all_bytes_with_few_calls(void **state)
{
    struct bench *b = *state;
    uint8_t all[256], got[256];
    size_t n;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    struct link *l = opened("/dev/ttyUSB90");
    assert_int_equal(link_write(l, all, sizeof all, soon()), FL_OK);
    assert_int_equal(link_drain(l, soon()), FL_OK);
    for (size_t at = 0; at < sizeof got; at += n)
        n = (size_t)read(b->master[0], got + at, sizeof got - at);
    assert_memory_equal(got, all, sizeof all);
    assert_int_equal(link_counters(l).writes, 1);
    assert_int_equal(write(b->master[0], all, sizeof all), sizeof all);
    for (size_t at = 0; at < sizeof got; at += n)
        assert_int_equal(link_read(l, got + at, 1, &n, soon()), FL_OK);
    assert_memory_equal(got, all, sizeof all);
    assert_true(link_counters(l).reads < 20);
    assert_int_equal(link_read(l, got, 1, &n, fl_deadline_in_ms(20)), FL_TIMEOUT);
    link_close(l);
}

static void moves_both_lines_in_one_step(void **state)
{
    struct bench *b = *state;
    static const struct {
        enum link_wire dtr, rts;
        const char *heard;
    } rows[] = {
        {LINK_ASSERT, LINK_ASSERT, "D1R1"},  {LINK_RELEASE, LINK_ASSERT, "D0"},
        {LINK_ASSERT, LINK_RELEASE, "D1R0"}, {LINK_KEEP, LINK_ASSERT, "R1"},
        {LINK_RELEASE, LINK_KEEP, "D0"},     {LINK_KEEP, LINK_KEEP, ""},
        {LINK_RELEASE, LINK_RELEASE, "R0"},  {LINK_RELEASE, LINK_RELEASE, ""},
        {LINK_ASSERT, LINK_RELEASE, "D1"},
    };
    struct link *l = opened("/dev/ttyUSB90");
    assert_string_equal(heard(b, 4000), "D1R1");
    assert_string_equal(heard(b, 4000), "D0R0");
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        assert_int_equal(link_set_lines(l, rows[i].dtr, rows[i].rts, soon()), FL_OK);
        assert_string_equal(heard(b, rows[i].heard[0] ? 4000 : 50), rows[i].heard);
    }
    assert_int_equal(link_set_baud(l, 921600, soon()), FL_OK); /* leaves the lines alone */
    assert_string_equal(heard(b, 50), "");
    link_close(l);
    assert_string_equal(heard(b, 50), ""); /* DTR stays asserted: HUPCL is off */
}

/* The kernel's struct termios2 (asm-generic/termbits.h, 44 bytes), which <termios.h> does not know. */
struct kernel_termios2 {
    uint32_t iflag, oflag, cflag, lflag;
    uint8_t line, cc[19];
    uint32_t ispeed, ospeed;
};

static uint32_t speed_at(int fd)
{
    struct kernel_termios2 t;
    assert_int_equal(ioctl(fd, _IOR('T', 0x2A, struct kernel_termios2), &t), 0);
    assert_int_equal(t.ispeed, t.ospeed);
    return t.ospeed;
}

static void makes_any_speed(void **state)
{
    struct bench *b = *state;
    static const struct {
        uint32_t baud;
    } rows[] = {{921600}, {74880}, {1500000}, {250000}, {115200}, {2000000}};
    struct link *l = opened("/dev/ttyUSB90");
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct termios t;
        if (link_set_baud(l, rows[i].baud, soon()) != FL_OK)
            fail_msg("%u: %s", rows[i].baud, link_why(l)->text);
        assert_int_equal(link_baud(l), rows[i].baud);
        assert_int_equal(tcgetattr(b->master[0], &t), 0);
        assert_int_equal(speed_at(b->master[0]), rows[i].baud);
        assert_int_equal(t.c_cflag & (HUPCL | CRTSCTS), 0);
        assert_int_equal(t.c_cc[VMIN], 1);
    }
    assert_int_equal(link_set_baud(l, 0, soon()), FL_ARG);
    link_close(l);
}

static void is_held_exclusively(void **state)
{
    struct bench *b = *state;
    struct fl_why why = {0};
    struct link *second, *l = opened("usb:9-1.2");
    assert_string_equal(link_info(l)->url, "usb:9-1.2");
    assert_string_equal(link_info(l)->device, "/dev/ttyUSB90");
    assert_string_equal(heard(b, 4000), "D1R1");
    assert_string_equal(heard(b, 4000), "D0R0");
    assert_int_equal(link_set_lines(l, LINK_ASSERT, LINK_RELEASE, soon()), FL_OK);
    assert_string_equal(heard(b, 4000), "D1");
    assert_int_equal(link_open("/dev/ttyUSB90", NULL, soon(), &second, &why), FL_BUSY);
    assert_null(second);
    assert_string_equal(heard(b, 50), ""); /* the one who came second did not move them */
    assert_int_equal(link_write(l, "x", 1, soon()), FL_OK); /* nor hurt the first */
    link_close(l);
    l = opened("/dev/ttyUSB90"); /* and it is free again */
    link_close(l);

    int other = open(ptsname(b->master[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(link_open("/dev/ttyUSB90", NULL, soon(), &second, &why), FL_BUSY);
    assert_non_null(strstr(why.text, "/dev/ttyUSB90 is held by another process"));
    (void)close(other);
}

static void pulled_is_gone(void **state)
{
    struct bench *b = *state;
    struct link *l = opened("/dev/ttyUSB90");
    uint8_t byte;
    size_t n;
    (void)close(b->master[0]);
    b->master[0] = -1;
    assert_int_equal(link_read(l, &byte, 1, &n, soon()), FL_GONE);
    assert_int_equal(link_write(l, "x", 1, soon()), FL_GONE);
    assert_int_equal(link_set_lines(l, LINK_ASSERT, LINK_KEEP, soon()), FL_GONE);
    link_close(l);
}

static void pulled_while_writing_is_gone(void **state)
{
    struct bench *b = *state;
    struct link *l = opened("/dev/ttyUSB90");
    (void)close(b->master[0]);
    b->master[0] = -1;
    assert_int_equal(link_write(l, "x", 1, soon()), FL_GONE);
    assert_non_null(strstr(link_why(l)->text, "/dev/ttyUSB90 vanished"));
    link_close(l);
}

static void a_port_without_lines_still_works(void **state)
{
    struct bench *b = *state;
    struct link *l = opened("/dev/ttyACM92");
    struct termios t;
    assert_false(link_info(l)->has_lines);
    assert_true(link_info(l)->has_speed);
    assert_string_equal(link_info(l)->driver, "cdc_acm");
    assert_int_equal(link_set_lines(l, LINK_ASSERT, LINK_KEEP, soon()), FL_UNSUPPORTED);
    assert_int_equal(link_set_baud(l, 460800, soon()), FL_OK);
    assert_int_equal(tcgetattr(b->master[2], &t), 0);
    assert_int_equal(cfgetospeed(&t), B460800);
    assert_int_equal(link_set_baud(l, 250000, soon()), FL_OK); /* no constant in termios */
    assert_int_equal(speed_at(b->master[2]), 250000);
    assert_int_equal(write(b->master[2], "\x11\x13\r", 3), 3);
    uint8_t got[3];
    size_t n;
    for (size_t at = 0; at < 3; at += n)
        assert_int_equal(link_read(l, got + at, 3 - at, &n, soon()), FL_OK);
    assert_memory_equal(got, "\x11\x13\r", 3);
    struct link *second;
    assert_int_equal(link_open("/dev/ttyACM92", NULL, soon(), &second, NULL), FL_BUSY);
    link_close(l);
}

static void names_that_lead_nowhere(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        enum fl_err err;
        const char *says;
    } rows[] = {
        {"/dev/ttyUSB55", FL_NOT_FOUND, "there is no /dev/ttyUSB55"},
        {"usb:9-7", FL_NOT_FOUND, "nothing is plugged in at usb:9-7"},
        {"usb:9-1.4", FL_NOT_FOUND, "has no serial port"},
        {"usb:9-1.2:1.1", FL_NOT_FOUND, "has no serial port"},
        {"usb:9-1.3", FL_FORMAT, "usb:9-1.3:1.0 (ttyUSB93), usb:9-1.3:1.1 (ttyUSB91)"},
        {"/dev/null", FL_FORMAT, "not a serial port"},
        {"/dev/pts/0x", FL_NOT_FOUND, "/dev/pts/0x"},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct link *l;
        struct fl_why why = {0};
        enum fl_err err = link_open(rows[i].url, NULL, soon(), &l, &why);
        if (err != rows[i].err || !strstr(why.text, rows[i].says) || l)
            fail_msg("%s: %s: %s", rows[i].url, fl_err_text(err), why.text);
    }
    struct link *l = opened("usb:9-1.3:1.1");
    assert_string_equal(link_info(l)->device, "/dev/ttyUSB91");
    assert_string_equal(link_info(l)->usb_path, "9-1.3:1.1");
    link_close(l);
}

/* A link like those of /dev/serial/by-path is followed; a pseudo-terminal is a port without lines. */
static void a_link_to_a_terminal_is_followed(void **state)
{
    struct bench *b = *state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/board1", b->dir);
    struct link *l = opened(path);
    assert_string_equal(link_info(l)->device, ptsname(b->master[1]));
    assert_false(link_info(l)->has_lines);
    link_close(l);
}

static void no_permission_names_the_group(void **state)
{
    struct bench *b = *state;
    const char *path = ptsname(b->master[0]);
    struct stat st;
    assert_int_equal(chmod(path, 0060), 0); /* the group may, the owner may not: 9.2 of POSIX's file access */
    assert_int_equal(stat(path, &st), 0);
    const struct group *g = getgrgid(st.st_gid);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct link *l;
        struct fl_why why = {0};
        if (getuid() == 0 && (setgroups(0, NULL) || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
            _exit(3);
        enum fl_err err = link_open("/dev/ttyUSB90", NULL, soon(), &l, &why);
        struct link_info info = {.device = "/dev/ttyUSB90"};
        struct link_port_state s;
        link_ports_use(&info, 1, &s);
        _exit(err != FL_ACCESS                        ? 4
              : !strstr(why.text, g ? g->gr_name : "group") ? 5
              : s.use != LINK_PORT_DENIED             ? 6
              : g && strcmp(s.who, g->gr_name) != 0   ? 7
                                                      : 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void lists_ports_by_place(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *url, *device, *driver, *bridge;
    } rows[] = {
        {"usb:9-1.2", "/dev/ttyUSB90", "cp210x", "Silicon Labs CP2102/CP2104"},
        {"usb:9-1.3:1.0", "/dev/ttyUSB93", "ftdi_sio", "FTDI FT2232"},
        {"usb:9-1.3:1.1", "/dev/ttyUSB91", "ftdi_sio", "FTDI FT2232"},
        {"usb:9-1.10", "/dev/ttyACM92", "cdc_acm", "Espressif USB-Serial/JTAG"}, /* 10 is more than 2 */
    };
    struct link_info *ports;
    size_t n;
    struct fl_why why = {0};
    assert_int_equal(link_ports(&ports, &n, &why), FL_OK);
    assert_int_equal(n, T_COUNT(rows));
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(ports[i].url, rows[i].url);
        assert_string_equal(ports[i].device, rows[i].device);
        assert_string_equal(ports[i].driver, rows[i].driver);
        assert_string_equal(link_bridge_name(ports[i].usb_vid, ports[i].usb_pid), rows[i].bridge);
        struct fl_why w;
        assert_int_equal(link_url_check(ports[i].url, &w), FL_OK);
    }
    assert_string_equal(heard(b, 50), ""); /* listing opens none of them */

    /* who holds it: another process, by lock alone and by an open descriptor alone */
    struct link_port_state states[T_COUNT(rows)];
    for (int with_lock = 0; with_lock < 2; with_lock++) {
        int pipes[2];
        char c;
        assert_int_equal(pipe(pipes), 0);
        pid_t pid = fork();
        if (pid == 0) {
            int fd = open(ptsname(b->master[0]), O_RDWR | O_NOCTTY);
            if (fd < 0 || (with_lock && flock(fd, LOCK_EX) != 0))
                _exit(1);
            (void)!write(pipes[1], "x", 1);
            (void)pause();
        }
        assert_int_equal(read(pipes[0], &c, 1), 1);
        link_ports_use(ports, n, states);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        (void)close(pipes[0]);
        (void)close(pipes[1]);
        char who[16];
        (void)snprintf(who, sizeof who, "%d ", (int)pid);
        assert_int_equal(states[0].use, LINK_PORT_BUSY);
        assert_memory_equal(states[0].who, who, strlen(who));
        assert_int_equal(states[3].use, LINK_PORT_FREE);
        assert_int_equal(states[1].use, LINK_PORT_UNKNOWN); /* ttyUSB93 is listed, and no such device is there */
    }
    free(ports);
}

/* ---- starting again under the preload library ------------------------------------------------------ */

static void add_port(const char *args)
{
    char command[512];
    (void)snprintf(command, sizeof command, "tests/preload/sysfs %s/sys %s", dir_of_bench, args);
    if (system(command) != 0) {
        (void)fprintf(stderr, "%s failed\n", command);
        exit(1);
    }
}

/* A sanitizer's library must stay the first one loaded. */
static void find_sanitizer(char *out, size_t cap)
{
    char line[512];
    FILE *f = fopen("/proc/self/maps", "r");
    out[0] = 0;
    while (f && fgets(line, sizeof line, f)) {
        const char *path = strchr(line, '/');
        if (path && !out[0] && (strstr(path, "/libasan.so") || strstr(path, "/libtsan.so")))
            (void)snprintf(out, cap, "%.*s ", (int)strcspn(path, "\n"), path);
    }
    if (f)
        (void)fclose(f);
}

static int start_again(char **argv)
{
    char text[1024], sanitizer[512];
    (void)snprintf(dir_of_bench, sizeof dir_of_bench, "/tmp/flashline-serial-XXXXXX");
    if (!mkdtemp(dir_of_bench) || chmod(dir_of_bench, 0755) != 0) /* for the test without permission */
        return 1;
    add_port("ttyUSB90 9-1.2 10c4 ea60 0001 cp210x 'CP2104 Bridge'");
    add_port("ttyUSB91 9-1.3 0403 6010 FT1 ftdi_sio 'Dual RS232-HS' 1");
    add_port("ttyUSB93 9-1.3 0403 6010 FT1 ftdi_sio 'Dual RS232-HS' 0");
    add_port("ttyACM92 9-1.10 303a 1001 7C:DF:A1 cdc_acm 'USB JTAG/serial debug unit'");
    (void)snprintf(text, sizeof text, "mkdir -p %s/sys/bus/usb/devices/9-1.4/9-1.4:1.0", dir_of_bench);
    if (system(text) != 0)
        return 1;
    (void)snprintf(text, sizeof text, "/dev/ttyUSB90=%s/board0;/dev/ttyUSB91=%s/board1;/dev/ttyACM92=%s/board2,none",
                   dir_of_bench, dir_of_bench, dir_of_bench);
    (void)setenv("FL_TTY_MAP", text, 1);
    (void)snprintf(text, sizeof text, "%s/sys", dir_of_bench);
    (void)setenv("FL_TTY_SYSFS", text, 1);
    (void)setenv("FL_TEST_BENCH", dir_of_bench, 1);
    find_sanitizer(sanitizer, sizeof sanitizer);
    (void)snprintf(text, sizeof text, "%s" FL_BUILD_DIR "/preload_tty.so", sanitizer);
    (void)setenv("LD_PRELOAD", text, 1);
    pid_t pid = fork();
    if (pid == 0) {
        (void)execv("/proc/self/exe", argv);
        _exit(127);
    }
    int status = 1;
    (void)waitpid(pid, &status, 0);
    (void)unsetenv("LD_PRELOAD");
    (void)snprintf(text, sizeof text, "rm -rf %s", dir_of_bench);
    if (system(text) != 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int argc, char **argv)
{
    (void)argc;
    const char *bench = getenv("FL_TEST_BENCH");
    if (!bench)
        return start_again(argv);
    (void)snprintf(dir_of_bench, sizeof dir_of_bench, "%s", bench);
#define SERIAL_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SERIAL_TEST(opens_quietly_and_says_what_it_is),
        SERIAL_TEST(carries_all_bytes_with_few_calls),
        SERIAL_TEST(moves_both_lines_in_one_step),
        SERIAL_TEST(makes_any_speed),
        SERIAL_TEST(is_held_exclusively),
        SERIAL_TEST(pulled_is_gone),
        SERIAL_TEST(pulled_while_writing_is_gone),
        SERIAL_TEST(a_port_without_lines_still_works),
        SERIAL_TEST(names_that_lead_nowhere),
        SERIAL_TEST(a_link_to_a_terminal_is_followed),
        SERIAL_TEST(no_permission_names_the_group),
        SERIAL_TEST(lists_ports_by_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
