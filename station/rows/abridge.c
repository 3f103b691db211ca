/* SPDX-License-Identifier: Apache-2.0 */
#include "rows/abridge.h"

#include "store/shapes.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS = 2, ORDER = 0, BOARD = 1, TOLD_MAX = 1024, READ_MAX = 32, WORTH = 48 /* bytes: less is not worth a reference */ };

static const char *const members[GROUPS][16] = {
    [ORDER] = {"profile", "lot", "operator", "purpose", "port", NULL},
    [BOARD] = {"chip", "revision", "flash_id", "flash_size", "secure_boot", "flash_encryption", "secure_download", "jtag_off",
               "security_flags", "loader", "baud", "plain_bytes", NULL},
};
/* Which groups a kind may leave out. */
static bool may_leave(enum event_kind kind, int group)
{
    return kind == EVENT_ATTEMPT_RESULT || (kind == EVENT_ATTEMPT_START && group == ORDER);
}

/* An object or array under construction: the first failure sticks. */
static void put(json_t *o, const char *key, json_t *v, bool *bad)
{
    *bad = *bad || !v || json_object_set_new(o, key, v) != 0;
}

static void append(json_t *list, json_t *v, bool *bad)
{
    *bad = *bad || !v || json_array_append_new(list, v) != 0;
}

static json_t *checked(json_t *v, bool bad)
{
    if (bad) {
        json_decref(v);
        return NULL;
    }
    return v;
}

/* ---- lists whose heads repeat: steps [name, ms, rungs?], regions [offset, size, md5, state, found?] --------------- */

/* The first `n` entries of every element. NULL: an element is not what it should be, or no memory. */
static json_t *heads(const json_t *list, size_t n)
{
    json_t *out = json_array();
    bool bad = !out || json_array_size(list) == 0;
    for (size_t i = 0; i < json_array_size(list) && !bad; i++) {
        const json_t *e = json_array_get(list, i);
        json_t *head = json_array();
        bad = json_array_size(e) <= n || json_array_size(e) > n + 2;
        for (size_t k = 0; k < n && !bad; k++)
            append(head, json_incref(json_array_get(e, k)), &bad);
        append(out, head, &bad);
    }
    return checked(out, bad);
}

static json_t *step_tails(const json_t *steps)
{
    json_t *out = json_array();
    bool bad = !out;
    for (size_t i = 0; i < json_array_size(steps) && !bad; i++) {
        json_t *e = json_array_get(steps, i);
        append(out, json_array_size(e) == 2 ? json_incref(json_array_get(e, 1))
                                            : json_pack("[OO]", json_array_get(e, 1), json_array_get(e, 2)), &bad);
    }
    return checked(out, bad);
}

static bool region_tails(const json_t *regions, json_t *to)
{
    char letters[ATTEMPT_REGIONS_MAX + 1];
    size_t n = json_array_size(regions);
    json_t *found = json_array();
    bool bad = !found || n > ATTEMPT_REGIONS_MAX;
    for (size_t i = 0; i < n && !bad; i++) {
        json_t *e = json_array_get(regions, i);
        const char *letter = json_string_value(json_array_get(e, 3));
        bad = !letter || strlen(letter) != 1;
        letters[i] = bad ? '-' : *letter;
        if (!bad && json_array_size(e) == 5)
            append(found, json_pack("[IO]", (json_int_t)i, json_array_get(e, 4)), &bad);
    }
    if (!bad)
        put(to, "regions", json_stringn(letters, n), &bad);
    if (!bad && json_array_size(found))
        put(to, "found", json_incref(found), &bad);
    json_decref(found);
    return !bad;
}

static json_t *step_whole(const json_t *names, const json_t *tails)
{
    json_t *out = json_array();
    bool bad = !out || json_array_size(names) != json_array_size(tails);
    for (size_t i = 0; i < json_array_size(tails) && !bad; i++) {
        json_t *name = json_array_get(json_array_get(names, i), 0), *t = json_array_get(tails, i);
        append(out, json_is_array(t) ? json_pack("[OOO]", name, json_array_get(t, 0), json_array_get(t, 1)) : json_pack("[OO]", name, t),
               &bad);
    }
    return checked(out, bad);
}

