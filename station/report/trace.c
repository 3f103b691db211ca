/* SPDX-License-Identifier: Apache-2.0 */
#include "report/query.h"

#include "event/event.h"
#include "rows/abridge.h"
#include "store/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ------------------------------------------------------------------------------------------- */

/* A row as an object: each column under its name, NULL left out. */
static json_t *row_object(sqlite3_stmt *s, int from)
{
    json_t *o = json_object();
    for (int c = from; o && c < sqlite3_column_count(s); c++) {
        int type = sqlite3_column_type(s, c);
        if (type == SQLITE_NULL)
            continue;
        json_t *v = type == SQLITE_INTEGER ? json_integer(sqlite3_column_int64(s, c))
                    : type == SQLITE_FLOAT ? json_real(sqlite3_column_double(s, c))
                                           : json_string(query_text(s, c));
        if (!v || json_object_set_new(o, sqlite3_column_name(s, c), v) != 0) {
            json_decref(o);
            o = NULL;
        }
    }
    return o;
}

static enum fl_err add_object(void *ctx, sqlite3_stmt *s)
{
    return json_array_append_new(ctx, row_object(s, 0)) == 0 ? FL_OK : FL_NOMEM;
}

static enum fl_err set_unit(void *ctx, sqlite3_stmt *s)
{
    return json_object_set_new(ctx, "unit", row_object(s, 0)) == 0 ? FL_OK : FL_NOMEM;
}

struct tracing {
    struct report *r;
    struct shapes *shapes;
    struct restore *restore;
    sqlite3_stmt *images; /* of a profile: prepared once for all attempts */
    json_t *attempts;
    struct fl_why *why;
};

static enum fl_err add_list(struct tracing *t, json_t *o, const char *member, const char *sql_fmt, int64_t key)
{
    char *sql = sqlite3_mprintf(sql_fmt, key);
    json_t *list = json_array();
    enum fl_err err = sql && list ? query_each(t->r, sql, add_object, list, t->why) : FL_NOMEM;
    sqlite3_free(sql);
    if (!err)
        return json_object_set_new(o, member, list) == 0 ? FL_OK : FL_NOMEM; /* takes the list, also on failure */
    json_decref(list);
    return err;
}

/* The same where most units have nothing: what `there_fmt` asks is a tenth of what preparing the views costs. */
static enum fl_err add_rare(struct tracing *t, json_t *o, const char *member, const char *there_fmt, const char *sql_fmt, int64_t key)
{
    int64_t there = 0;
    char *sql = sqlite3_mprintf(there_fmt, key, key);
    enum fl_err err = sql ? db_int(t->r->reader.db, sql, 0, &there, t->why) : FL_NOMEM;
    sqlite3_free(sql);
    if (err || there)
        return err ? err : add_list(t, o, member, sql_fmt, key);
    return json_object_set_new(o, member, json_array()) == 0 ? FL_OK : FL_NOMEM;
}

/* ---- what only the record itself holds: views attempt_* in db/, without their price: each decodes the record anew ------- */

static bool set(json_t *o, const char *key, json_t *v) /* borrowed; NULL and null are left out */
{
    return !v || json_is_null(v) || json_object_set(o, key, v) == 0;
}

/* Of a list of lists in the record, objects with these names for their elements. */
static bool add_elements(json_t *o, const char *member, const json_t *from, const char *const *names)
{
    const json_t *e;
    size_t i;
    json_t *list = json_array();
    bool ok = list && json_object_set_new(o, member, list) == 0;
    json_array_foreach(from, i, e) {
        json_t *to = json_object();
        ok = ok && to && json_array_append_new(list, to) == 0;
        for (size_t k = 0; names[k] && ok; k++)
            ok = set(to, names[k], json_array_get(e, k));
    }
    return ok;
}

static bool add_members(json_t *o, const json_t *from, const char *const (*names)[2], size_t n)
{
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++)
        ok = set(o, names[i][1], json_object_get(from, names[i][0]));
    return ok;
}

