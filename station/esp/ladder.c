/* SPDX-License-Identifier: Apache-2.0
 * The recovery ladder: which rung comes next, as a table. Each rung by itself: rung.c.
 *
 *             what went wrong ──► a list of rungs, tried in order, one each time it goes wrong again;
 *   during          │             a rung that is impossible here (no lower speed, no stub to give up,
 *   which work ─────┘             no supply to switch) is passed over; the end of the list is failure
 *
 * Refused blocks that are safe to send again are sent again where they are written (load.c, write.c; resend.c says how often);
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
 * A session takes at most ESP_CLIMBS_MAX rungs, whatever happens. */
#include "esp/session.h"

#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 14, MANY_RESETS = 4, SECTOR = 0x1000 };

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
        [TROUBLE_SILENT] = LIST(RESYNC, RESET, SMALL, SMALL, RESET, PACED, PACED, SMALL, ROM, POWER),
        [TROUBLE_DAMAGED] = LIST(SMALL, PACED, SMALL, PACED, SMALL, PACED, SMALL, PACED, SLOWER, ROM,
                                 REGION, POWER),
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

/* ---- climbing ------------------------------------------------------------------------------------- */

static enum fl_err give_up(struct esp *e)
{
    struct esp_problem *p = &e->problem;
    size_t n = strlen(p->text);
    const char *sep = "; tried ";
    for (int k = 0; k < ESP_RUNG_COUNT && n < sizeof p->text - 1; k++) {
        if (!e->taken[k])
            continue;
        int more = snprintf(p->text + n, sizeof p->text - n, "%s%s %u", sep, esp_rung_name((enum esp_rung_kind)k), e->taken[k]);
        n += more > 0 ? (size_t)more : 0;
        sep = ", ";
    }
    e->failed = true;
    return p->err;
}

enum fl_err esp_climb(struct esp *e)
{
    if (e->trouble == TROUBLE_DEAD) {
        e->failed = true;
        return e->problem.err;
    }
    if (esp_line_given_up(e))
        return give_up(e);
    if (esp_take_late(e))
        return FL_OK;
    if (e->trouble == TROUBLE_REFUSED && e->work == WORK_WRITE && esp_line_bad(e))
        e->trouble = TROUBLE_DAMAGED; /* nobody knows what it was that the loader refused */
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
        e->persisted = 0;
        /* where each stretch ends in a reset, a lower speed may be what it lacks: a supply that fails at the high one */
        if (e->taken[ESP_RUNG_RECONNECT] < MANY_RESETS)
            *at = 0;
    }
    while (*at < l->n && e->climbs < ESP_CLIMBS_MAX && !fl_deadline_passed(e->limit)) {
        enum esp_rung_kind k = l->rungs[(*at)++];
        bool taken = esp_take_rung(e, k);
        if (e->trouble == TROUBLE_DEAD)
            break;
        if (taken) {
            e->climbs++;
            return FL_OK;
        }
    }
    if (*at == l->n && e->climbs < ESP_CLIMBS_MAX && !fl_deadline_passed(e->limit) && esp_persist(e)) {
        e->climbs++;
        return FL_OK;
    }
    return give_up(e);
}

void esp_ladder_rest(struct esp *e)
{
    memset(e->tried, 0, sizeof e->tried);
    e->patient = false;
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
        if (++e->stage > e->furthest && !esp_line_hopeless(e)) { /* never so far: what it took to get here is not needed again */
            e->furthest = e->stage;
            e->persisted = 0;
            esp_ladder_rest(e);
        }
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
