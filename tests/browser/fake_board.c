/* SPDX-License-Identifier: Apache-2.0
 * A line that is not there: drives a board of latest states from a seed, for the tests of the pages and of the
 * terminal. Prints the address it listens on, then runs until its standard input ends or SIGTERM comes.
 *
 *   fake_board [slots=8] [seed=1] [listen=127.0.0.1:0] [data=DIR] [login=1] [console=1] [still=1] [speed=1]
 *              [cert=FILE key=FILE] [planned=N] [alarm=TEXT] [said=TEXT] [refused=1] [said_slot=N] [seconds=N]
 *
 * still=1: every state once, round and round, nothing moves. speed: how much faster than a real line. */
#include "console/console.h"
#include "web/web.h"

#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 50, SLOTS_MAX = 256 };

struct fake {
    struct board *board;
    size_t n;
    uint64_t random, born_ms;
    unsigned speed;
    struct fake_slot {
        struct slot_view v;
        uint64_t until_ms, step_began_ms;
        int phase;
        const char *end; /* fault that this attempt will have, "" none */
    } slot[SLOTS_MAX];
};

static uint64_t roll(struct fake *f, uint64_t n)
{
    f->random ^= f->random << 13; /* xorshift64, Marsaglia */
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return f->random % n;
}

static const struct {
    const char *step;
    unsigned ms;
} phases[] = {{"", 2500}, {"", 600}, {"identify", 200}, {"gate", 100}, {"stub", 500}, {"baud", 300},
              {"write", 12000}, {"verify", 900}, {"", 300}, {"", 4000}};
enum { EMPTY, CONNECT, WORK, WRITE = 6, VERIFY, RECORD, DONE, CLOSED };
static const char *const ends[] = {"verify.md5", "ram.checksum", "link.lost", "boot.pattern", "flash.missing",
                                   "operator.removed"};

static void new_unit(struct fake *f, struct fake_slot *s)
{
    uint64_t r = roll(f, 1 << 24);
    (void)snprintf(s->v.mac, sizeof s->v.mac, "24:6f:28:%02x:%02x:%02x", (unsigned)(r >> 16 & 255),
                   (unsigned)(r >> 8 & 255), (unsigned)(r & 255));
    (void)snprintf(s->v.chip, sizeof s->v.chip, "%s", roll(f, 4) ? "esp32" : "esp32s3");
    s->v.baud = 921600;
    s->v.rungs = roll(f, 8) ? 0 : 1 + (unsigned)roll(f, 3);
    s->end = roll(f, 9) ? "" : ends[roll(f, sizeof ends / sizeof *ends)];
}

static void enter(struct fake *f, size_t i, uint64_t now)
{
    struct fake_slot *s = &f->slot[i];
    struct slot_view *v = &s->v;
    s->until_ms = now + (phases[s->phase].ms * (75 + roll(f, 50)) / 100) / f->speed;
    s->step_began_ms = now;
    v->step = phases[s->phase].step;
    v->done = v->total = 0;
    v->state = s->phase == EMPTY     ? SLOT_EMPTY
               : s->phase == CONNECT ? SLOT_CONNECT
               : s->phase == RECORD  ? SLOT_RECORD
               : s->phase == DONE    ? SLOT_DONE
                                     : SLOT_WORK;
    if (s->phase == EMPTY) {
        *v = (struct slot_view){.slot = v->slot, .step = "", .fault = "", .leaf = -1};
        (void)snprintf(v->port, sizeof v->port, "usb:1-1.4.%zu", i + 1);
    } else if (s->phase == CONNECT) {
        v->started_ms = now;
    } else if (s->phase == WORK) {
        new_unit(f, s);
    } else if (s->phase == WRITE) {
        v->total = 1747552;
    } else if (s->phase == DONE) {
        const struct fault *fault = fault_find(s->end);
        uint8_t mac[8];
        v->ended_ms = now;
        v->leaf = (int64_t)roll(f, 100000);
        v->fault = fault ? fault->name : "";
        v->outcome = fault ? fault->outcome : OUTCOME_PASS;
        (void)snprintf(v->why, sizeof v->why, "%s", fault ? "region 0x10000: 0x3f20 is the first byte that differs" : "");
        tally_add(board_tally(f->board), v->outcome, event_mac_parse(v->mac, mac) == 6 ? mac : NULL, now);
    }
    board_put(f->board, i, v);
}

static void step(struct fake *f, size_t i, uint64_t now)
{
    struct fake_slot *s = &f->slot[i];
    if (now >= s->until_ms) {
        bool fails = s->end[0] && s->phase == WRITE && strncmp(s->end, "verify", 6) != 0;
        s->phase = fails ? RECORD : s->phase == DONE ? EMPTY : s->phase + 1;
        enter(f, i, now);
    } else if (s->phase == WRITE) {
        s->v.done = s->v.total * (now - s->step_began_ms) / (s->until_ms - s->step_began_ms);
        board_progress(f->board, i, s->v.done, s->v.total);
    }
}

