/* SPDX-License-Identifier: Apache-2.0
 * Every chip, through the stub and through its ROM, against everything that goes wrong while it is written: what
 * comes out, which rung it took, and never a PASS over other bytes than those of the images.
 *
 * Boards run with pace real, so that bursts, the stub's pauses and the flash's times are in it, on a clock of their
 * own (board_link.h). What is expected stands in the table, not in a recording: a single damage is mended where it
 * was done, a restart by a reset, a speed that does not hold by a lower one; what comes back each time fails and is
 * named. FL_SEED=N runs all of it with other chance. */
#include "board_link.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- the boards --------------------------------------------------------------------------------------- */

static const struct row {
    const char *chip;
    unsigned revision; /* 0: the simulator's usual */
} rows[] = {
    {"esp8266", 0}, {"esp32", 0},   {"esp32s2", 0}, {"esp32s3", 0},  {"esp32c2", 0}, {"esp32c3", 0},
    {"esp32c5", 0}, {"esp32c6", 0}, {"esp32c61", 0}, {"esp32h2", 0}, {"esp32p4", 0}, {"esp32p4", 100},
};

/* ---- what goes wrong ------------------------------------------------------------------------------------ */

/* Opcodes that differ between stub and ROM. */
enum { DATA = 0x100, BEGIN, MEM_DATA = 0x07, END = 0x12, MD5 = 0x13 };
enum { STUB = 1, ROM = 2, BOTH = 3 };
enum { NONE = -1, ANY = -2 }; /* no rung at all; some rung or none */
enum then { ONCE, PLUG_AND_AGAIN };

#define HOST SIM_TO_HOST
#define CLOSE SIM_AT_CLOSE
#define OPEN SIM_AT_OPEN
#define ALWAYS .always = true
#define FAILS(f) .fault = ESP_FAULT_##f
#define FAILS_8266(f) .fault_8266 = ESP_FAULT_##f /* it has no other loader; its boot log has another speed */

