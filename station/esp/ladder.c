/* SPDX-License-Identifier: Apache-2.0
 * The recovery ladder: which rung comes next, as a table, and taking it.
 *
 *             what went wrong ──► a list of rungs, tried in order, one each time it goes wrong again;
 *   during          │             a rung that is impossible here (no lower speed, no stub to give up,
 *   which work ─────┘             no supply to switch) is passed over; the end of the list is failure
 *
 * Refused blocks that are safe to send again are sent again where they are written (load.c, write.c);
 * what comes here has survived that.
 *
 * Why the lists are as they are (facts 4.4, 9, 10.3, and what was seen on ROM and stub code):
 *   - Damage that comes back is loss inside long bursts (a bridge, its driver) or scattered flips (cable,
 *     ground). The stub says which: C0 for a wrong length, C1 for a wrong checksum. Paced writes cure the
 *     first, short blocks make the second cheap, both at little cost in speed: before lower speeds.
 *   - Silence of a stub is mostly a frame turned inside out by one lost delimiter: DB 00 ends it. Silence of
 *     a ROM ends with SYNC. A reset is never the first thing to try, and never the last.
 *   - A ROM says "unsupported command" also to one whose opcode was damaged: what may be asked twice is asked again
 *     where it was asked (command.c). And the proof of a speed is short: one that carries it by luck is given up
 *     for lower ones before a refusal is believed.
 *   - After any doubt about what was written, the region is begun again; nothing is resent on a guess.
 *   - When all that is taken, damaged blocks are sent until they arrive, many times each: slow is better than not at
 *     all. And a region that gets on, sector by sector, does not use its lists up: each time is nearer to the end.
 *   - Without the stub nothing is compressed and every block waits for the flash, but the ROM checks
 *     every sequence number and has no framing to be turned inside out. The lists start again there.
 *
 * A session takes at most CLIMBS_MAX rungs, whatever happens. */
#include "esp/session.h"

#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 14, CLIMBS_MAX = 60, CONNECT_BAUD = 115200, SLOW_BAUD = 57600, SECTOR = 0x1000 };

#define RESYNC ESP_RUNG_RESYNC
#define REGION ESP_RUNG_REGION
#define RESET ESP_RUNG_RECONNECT
#define SMALL ESP_RUNG_SMALL_BLOCKS
#define PACED ESP_RUNG_PACED
#define SLOWER ESP_RUNG_BAUD_DOWN
#define ROM ESP_RUNG_ROM
#define POWER ESP_RUNG_POWER

struct list {
    size_t n;
    enum esp_rung_kind rungs[LIST_MAX];
};
#define LIST(...)                                                                                  \
    {sizeof((enum esp_rung_kind[]){__VA_ARGS__}) / sizeof(enum esp_rung_kind), {__VA_ARGS__}}