static json_t *region_whole(const json_t *plan, const char *letters, const json_t *found)
{
    json_t *out = json_array();
    bool bad = !out || json_array_size(plan) != strlen(letters);
    for (size_t i = 0; letters[i] && !bad; i++) {
        json_t *e = json_copy(json_array_get(plan, i));
        append(e, json_stringn(letters + i, 1), &bad);
        append(out, e, &bad);
    }
    for (size_t i = 0; i < json_array_size(found) && !bad; i++) {
        const json_t *f = json_array_get(found, i);
        json_t *e = json_array_get(out, (size_t)json_integer_value(json_array_get(f, 0)));
        append(e, json_incref(json_array_get(f, 1)), &bad);
    }
    return checked(out, bad);
}

/* ---- groups ----------------------------------------------------------------------------------------------- */

/* The bridge without its serial number; NULL where that leaves nothing. */
static json_t *bridge_of(const json_t *o)
{
    const json_t *bridge = json_object_get(o, "bridge");
    json_t *b = json_is_object(bridge) ? json_copy((json_t *)(uintptr_t)bridge) : NULL;
    if (b)
        (void)json_object_del(b, "serial");
    if (json_object_size(b) == 0) {
        json_decref(b);
        return NULL;
    }
    return b;
}

/* What `o` tells in full of a group; NULL: nothing, or it cannot be a group, or no memory. */
static json_t *group_of(const json_t *o, int group)
{
    static const struct {
        const char *key;
        size_t head;
    } lists[] = {{"steps", 1}, {"regions", 3}};
    json_t *g = json_object();
    bool bad = !g;
    for (const char *const *m = members[group]; *m && !bad; m++)
        if (json_object_get(o, *m))
            put(g, *m, json_incref(json_object_get(o, *m)), &bad);
    json_t *bridge = group == ORDER ? bridge_of(o) : NULL;
    if (bridge)
        put(g, "bridge", bridge, &bad);
    for (size_t i = 0; group == BOARD && i < 2 && !bad; i++)
        if (json_object_get(o, lists[i].key))
            put(g, lists[i].key, heads(json_object_get(o, lists[i].key), lists[i].head), &bad);
    return checked(g, bad || json_object_size(g) == 0);
}

/* Take the group out of `o`. False: no memory. */
static bool leave_out(json_t *o, int group)
{
    bool bad = false;
    for (const char *const *m = members[group]; *m; m++)
        (void)json_object_del(o, *m);
    json_t *bridge = group == ORDER ? json_object_get(o, "bridge") : NULL, *serial = json_object_get(bridge, "serial");
    if (serial)
        put(o, "bridge", json_pack("{sO}", "serial", serial), &bad);
    else if (bridge)
        (void)json_object_del(o, "bridge");
    json_t *steps = group == BOARD ? json_object_get(o, "steps") : NULL, *regions = group == BOARD ? json_object_get(o, "regions") : NULL;
    if (steps)
        put(o, "steps", step_tails(steps), &bad);
    if (regions) {
        json_incref(regions);
        bad = bad || !region_tails(regions, o);
        json_decref(regions);
    }
    return !bad;
}

/* And back: `g` as group_of gave it. False: they do not fit, or no memory. */
static bool fill_in(json_t *o, const json_t *g, int group)
{
    bool bad = false;
    for (const char *const *m = members[group]; *m && !bad; m++)
        if (json_object_get(g, *m))
            put(o, *m, json_incref(json_object_get(g, *m)), &bad);
    const json_t *bridge = json_object_get(g, "bridge"), *names = json_object_get(g, "steps"), *plan = json_object_get(g, "regions");
    if (bridge && !bad) {
        json_t *b = json_copy((json_t *)(uintptr_t)bridge), *serial = json_object_get(json_object_get(o, "bridge"), "serial");
        if (serial)
            put(b, "serial", json_incref(serial), &bad);
        put(o, "bridge", b, &bad);
    }
    if (names && !bad)
        put(o, "steps", step_whole(names, json_object_get(o, "steps")), &bad);
    if (plan && !bad) {
        const char *letters = json_string_value(json_object_get(o, "regions"));
        put(o, "regions", letters ? region_whole(plan, letters, json_object_get(o, "found")) : NULL, &bad);
        (void)json_object_del(o, "found");
    }
    return !bad;
}

