/* SPDX-License-Identifier: Apache-2.0
 * All regions: skip, write, verify, and verify again when anything was odd.
 *
 * A BEGIN carries no checksum. One damaged on its way makes the loader write somewhere else, perhaps over a
 * region that was verified before. That region's own MD5 would not be asked again, so:
 *
 *   1. With skip_matching the region that a BEGIN begins with is known to differ before it is written; if the write
 *      went elsewhere, its MD5 still differs and that is trouble.
 *   2. After any trouble, and always without skip_matching, every region is verified once more when
 *      all are written; what is bad then is written again, and all are verified again.
 *
 * Regions side by side that all have to be written go under one BEGIN..END, as one stream (stream.h), and are verified
 * one by one. When that goes wrong each is looked at, and what is not in flash is written alone.
 *
 * So no call ends in FL_OK unless every region's MD5 was right after the last write. */
#include "esp/session.h"
#include "esp/stream.h"

#include <stdio.h>
#include <string.h>

enum {
    SECTOR = 0x1000,
    BASE_LIMIT_MS = 180000,
    KEY_MANAGER_END = 0x2000, /* facts 7.3, also the next */
    V1_END = 0x8000,
    REWRITES = 2,      /* of a region whose MD5 is wrong: one by chance, one to be sure ... */
    REWRITES_LINE = 5, /* ... over a line that damages so much that some of it comes through unseen ... */
    REWRITES_MOVED = 12, /* ... and while what was wrong is right, and other sectors are not: no flash does that */
    PASSES = 3,
};

/* Three times what all bytes take uncompressed at 115200 baud, once more for the flash at its slowest,
 * and three minutes for recovery: 24 minutes for 4 MB. */
uint64_t esp_write_limit_ms(const struct esp_region *regions, size_t n)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += regions[i].size;
    return BASE_LIMIT_MS + bytes * 3 * 10 * 1000 / 115200 + bytes * 40 / 1000;
}

/* ---- may it be written at all ------------------------------------------------------------------- */

static uint64_t sectors_end(const struct esp_region *r)
{
    return ((uint64_t)r->offset + r->size + SECTOR - 1) / SECTOR * SECTOR;
}

enum fl_err esp_check_regions(struct esp *e, const struct esp_region *regions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct esp_region *r = &regions[i];
        uint64_t end = (uint64_t)r->offset + r->size;
        if (r->size == 0 || r->size % 4 != 0 || !r->plain)
            return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_INTERNAL, FL_ARG,
                            "region %06x has %u bytes, not a multiple of 4", r->offset, r->size);
        if (e->flash.size && end > e->flash.size)
            return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_FLASH_SIZE, FL_LIMIT,
                            "region %06x ends at %llx, the flash at %llx", r->offset,
                            (unsigned long long)end, (unsigned long long)e->flash.size);
        /* erasing is by sectors: the later one would destroy the earlier one's bytes */
        for (size_t k = 0; k < i; k++)
            if (sectors_end(&regions[k]) > r->offset / SECTOR * SECTOR &&
                sectors_end(r) > regions[k].offset / SECTOR * SECTOR)
                return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_INTERNAL, FL_ARG,
                                "regions %06x and %06x share a sector", regions[k].offset, r->offset);
    }
    return FL_OK;
}

enum fl_err esp_refuse(struct esp *e, const char *why)
{
    return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_SECURITY_REFUSED, FL_UNSUPPORTED, "%s", why);
}

/* Keys of these chips may live in a key manager, whose blob lies below 0x2000 of the flash. */
static bool has_key_manager(const struct chip *c)
{
    return strcmp(c->name, "esp32c5") == 0 || strcmp(c->name, "esp32p4") == 0;
}

enum fl_err esp_check_deadly(struct esp *e, const struct esp_region *regions, size_t n)
{
    bool key = e->unit.security.flash_encryption == ESP_ON && has_key_manager(e->chip);
    for (size_t i = 0; i < n; i++) {
        if (e->efuses.secure_boot_v1 && regions[i].offset < V1_END)
            return esp_refuse(e, "secure boot (first version) is on: writing below 0x8000 would leave the chip dead");
        if (key && regions[i].offset < KEY_MANAGER_END)
            return esp_refuse(e, "flash encryption is on and its key may depend on what lies below 0x2000: writing "
                                 "there would leave the chip dead");
    }
    return FL_OK;
}