static const struct list lists[WORK_COUNT][TROUBLE_COUNT] = {
    [WORK_TALK] = {
        [TROUBLE_SILENT] = LIST(RESYNC, RESET, RESYNC, SLOWER, RESET, SLOWER, SLOWER, ROM, POWER),
        [TROUBLE_DAMAGED] = LIST(RESYNC, RESYNC, RESET, SLOWER, SLOWER, SLOWER, PACED, ROM, POWER),
        [TROUBLE_REFUSED] = LIST(RESYNC, RESET, SLOWER, SLOWER, SLOWER, ROM, POWER),
        [TROUBLE_WORK] = LIST(RESYNC, RESET, ROM, POWER),
        [TROUBLE_RESTART] = LIST(RESET, RESET, POWER),
        [TROUBLE_SYNC] = LIST(RESET, POWER),
    },
    [WORK_LOAD] = {
        [TROUBLE_SILENT] = LIST(RESYNC, RESET, SMALL, SMALL, RESET, PACED, PACED, ROM, POWER),
        [TROUBLE_DAMAGED] = LIST(SMALL, PACED, SMALL, PACED, SMALL, PACED, SMALL, PACED, SLOWER, ROM,
                                 POWER),
        [TROUBLE_REFUSED] = LIST(RESYNC, RESET, SMALL, ROM, POWER),
        [TROUBLE_WORK] = LIST(RESET, ROM, POWER),
        [TROUBLE_RESTART] = LIST(RESET, RESET, POWER),
        [TROUBLE_GREETING] = LIST(RESET, RESET, SMALL, ROM, POWER),
    },
    [WORK_SPEED] = {
        [TROUBLE_SPEED] = LIST(RESET, SLOWER, SLOWER, SLOWER, SLOWER, SLOWER, SLOWER, SLOWER, SLOWER, POWER),
        [TROUBLE_RESTART] = LIST(RESET, SLOWER, SLOWER, POWER),
    },
    [WORK_WRITE] = {
        [TROUBLE_SILENT] = LIST(REGION, RESET, SLOWER, SLOWER, SMALL, PACED, SLOWER, ROM, REGION, POWER),
        [TROUBLE_DAMAGED] = LIST(SMALL, SMALL, PACED, SLOWER, SLOWER, SMALL, PACED, SLOWER, PACED, SLOWER,
                                 PACED, ROM, REGION, POWER),
        [TROUBLE_FLIPPED] = LIST(SMALL, SMALL, SLOWER, SLOWER, PACED, SLOWER, SMALL, PACED, ROM, REGION,
                                 POWER),
        [TROUBLE_REFUSED] = LIST(REGION, RESET, REGION, ROM, POWER),
        [TROUBLE_WORK] = LIST(REGION, SLOWER, ROM, POWER),
        [TROUBLE_RESTART] = LIST(RESET, RESET, SLOWER, POWER),
    },
};

/* ---- names -------------------------------------------------------------------------------------- */

static const char *const names[ESP_RUNG_COUNT] = {
    [ESP_RUNG_RESYNC] = "resync",       [ESP_RUNG_RESEND] = "resend",
    [ESP_RUNG_REGION] = "region",       [ESP_RUNG_RECONNECT] = "reconnect",
    [ESP_RUNG_SMALL_BLOCKS] = "small_blocks", [ESP_RUNG_PACED] = "paced",
    [ESP_RUNG_BAUD_DOWN] = "baud_down", [ESP_RUNG_ROM] = "rom",
    [ESP_RUNG_POWER] = "power",
};

const char *esp_rung_name(enum esp_rung_kind k)
{
    return (unsigned)k < ESP_RUNG_COUNT ? names[k] : "";
}

void esp_rung(struct esp *e, enum esp_rung_kind kind, uint32_t value, const char *fmt, ...)
{
    struct esp_rung r = {.kind = kind, .cause = e->problem.fault, .value = value};
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(r.text, sizeof r.text, fmt, ap);
    va_end(ap);
    e->taken[kind]++;
    e->disturbed = true;
    if (kind != ESP_RUNG_RESEND)
        e->recent = (struct esp_sample){0};
    if (e->observer.rung)
        e->observer.rung(e->observer.ctx, &r);
}

/* ---- rungs: false when impossible here ------------------------------------------------------------- */

static void back_to(struct esp *e, enum esp_stage stage)
{
    if (e->stage > stage)
        e->stage = stage;
}

/* The loader is sound and waits: a refused block is no reason for a reset. */
static bool damage(const struct esp *e)
{
    return e->trouble == TROUBLE_DAMAGED || e->trouble == TROUBLE_FLIPPED;
}

/* The loader's framing put right. A region that was begun is begun again by whoever wrote it. */
static bool take_resync(struct esp *e, enum esp_rung_kind kind)
{
    if (e->stage < STAGE_SYNCED)
        return false;
    const char *how = e->stub ? "DB 00" : "SYNC";
    esp_rung(e, kind, 0, "%s; %s", e->problem.text, how);
    struct esp_problem was = e->problem;
    enum esp_trouble trouble = e->trouble;
    bool lost = trouble == TROUBLE_SILENT && e->silent_usual;
    e->stubborn = e->stubborn || (kind == ESP_RUNG_REGION && damage(e));
    enum fl_err err = wire_resync(e);
    e->revived += lost && err == FL_OK;
    if (err == FL_OK || e->trouble == TROUBLE_DEAD)
        return true;
    /* the evidence that counts is what happened before */
    e->problem = was;
    e->trouble = trouble;
    return false;
}

