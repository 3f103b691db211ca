/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outbox_told.h"

#include "base/hash.h"
#include "store/shapes.h"

#include <string.h>

_Static_assert((int)OUTBOX_TOLD_HEX == 2 * FL_SHA256_SIZE + 1, "a SHA-256 in hex");

enum fl_err outbox_told_hex(const char *kind, const char *target, const void *bytes, size_t n, char out[static OUTBOX_TOLD_HEX])
{
    struct fl_hash *h;
    uint8_t sum[FL_SHA256_SIZE];
    enum fl_err err = fl_hash_new(FL_HASH_SHA256, &h);
    if (err)
        return err;
    fl_hash_add(h, kind, strlen(kind) + 1);
    fl_hash_add(h, target, strlen(target) + 1);
    if (n)
        fl_hash_add(h, bytes, n);
    err = fl_hash_end(h, sum);
    fl_hash_free(h);
    fl_hex(sum, sizeof sum, out);
    return err;
}

json_t *outbox_sends(const struct parcel *first)
{
    char hex[OUTBOX_TOLD_HEX];
    json_t *list = json_array();
    for (const struct parcel *p = first; p && list; p = p->next)
        if (!p->id && (outbox_told_hex(p->kind, p->target, p->bytes, p->n, hex) || json_array_append_new(list, json_string(hex)) != 0)) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static enum fl_err record_at(struct shapes *shapes, int64_t index, json_t **out, struct fl_why *why)
{
    const uint8_t *rec;
    size_t n;
    *out = NULL;
    enum fl_err err = shapes_record(shapes, index, &rec, &n, why);
    return err ? err : fl_json_parse(rec, n, out, why);
}

static bool lists(const json_t *record, const char *hex)
{
    const json_t *sends = json_object_get(record, "sends");
    for (size_t i = 0; i < json_array_size(sends); i++) {
        const char *one = json_string_value(json_array_get(sends, i));
        if (one && strcmp(one, hex) == 0)
            return true;
    }
    return false;
}

/* Of a program that tells what its records send? */
static enum fl_err tells(struct shapes *shapes, const json_t *record, bool *does, struct fl_why *why)
{
    json_t *boot;
    enum fl_err err = record_at(shapes, fl_json_int(record, "boot", -1), &boot, why);
    *does = err || json_object_get(boot, "sends");
    json_decref(boot);
    return err == FL_NOT_FOUND || err == FL_FORMAT ? FL_OK : err;
}

enum fl_err outbox_told(struct shapes *shapes, int64_t leaf, const char *kind, const char *target, const char *job, const void *bytes,
                        size_t n, struct fl_why *why)
{
    json_t *record = NULL;
    char hex[OUTBOX_TOLD_HEX], own[PARCEL_JOB_MAX];
    bool does = true, good = false;
    enum fl_err err = outbox_told_hex(kind, target, bytes, n, hex) ? fl_fail(why, FL_NOMEM, "out of memory") : FL_OK;
    if (!err)
        err = record_at(shapes, leaf, &record, why);
    parcel_job(leaf, own);
    if (!err)
        good = lists(record, hex) && strcmp(job, own) == 0;
    if (!err && !good)
        err = tells(shapes, record, &does, why);
    if (err == FL_NOT_FOUND || err == FL_FORMAT || (!err && !good && does))
        err = fl_fail(why, FL_MISMATCH, "the %.40s in the outbox is not what record %lld tells: somebody changed it", kind, (long long)leaf);
    json_decref(record);
    return err;
}