/* ---- writing ---------------------------------------------------------------------------------------------- */

struct abridge {
    struct {
        uint8_t hash[FL_SHA256_SIZE]; /* of the group's canonical bytes */
        int64_t index;
    } told[TOLD_MAX];
    size_t n, next; /* a ring: what was told longest ago is forgotten, and told again */
};

enum fl_err abridge_new(struct abridge **out, struct fl_why *why)
{
    *out = calloc(1, sizeof **out);
    return *out ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
}

void abridge_free(struct abridge *a)
{
    free(a);
}

/* False: not worth it, or not possible. */
static bool hash_group(const json_t *g, int group, uint8_t hash[static FL_SHA256_SIZE])
{
    struct fl_buf b = FL_BUF(65536);
    bool ok = g && fl_json_canonical(g, &b, NULL) == FL_OK && b.len >= WORTH;
    fl_buf_addc(&b, (char)('0' + group));
    ok = ok && !fl_buf_err(&b, NULL) && fl_sha256(b.bytes, b.len, hash) == FL_OK;
    fl_buf_fini(&b);
    return ok;
}

static int64_t find(const struct abridge *a, const uint8_t hash[static FL_SHA256_SIZE])
{
    for (size_t i = 0; i < a->n; i++)
        if (memcmp(a->told[i].hash, hash, FL_SHA256_SIZE) == 0)
            return a->told[i].index;
    return -1;
}

/* The record that told it; then *told is the group. -1: none did. */
static int64_t told_at(const struct abridge *a, enum event_kind kind, const json_t *body, int group, json_t **told)
{
    uint8_t hash[FL_SHA256_SIZE];
    *told = NULL;
    if (!may_leave(kind, group))
        return -1;
    json_t *g = group_of(body, group);
    int64_t index = hash_group(g, group, hash) ? find(a, hash) : -1;
    if (index >= 0)
        *told = g;
    else
        json_decref(g);
    return index;
}

/* Whatever is left out must come back: held here, before it is signed, rather than believed. */
static bool comes_back(const json_t *body, const json_t *less, json_t *const told[static GROUPS])
{
    json_t *again = json_copy((json_t *)(uintptr_t)less);
    bool ok = again != NULL;
    (void)json_object_del(again, "as");
    for (int group = 0; group < GROUPS && ok; group++)
        ok = !told[group] || fill_in(again, told[group], group);
    ok = ok && json_equal(again, body);
    json_decref(again);
    return ok;
}

/* The body without what was told at `as`; NULL: in full, then. */
static json_t *less_of(enum event_kind kind, const json_t *body, const int64_t as[static GROUPS], json_t *const told[static GROUPS])
{
    json_t *less = json_copy((json_t *)(uintptr_t)body);
    bool bad = !less;
    for (int group = 0; group < GROUPS && !bad; group++)
        bad = told[group] && !leave_out(less, group);
    if (!bad)
        put(less, "as", kind == EVENT_ATTEMPT_START ? json_pack("[I]", (json_int_t)as[ORDER])
                                                     : json_pack("[II]", (json_int_t)as[ORDER], (json_int_t)as[BOARD]), &bad);
    return checked(less, bad || !comes_back(body, less, told));
}

enum fl_err abridge_body(struct abridge *a, enum event_kind kind, const json_t *body, json_t **out, struct fl_why *why)
{
    int64_t as[GROUPS];
    json_t *told[GROUPS], *less = NULL;
    bool any = false;
    for (int group = 0; group < GROUPS; group++) {
        as[group] = told_at(a, kind, body, group, &told[group]);
        any = any || told[group];
    }
    if (any && !json_object_get(body, "as") && !json_object_get(body, "found"))
        less = less_of(kind, body, as, told);
    for (int group = 0; group < GROUPS; group++)
        json_decref(told[group]);
    *out = less ? less : json_incref((json_t *)(uintptr_t)body);
    (void)why;
    return FL_OK;
}