static bool take_reset(struct esp *e)
{
    /* a loader that does not answer below its usual speed is asked at that one again */
    if (e->trouble == TROUBLE_SYNC && esp_connect_baud(e) < CONNECT_BAUD)
        e->tune.baud = CONNECT_BAUD;
    esp_rung(e, ESP_RUNG_RECONNECT, 0, "%s; reset and SYNC", e->problem.text);
    back_to(e, STAGE_OPEN);
    return true;
}

static bool take_small(struct esp *e)
{
    static const uint32_t ram[] = {0x800, 0x400, 0x200, 0x100}, flash[] = {0x800, 0x400, 0x100};
    bool load = e->work == WORK_LOAD;
    const uint32_t *sizes = load ? ram : flash;
    size_t n = load ? sizeof ram / sizeof *ram : sizeof flash / sizeof *flash;
    uint32_t *now = load ? &e->tune.ram_block : &e->tune.flash_block;
    size_t i = 0;
    while (i < n && *now != 0 && sizes[i] >= *now)
        i++;
    if (i == n)
        return false;
    *now = sizes[i];
    /* a way that cannot carry long frames into RAM will not carry them into flash */
    if (load && (e->tune.flash_block == 0 || e->tune.flash_block > sizes[i]))
        e->tune.flash_block = sizes[i] < 0x400 ? 0x400 : sizes[i];
    esp_rung(e, ESP_RUNG_SMALL_BLOCKS, sizes[i], "%s; blocks of %u bytes", e->problem.text, sizes[i]);
    if (!damage(e))
        back_to(e, STAGE_OPEN);
    return true;
}

static bool take_paced(struct esp *e)
{
    /* bytes written at once, and the pause behind them beside the time they take on the wire: one, two,
     * eight packets of full-speed USB, and a UART's FIFO */
    static const struct {
        uint32_t burst, gap_us;
    } steps[] = {{512, 1000}, {128, 2000}, {64, 4000}, {16, 2000}};
    size_t i = e->pace, n = sizeof steps / sizeof *steps;
    while (i < n && e->tune.burst != 0 && steps[i].burst >= e->tune.burst)
        i++;
    if (i == n)
        return false;
    e->pace = (unsigned)i + 1;
    e->tune.burst = steps[i].burst;
    e->tune.burst_gap_us = steps[i].gap_us;
    esp_rung(e, ESP_RUNG_PACED, steps[i].burst, "%s; writes of %u bytes with pauses of %u us",
             e->problem.text, steps[i].burst, steps[i].gap_us);
    if (!damage(e))
        back_to(e, STAGE_OPEN);
    return true;
}

/* The highest allowed speed below `now`; 0: none. */
static uint32_t slower(const struct esp *e, uint32_t now)
{
    uint32_t best = 0;
    uint32_t floor = e->work == WORK_LOAD ? SLOW_BAUD : CONNECT_BAUD;
    if (floor < now)
        best = floor;
    if (e->work == WORK_LOAD)
        return best; /* the ROM is spoken to at 115200 or below, whatever the profile allows later */
    for (size_t i = 0; i < ESP_STEP_DOWN_MAX && e->config.step_down[i]; i++)
        if (e->config.step_down[i] < now && e->config.step_down[i] > best)
            best = e->config.step_down[i];
    return best;
}

