/* SPDX-License-Identifier: Apache-2.0
 * The script of a shift, and an operator whose slots are made of nothing: what it does when, on a clock that the test
 * turns. A whole shift against a real line: tests/flow/sim_shift.sh. */
#include "unit/t.h"

#include "base/file.h"
#include "sim/operator.h"
#include "sim/shift.h"

#include <jansson.h>
#include <unistd.h>

#define MS ((uint64_t)1000000)

static char dir[40];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/t_shift.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static const char *file(const char *name, const char *text)
{
    static char path[100];
    struct fl_why why = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (text)
        assert_int_equal(fl_file_replace(path, text, strlen(text), 0600, &why), FL_OK);
    return path;
}

static enum fl_err load(const char *text, struct shift *s, struct fl_why *why)
{
    return shift_load(file("s.yaml", text), sim_chip_find("esp32"), false, 11, s, why);
}

static void a_script(void **state)
{
    struct shift s;
    struct fl_why why = {0};
    (void)state;
    assert_int_equal(load("units: 1000\n"
                          "hands: 3\n"
                          "plug_ms: [100, 300]\n"
                          "board: {chip: esp32c3, flash: {size: 8MB}}\n"
                          "planted:\n"
                          "  - {name: weak, share: 0.1, expect: [verify.md5, flash.write], board: {flash: {stuck: [0x3000]}}}\n"
                          "  - {name: other, share: 0.2, expect: [chip.wrong], board: {chip: esp32s3}}\n"
                          "twice: 0.5\n"
                          "cable: {slot: 2, after: 4, over: 5, rate: 0.01}\n"
                          "hub: {slots: [3, 4], after: 20, ms: 700}\n",
                          &s, &why),
                     FL_OK);
    assert_int_equal(s.units, 1000);
    assert_int_equal(s.hands, 3);
    assert_int_equal(s.seed, 11);
    assert_int_equal(s.plug_ms.most, 300);
    assert_int_equal(s.unplug_ms.least, 200); /* not said */
    assert_int_equal(s.patience_ms, 10000);
    assert_string_equal(s.board.chip->name, "esp32c3");
    assert_int_equal(s.n_planted, 2);
    assert_string_equal(s.planted[0].expect[1], "flash.write");
    assert_string_equal(s.planted[0].board.chip->name, "esp32c3"); /* as all, with something changed */
    assert_int_equal(s.planted[0].board.flash.size, 8 << 20);
    assert_int_equal(s.planted[0].board.flash.stuck[0], 0x3000);
    assert_string_equal(s.planted[1].board.chip->name, "esp32s3");
    assert_int_equal(s.hub.slot[1], 4);

    unsigned weak = 0, other = 0, twice = 0;
    for (uint32_t n = 1; n <= s.units; n++) {
        struct shift_unit u, again;
        shift_unit(&s, n, &u);
        shift_unit(&s, n, &again);
        assert_memory_equal(u.spec.mac, again.spec.mac, 6);
        assert_ptr_equal(u.planted, again.planted);
        assert_int_equal(u.spec.number, n);
        weak += u.planted == &s.planted[0];
        other += u.planted == &s.planted[1];
        twice += u.twice;
        assert_false(u.planted && u.twice);
    }
    /* shares of a thousand, four standard deviations either way */
    assert_in_range(weak, 62, 138);
    assert_in_range(other, 149, 251);
    assert_in_range(twice, 287, 413);
}

