/* SPDX-License-Identifier: Apache-2.0
 * The numbers of an examination added up: over sizes and speeds, and to the setting that works. Pure. */
#include "esp/doctor.h"

enum { BASE_BAUD = 115200 };

struct doctor_sum doctor_sum(const struct doctor_facts *f, uint32_t baud, uint32_t from, uint32_t to, bool paced)
{
    struct doctor_sum s = {0, 0, 0};
    for (size_t i = 0; i < f->n_cells; i++) {
        const struct doctor_cell *c = &f->cells[i];
        if ((baud && c->baud != baud) || c->block < from || c->block > to || (c->burst > 0) != paced)
            continue;
        s.sent += c->sent;
        s.bad += c->refused + c->lost;
        s.bytes += c->bytes;
    }
    return s;
}

static bool clean(struct doctor_sum s)
{
    return s.sent > 0 && s.bad == 0;
}

static void pace_of(const struct doctor_facts *f, uint32_t baud, struct doctor_setting *out)
{
    for (size_t i = 0; i < f->n_cells; i++) {
        const struct doctor_cell *c = &f->cells[i];
        if ((baud && c->baud != baud) || c->burst == 0 || c->sent == 0 || c->refused + c->lost > 0 ||
            c->burst < out->burst)
            continue;
        *out = (struct doctor_setting){c->baud, c->block, c->burst, c->gap_us};
    }
}

struct doctor_setting doctor_setting(const struct doctor_facts *f)
{
    struct doctor_setting s = {0, 0, 0, 0};
    uint32_t speeds[DOCTOR_SPEEDS_MAX + 1] = {BASE_BAUD};
    size_t n = 1;
    for (size_t i = 0; i < f->n_speeds; i++)
        if (f->speeds[i].proved)
            speeds[n++] = f->speeds[i].baud;
    /* the highest speed at which blocks of some size always arrived, and the largest such size */
    for (size_t i = 0; i < n; i++) {
        uint32_t block = 0;
        for (size_t k = 0; k < f->n_cells; k++) {
            const struct doctor_cell *c = &f->cells[k];
            if (c->baud == speeds[i] && c->burst == 0 && c->block > block &&
                clean(doctor_sum(f, speeds[i], 0, c->block, false)))
                block = c->block;
        }
        if (block > 0)
            s = (struct doctor_setting){speeds[i], block, 0, 0};
    }
    if (s.baud == 0)
        pace_of(f, 0, &s);
    return s;
}
