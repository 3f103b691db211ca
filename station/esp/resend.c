/* SPDX-License-Identifier: Apache-2.0
 * Refused blocks that are sent again: how often that is right, when pauses are due, and what the counters keep of them. */
#include "esp/session.h"

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
    if (e->paced_in_vain || e->climbs >= ESP_CLIMBS_MAX)
        return false;
    if (e->unpaced.refused > 0 && !pauses_helped(e)) {
        e->paced_in_vain = true;
        e->tune.burst = e->start.burst;
        e->tune.burst_gap_us = e->start.burst_gap_us;
        return false;
    }
    struct esp_sample before = e->recent;
    if (!esp_take_rung(e, ESP_RUNG_PACED))
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
    e->sent += n <= ESP_SHORT_BLOCK;
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
