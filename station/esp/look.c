/* SPDX-License-Identifier: Apache-2.0
 * Is a region in flash already, is it in flash now: the chip's own MD5 says, and nothing else. */
#include "esp/session.h"

#include <string.h>

enum {
    LOOK = 1024,           /* bytes that tell whether a region may be there already ... */
    LOOK_WORTH = 4 * LOOK, /* ... when it has so many */
};

/* Compare one region; a wrong MD5 is asked for twice, because answers carry no checksum. */
static enum fl_err compare(struct esp *e, const struct esp_region *r, struct esp_region_result *res)
{
    enum fl_err err = esp_flash_md5(e, r->offset, r->size, res->md5_found);
    if (!err && memcmp(res->md5_found, r->md5, FL_MD5_SIZE) != 0)
        err = esp_flash_md5(e, r->offset, r->size, res->md5_found);
    if (err)
        return err;
    bool right = memcmp(res->md5_found, r->md5, FL_MD5_SIZE) == 0;
    if (!right)
        res->state = ESP_REGION_BAD;
    else if (res->writes > 0)
        res->state = ESP_REGION_VERIFIED;
    else
        res->state = ESP_REGION_SKIPPED;
    return FL_OK;
}

enum fl_err esp_job_compare(struct esp *e, const struct esp_run *run)
{
    esp_step(e, "verify");
    return compare(e, run->r, run->res);
}

/* MD5 of n bytes FF. */
enum fl_err esp_blank_md5(uint32_t n, uint8_t md5[static FL_MD5_SIZE])
{
    uint8_t ff[4096];
    struct fl_hash *h = NULL;
    memset(ff, 0xff, sizeof ff);
    enum fl_err err = fl_hash_new(FL_HASH_MD5, &h);
    for (uint32_t at = 0; at < n && !err; at += sizeof ff)
        fl_hash_add(h, ff, n - at < sizeof ff ? n - at : sizeof ff);
    if (!err)
        err = fl_hash_end(h, md5);
    fl_hash_free(h);
    return err;
}

/* Does the flash hold other bytes for certain? The first kilobyte tells most often, and hashing all of a region takes
 * the chip tens of milliseconds. A damaged answer must not pass for a difference: it counts when it is that of a
 * blank flash, or when it comes twice. */
static enum fl_err surely_differs(struct esp *e, const struct esp_region *r, bool *differs)
{
    uint8_t right[FL_MD5_SIZE], blank[FL_MD5_SIZE], one[FL_MD5_SIZE], two[FL_MD5_SIZE];
    *differs = false;
    if (r->size < LOOK_WORTH)
        return FL_OK;
    enum fl_err err = fl_md5(r->plain, LOOK, right);
    if (!err)
        err = esp_blank_md5(LOOK, blank);
    if (err)
        return esp_fail_link(e, err, "MD5");
    err = esp_flash_md5(e, r->offset, LOOK, one);
    if (err || memcmp(one, right, sizeof one) == 0)
        return err;
    e->blank = *differs = memcmp(one, blank, sizeof one) == 0;
    if (*differs)
        return FL_OK;
    err = esp_flash_md5(e, r->offset, LOOK, two);
    *differs = !err && memcmp(one, two, sizeof one) == 0;
    return err;
}

/* Behind a region that was there already its neighbour mostly is too: all of it is asked for at once. */
static enum fl_err follows(struct esp *e, const struct esp_run *run)
{
    struct esp_region_result *res = run->res;
    if (!e->same_to || e->same_to != run->r->offset)
        return FL_OK;
    enum fl_err err = esp_flash_md5(e, run->r->offset, run->r->size, res->md5_found);
    if (!err && memcmp(res->md5_found, run->r->md5, FL_MD5_SIZE) == 0)
        res->state = ESP_REGION_SKIPPED;
    return err;
}

/* Is it there already? SKIPPED, or PENDING: it has to be written. */
enum fl_err esp_job_look(struct esp *e, const struct esp_run *run)
{
    bool differs = false;
    esp_step(e, "verify");
    e->blank = false;
    enum fl_err err = follows(e, run);
    bool open = run->res->state != ESP_REGION_SKIPPED;
    if (!err && open)
        err = surely_differs(e, run->r, &differs);
    if (!err && open && !differs)
        err = compare(e, run->r, run->res);
    if (!err && (differs || run->res->state == ESP_REGION_BAD))
        run->res->state = ESP_REGION_PENDING;
    if (!err && run->res->state == ESP_REGION_SKIPPED)
        e->same_to = (uint64_t)run->r->offset + run->r->size;
    return err;
}