static void wrong_scripts(void **state)
{
    static const struct {
        const char *text, *says;
    } row[] = {
        {"", "s.yaml:1:1: it is empty"},
        {"hands: 2\n", "how many boards are in the box"},
        {"units: 1\nhans: 2\n", "s.yaml:2:1: there is no key 'hans' here"},
        {"units: 1\nhands: 0\n", "a shift needs a hand"},
        {"units: 1\nplug_ms: [5]\n", "the least and the most"},
        {"units: 1\nplug_ms: [5, 4]\n", "the least and the most"},
        {"units: 1\ntwice: 1.5\n", "s.yaml:2:8"},
        {"units: 1\nplanted: [{name: x, share: 0.6, expect: [a.b]}, {name: y, share: 0.6, expect: [a.b]}]\n", "more than all"},
        {"units: 1\nplanted: [{share: 0.6, expect: [a.b]}]\n", "needs a name"},
        {"units: 1\nplanted: [{name: x, share: 0.6}]\n", "needs a name"},
        {"units: 1\nplanted: [{name: x, expect: [a.b], board: {chip: esp99}}]\n", "there is no chip 'esp99'"},
        {"units: 1\nboard: {mac: \"24:6f:28:00:00:01\"}\n", "there is no key 'mac' here"},
        {"units: 1\nhub: {slots: 5}\n", "s.yaml:2:14"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct shift s;
        struct fl_why why = {0};
        assert_int_equal(load(row[i].text, &s, &why), FL_FORMAT);
        if (!strstr(why.text, row[i].says)) {
            print_error("%s: not '%s'\n", why.text, row[i].says);
            fail();
        }
    }
}

/* ---- an operator ------------------------------------------------------------------------------------------- */

enum { SLOTS = 2 };
static int there[SLOTS], came[SLOTS];
static struct sim_end ends[SLOTS];

static enum fl_err appear(struct sim_end *e, struct fl_why *why)
{
    (void)why;
    there[e - ends] = 1;
    came[e - ends]++;
    return FL_OK;
}

static void vanish(struct sim_end *e)
{
    there[e - ends] = 0;
}

static const struct sim_end_ops ops = {.appear = appear, .vanish = vanish};

struct play {
    struct operator *op;
    struct sim_stubs *stubs;
    uint64_t now;
};

static void begin(struct play *p, const char *script)
{
    struct fl_why why = {0};
    char path[100];
    snprintf(path, sizeof path, "%s", file("op.yaml", script));
    assert_int_equal(sim_stubs_load(&p->stubs, &why), FL_OK);
    memset(came, 0, sizeof came);
    for (int i = 0; i < SLOTS; i++) {
        there[i] = 0;
        ends[i] = (struct sim_end){.ops = &ops, .due = SIM_NEVER};
    }
    const struct operator_config c = {.script = path, .truth = file("truth", NULL), .chip = sim_chip_find("esp32"), .seed = 1,
                                      .end = ends, .slots = SLOTS, .stubs = p->stubs};
    enum fl_err err = operator_new(&c, &p->op, &why);
    if (err)
        print_error("%s\n", why.text);
    assert_int_equal(err, FL_OK);
    p->now = 5000 * MS;
}

static void run(struct play *p, unsigned ms)
{
    for (uint64_t end = p->now + ms * MS; p->now < end; p->now += MS)
        (void)operator_tick(p->op, p->now);
}

static void show(struct play *p, unsigned slot, const char *state, int64_t leaf)
{
    struct sim_tile t = {.leaf = leaf};
    snprintf(t.state, sizeof t.state, "%s", state);
    operator_see(p->op, slot, &t);
}

static void over(struct play *p)
{
    operator_free(p->op, p->now);
    sim_stubs_free(p->stubs);
}

/* The visits in the truth file as "unit@slot why saw leaf; ". */
static const char *visits(void)
{
    static char out[2000];
    char line[2000];
    out[0] = 0;
    FILE *f = fopen(file("truth", NULL), "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        json_t *o = json_loads(line, 0, NULL);
        assert_non_null(o);
        if (strcmp(json_string_value(json_object_get(o, "type")), "visit") == 0)
            snprintf(out + strlen(out), sizeof out - strlen(out), "%d@%d %s %s %d; ",
                     (int)json_integer_value(json_object_get(o, "unit")), (int)json_integer_value(json_object_get(o, "slot")),
                     json_string_value(json_object_get(o, "why")), json_string_value(json_object_get(o, "saw")),
                     (int)json_integer_value(json_object_get(o, "leaf")));
        json_decref(o);
    }
    fclose(f);
    return out;
}

#define QUICK "hands: 1\nplug_ms: [100, 100]\nunplug_ms: [50, 50]\npatience_ms: 1000\nerrors_again: 0\n"

static void by_what_the_tile_shows(void **state)
{
    struct play p;
    (void)state;
    begin(&p, "units: 3\n" QUICK);
    run(&p, 500);
    assert_int_equal(came[0] + came[1], 0); /* nothing is to be seen */
    show(&p, 1, "empty", -1);
    show(&p, 2, "closed", -1);
    run(&p, 98);
    assert_int_equal(came[0] + came[1], 0);
    run(&p, 4);
    assert_int_equal(came[0], 1);
    run(&p, 300);
    assert_int_equal(came[1], 0); /* no board goes into a slot that is closed */
    show(&p, 2, "empty", -1);
    run(&p, 98);
    assert_int_equal(came[1], 0);
    run(&p, 4);
    assert_int_equal(came[1], 1);
    show(&p, 1, "work", -1);
    show(&p, 2, "work", -1);
    run(&p, 3000); /* at work: it stays in */
    assert_true(there[0] && there[1]);
    show(&p, 1, "pass", 5);
    run(&p, 40);
    assert_true(there[0]); /* the hand is not there yet */
    show(&p, 1, "work", 5); /* tried again by itself */
    run(&p, 500);
    assert_true(there[0]);
    show(&p, 1, "fail", 7);
    run(&p, 52);
    assert_false(there[0]);
    run(&p, 102);
    assert_int_equal(came[0], 2); /* the third board */
    run(&p, 700);
    assert_true(there[0]); /* the tile is still that of the board before: not this one's outcome */
    show(&p, 1, "pass", 9);
    show(&p, 2, "error", 8);
    run(&p, 200);
    assert_true(operator_over(p.op));
    over(&p);
    const char *v = visits();
    assert_true(strstr(v, "1@1 done fail 7; ") || strstr(v, "2@1 done fail 7; "));
    assert_non_null(strstr(v, "3@1 done pass 9; "));
    assert_non_null(strstr(v, "@2 done error 8; "));
}

static void patience_and_blindness(void **state)
{
    struct play p;
    (void)state;
    begin(&p, "units: 1\n" QUICK);
    show(&p, 1, "empty", -1);
    show(&p, 2, "work", -1); /* no board goes into a slot that is at work */
    run(&p, 300);
    assert_true(there[0]);
    assert_false(there[1]);
    run(&p, 500);
    operator_blind(p.op);
    run(&p, 5000); /* who sees nothing does nothing */
    assert_true(there[0]);
    show(&p, 1, "empty", -1);
    run(&p, 900);
    assert_true(there[0]);
    run(&p, 200);
    assert_false(there[0]);
    assert_true(operator_over(p.op));
    over(&p);
    assert_string_equal(visits(), "1@1 patience empty -1; ");
}

static void moved_twice_and_again(void **state)
{
    struct play p;
    (void)state;
    begin(&p, "units: 1\nmoved: 1\ntwice: 1\n" QUICK);
    show(&p, 1, "empty", -1);
    show(&p, 2, "empty", -1);
    run(&p, 105);
    unsigned first = there[0] ? 1 : 2, second = 3 - first;
    show(&p, first, "work", -1);
    run(&p, 450);
    assert_false(there[first - 1]); /* pulled at its work */
    run(&p, 500);
    assert_true(there[second - 1]); /* not into the slot it came from */
    show(&p, first, "error", 2);
    show(&p, second, "pass", 3);
    run(&p, 600);
    assert_false(there[second - 1]);
    assert_true(there[first - 1]); /* once more, elsewhere */
    show(&p, first, "pass", 4);
    run(&p, 100);
    assert_true(operator_over(p.op));
    over(&p);
    char want[200];
    snprintf(want, sizeof want, "1@%u moved work -1; 1@%u done pass 3; 1@%u done pass 4; ", first, second, first);
    assert_string_equal(visits(), want);
}

static void a_hub_lets_go(void **state)
{
    struct play p;
    (void)state;
    begin(&p, "units: 2\nhub: {slots: [1, 2], after: 1, ms: 400}\n" QUICK);
    show(&p, 1, "empty", -1);
    show(&p, 2, "empty", -1);
    run(&p, 210);
    assert_true(there[0] && there[1]);
    show(&p, 1, "pass", 1);
    show(&p, 2, "work", -1);
    run(&p, 60);
    assert_false(there[0] || there[1]); /* one done: the hub lets go, with the other board on it */
    run(&p, 390);
    assert_false(there[1]);
    run(&p, 20);
    assert_true(there[1]);
    show(&p, 2, "pass", 2);
    run(&p, 100);
    assert_true(operator_over(p.op));
    over(&p);
    assert_non_null(strstr(visits(), "@2 done pass 2; "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script),
        cmocka_unit_test(wrong_scripts),
        cmocka_unit_test(by_what_the_tile_shows),
        cmocka_unit_test(patience_and_blindness),
        cmocka_unit_test(moved_twice_and_again),
        cmocka_unit_test(a_hub_lets_go),
    };
    return cmocka_run_group_tests(tests, make_dir, NULL);
}