static const struct column {
    const char *name;
    int where;
    enum sim_fault_kind kind;
    int op;
    uint32_t nth;
    int at;
    enum sim_fault_dir dir;
    int byte;
    bool always, clean;
    uint32_t above;            /* of a speed that does not hold; the session has to end at it */
    enum sim_bridge_kind bridge;
    enum then then;
    bool stay;                 /* at 115200, the speed of boot texts: at another they cannot be read */
    enum esp_fault fault, fault_8266; /* NONE: PASS; the second, where it is given, on an ESP8266 */
    int rung, or_rung;         /* one of these must have been told; 0 is RESYNC */
    enum esp_fault cause;      /* and some rung must name this */
} columns[] = {
    {"clean", BOTH, .clean = true, .rung = NONE},
    /* a byte lost */
    /* or, one time in 256, the ROM finds the checksum right over an old byte, and the stub does not start */
    {"loss in a RAM block", STUB, SIM_FAULT_DROP, MEM_DATA, 1, 500, .rung = ESP_RUNG_RESEND, .or_rung = ESP_RUNG_RECONNECT},
    {"loss in a block", BOTH, SIM_FAULT_DROP, DATA, 2, 1000, .rung = ESP_RUNG_RESEND, .or_rung = ESP_RUNG_REGION},
    {"loss in BEGIN", STUB, SIM_FAULT_DROP, BEGIN, 1, 12, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_RESEND},
    /* the ROM takes what is behind the loss one place too early, and refuses a block size that is none */
    {"loss in BEGIN", ROM, SIM_FAULT_DROP, BEGIN, 1, 12, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_SMALL_BLOCKS},
    {"loss in an answer", BOTH, SIM_FAULT_DROP, DATA, 2, 5, HOST, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_RESYNC},
    /* a byte changed */
    {"flip in a RAM block", STUB, SIM_FAULT_FLIP, MEM_DATA, 1, 700, .rung = ESP_RUNG_RESEND, .or_rung = ESP_RUNG_RESYNC},
    {"flip in a block", BOTH, SIM_FAULT_FLIP, DATA, 1, 900, .byte = 0x10, .rung = ESP_RUNG_RESEND, .or_rung = ESP_RUNG_RESEND},
    {"flip far inside every block", BOTH, SIM_FAULT_FLIP, DATA, 0, 1400, .byte = 0x10, ALWAYS, .rung = ESP_RUNG_SMALL_BLOCKS, .or_rung = ESP_RUNG_SMALL_BLOCKS},
    {"flip at the head of every block", STUB, SIM_FAULT_FLIP, DATA, 0, 40, .byte = 0x10, ALWAYS, .rung = ESP_RUNG_ROM, .or_rung = ESP_RUNG_RESEND},
    {"flip at the head of every block", ROM, SIM_FAULT_FLIP, DATA, 0, 40, .byte = 0x10, ALWAYS, FAILS(LINK_DAMAGED), .rung = ESP_RUNG_RESEND, .or_rung = ESP_RUNG_RESEND},
    {"flip sends a region over another", BOTH, SIM_FAULT_FLIP, BEGIN, 2, 23, .byte = 0x03, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_REGION},
    {"flip in an answer's status", BOTH, SIM_FAULT_FLIP, DATA, 2, 9, HOST, .byte = 0x04, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_RESYNC},
    {"flip in an MD5", BOTH, SIM_FAULT_FLIP, MD5, 3, 12, HOST, .byte = 0x01, .rung = ANY},
    /* delimiters */
    {"closing C0 lost", BOTH, SIM_FAULT_DROP, DATA, 2, CLOSE, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_RESEND},
    {"opening C0 lost", BOTH, SIM_FAULT_DROP, DATA, 2, OPEN, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_RESEND},
    {"C0 inside a block", BOTH, SIM_FAULT_INSERT, DATA, 1, 100, .byte = 0xC0, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_RESEND},
    {"closing C0 of an answer changed", BOTH, SIM_FAULT_FLIP, DATA, 2, CLOSE, HOST, .byte = 0x80, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_RESYNC},
    /* the flash */
    {"deferred flash error", BOTH, SIM_FAULT_WORK, DATA, 2, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_REGION},
    {"flash error each time", STUB, SIM_FAULT_WORK, DATA, 0, ALWAYS, FAILS_8266(FLASH_WRITE), .rung = ESP_RUNG_ROM, .or_rung = ESP_RUNG_REGION},
    {"flash error each time", ROM, SIM_FAULT_WORK, DATA, 0, ALWAYS, FAILS(FLASH_WRITE), .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_REGION},
    {"a block dropped in silence", BOTH, SIM_FAULT_LIE, DATA, 2, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_REGION},
    {"nothing written, all said done", ROM, SIM_FAULT_LIE, DATA, 0, ALWAYS, FAILS(FLASH_PROTECTED), .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_REGION},
    /* answers lost */
    {"lost answer to a block", BOTH, SIM_FAULT_LOSE_REPLY, DATA, 2, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_REGION},
    {"lost answer to BEGIN", BOTH, SIM_FAULT_LOSE_REPLY, BEGIN, 2, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_REGION},
    {"lost answer to END", STUB, SIM_FAULT_LOSE_REPLY, END, 1, .rung = ESP_RUNG_REGION, .or_rung = ESP_RUNG_REGION},
    {"lost answer to MD5", BOTH, SIM_FAULT_LOSE_REPLY, MD5, 2, .rung = ESP_RUNG_RESYNC, .or_rung = ESP_RUNG_REGION},
    /* the chip and its port */
    {"restart", BOTH, SIM_FAULT_RESET, DATA, 2, .rung = ESP_RUNG_RECONNECT, .or_rung = ESP_RUNG_RECONNECT},
    {"hangs until it is reset", BOTH, SIM_FAULT_DIE, DATA, 2, .rung = ESP_RUNG_RECONNECT, .or_rung = ESP_RUNG_RECONNECT},
    {"brownout", BOTH, SIM_FAULT_BROWNOUT, DATA, 2, .stay = true, .rung = ESP_RUNG_RECONNECT, .or_rung = ESP_RUNG_RECONNECT, .cause = ESP_FAULT_BOARD_BROWNOUT},
    {"brownout each time", BOTH, SIM_FAULT_BROWNOUT, DATA, 0, ALWAYS, .stay = true, FAILS(BOARD_BROWNOUT),
     FAILS_8266(CHIP_SILENT), .rung = ESP_RUNG_RECONNECT, .or_rung = ESP_RUNG_RECONNECT},
    {"port gone", BOTH, SIM_FAULT_GONE, DATA, 2, FAILS(LINK_LOST), .rung = NONE},
    {"port gone and back", BOTH, SIM_FAULT_UNPLUG, DATA, 2, .then = PLUG_AND_AGAIN, .rung = NONE},
    /* the way */
    {"921600 does not hold", BOTH, SIM_FAULT_BAUD_LIMIT, .above = 460800, .rung = ESP_RUNG_BAUD_DOWN, .or_rung = ESP_RUNG_BAUD_DOWN},
    {"only 115200 holds", BOTH, SIM_FAULT_BAUD_LIMIT, .above = 115200, .rung = ESP_RUNG_BAUD_DOWN, .or_rung = ESP_RUNG_BAUD_DOWN},
    {"bridge that loses bytes", BOTH, .clean = true, .bridge = SIM_CH9102, .rung = ESP_RUNG_SMALL_BLOCKS, .or_rung = ESP_RUNG_PACED},
};