void abridge_told(struct abridge *a, enum event_kind kind, const json_t *told, int64_t index)
{
    const json_t *as = json_object_get(told, "as");
    for (int group = 0; group < GROUPS; group++) {
        uint8_t hash[FL_SHA256_SIZE];
        const json_t *at = json_array_get(as, (size_t)group);
        if (!may_leave(kind, group) || (at && json_integer_value(at) >= 0))
            continue;
        json_t *g = group_of(told, group);
        if (hash_group(g, group, hash) && find(a, hash) < 0) {
            memcpy(a->told[a->next].hash, hash, sizeof hash);
            a->told[a->next].index = index;
            a->next = (a->next + 1) % TOLD_MAX;
            a->n += a->n < TOLD_MAX;
        }
        json_decref(g);
    }
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

struct restore {
    struct shapes *shapes;
    struct {
        int64_t index;
        json_t *leaf; /* owned; NULL: free */
    } read[READ_MAX];
    size_t next;
};

enum fl_err restore_new(sqlite3 *leaves, struct restore **out, struct fl_why *why)
{
    struct restore *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = shapes_new(leaves, &r->shapes, why);
    if (err)
        restore_free(r);
    else
        *out = r;
    return err;
}

void restore_forget(struct restore *r)
{
    for (size_t i = 0; i < READ_MAX; i++) {
        json_decref(r->read[i].leaf);
        r->read[i].leaf = NULL;
    }
    shapes_forget(r->shapes);
}

void restore_free(struct restore *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < READ_MAX; i++)
        json_decref(r->read[i].leaf);
    shapes_free(r->shapes);
    free(r);
}

enum fl_err restore_record(struct restore *r, int64_t index, const json_t **out, struct fl_why *why)
{
    json_t *leaf = NULL;
    for (size_t i = 0; i < READ_MAX; i++)
        if (r->read[i].leaf && r->read[i].index == index) {
            *out = r->read[i].leaf;
            return FL_OK;
        }
    const uint8_t *rec;
    size_t n;
    enum fl_err err = shapes_record(r->shapes, index, &rec, &n, why);
    if (err == FL_NOT_FOUND)
        err = fl_fail(why, FL_FORMAT, "it refers to record %lld, which is not there", (long long)index);
    if (!err)
        err = fl_json_parse(rec, n, &leaf, why);
    if (err)
        return err;
    json_decref(r->read[r->next].leaf);
    r->read[r->next].leaf = leaf;
    r->read[r->next].index = index;
    r->next = (r->next + 1) % READ_MAX;
    *out = leaf;
    return FL_OK;
}

static enum fl_err restore_group(struct restore *r, json_t *o, int group, int64_t index, struct fl_why *why)
{
    const json_t *from;
    enum fl_err err = restore_record(r, index, &from, why);
    if (err)
        return err;
    json_t *g = group_of(from, group);
    bool ok = g && fill_in(o, g, group);
    json_decref(g);
    return ok ? FL_OK : fl_fail(why, FL_FORMAT, "record %lld does not tell what is left out here", (long long)index);
}

enum fl_err restore_leaf(struct restore *r, const json_t *leaf, json_t **out, struct fl_why *why)
{
    const json_t *as = json_object_get(leaf, "as");
    enum fl_err err = FL_OK;
    *out = as ? json_copy((json_t *)(uintptr_t)leaf) : json_incref((json_t *)(uintptr_t)leaf);
    if (!*out)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (!as)
        return FL_OK;
    (void)json_object_del(*out, "as");
    for (int group = 0; group < GROUPS && !err; group++) {
        const json_t *at = json_array_get(as, (size_t)group);
        if (at && json_integer_value(at) >= 0)
            err = restore_group(r, *out, group, json_integer_value(at), why);
    }
    if (err) {
        json_decref(*out);
        *out = NULL;
    }
    return err;
}