static bool add_damage(json_t *o, const json_t *damage)
{
    static const char *const counts[] = {"refused", "lost", "changed", "silent", "cut"};
    json_t *list = json_array(), *to = damage ? json_object() : NULL;
    bool ok = list && json_object_set_new(o, "damage", list) == 0 && (!damage || (to && json_array_append_new(list, to) == 0));
    for (size_t i = 0; damage && i < sizeof counts / sizeof *counts && ok; i++)
        ok = json_object_set_new(to, counts[i], json_integer(fl_json_int(damage, counts[i], 0))) == 0;
    return ok;
}

/* [offset, size, md5, letter, md5 found where it is another] */
static bool add_regions(json_t *o, const json_t *from)
{
    static const struct {
        char letter;
        bool as_expected;
        const char *state;
    } states[] = {{'s', true, "skipped"}, {'v', true, "verified"}, {'b', false, "bad"}, {'w', false, "written"}, {0, false, "pending"}};
    static const char *const names[] = {"offset", "size", "md5_expected", NULL};
    bool ok = add_elements(o, "regions", from, names);
    for (size_t i = 0; i < json_array_size(from) && ok; i++) {
        const json_t *e = json_array_get(from, i);
        const char *letter = json_string_value(json_array_get(e, 3));
        json_t *to = json_array_get(json_object_get(o, "regions"), i), *found = json_array_get(e, 4);
        size_t k = 0;
        while (states[k].letter && (!letter || *letter != states[k].letter))
            k++;
        ok = set(to, "md5_found", found ? found : states[k].as_expected ? json_array_get(e, 2) : NULL) &&
             json_object_set_new(to, "state", json_string(states[k].state)) == 0;
    }
    return ok;
}

/* A whole number and a power of ten: as a decimal is written, so that 37 and -1 are 3.7 and not almost. */
static json_t *decimal(const json_t *v, json_int_t scale)
{
    char text[48];
    if (!json_is_integer(v))
        return json_null();
    (void)snprintf(text, sizeof text, "%llde%lld", (long long)json_integer_value(v), (long long)scale);
    return json_real(strtod(text, NULL));
}

/* [name, value, scale, unit, low, high, verdict] */
static bool add_measures(json_t *o, const json_t *from)
{
    const json_t *e;
    size_t i;
    json_t *list = json_array();
    bool ok = list && json_object_set_new(o, "measures", list) == 0;
    json_array_foreach(from, i, e) {
        json_int_t scale = json_integer_value(json_array_get(e, 2));
        ok = ok && json_array_append_new(list, json_pack("{sO?, so, sO?, so, so, sO?}", "name", json_array_get(e, 0), "value",
                                                         decimal(json_array_get(e, 1), scale), "unit", json_array_get(e, 3), "low",
                                                         decimal(json_array_get(e, 4), scale), "high",
                                                         decimal(json_array_get(e, 5), scale), "verdict", json_array_get(e, 6))) == 0;
    }
    return ok;
}

static enum fl_err read_record(struct tracing *t, int64_t leaf, json_t **out)
{
    const uint8_t *rec;
    size_t n;
    json_t *told = NULL;
    *out = NULL;
    enum fl_err err = shapes_record(t->shapes, leaf, &rec, &n, t->why);
    if (!err)
        err = fl_json_parse(rec, n, &told, t->why);
    if (!err)
        err = restore_leaf(t->restore, told, out, t->why);
    json_decref(told);
    return err;
}