static bool take_slower(struct esp *e)
{
    if (!link_info(e->link)->has_speed || e->usb != USB_NONE)
        return false;
    uint32_t now = e->work == WORK_LOAD       ? esp_connect_baud(e)
                   : e->tune.baud             ? e->tune.baud
                   : e->config.baud           ? e->config.baud
                                              : CONNECT_BAUD;
    uint32_t baud = slower(e, now);
    if (!baud)
        return false;
    if (e->work == WORK_SPEED && e->went_late) { /* the stub cannot make it carry either: it was not the ROM */
        e->tune.late_speed = e->went_late = false;
        e->early_troubles = 0;
    }
    e->tune.baud = baud;
    esp_rung(e, ESP_RUNG_BAUD_DOWN, baud, "%s; %u baud", e->problem.text, baud);
    back_to(e, STAGE_OPEN);
    return true;
}

static bool take_rom(struct esp *e)
{
    if (e->rom || e->tune.rom_only || e->stage < STAGE_KNOWN || e->config.stub == ESP_STUB_REQUIRED ||
        !e->chip->has_md5 || !link_info(e->link)->has_lines)
        return false; /* without reset lines nothing ends a stub that runs */
    e->tune.rom_only = true;
    esp_rung(e, ESP_RUNG_ROM, 0, "%s; without the stub", e->problem.text);
    /* what did not help the stub need not slow the ROM down: it climbs from the bottom, once */
    e->tune.burst = e->start.burst;
    e->tune.burst_gap_us = e->start.burst_gap_us;
    e->tune.flash_block = e->start.flash_block;
    e->pace = 0;
    e->paced_in_vain = e->stubborn = false;
    if (e->went_late)
        e->tune.late_speed = e->went_late = false;
    e->unpaced = (struct esp_sample){0};
    esp_ladder_rest(e);
    back_to(e, STAGE_OPEN);
    return true;
}

static bool take_power(struct esp *e)
{
    if (!e->config.power_cycle || e->powered)
        return false;
    e->powered = true;
    esp_rung(e, ESP_RUNG_POWER, 0, "%s; supply off and on", e->problem.text);
    back_to(e, STAGE_OPEN);
    enum fl_err err = e->config.power_cycle(e->config.power_cycle_ctx);
    if (err == FL_CANCELLED)
        (void)esp_fail_link(e, err, "switching the supply");
    return !err || err == FL_CANCELLED;
}

static bool take(struct esp *e, enum esp_rung_kind k)
{
    switch (k) {
    case ESP_RUNG_RESYNC:
    case ESP_RUNG_REGION:
        return take_resync(e, k);
    case ESP_RUNG_RECONNECT:
        return take_reset(e);
    case ESP_RUNG_SMALL_BLOCKS:
        return take_small(e);
    case ESP_RUNG_PACED:
        return take_paced(e);
    case ESP_RUNG_BAUD_DOWN:
        return take_slower(e);
    case ESP_RUNG_ROM:
        return take_rom(e);
    case ESP_RUNG_POWER:
        return take_power(e);
    case ESP_RUNG_RESEND:
    case ESP_RUNG_COUNT:
        break;
    }
    return false;
}

/* ---- climbing ------------------------------------------------------------------------------------- */

bool esp_line_bad(const struct esp *e)
{
    enum { FEW = 2, ONE_IN = 100 };
    uint64_t bad = e->count.damaged + e->count.cut;
    return bad >= FEW && bad * ONE_IN >= e->count.answers;
}

/* An answer does not say to which question. Where answers come late or twice, and are taken for those of later questions,
 * some are left when nothing is asked any more. */
bool esp_doubt(struct esp *e)
{
    enum { FEW = 2 };
    if (wire_quiet(e) || e->unasked < FEW)
        return false;
    struct esp_problem was = e->problem;
    (void)esp_fail(e, e->trouble, ESP_FAULT_LINK_DAMAGED, FL_MISMATCH,
                   "%u answers came late or a second time, when nothing was asked: what was read may be answers to other "
                   "questions; %.160s", e->unasked, was.text);
    return true;
}

/* A line that damages one exchange in a hundred makes a loader refuse what nobody asked and miss what somebody did, and
 * lets wrong bytes through a checksum of eight bits: that is no verdict on the unit. Nor is silence that ends by itself:
 * a chip that hangs stays silent until it is reset. */