static enum fl_err check_security(struct esp *e, const struct esp_region *regions, size_t n)
{
    const struct esp_security *s = &e->unit.security;
    if (s->secure_download == ESP_ON)
        return esp_refuse(e, "in secure download mode the chip cannot say what its flash holds: nothing written could "
                             "be verified");
    if (s->flash_encryption == ESP_ON && e->config.encrypted != ESP_ENCRYPTED_AS_IS)
        return esp_refuse(e, "flash encryption is on: plain bytes would not start, and what the chip encrypts cannot "
                             "be verified");
    return esp_check_deadly(e, regions, n);
}

/* What holds only once it is settled whether a stub does the work. */
static enum fl_err check_reach(struct esp *e, const struct esp_region *r)
{
    uint64_t end = (uint64_t)r->offset + r->size;
    if (!e->stub && !e->chip->has_md5)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_RAM_REFUSED, FL_UNSUPPORTED,
                        "the %s's ROM cannot compute an MD5: without the stub nothing written could "
                        "be verified", e->chip->title);
    if (end > ESP_ROM_REACH && (!e->stub || !e->chip->big_flash))
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_FLASH_SIZE, FL_UNSUPPORTED,
                        "region %06x ends past 16 MB, which %s cannot reach: it would be written "
                        "over the start of the flash", r->offset,
                        e->stub ? "this chip's stub" : "the ROM");
    return FL_OK;
}

/* ---- a run of regions, with the ladder ------------------------------------------------------------- */

static enum fl_err check_run(struct esp *e, const struct esp_run *run)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < run->n && !err; i++)
        err = check_reach(e, &run->r[i]);
    return err;
}

static enum fl_err attempt(struct esp *e, const struct esp_run *run, esp_job *job)
{
    enum fl_err err = esp_reach_once(e, STAGE_FLASH);
    if (!err)
        err = check_run(e, run);
    return err ? err : job(e, run);
}

/* `job` until it comes right or no rung is left. */
enum fl_err esp_with_ladder(struct esp *e, const struct esp_run *run, esp_job *job)
{
    e->resume_at = e->resume_mark = 0;
    for (;;) {
        enum fl_err err = attempt(e, run, job);
        if (err)
            err = esp_climb(e);
        else
            return FL_OK;
        if (err)
            return err;
    }
}

static enum fl_err forms(struct esp *e)
{
    enum fl_err err = e->forms || !e->observer.forms ? FL_OK : e->observer.forms(e->observer.ctx);
    e->forms = !err;
    return err ? esp_fail(e, TROUBLE_DEAD, ESP_FAULT_INTERNAL, err, "the image could not be compressed: %s", fl_err_text(err)) : FL_OK;
}

enum fl_err esp_job_write(struct esp *e, const struct esp_run *run)
{
    esp_step(e, "write");
    for (size_t i = 0; i < run->n; i++) {
        run->res[i].writes++;
        run->res[i].state = ESP_REGION_PENDING;
    }
    enum fl_err err = forms(e);
    if (!err)
        err = esp_write_run(e, run->r, run->n);
    for (size_t i = 0; i < run->n && !err; i++)
        run->res[i].state = ESP_REGION_WRITTEN;
    return err;
}

/* ---- a wrong MD5 --------------------------------------------------------------------------------- */

static bool is_blank(const struct esp_region *r, const uint8_t md5[static FL_MD5_SIZE])
{
    uint8_t blank[FL_MD5_SIZE];
    return esp_blank_md5(r->size, blank) == FL_OK && memcmp(blank, md5, FL_MD5_SIZE) == 0;
}

/* Nothing was written: perhaps the flash is protected. Once a session. */
static enum fl_err try_unprotect(struct esp *e)
{
    bool cleared = false;
    uint32_t status = 0;
    e->unlocked = true;
    enum fl_err err = esp_unprotect(e, &cleared, &status);
    if (!err && cleared)
        esp_rung(e, ESP_RUNG_REGION, status, "the flash's status %02x protected blocks: cleared", status);
    return err && e->trouble == TROUBLE_DEAD ? err : FL_OK;
}