static enum fl_err add_record(struct tracing *t, json_t *o, int64_t leaf)
{
    static const char *const texts[][2] = {{"why", "why"}, {"boot_text", "boot_text"}};
    static const char *const link[][2] = {{"product", "bridge_product"}, {"mbps", "mbps"}, {"latency_ms", "latency_ms"}, {"low_latency", "low_latency"}};
    static const char *const steps[] = {"step", "ms", "rungs", NULL}, *const rungs[] = {"rung", "cause", "value", "count", "step", NULL},
                      *const blocks[] = {"baud", "bytes", "sent", "refused", NULL}, *const hooks[] = {"hook", "exit_code", "ms", "output", NULL};
    json_t *rec;
    enum fl_err err = read_record(t, leaf, &rec);
    if (err)
        return err;
    const json_t *damage = json_object_get(rec, "damage");
    bool ok = add_members(o, rec, texts, sizeof texts / sizeof *texts) &&
              add_members(o, json_object_get(rec, "bridge"), link, sizeof link / sizeof *link) &&
              add_elements(o, "steps", json_object_get(rec, "steps"), steps) && add_elements(o, "rungs", json_object_get(rec, "rungs"), rungs) &&
              add_damage(o, damage) && add_elements(o, "blocks", json_object_get(damage, "blocks"), blocks) &&
              add_regions(o, json_object_get(rec, "regions")) && add_measures(o, json_object_get(rec, "measures")) &&
              add_elements(o, "hooks", json_object_get(rec, "hooks"), hooks);
    json_decref(rec);
    return ok ? FL_OK : FL_NOMEM;
}

static enum fl_err add_images(struct tracing *t, json_t *o, int64_t profile)
{
    json_t *list = json_array();
    int rc = SQLITE_DONE;
    enum fl_err err = list && json_object_set_new(o, "images", list) == 0 ? FL_OK : FL_NOMEM;
    (void)sqlite3_bind_int64(t->images, 1, profile);
    while (!err && (rc = sqlite3_step(t->images)) == SQLITE_ROW)
        err = add_object(list, t->images);
    if (!err && rc != SQLITE_DONE)
        err = db_fail(t->r->reader.db, t->why, "cannot read");
    (void)sqlite3_reset(t->images);
    return err;
}

static enum fl_err add_attempt(void *ctx, sqlite3_stmt *s)
{
    struct tracing *t = ctx;
    json_t *o = row_object(s, 2);
    int64_t leaf = sqlite3_column_int64(s, 0), profile = sqlite3_column_int64(s, 1);
    if (!o || json_array_append_new(t->attempts, o) != 0)
        return FL_NOMEM;
    const struct fault *f = fault_find(fl_json_text(o, "fault"));
    if (f && json_object_set_new(o, "what", json_string(f->what)) != 0)
        return FL_NOMEM;
    enum fl_err err = add_record(t, o, leaf);
    return err ? err : add_images(t, o, profile);
}

/* The unit's key, or FL_NOT_FOUND. */
static enum fl_err find_unit(struct report *r, const uint8_t *mac, size_t n, int64_t *unit, struct fl_why *why)
{
    char hex[17], sql[120];
    fl_hex(mac, n, hex);
    (void)snprintf(sql, sizeof sql, n == 6 ? "SELECT mac FROM unit WHERE mac = %s%s%s" : "SELECT mac FROM unit WHERE eui64 = %s%s%s",
                   n == 6 ? "0x" : "x'", hex, n == 6 ? "" : "'");
    return db_int(r->reader.db, sql, 0, unit, why);
}

/* What attempt_view says of them (held against it by report/t_report), from the tables: SQLite needs two and a half times as
 * long to prepare it through the view. */
static const char attempts_sql[] =
    "SELECT a.leaf, a.profile, a.leaf, a.start_leaf, a.number, l.name AS lot, "
    "strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', a.start_ms / 1000.0, 'unixepoch') AS start, a.ms, s.slot, s.port, s.path, b.usb_id AS bridge, "
    "b.serial AS bridge_serial, b.driver AS bridge_driver, (SELECT name FROM operator_view WHERE id = a.operator) AS operator, "
    "(SELECT name FROM outcome WHERE id = a.outcome) AS outcome, (SELECT text FROM word WHERE id = a.fault) AS fault, "
    "(SELECT text FROM word WHERE id = a.step) AS step, p.name AS profile, p.version AS profile_version, "
    "lower(hex(p.hash)) AS profile_hash, (SELECT text FROM word WHERE id = a.loader) AS loader, a.baud, a.tries, a.plain_bytes, "
    "a.bytes_out, a.bytes_in, l.product, (SELECT name FROM purpose WHERE id = a.purpose) AS purpose, "
    "(SELECT serial FROM serial WHERE id = a.serial) AS serial "
    "FROM attempt a JOIN lot l ON l.id = a.lot JOIN slot s ON s.id = a.slot LEFT JOIN bridge b ON b.id = a.bridge "
    "LEFT JOIN profile p ON p.id = a.profile WHERE a.unit = %lld ORDER BY a.leaf";