/* Every look there is, for pictures. */
static void still(struct fake *f, size_t i, uint64_t now)
{
    static const struct {
        int phase;
        const char *end;
    } row[] = {{WRITE, ""}, {DONE, ""}, {WRITE, ""}, {DONE, "verify.md5"}, {EMPTY, ""}, {VERIFY, ""},
               {DONE, "ram.checksum"}, {DONE, ""}, {WRITE, ""}, {DONE, ""}, {DONE, ""}, {WRITE, ""}, {CONNECT, ""},
               {DONE, "operator.removed"}, {RECORD, ""}, {WRITE, ""}, {CLOSED, "rule.consecutive"}};
    size_t r = i % (sizeof row / sizeof *row);
    struct fake_slot *s = &f->slot[i];
    if (row[r].phase == CLOSED) {
        s->v = (struct slot_view){.slot = (int)i + 1, .state = SLOT_CLOSED, .step = "", .fault = row[r].end, .leaf = -1};
        board_put(f->board, i, &s->v);
        return;
    }
    for (s->phase = EMPTY; s->phase < row[r].phase; s->phase++)
        if (s->phase <= WORK)
            enter(f, i, now - 8000);
    s->end = row[r].end;
    enter(f, i, now);
    if (s->phase == WRITE) {
        s->v.done = s->v.total * (5 + i * 37 % 90) / 100;
        board_put(f->board, i, &s->v);
    }
    if (s->phase == DONE && !*s->end && i % 3 == 0)
        s->v.rungs = 2;
}

static volatile sig_atomic_t stopped;
static void on_stop(int sig)
{
    (void)sig;
    stopped = 1;
}

static const char *arg(int argc, char **argv, const char *name, const char *otherwise)
{
    size_t n = strlen(name);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
            return argv[i] + n + 1;
    return otherwise;
}

static void run(struct fake *f, bool is_still, uint64_t seconds)
{
    uint64_t began = fl_mono_ms();
    while (!stopped && (!seconds || fl_mono_ms() - began < seconds * 1000)) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        char c;
        if (isatty(STDIN_FILENO))
            (void)poll(NULL, 0, TICK_MS); /* the keys are the console's */
        else if (poll(&in, 1, TICK_MS) > 0 && read(STDIN_FILENO, &c, 1) <= 0)
            break;
        for (size_t i = 0; i < f->n && !is_still; i++)
            step(f, i, fl_mono_ms());
    }
}

int main(int argc, char **argv)
{
    struct fake *f = calloc(1, sizeof *f);
    struct web *web = NULL;
    struct console *console = NULL;
    struct fl_why why = {0};
    const char *data = arg(argc, argv, "data", NULL), *listen = arg(argc, argv, "listen", "127.0.0.1:0");
    bool is_still = *arg(argc, argv, "still", "") == '1';
    int code = 1;
    (void)setlocale(LC_CTYPE, "");
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGTERM, on_stop);
    (void)signal(SIGINT, on_stop);
    if (!f)
        return 1;
    f->n = strtoul(arg(argc, argv, "slots", "8"), NULL, 10);
    f->n = f->n > SLOTS_MAX ? SLOTS_MAX : f->n;
    f->random = 0x9E3779B97F4A7C15u ^ strtoull(arg(argc, argv, "seed", "1"), NULL, 10);
    f->speed = (unsigned)strtoul(arg(argc, argv, "speed", "1"), NULL, 10);
    f->board = board_new(f->n);
    if (!f->board || !f->speed)
        goto out;
    tally_title(board_tally(f->board), "line-3-a", "m5stack-core-m5cloud 0.4.0", "A-2471",
                strtoull(arg(argc, argv, "planned", "500"), NULL, 10), 15000);
    tally_alarm(board_tally(f->board), arg(argc, argv, "alarm", ""));
    f->born_ms = fl_mono_ms();
    const char *said = arg(argc, argv, "said", "");
    bool refused = *arg(argc, argv, "refused", "") == '1';
    tally_say(board_tally(f->board), refused, said, f->born_ms);
    for (size_t i = 0; i < 163 && is_still; i++) /* half an hour's work behind it */
        tally_add(board_tally(f->board), i % 31 == 7 ? OUTCOME_FAIL : i % 47 == 9 ? OUTCOME_ERROR : OUTCOME_PASS,
                  (const uint8_t[]){2, 0, 0, 0, 0, (uint8_t)i}, f->born_ms - 1800000 + i * 11000);
    for (size_t i = 0; i < f->n; i++) {
        f->slot[i].v.slot = (int)i + 1;
        f->slot[i].end = "";
        if (is_still)
            still(f, i, f->born_ms);
        else {
            enter(f, i, f->born_ms);
            f->slot[i].until_ms = f->born_ms + roll(f, 12000) / f->speed;
        }
    }
    board_say(f->board, (int)strtol(arg(argc, argv, "said_slot", "0"), NULL, 10), refused, said, f->born_ms);
    const struct web_config config = {
        .listen = listen, .data = data, .board = f->board, .login = *arg(argc, argv, "login", "") == '1',
        .tls_cert = arg(argc, argv, "cert", NULL), .tls_key = arg(argc, argv, "key", NULL)};
    if ((*listen && web_start(&config, &web, &why)) ||
        (*arg(argc, argv, "console", "") == '1' && console_start(f->board, stderr, NULL, &console, &why))) {
        fprintf(stderr, "fake_board: %s\n", why.text);
        goto out;
    }
    if (web)
        printf("%s\n", web_url(web));
    (void)fflush(stdout);
    run(f, is_still, strtoull(arg(argc, argv, "seconds", "0"), NULL, 10));
    code = 0;
out:
    console_stop(console);
    web_stop(web);
    board_free(f->board);
    free(f);
    return code;
}