void esp_blame_line(struct esp *e)
{
    enum { TWICE = 2 };
    enum esp_fault f = e->problem.fault;
    uint64_t bad = e->count.damaged + e->count.cut;
    bool unit = f == ESP_FAULT_CHIP_REFUSED || f == ESP_FAULT_CHIP_SILENT || f == ESP_FAULT_CHIP_UNKNOWN ||
                f == ESP_FAULT_FLASH_MISSING || f == ESP_FAULT_FLASH_SIZE || f == ESP_FAULT_VERIFY_MD5;
    if (unit && f != ESP_FAULT_CHIP_SILENT && esp_doubt(e))
        return;
    if (f == ESP_FAULT_CHIP_SILENT && e->revived >= TWICE && !esp_line_bad(e))
        (void)esp_fail(e, e->trouble, ESP_FAULT_LINK_DAMAGED, e->problem.err,
                       "%u times a request was lost, or its answer, that was answered before and after, without a reset; %.200s",
                       e->revived, e->problem.text);
    if (unit && esp_line_bad(e))
        (void)esp_fail(e, e->trouble, ESP_FAULT_LINK_DAMAGED, e->problem.err,
                       "%llu of %llu exchanges were damaged on the way; %.240s", (unsigned long long)bad,
                       (unsigned long long)(e->count.answers + bad), e->problem.text);
}

static enum fl_err give_up(struct esp *e)
{
    struct esp_problem *p = &e->problem;
    size_t n = strlen(p->text);
    const char *sep = "; tried ";
    for (int k = 0; k < ESP_RUNG_COUNT && n < sizeof p->text - 1; k++) {
        if (!e->taken[k])
            continue;
        int more = snprintf(p->text + n, sizeof p->text - n, "%s%s %u", sep, names[k], e->taken[k]);
        n += more > 0 ? (size_t)more : 0;
        sep = ", ";
    }
    e->failed = true;
    return p->err;
}

/* The ROM was put to a higher speed than other tools ask of it: trouble that comes twice before the stub runs takes
 * that back, before anything else is doubted. */
static bool take_late(struct esp *e)
{
    if (!e->early || e->tune.late_speed || e->stage >= STAGE_LOADED || e->early_troubles++ == 0 ||
        e->climbs >= CLIMBS_MAX)
        return false;
    e->tune.late_speed = e->went_late = true;
    e->climbs++;
    esp_rung(e, ESP_RUNG_BAUD_DOWN, CONNECT_BAUD, "%s; %u baud until the stub runs", e->problem.text, CONNECT_BAUD);
    back_to(e, STAGE_OPEN);
    return true;
}

enum fl_err esp_climb(struct esp *e)
{
    if (e->trouble == TROUBLE_DEAD) {
        e->failed = true;
        return e->problem.err;
    }
    if (take_late(e))
        return FL_OK;
    enum esp_trouble t = e->trouble;
    if (t == TROUBLE_FLIPPED && lists[e->work][t].n == 0)
        t = TROUBLE_DAMAGED;
    /* trouble that a kind of work has no list for is met as in talk */
    const struct list *l = lists[e->work][t].n ? &lists[e->work][t] : &lists[WORK_TALK][t];
    uint8_t *at = &e->tried[e->work][t];
    if (e->work == WORK_WRITE && t != TROUBLE_RESTART && t != TROUBLE_WORK &&
        e->resume_at >= e->resume_mark + SECTOR) {
        e->resume_mark = e->resume_at;
        e->climbs -= e->climbs > 0;
        *at = 0;
    }
    while (*at < l->n && e->climbs < CLIMBS_MAX && !fl_deadline_passed(e->limit)) {
        enum esp_rung_kind k = l->rungs[(*at)++];
        bool taken = take(e, k);
        if (e->trouble == TROUBLE_DEAD)
            break;
        if (taken) {
            e->climbs++;
            return FL_OK;
        }
    }
    return give_up(e);
}