/* Cells that once came out otherwise, with their seeds. */
static const struct {
    const char *chip, *column;
    bool rom;
    uint64_t seed;
} found[] = {
    /* the first MAC address was two answers to questions for other addresses */
    {"esp32c61", "921600 does not hold", true, 1022},
    {"esp32c6", "921600 does not hold", true, 112554},
    {"esp32h2", "921600 does not hold", false, 330899},
    {"esp32h2", "only 115200 holds", true, 481969},
    {"esp32s2", "only 115200 holds", false, 570804},
    /* a speed that hurts, and a flash that answers nothing at it */
    {"esp32s3", "only 115200 holds", true, 88813},
    {"esp8266", "only 115200 holds", false, 462403},
    {"esp32", "only 115200 holds", true, 480176},
    /* refused blocks, and no lower speed was taken for them */
    {"esp32c3", "only 115200 holds", true, 104655},
    {"esp32c61", "only 115200 holds", true, 314929},
    {"esp32c2", "only 115200 holds", true, 325583},
};

/* ---- cells ---------------------------------------------------------------------------------------------- */

enum { CELLS_MAX = 2 * T_COUNT(rows) * T_COUNT(columns) + T_COUNT(found) };

struct cell {
    const struct row *row;
    const struct column *column;
    bool rom;
    uint64_t seed;
    uint32_t fired;
    struct bl_result r;
    const char *bad; /* NULL: as stated */
};

struct matrix {
    struct cell cells[CELLS_MAX];
    size_t n;
    atomic_size_t next;
    const struct sim_stubs *stubs;
    struct bl_images images;
};

static struct sim_spec spec_of(const struct cell *c)
{
    const struct column *k = c->column;
    struct sim_spec s;
    sim_spec_init(&s, sim_chip_find(c->row->chip), 1, c->seed);
    if (c->row->revision)
        s.revision = c->row->revision;
    s.pace_real = true;
    sim_bridge_set(&s.bridge, k->bridge);
    if (k->clean)
        return s;
    struct sim_fault *f = &s.faults[s.n_faults++];
    *f = sim_fault_of(k->kind);
    f->op = k->op == DATA ? (c->rom ? 0x03 : 0x11) : k->op == BEGIN ? (c->rom ? 0x02 : 0x10) : k->op;
    f->nth = k->nth;
    f->dir = k->dir;
    f->ms = 2000;
    f->above = k->above;
    if (k->at)
        f->at = k->at;
    if (k->byte)
        f->byte = k->byte;
    if (k->always)
        f->count = 0;
    return s;
}

static const char *judge(const struct cell *c)
{
    const struct column *k = c->column;
    const struct bl_result *r = &c->r;
    bool old = strcmp(c->row->chip, "esp8266") == 0;
    enum esp_fault fault = old && k->fault_8266 ? k->fault_8266 : k->fault;
    const char *never = bl_never(r);
    if (never)
        return never;
    if (c->rom && old) /* its ROM has no MD5: nothing may be written */
        return r->problem.fault == ESP_FAULT_RAM_REFUSED && r->err == FL_UNSUPPORTED ? NULL : "is not refused";
    if (!k->clean && !k->above && c->fired == 0)
        return "the fault did not happen";
    if ((r->err ? r->problem.fault : ESP_FAULT_NONE) != fault || (r->err != FL_OK) != (fault != ESP_FAULT_NONE))
        return "another outcome";
    if (k->rung == NONE && r->rungs > 0)
        return "a rung for nothing";
    if (k->rung >= 0 && !r->taken[k->rung] && !r->taken[k->or_rung])
        return "the stated rung was not taken";
    if (k->cause && !old && !r->cause[k->cause])
        return "no rung names the cause";
    if (!r->err && r->stub == c->rom && !r->taken[ESP_RUNG_ROM])
        return "another loader";
    if (k->above && r->baud > k->above)
        return "a speed that does not hold";
    return NULL;
}