/* The unit that has this serial number. */
static enum fl_err find_serial(struct report *r, const char *serial, int64_t *unit, struct fl_why *why)
{
    char *sql = sqlite3_mprintf("SELECT unit FROM serial WHERE serial = %Q AND unit IS NOT NULL", serial);
    enum fl_err err = sql ? db_int(r->reader.db, sql, 0, unit, why) : fl_fail(why, FL_NOMEM, "out of memory");
    sqlite3_free(sql);
    return err;
}

static enum fl_err find(struct report *r, const char *name, int64_t *unit, struct fl_why *why)
{
    uint8_t bytes[8];
    char text[24];
    size_t n = event_mac_parse(name, bytes);
    enum fl_err err = n ? find_unit(r, bytes, n, unit, why) : FL_NOT_FOUND;
    if (err == FL_NOT_FOUND) /* also where it looks like a MAC: year, week and eight digits of a counter are twelve */
        err = find_serial(r, name, unit, why);
    if (n)
        event_mac_format(bytes, n, text);
    if (err == FL_NOT_FOUND && n)
        return fl_fail(why, err, "no unit %s was ever seen here", text);
    if (err == FL_NOT_FOUND)
        return fl_fail(why, FL_ARG, "'%.60s' is neither a MAC (12 hex digits, 16 of an EUI-64, as in 24:6f:28:aa:bb:cc) nor the serial number of a "
                       "unit", name);
    return err;
}

enum fl_err report_trace(struct report *r, const char *name, json_t **out, struct fl_why *why)
{
    int64_t unit;
    *out = NULL;
    enum fl_err err = find(r, name, &unit, why);
    if (err)
        return err;
    struct tracing t = {.r = r, .attempts = json_array(), .why = why};
    json_t *o = json_pack("{so}", "attempts", t.attempts);
    char *unit_sql = sqlite3_mprintf("SELECT mac, eui64, chip, revision, flash_id, flash_size, secure_boot, flash_encryption, serial, "
                                     "first_leaf, leaf FROM unit_view WHERE unit = %lld", unit);
    char *sql = sqlite3_mprintf(attempts_sql, unit);
    err = o && unit_sql && sql ? query_each(r, unit_sql, set_unit, o, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = shapes_new(r->reader.db, &t.shapes, why);
    if (!err)
        err = restore_new(r->reader.db, &t.restore, why);
    if (!err)
        err = db_prepare(r->reader.db, "SELECT offset, file, size, sha256 FROM profile_image_view WHERE profile = ?1 ORDER BY offset", &t.images, why);
    if (!err && json_object_set(o, "mac", json_object_get(json_object_get(o, "unit"), "mac")) != 0)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = query_each(r, sql, add_attempt, &t, why);
    if (!err)
        err = add_rare(&t, o, "remarks",
                       "SELECT EXISTS (SELECT 1 FROM note WHERE unit = %lld) OR EXISTS (SELECT 1 FROM disposition WHERE unit = %lld)",
                       "SELECT leaf, what, text, lot, operator, strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', at_ms / 1000.0, 'unixepoch') AS time "
                       "FROM unit_remark WHERE unit = %lld ORDER BY leaf", unit);
    if (!err)
        err = add_rare(&t, o, "labels", "SELECT EXISTS (SELECT 1 FROM label WHERE unit = %lld)",
                       "SELECT b.leaf, b.state, b.attempt, b.printer, nullif(p.name, '') AS operator, strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', "
                       "b.at_ms / 1000.0, 'unixepoch') AS time FROM label b LEFT JOIN operator_view p ON p.id = b.operator "
                       "WHERE b.unit = %lld ORDER BY b.leaf", unit);
    (void)sqlite3_finalize(t.images);
    shapes_free(t.shapes);
    restore_free(t.restore);
    sqlite3_free(unit_sql);
    sqlite3_free(sql);
    if (err)
        json_decref(o);
    else
        *out = o;
    return err;
}
