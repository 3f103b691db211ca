/* SPDX-License-Identifier: Apache-2.0 */
#include "event/tile.h"

#include <string.h>

enum { METER_MIN_MS = 250, METER_SMOOTH_MS = 2000 };

static const struct tile_look of_state[] = {
    [SLOT_EMPTY] = {"empty", "EMPTY", "EMTY", "\xc2\xb7", ".", TONE_IDLE},
    [SLOT_CONNECT] = {"look", "LOOK", "LOOK", "\xe2\x80\xa6", "?", TONE_BUSY},
    [SLOT_WORK] = {"work", "WORK", "WORK", "\xe2\x96\xb8", ">", TONE_BUSY},
    [SLOT_RECORD] = {"record", "RECORD", "REC", "\xe2\x9c\x8e", "w", TONE_BUSY},
    [SLOT_CLOSED] = {"closed", "CLOSED", "CLSD", "\xe2\x96\xa0", "#", TONE_HELP},
};
static const struct tile_look of_outcome[] = {
    [OUTCOME_PASS] = {"pass", "PASS", "PASS", "\xe2\x9c\x94", "+", TONE_GOOD},
    [OUTCOME_FAIL] = {"fail", "FAIL", "FAIL", "\xe2\x9c\x98", "x", TONE_BAD},
    [OUTCOME_ERROR] = {"error", "ERROR", "ERR", "!", "!", TONE_HELP},
    [OUTCOME_ABORTED] = {"aborted", "ABORTED", "ABRT", "\xe2\x80\x93", "-", TONE_NOTE},
    [OUTCOME_INTERRUPTED] = {"interrupted", "CUT OFF", "CUT", "~", "~", TONE_NOTE},
};

const struct tile_look *tile_look(const struct slot_view *v)
{
    if (v->state != SLOT_DONE)
        return &of_state[v->state];
    if (v->outcome == OUTCOME_PASS && v->leaf < 0)
        return &of_outcome[OUTCOME_ERROR]; /* no record, no PASS */
    return &of_outcome[v->outcome];
}

bool tile_wants_hand(const struct slot_view *v)
{
    enum tile_tone t = tile_look(v)->tone;
    return t == TONE_BAD || t == TONE_HELP || t == TONE_NOTE;
}

bool tile_says(const struct slot_view *v, uint64_t now_ms)
{
    return v->said[0] && now_ms - v->said_ms < (v->refused ? TILE_REFUSED_MS : TILE_SAID_MS);
}

void tile_meter_add(struct tile_meter *m, const struct slot_view *v, uint64_t now_ms)
{
    const char *step = v->step ? v->step : "";
    bool same = m->step && strcmp(m->step, step) == 0 && m->started_ms == v->started_ms &&
                v->state == SLOT_WORK && v->done >= m->done;
    if (!same) {
        *m = (struct tile_meter){step, v->started_ms, now_ms, v->done, 0};
        return;
    }
    if (now_ms < m->at_ms + METER_MIN_MS)
        return;
    uint64_t ms = now_ms - m->at_ms, rate = (v->done - m->done) * 1000 / ms;
    uint64_t weight = ms > METER_SMOOTH_MS ? METER_SMOOTH_MS : ms; /* of the new sample, in 1/2000 */
    m->rate = m->rate ? (m->rate * (METER_SMOOTH_MS - weight) + rate * weight) / METER_SMOOTH_MS : rate;
    m->at_ms = now_ms;
    m->done = v->done;
}

int64_t tile_left_ms(const struct tile_meter *m, const struct slot_view *v)
{
    if (v->state != SLOT_WORK || !m->rate || !v->total)
        return -1;
    uint64_t left = v->done < v->total ? v->total - v->done : 0;
    return (int64_t)(left / m->rate * 1000 + left % m->rate * 1000 / m->rate);
}

int tile_permille(const struct slot_view *v)
{
    if (v->state != SLOT_WORK || !v->total)
        return -1;
    return v->done >= v->total ? 1000 : (int)((double)v->done * 1000.0 / (double)v->total);
}