static void run(struct matrix *m, struct cell *c)
{
    const struct esp_config config = {.chip = c->row->chip, .baud = c->column->stay ? 0 : 921600, .step_down = {460800, 230400},
                                      .stub = c->rom ? ESP_STUB_NEVER : ESP_STUB_AUTO};
    struct sim_spec s = spec_of(c);
    struct sim_board *b = bl_board(&s, m->stubs);
    c->bad = "no memory";
    if (!b)
        return;
    bl_session(b, &config, &m->images, true, &c->r);
    bool may = !c->rom || strcmp(c->row->chip, "esp8266") != 0;
    if (c->column->then == PLUG_AND_AGAIN && may) {
        const char *first = bl_never(&c->r);
        bool lost = c->r.problem.fault == ESP_FAULT_LINK_LOST && c->r.rungs == 0;
        own_now += 3000000000u; /* the slot sees the port come back */
        bl_session(b, &config, &m->images, true, &c->r);
        c->bad = first ? first : lost ? NULL : "the port's loss went unnoticed";
    } else {
        c->bad = NULL;
    }
    if (s.n_faults)
        c->fired = sim_board_spec(b)->faults[0].fired;
    if (!c->bad)
        c->bad = judge(c);
    sim_board_free(b);
}

static void *worker(void *arg)
{
    struct matrix *m = arg;
    for (size_t i; (i = atomic_fetch_add(&m->next, 1)) < m->n;)
        run(m, &m->cells[i]);
    return NULL;
}

static void tell(const struct cell *c)
{
    char rungs[200] = "";
    for (int k = 0; k < ESP_RUNG_COUNT; k++)
        if (c->r.taken[k])
            (void)snprintf(rungs + strlen(rungs), sizeof rungs - strlen(rungs), " %s %u",
                           esp_rung_name((enum esp_rung_kind)k), c->r.taken[k]);
    print_message("# %s%s %s, %s: %s%s; rungs%s; %.1f s; seed %llu%s%s\n", c->row->chip,
                  c->row->revision ? " rev 1.0" : "", c->rom ? "ROM" : "stub", c->column->name,
                  c->r.err ? esp_fault_name(c->r.problem.fault) : "PASS", c->r.wrong && !c->r.err ? " WRONG" : "",
                  rungs[0] ? rungs : " none", c->r.seconds, (unsigned long long)c->seed, c->bad ? "; NOT AS STATED: " : "",
                  c->bad ? c->bad : "");
    if (c->bad && c->r.err)
        print_message("#     %s\n", c->r.problem.text);
}

static void matrix(void **state)
{
    static const uint32_t sizes[BL_REGIONS] = {0x6000, 0x4000};
    const char *env = getenv("FL_SEED");
    uint64_t seed = env ? strtoull(env, NULL, 0) : 20261122;
    struct matrix *m = calloc(1, sizeof *m);
    struct sim_stubs *stubs = NULL;
    struct fl_why why = {0};
    pthread_t threads[2];
    size_t bad = 0, passed = 0;
    (void)state;
    assert_non_null(m);
    assert_int_equal(sim_stubs_load(&stubs, &why), FL_OK);
    m->stubs = stubs;
    bl_images_make(&m->images, sizes);
    for (size_t k = 0; k < T_COUNT(columns); k++)
        for (size_t i = 0; i < T_COUNT(rows); i++)
            for (int rom = 0; rom < 2; rom++)
                if (columns[k].where & (rom ? ROM : STUB)) {
                    m->cells[m->n] = (struct cell){&rows[i], &columns[k], rom, .seed = seed + m->n};
                    m->n++;
                }
    for (size_t f = 0; f < T_COUNT(found); f++)
        for (size_t k = 0; k < T_COUNT(columns); k++)
            for (size_t i = 0; i < T_COUNT(rows) && strcmp(columns[k].name, found[f].column) == 0; i++)
                if (strcmp(rows[i].chip, found[f].chip) == 0)
                    m->cells[m->n++] = (struct cell){&rows[i], &columns[k], found[f].rom, .seed = found[f].seed};
    for (size_t i = 0; i < T_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, m), 0);
    for (size_t i = 0; i < T_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < m->n; i++) {
        tell(&m->cells[i]);
        bad += m->cells[i].bad != NULL;
        passed += m->cells[i].r.err == FL_OK;
    }
    print_message("# %zu cells from seed %llu: %zu PASS, %zu FAIL, %zu not as stated\n", m->n,
                  (unsigned long long)seed, passed, m->n - passed, bad);
    assert_true(m->n >= 300);
    assert_int_equal(bad, 0);
    bl_images_fini(&m->images);
    sim_stubs_free(stubs);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(matrix)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
