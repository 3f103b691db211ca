/* SPDX-License-Identifier: Apache-2.0
 * A region sector by sector, through stub and ROM alike, plain, each under a BEGIN of its own.
 *
 * After a wrong MD5 the sectors that differ are found by theirs and written alone. A checksum of eight bits lets one damaged
 * block in 256 through, and never sees two that changed places: over a bad line the whole region would be wrong again
 * somewhere else, time after time, and each time fewer sectors are.
 *
 * And where no rung is left, and the stub loses whole regions to one lost answer each (it has no sequence numbers: what was
 * not answered can only be begun again), there is less to lose. */
#include "esp/session.h"

#include <stdio.h>
#include <string.h>

enum { COARSE = 0x10000, SECTOR = 0x1000, MOST_SHARE = 2 };

/* To the end of the sector that byte `at` lies in. */
static struct esp_region piece(const struct esp_region *r, uint32_t at)
{
    uint32_t n = SECTOR - (r->offset + at) % SECTOR;
    return (struct esp_region){.offset = r->offset + at, .size = r->size - at < n ? r->size - at : n, .plain = r->plain + at};
}

/* ---- all of them ---------------------------------------------------------------------------------- */

enum fl_err esp_write_pieces(struct esp *e, const struct esp_region *r)
{
    enum fl_err err = FL_OK;
    while (e->resume_at < r->size && !err) {
        struct esp_region p = piece(r, e->resume_at);
        err = esp_write_run(e, &p, 1);
        e->resume_at += err ? 0 : p.size;
    }
    return err;
}

/* ---- those that differ ------------------------------------------------------------------------------ */

static enum fl_err differs(struct esp *e, const struct esp_region *r, uint32_t at, uint32_t n, bool *yes)
{
    uint8_t want[FL_MD5_SIZE], found[FL_MD5_SIZE];
    enum fl_err err = fl_md5(r->plain + at, n, want);
    if (err)
        return esp_fail_link(e, err, "MD5");
    err = esp_flash_md5(e, r->offset + at, n, found);
    *yes = !err && memcmp(want, found, sizeof want) != 0;
    return err;
}

static enum fl_err find(struct esp *e, const struct esp_region *r, struct esp_bad *bad)
{
    enum fl_err err = FL_OK;
    *bad = (struct esp_bad){.n = 0};
    for (uint32_t block = 0; block < r->size && !err; block += COARSE) {
        uint32_t end = r->size - block < COARSE ? r->size : block + COARSE;
        bool yes = false;
        err = differs(e, r, block, end - block, &yes);
        bad->blocks += yes;
        for (uint32_t at = block; yes && at < end && !err;) {
            struct esp_region p = piece(r, at);
            bool one = false;
            err = differs(e, r, at, p.size < end - at ? p.size : end - at, &one);
            if (one && bad->n++ < ESP_BAD_MAX)
                bad->at[bad->n - 1] = at;
            at += p.size;
        }
    }
    return err;
}

enum fl_err esp_job_find(struct esp *e, const struct esp_run *run)
{
    struct esp_bad bad;
    enum fl_err err = find(e, run->r, &bad);
    if (err)
        return err;
    e->bad_before = e->bad;
    e->bad = bad;
    return FL_OK;
}

void esp_bad_text(const struct esp *e, const struct esp_region *r, char *out, size_t cap)
{
    if (e->bad.n == 0)
        (void)snprintf(out, cap, "read again piece by piece it is right");
    else
        (void)snprintf(out, cap, "%u of %u blocks of 64 KB differ, the first sector at %06x", e->bad.blocks,
                       (unsigned)((r->size + COARSE - 1) / COARSE), (r->offset + e->bad.at[0]) / SECTOR * SECTOR);
}

bool esp_bad_moved(const struct esp *e)
{
    const struct esp_bad *a = &e->bad, *b = &e->bad_before;
    return a->n > 0 && b->n > 0 && a->n <= ESP_BAD_MAX && b->n <= ESP_BAD_MAX &&
           (a->n != b->n || memcmp(a->at, b->at, a->n * sizeof *a->at) != 0);
}

enum fl_err esp_job_mend(struct esp *e, const struct esp_run *run)
{
    const struct esp_region *r = run->r;
    const struct esp_bad *bad = &e->bad;
    if (bad->n > ESP_BAD_MAX || bad->n * MOST_SHARE * SECTOR > r->size)
        return esp_job_write(e, run);
    enum fl_err err = FL_OK;
    esp_step(e, "write");
    run->res->writes++;
    run->res->state = ESP_REGION_PENDING;
    for (size_t i = 0; i < bad->n && !err; i++) {
        struct esp_region p = piece(r, bad->at[i]);
        e->resume_at = 0; /* of this piece: nothing stands */
        err = esp_write_run(e, &p, 1);
    }
    e->resume_at = 0;
    if (!err)
        run->res->state = ESP_REGION_WRITTEN;
    return err;
}