static enum fl_err wrong(struct esp *e, const struct esp_region *r, const struct esp_region_result *res,
                         bool final)
{
    char want[2 * FL_MD5_SIZE + 1], found[2 * FL_MD5_SIZE + 1], where[100] = "";
    bool blank = is_blank(r, res->md5_found);
    fl_hex(r->md5, FL_MD5_SIZE, want);
    fl_hex(res->md5_found, FL_MD5_SIZE, found);
    enum esp_fault fault = blank ? ESP_FAULT_FLASH_PROTECTED : ESP_FAULT_VERIFY_MD5;
    if (!final) {
        (void)esp_fail(e, TROUBLE_WORK, fault, FL_MISMATCH, "region %06x, %u bytes: MD5 %s where %s is right",
                       r->offset, r->size, found, want);
        esp_rung(e, ESP_RUNG_REGION, r->offset, "%s; written again", e->problem.text);
        return blank && !e->unlocked ? try_unprotect(e) : FL_OK;
    }
    if (blank)
        (void)snprintf(where, sizeof where, "it is blank");
    else
        esp_bad_text(e, r, where, sizeof where);
    bool moved = !blank && esp_bad_moved(e), line = moved && e->count.damaged + e->count.cut + e->count.timeouts > 0;
    const char *hint = line    ? "other sectors are wrong each time, and blocks or answers were damaged: some damage comes through unseen; "
                       : moved ? "other sectors are wrong each time: bytes that change places on the way, unseen, or a flash that fails anywhere; "
                               : "";
    return esp_fail(e, TROUBLE_DEAD, line ? ESP_FAULT_LINK_DAMAGED : fault, FL_MISMATCH,
                    "%sregion %06x, %u bytes, written %u times: MD5 %s where %s is right; %s", hint, r->offset, r->size,
                    res->writes, found, want, where);
}

static int rewrites(const struct esp *e)
{
    return esp_bad_moved(e) ? REWRITES_MOVED : esp_line_bad(e) ? REWRITES_LINE : REWRITES;
}

/* A written region, until its MD5 is right. */
static enum fl_err prove(struct esp *e, const struct esp_region *r, struct esp_region_result *res)
{
    const struct esp_run one = {r, res, 1};
    e->bad.n = e->bad_before.n = 0;
    for (int i = 1;; i++) {
        enum fl_err err = esp_with_ladder(e, &one, esp_job_compare);
        if (err || res->state == ESP_REGION_VERIFIED)
            return err;
        bool blank = is_blank(r, res->md5_found);
        if (!blank)
            err = esp_with_ladder(e, &one, esp_job_find);
        if (!err)
            err = wrong(e, r, res, i >= rewrites(e));
        if (!err)
            err = esp_with_ladder(e, &one, blank ? esp_job_write : esp_job_mend);
        if (err)
            return err;
    }
}

/* ---- runs ---------------------------------------------------------------------------------------- */

/* How many regions lie side by side from run->r on, of `most`. */
static size_t side_by_side(const struct esp_run *run, size_t most)
{
    size_t n = run->n;
    while (n < most && (uint64_t)run->r[n - 1].offset + run->r[n - 1].size == run->r[n].offset)
        n++;
    return n;
}

/* How many of these are not there yet, of which the first is known to differ: they are looked at, one after the other.
 * Where flash is blank at the first and at the last of them, those between are not. *looked: whose state is known. */
static enum fl_err differing(struct esp *e, const struct esp_run *run, size_t most, size_t *looked, size_t *n)
{
    enum fl_err err = FL_OK;
    const struct esp_run last = {run->r + most - 1, run->res + most - 1, 1};
    *n = run->n;
    if (*looked <= run->n && run->n < most && e->blank) {
        err = esp_with_ladder(e, &last, esp_job_look);
        if (!err && e->blank && !e->disturbed)
            *n = most;
    }
    for (; !err && !e->disturbed && *n < most; (*n)++) {
        const struct esp_run next = {run->r + *n, run->res + *n, 1};
        if (*looked <= *n) {
            err = esp_with_ladder(e, &next, esp_job_look);
            *looked = *n + 1;
        }
        if (err || next.res->state == ESP_REGION_SKIPPED)
            break;
    }
    return err;
}

/* How many regions from run->r on can be written under one BEGIN, of `most`. They are looked at first when `skip`.
 * On a line that has made any trouble each goes alone: a fault costs what is under one BEGIN. */
static enum fl_err lengthen(struct esp *e, struct esp_run *run, size_t most, bool skip, size_t *looked)
{
    enum fl_err err = FL_OK;
    size_t can = run->n;
    if (!e->stub || e->tune.burst != 0 || e->tune.flash_block != 0 || e->disturbed)
        return FL_OK;
    most = side_by_side(run, most);
    if (skip)
        err = differing(e, run, most, looked, &most);
    if (!err) /* not before: the image may still be compressed while the chip is asked */
        err = forms(e);
    while (!err && can < most && stream_joins(&run->r[can - 1], &run->r[can]))
        can++;
    run->n = e->disturbed ? 1 : can;
    return err;
}

