/* SPDX-License-Identifier: Apache-2.0
 * web/: the live stream's texts, and every limit: heads, bodies, streams, readers that do not read. */
#include "unit/web/http.h"

#include "web/inside.h"

static void tile_texts(void **state)
{
    (void)state;
    static const struct tile_meter still = {.step = ""}, moving = {.step = "write", .rate = 50000};
    static const struct {
        struct slot_view v;
        const struct tile_meter *m;
        const char *json;
    } row[] = {
        {{.slot = 3, .port = "/dev/ttyUSB0", .step = "", .fault = "", .leaf = -1}, &still,
         "{\"i\":7,\"slot\":3,\"state\":\"empty\",\"tone\":\"idle\",\"sign\":\"\xc2\xb7\",\"port\":\"/dev/ttyUSB0\",\"mac\":\"\","
         "\"chip\":\"\",\"step\":\"\",\"fault\":\"\",\"what\":\"\",\"todo\":\"\",\"who\":\"\",\"why\":\"\",\"done\":0,"
         "\"total\":0,\"rate\":0,\"left\":-1,\"baud\":0,\"rungs\":0,\"leaf\":-1,\"started\":0,\"ended\":0,\"hand\":false}"},
        {{.slot = 1, .state = SLOT_WORK, .step = "write", .fault = "", .mac = "24:6f:28:aa:bb:cc", .chip = "esp32",
          .done = 900000, .total = 1000000, .baud = 921600, .rungs = 1, .leaf = -1, .started_ms = 5}, &moving,
         "{\"i\":7,\"slot\":1,\"state\":\"work\",\"tone\":\"busy\",\"sign\":\"\xe2\x96\xb8\",\"port\":\"\",\"mac\":"
         "\"24:6f:28:aa:bb:cc\",\"chip\":\"esp32\",\"step\":\"write\",\"fault\":\"\",\"what\":\"\",\"todo\":\"\",\"who\":\"\","
         "\"why\":\"\",\"done\":900000,\"total\":1000000,\"rate\":50000,\"left\":2000,\"baud\":921600,\"rungs\":1,"
         "\"leaf\":-1,\"started\":5,\"ended\":0,\"hand\":false}"},
        /* behind a network nobody can plug a cable in */
        {{.slot = 4, .state = SLOT_DONE, .outcome = OUTCOME_ERROR, .port = "rfc2217://10.0.0.7:3001", .step = "", .fault = "port.failed", .leaf = 9,
          .ended_ms = 9}, &still,
         "{\"i\":7,\"slot\":4,\"state\":\"error\",\"tone\":\"help\",\"sign\":\"!\",\"port\":\"rfc2217://10.0.0.7:3001\",\"mac\":\"\","
         "\"chip\":\"\",\"step\":\"\",\"fault\":\"port.failed\",\"what\":\"the port could not be opened or set up\",\"todo\":\"Is this "
         "slot's serial server on, and in the network? If it is, call the engineer.\",\"who\":\"engineer\",\"why\":\"\",\"net\":true,\"done\":0,"
         "\"total\":0,\"rate\":0,\"left\":-1,\"baud\":0,\"rungs\":0,\"leaf\":9,\"started\":0,\"ended\":9,\"hand\":true}"},
        /* what a scan said about the slot */
        {{.slot = 3, .step = "", .fault = "", .leaf = -1, .said = "'SN1' is for which slot?", .said_ms = 17, .refused = true}, &still,
         "{\"i\":7,\"slot\":3,\"state\":\"empty\",\"tone\":\"idle\",\"sign\":\"\xc2\xb7\",\"port\":\"\",\"mac\":\"\","
         "\"chip\":\"\",\"step\":\"\",\"fault\":\"\",\"what\":\"\",\"todo\":\"\",\"who\":\"\",\"why\":\"\","
         "\"said\":\"'SN1' is for which slot?\",\"said_ms\":17,\"refused\":true,\"done\":0,"
         "\"total\":0,\"rate\":0,\"left\":-1,\"baud\":0,\"rungs\":0,\"leaf\":-1,\"started\":0,\"ended\":0,\"hand\":false}"},
        /* no record, no PASS; and what a board says cannot leave its string */
        {{.slot = 1, .state = SLOT_DONE, .outcome = OUTCOME_PASS, .step = "", .fault = "", .leaf = -1,
          .why = "a\"b\\c\n\033[31m\xff</script>", .ended_ms = 9}, &still,
         "{\"i\":7,\"slot\":1,\"state\":\"error\",\"tone\":\"help\",\"sign\":\"!\",\"port\":\"\",\"mac\":\"\",\"chip\":\"\","
         "\"step\":\"\",\"fault\":\"\",\"what\":\"\",\"todo\":\"\",\"who\":\"\",\"why\":\"a\\\"b\\\\c ?[31m?</script>\","
         "\"done\":0,\"total\":0,\"rate\":0,\"left\":-1,\"baud\":0,\"rungs\":0,\"leaf\":-1,\"started\":0,\"ended\":9,"
         "\"hand\":true}"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct fl_buf b = FL_BUF(4000);
        tiles_tile(&b, 7, &row[i].v, row[i].m);
        assert_string_equal(fl_buf_text(&b), row[i].json);
        fl_buf_fini(&b);
    }
}

struct station {
    struct board *board;
    struct web *web;
    int port;
};

static int start(void **state, unsigned hurry, size_t n)
{
    struct station *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->board = board_new(n);
    for (size_t i = 0; i < n; i++)
        board_put(s->board, i, &(struct slot_view){.slot = (int)i + 1, .step = "", .fault = "", .leaf = -1});
    const struct web_config c = {.listen = "127.0.0.1:0", .board = s->board, .hurry = hurry};
    assert_int_equal(web_start(&c, &s->web, NULL), FL_OK);
    s->port = web_port(s->web);
    *state = s;
    return 0;
}

static int setup(void **state)
{
    return start(state, 1, 64);
}

/* For what is cut off in the end: a second is too little for a client that a busy machine holds up, and does no wrong. */
static int setup_hurried(void **state)
{
    return start(state, 20, 64);
}

static int setup_many(void **state)
{
    return start(state, 8, 500); /* one of its two readers does no wrong: two and a half seconds */
}

static int teardown(void **state)
{
    struct station *s = *state;
    web_stop(s->web);
    board_free(s->board);
    free(s);
    return 0;
}

static int stream(struct station *s, struct answer *a, const char *until)
{
    static const char request[] = "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = http_dial(s->port);
    http_say(fd, request, sizeof request - 1);
    memset(a, 0, sizeof *a);
    if (until)
        assert_true(http_hear(fd, a, until, 5000));
    return fd;
}

static void a_stream(void **state)
{
    struct station *s = *state;
    struct answer a, b;
    int fd = stream(s, &a, "]}\n\n");
    int other = stream(s, &b, "]}\n\n");
    assert_non_null(strstr(a.text, "\r\nContent-Type: text/event-stream\r\n"));
    assert_non_null(strstr(a.text, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(a.text, "event: board\ndata: {\"seq\":"));
    assert_non_null(strstr(a.text, "{\"i\":63,\"slot\":64,\"state\":\"empty\""));

    struct slot_view v = {.slot = 5, .state = SLOT_WORK, .step = "write", .fault = "", .leaf = -1, .done = 0, .total = 1000};
    board_put(s->board, 4, &v);
    a.n = b.n = 0;
    assert_true(http_hear(fd, &a, "]}\n\n", 5000));
    assert_true(http_hear(other, &b, "]}\n\n", 5000));
    assert_non_null(strstr(a.text, "event: delta\ndata: {\"seq\":"));
    assert_non_null(strstr(a.text, "\"slots\":[{\"i\":4,\"slot\":5,\"state\":\"work\""));
    assert_non_null(strstr(a.text, "],\"p\":[]}\n\n"));
    assert_string_equal(a.text, b.text); /* one text for all */

    board_progress(s->board, 4, 250, 1000); /* bytes only: five numbers */
    a.n = 0;
    assert_true(http_hear(fd, &a, "]}\n\n", 5000));
    assert_non_null(strstr(a.text, "\"slots\":[],\"p\":[[4,250,1000,"));

    tally_add(board_tally(s->board), OUTCOME_PASS, (const uint8_t[]){1, 2, 3, 4, 5, 6}, fl_mono_ms());
    a.n = 0;
    assert_true(http_hear(fd, &a, "]}\n\n", 5000));
    assert_non_null(strstr(a.text, "\"head\":{"));
    assert_non_null(strstr(a.text, "\"units\":1,\"passed\":1,\"first_passed\":1"));
    (void)close(fd);
    (void)close(other);
}

/* A second of a board that changes all the time is at most five texts, and one more for the time it takes. */
static void five_a_second(void **state)
{
    struct station *s = *state;
    struct answer a;
    int fd = stream(s, &a, "]}\n\n");
    struct slot_view v = {.slot = 1, .state = SLOT_WORK, .step = "write", .fault = "", .leaf = -1, .total = 1 << 20};
    uint64_t began = fl_mono_ms(), deltas = 0; /* before the first change, whose text may be there before the next line runs */
    board_put(s->board, 0, &v);
    a.n = 0;
    while (fl_mono_ms() - began < 1000) {
        board_progress(s->board, 0, fl_mono_ms() - began, 1 << 20);
        (void)http_hear(fd, &a, NULL, 5);
    }
    uint64_t took = fl_mono_ms() - began;
    for (const char *p = a.text; (p = strstr(p, "event: delta")); p++)
        deltas++;
    assert_true(deltas >= 1);
    assert_true(deltas <= took / WEB_TICK_MS + 1);
    (void)close(fd);
}

static void streams_are_bounded(void **state)
{
    struct station *s = *state;
    static int fd[200];
    struct answer a;
    int served = 0, refused = 0;
    for (int i = 0; i < 200; i++)
        fd[i] = stream(s, &a, NULL);
    for (int i = 0; i < 200; i++) {
        memset(&a, 0, sizeof a);
        (void)http_hear(fd[i], &a, "\r\n\r\n", 5000);
        int status = atoi(a.text + 9);
        served += status == 200;
        refused += status == 503 && strstr(a.text, "\r\nRetry-After: 10");
    }
    assert_int_equal(served, WEB_STREAMS_MAX);
    assert_int_equal(refused, 200 - WEB_STREAMS_MAX);
    assert_int_equal(http(s->port, "GET", "/health", "", NULL, &a), 200); /* pages are still served */
    for (int i = 0; i < 200; i++)
        (void)close(fd[i]);
    /* their places are free again as soon as the server notices */
    int status = 0;
    for (uint64_t began = fl_mono_ms(); status != 200 && fl_mono_ms() - began < 30000;) {
        int again = stream(s, &a, "\r\n\r\n");
        status = atoi(a.text + 9);
        (void)close(again);
    }
    assert_int_equal(status, 200);
}

/* Reads one text of a stream, of any length. */
static bool heard_one(int fd)
{
    static const char end[] = "]}\n\n";
    size_t at = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (at < sizeof end - 1 && poll(&p, 1, 5000) > 0) {
        char bytes[65536];
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        for (ssize_t i = 0; i < n && at < sizeof end - 1; i++) /* what is behind it belongs to the next chunk */
            at = bytes[i] == end[at] ? at + 1 : bytes[i] == end[0] ? 1 : 0;
        if (n <= 0)
            return false;
    }
    return at == sizeof end - 1;
}

/* The reader's window and the server's buffer, megabytes, fill: five hundred slots, so that it takes a few texts. Then it is
 * cut off, and nobody else notices. */
static void a_reader_that_never_reads(void **state)
{
    struct station *s = *state;
    struct answer m;
    int small = 1024, fd = http_dial(s->port), good = http_dial(s->port);
    static const char request[] = "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    http_say(fd, request, sizeof request - 1);
    http_say(good, request, sizeof request - 1);
    assert_true(heard_one(good));
    struct slot_view v = {.state = SLOT_CLOSED, .step = "", .fault = "", .leaf = -1};
    memset(v.why, 'x', sizeof v.why - 1);
    bool cut = false;
    uint64_t began = fl_mono_ms();
    for (unsigned round = 0; !cut && fl_mono_ms() - began < 60000; round++) {
        for (size_t i = 0; i < board_slots(s->board); i++) {
            v.slot = (int)i + 1;
            v.rungs = round;
            board_put(s->board, i, &v);
        }
        assert_true(heard_one(good));
        cut = http(s->port, "GET", "/metrics", "", NULL, &m) == 200 && strstr(m.text, "\nflashline_web_cut_total 1\n");
    }
    assert_true(cut);
    assert_non_null(strstr(m.text, "\nflashline_web_streams 1\n"));
    (void)close(fd);
    (void)close(good);
}

static void heads_and_bodies(void **state)
{
    struct station *s = *state;
    struct answer a;
    static char big[40000];
    int fd = http_dial(s->port);
    memset(big, 'a', sizeof big - 1);
    http_say(fd, "GET /", 5);
    http_say(fd, big, sizeof big - 1);
    memset(&a, 0, sizeof a);
    (void)http_hear(fd, &a, NULL, 3000);
    assert_true(a.status == 414 || a.status == 431);
    (void)close(fd);

    fd = http_dial(s->port);
    http_say(fd, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", 36);
    http_say(fd, big, sizeof big - 1);
    memset(&a, 0, sizeof a);
    (void)http_hear(fd, &a, NULL, 3000);
    assert_int_equal(a.status, 431);
    (void)close(fd);

    static const char *const types = "Content-Type: application/json\r\n";
    big[WEB_BODY_MAX + 1] = 0;
    assert_int_equal(http(s->port, "POST", "/api/login", types, big, &a), 413);
    fd = http_dial(s->port); /* without saying how long it is */
    http_say(fd, "POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n", 105);
    for (int i = 0; i < 10; i++) {
        http_say(fd, "400\r\n", 5);
        http_say(fd, big, 0x400);
        http_say(fd, "\r\n", 2);
    }
    http_say(fd, "0\r\n\r\n", 5);
    memset(&a, 0, sizeof a);
    (void)http_hear(fd, &a, NULL, 3000);
    assert_int_equal(a.status, 413);
    (void)close(fd);

    fd = http_dial(s->port);
    http_say(fd, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15); /* TLS where none is spoken */
    memset(&a, 0, sizeof a);
    (void)http_hear(fd, &a, NULL, 3000);
    assert_true(a.status == 400 || a.n == 0);
    (void)close(fd);
    assert_int_equal(http(s->port, "GET", "/health", "", NULL, &a), 200);
}

/* One byte now and then keeps no connection open. */
static void a_request_that_never_ends(void **state)
{
    struct station *s = *state;
    struct answer a = {0};
    int fd = http_dial(s->port);
    uint64_t began = fl_mono_ms();
    bool open = true;
    while (open && fl_mono_ms() - began < 30000) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        http_say(fd, "G", 1);
        open = poll(&p, 1, 100) == 0 || recv(fd, a.text, sizeof a.text, 0) > 0;
    }
    assert_false(open);
    assert_true(fl_mono_ms() - began >= WEB_REQUEST_MS / 20); /* hurry */
    (void)close(fd);
}

static void two_servers_in_one_process(void **state)
{
    struct station *s = *state;
    struct web *w;
    struct answer a;
    struct board *b = board_new(1);
    board_put(b, 0, &(struct slot_view){.slot = 1, .step = "", .fault = "", .leaf = -1});
    assert_int_equal(web_start(&(struct web_config){.listen = "127.0.0.1:0", .board = b}, &w, NULL), FL_OK);
    assert_int_equal(http(web_port(w), "GET", "/metrics", "", NULL, &a), 200);
    assert_non_null(strstr(a.text, "\nflashline_slots 1\n"));
    assert_int_equal(http(s->port, "GET", "/metrics", "", NULL, &a), 200);
    assert_non_null(strstr(a.text, "\nflashline_slots 64\n"));
    int fd = http_dial(web_port(w)); /* stopping does not wait for a stream */
    http_say(fd, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n", 46);
    memset(&a, 0, sizeof a);
    assert_true(http_hear(fd, &a, "event: board", 5000));
    web_stop(w);
    board_free(b);
    (void)close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tile_texts),
        cmocka_unit_test_setup_teardown(a_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(five_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(streams_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_that_never_reads, setup_many, teardown),
        cmocka_unit_test_setup_teardown(heads_and_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_that_never_ends, setup_hurried, teardown),
        cmocka_unit_test_setup_teardown(two_servers_in_one_process, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