void esp_ladder_rest(struct esp *e)
{
    memset(e->tried, 0, sizeof e->tried);
    e->patient = false;
}

/* ---- refused blocks -------------------------------------------------------------------------------- */

/* Did pauses between writes make losses rarer, byte for byte? */
static bool pauses_helped(const struct esp *e)
{
    const struct esp_sample *a = &e->unpaced, *b = &e->recent;
    return b->refused * a->bytes * 10 < a->refused * b->bytes * 6;
}

/* Bytes get lost often on their way into flash. Pauses can begin with the very next write, in the middle of a region, and the first of
 * them costs little. Where they change nothing the loss is not one of bursts: they are taken back. */
static bool pace_now(struct esp *e)
{
    if (e->paced_in_vain || e->climbs >= CLIMBS_MAX)
        return false;
    if (e->unpaced.refused > 0 && !pauses_helped(e)) {
        e->paced_in_vain = true;
        e->tune.burst = e->start.burst;
        e->tune.burst_gap_us = e->start.burst_gap_us;
        return false;
    }
    struct esp_sample before = e->recent;
    if (!take_paced(e))
        return false;
    e->unpaced = before;
    e->climbs++;
    return true;
}

void esp_sent(struct esp *e, size_t n)
{
    static const uint32_t lengths[] = {0x100, 0x400, 0x800, 0x1800, 0x4000};
    struct esp_counters *c = &e->count;
    uint32_t baud = link_baud(e->link);
    size_t l = 0, i = 0;
    while (l + 1 < sizeof lengths / sizeof *lengths && n > lengths[l])
        l++;
    while (i < c->n_cells && (c->cells[i].baud != baud || c->cells[i].bytes != lengths[l]))
        i++;
    e->recent.sent++;
    e->recent.bytes += n;
    e->cell = NULL;
    if (i == ESP_CELLS_MAX)
        return;
    if (i == c->n_cells)
        c->cells[c->n_cells++] = (struct esp_cell){.baud = baud, .bytes = lengths[l]};
    e->cell = &c->cells[i];
    e->cell->sent++;
}

/* Resending goes on while it is the exception: at most RESENDS times for one block, and not when MANY or
 * more, and a third of all blocks, were refused lately. Lost bytes are met with pauses at an eighth. */
bool esp_again(struct esp *e, unsigned times_refused)
{
    enum { RESENDS = 3, MANY = 4, FEW = 8, SOME = 3, STUBBORN = 40 };
    e->recent.refused++;
    if (e->cell)
        e->cell->refused++;
    if (e->stubborn)
        return times_refused <= STUBBORN;
    bool lost = e->trouble == TROUBLE_DAMAGED && e->work == WORK_WRITE && !e->paced_in_vain;
    unsigned share = e->tune.burst == 0 && lost ? FEW : SOME;
    bool often = e->recent.refused >= MANY && e->recent.refused * share >= e->recent.sent;
    if (often && lost && pace_now(e))
        return true;
    return times_refused <= RESENDS && !often;
}

/* ---- reaching a stage ------------------------------------------------------------------------------ */

enum fl_err esp_reach_once(struct esp *e, enum esp_stage goal)
{
    static enum fl_err (*const stages[])(struct esp *) = {
        [STAGE_SYNCED] = esp_stage_connect, [STAGE_KNOWN] = esp_stage_identify,
        [STAGE_LOADED] = esp_stage_load,    [STAGE_FAST] = esp_stage_speed,
        [STAGE_FLASH] = esp_stage_flash,
    };
    while (e->stage < goal) {
        enum fl_err err = stages[e->stage + 1](e);
        if (err)
            return err;
        e->stage++;
    }
    return FL_OK;
}

enum fl_err esp_reach(struct esp *e, enum esp_stage goal)
{
    for (;;) {
        enum fl_err err = esp_reach_once(e, goal);
        if (!err)
            return FL_OK;
        err = esp_climb(e);
        if (err)
            return err;
    }
}