/* A run that did not come right is done region by region: those that are in flash are kept. */
static enum fl_err write_singly(struct esp *e, const struct esp_run *run, bool skip)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < run->n && !err; i++) {
        const struct esp_run one = {run->r + i, run->res + i, 1};
        if (run->n > 1)
            err = esp_with_ladder(e, &one, esp_job_look);
        if (!err && one.res->state != ESP_REGION_VERIFIED)
            err = esp_with_ladder(e, &one, esp_job_write);
        if (!err && skip)
            err = prove(e, one.r, one.res);
        esp_ladder_rest(e);
        e->plain_done += one.r->size;
    }
    return err;
}

static enum fl_err write_run(struct esp *e, const struct esp_run *run, bool skip)
{
    enum fl_err err = run->n > 1 ? attempt(e, run, esp_job_write) : FL_STATE;
    if (err) {
        if (run->n > 1)
            err = esp_climb(e);
        else
            err = FL_OK;
        return err ? err : write_singly(e, run, skip);
    }
    for (size_t i = 0; i < run->n && !err; i++) {
        if (skip)
            err = prove(e, &run->r[i], &run->res[i]);
        esp_ladder_rest(e);
        e->plain_done += run->r[i].size;
    }
    return err;
}

/* ---- all ----------------------------------------------------------------------------------------- */

static enum fl_err write_pass(struct esp *e, const struct esp_region *regions, size_t n, bool skip,
                              struct esp_region_result *results)
{
    enum fl_err err = FL_OK;
    size_t looked = 0; /* regions whose state is known */
    for (size_t i = 0; i < n && !err;) {
        struct esp_run run = {regions + i, results + i, 1};
        if (skip && looked <= i) {
            err = esp_with_ladder(e, &run, esp_job_look);
            looked = i + 1;
        }
        if (!err && results[i].state == ESP_REGION_SKIPPED) {
            esp_ladder_rest(e);
            e->plain_done += regions[i].size;
        } else if (!err) {
            size_t beyond = looked > i ? looked - i : 0;
            err = lengthen(e, &run, n - i, skip, &beyond);
            looked = i + beyond;
            if (!err)
                err = write_run(e, &run, skip);
        }
        i += run.n;
    }
    return err;
}

static enum fl_err verify_pass(struct esp *e, const struct esp_region *regions, size_t n,
                               struct esp_region_result *results, bool *again)
{
    enum fl_err err = FL_OK;
    *again = false;
    for (size_t i = 0; i < n && !err; i++) {
        const struct esp_run one = {regions + i, results + i, 1};
        err = esp_with_ladder(e, &one, esp_job_compare);
        if (!err && results[i].state == ESP_REGION_BAD) {
            *again = true;
            err = wrong(e, &regions[i], &results[i], false);
            if (!err)
                err = esp_with_ladder(e, &one, esp_job_write);
            if (!err)
                err = prove(e, &regions[i], &results[i]);
        }
        esp_ladder_rest(e);
    }
    return err;
}

enum fl_err esp_write_all(struct esp *e, const struct esp_region *regions, size_t n, bool skip,
                          struct esp_region_result *results)
{
    for (size_t i = 0; i < n; i++)
        results[i] = (struct esp_region_result){.state = ESP_REGION_PENDING};
    enum fl_err err = esp_check_regions(e, regions, n);
    if (!err)
        err = check_security(e, regions, n);
    if (err)
        return err;
    e->disturbed = false;
    e->plain_done = e->plain_total = e->same_to = 0;
    e->forms = e->blank = false;
    for (size_t i = 0; i < n; i++)
        e->plain_total += regions[i].size;
    err = write_pass(e, regions, n, skip, results);
    bool again = !skip || e->disturbed;
    for (int i = 0; i < PASSES && !err && again; i++)
        err = verify_pass(e, regions, n, results, &again);
    if (!err && again)
        err = esp_fail(e, TROUBLE_DEAD, ESP_FAULT_VERIFY_MD5, FL_MISMATCH,
                       "regions that were right were wrong again in each of %d passes", PASSES);
    if (!err && esp_line_hurt(e) && !e->unit_again) { /* what was heard twice before the line was known need not have been right */
        const struct esp_run one = {regions, results, 1};
        err = esp_with_ladder(e, &one, esp_job_same);
    }
    return err;
}
