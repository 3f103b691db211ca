/* SPDX-License-Identifier: Apache-2.0 */
#include "report/recall.h"

#include "base/clock.h"
#include "event/event.h"
#include "report/period.h"
#include "report/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct recall {
    struct report *r;
    sqlite3_stmt *rows;
};

/* Flash was or may have been changed: it passed, or ended in a step behind those that leave flash as it is; where the station
 * died nobody knows. A unit that was refused or failed a gate received nothing. */
#define TOUCHED_OF(a) "(" a ".outcome IN (0, 4) OR " a ".step NOT IN (SELECT id FROM word WHERE text IN " \
                      "('connect', 'before', 'identify', 'gate', 'stub', 'baud')))"
#define TOUCHED TOUCHED_OF("a")

/* The units first, in the order in which they are shown, then what is told of each: sorting all that is told would take
 * longer than finding it. SQLite reads `h` as it was written, because CROSS JOIN leaves it in front.
 * A question is a condition over attempt `a`, each with its own index; what is not asked is not in the query. */
static const char head_sql[] =
    "WITH h AS MATERIALIZED (SELECT a.unit, a.lot, count(*) AS n, sum(a.outcome = 0) AS passes, min(a.start_ms) AS first_ms, "
    "min(a.leaf) AS first, max(a.leaf) AS last "
    "FROM attempt a WHERE a.unit IS NOT NULL";
static const char tail_sql[] =
    " GROUP BY a.unit, a.lot ORDER BY first) "
    "SELECT h.unit, n.serial, l.name, h.n, h.passes, h.first_ms, z.start_ms, s.slot, o.name, w.text, p.name, p.version, b.text, "
    "h.last, (SELECT count(*) FROM attempt x WHERE x.unit = h.unit AND x.leaf > h.last AND " TOUCHED_OF("x") ") "
    "FROM h CROSS JOIN attempt z ON z.leaf = h.last JOIN lot l ON l.id = h.lot JOIN slot s ON s.id = z.slot "
    "JOIN outcome o ON o.id = z.outcome LEFT JOIN word w ON w.id = z.fault LEFT JOIN profile p ON p.id = z.profile "
    "LEFT JOIN boot t ON t.leaf = z.boot LEFT JOIN word b ON b.id = t.sw LEFT JOIN serial n ON n.unit = h.unit AND n.lot = h.lot";

static const struct table_column columns[] = {
    {"mac", "MAC", TABLE_TEXT},       {"serial", "serial", TABLE_TEXT},   {"lot", "lot", TABLE_TEXT},
    {"attempts", "attempts", TABLE_INT}, {"passes", "PASS", TABLE_INT},   {"first", "first", TABLE_TEXT},
    {"last", "last", TABLE_TEXT},     {"slot", "slot", TABLE_INT},        {"outcome", "outcome", TABLE_TEXT},
    {"fault", "fault", TABLE_TEXT},   {"profile", "profile", TABLE_TEXT}, {"version", "version", TABLE_TEXT},
    {"program", "program", TABLE_TEXT}, {"leaf", "leaf", TABLE_INT},      {"newer", "newer", TABLE_INT},
};
enum { MAC = 0, FIRST_MS = 5, LAST_MS = 6, N_COLUMNS = sizeof columns / sizeof *columns };

/* ---- the question ------------------------------------------------------------------------------------- */

struct asked {
    struct fl_buf sql;
    char image[65];
    int64_t lot, slot, from_ms, to_ms, leaf_from;
    unsigned n;
};

static void also(struct asked *a, const char *condition)
{
    fl_buf_addf(&a->sql, " AND %s", condition);
    a->n++;
}

static enum fl_err ask_lot(struct report *r, const char *lot, struct asked *a, struct fl_why *why)
{
    enum fl_err err = query_find(r, "SELECT id FROM lot WHERE name = ? AND id > 0", lot, &a->lot, why);
    also(a, "a.lot = :lot AND a.lot > 0");
    return err == FL_NOT_FOUND ? fl_fail(why, err, "no lot '%.60s' was ever worked on here", lot) : err;
}

/* The whole hash or its beginning, in either case; one image only. */
static enum fl_err ask_image(struct report *r, const char *image, struct asked *a, struct fl_why *why)
{
    size_t n = strlen(image);
    int64_t found = 0;
    if (n < 8 || n > 64 || strspn(image, "0123456789abcdefABCDEF") != n)
        return fl_fail(why, FL_ARG, "'%.70s' is no image: its SHA-256 in hex, or the first 8 digits of it or more", image);
    (void)snprintf(a->image, sizeof a->image, "%s", image);
    enum fl_err err = query_find(r, "SELECT count(*) FROM image WHERE hex(sha256) LIKE ? || '%'", a->image, &found, why);
    if (!err && found == 0)
        err = fl_fail(why, FL_NOT_FOUND, "no image %.70s was ever flashed here", image);
    if (!err && found > 1)
        err = fl_fail(why, FL_ARG, "%lld images begin with %.70s: more digits, please", (long long)found, image);
    also(a, "a.profile IN (SELECT q.profile FROM profile_image q JOIN image i ON i.id = q.image WHERE hex(i.sha256) LIKE :image || '%') "
            "AND " TOUCHED);
    return err;
}

static enum fl_err ask_bridge(struct report *r, const char *serial, struct asked *a, struct fl_why *why)
{
    int64_t id;
    enum fl_err err = !*serial ? FL_NOT_FOUND : query_find(r, "SELECT id FROM bridge WHERE serial = ? AND serial <> ''", serial, &id, why);
    also(a, "a.bridge IN (SELECT id FROM bridge WHERE serial = :bridge AND serial <> '')");
    return err == FL_NOT_FOUND ? fl_fail(why, err, "no bridge with the serial number '%.60s' was ever seen here", serial) : err;
}

static enum fl_err ask_slot(struct report *r, const char *slot, struct asked *a, struct fl_why *why)
{
    char *end;
    a->slot = strtoll(slot, &end, 10);
    if (*slot < '0' || *slot > '9' || *end || end - slot > 9)
        return fl_fail(why, FL_ARG, "'%.40s' is no slot: its number on the fixture", slot);
    int64_t id;
    enum fl_err err = query_find(r, "SELECT id FROM slot WHERE slot = CAST(? AS INTEGER)", slot, &id, why);
    also(a, "a.slot IN (SELECT id FROM slot WHERE slot = :slot)");
    return err == FL_NOT_FOUND ? fl_fail(why, err, "no attempt was ever made in slot %.20s", slot) : err;
}

/* The runs of a version lie between their boot records; an attempt belongs to the run that began it. */
static enum fl_err ask_program(struct report *r, const char *program, struct asked *a, struct fl_why *why)
{
    int64_t id;
    enum fl_err err = query_find(r, "SELECT id FROM word WHERE text IN (?1, 'flashline ' || ?1) AND id IN (SELECT sw FROM boot)", program, &id, why);
    also(a, "EXISTS (SELECT 1 FROM boot v JOIN word y ON y.id = v.sw WHERE y.text IN (:program, 'flashline ' || :program) AND "
            "v.leaf = (SELECT max(leaf) FROM boot WHERE leaf < coalesce(a.start_leaf, a.leaf))) AND "
            "a.leaf > (SELECT min(v.leaf) FROM boot v JOIN word y ON y.id = v.sw WHERE y.text IN (:program, 'flashline ' || :program))");
    return err == FL_NOT_FOUND ? fl_fail(why, err, "no version '%.60s' of the program ever ran here", program) : err;
}

static enum fl_err ask_times(struct report *r, const struct recall_query *q, struct asked *a, struct fl_why *why)
{
    struct zone zone;
    int64_t now = q->now_ms ? q->now_ms : fl_wall_ms();
    enum fl_err err = zone_parse(q->zone, &zone, why);
    if (!err && q->since) {
        err = time_parse(q->since, &zone, now, &a->from_ms, why);
        if (!err)
            err = query_leaf_at(r, a->from_ms, &a->leaf_from, why);
        if (err == FL_NOT_FOUND)
            err = FL_OK; /* nothing at all yet */
        fl_buf_adds(&a->sql, " AND a.leaf >= :leaf_from AND a.start_ms >= :from_ms");
    }
    if (!err && q->until) {
        err = time_parse(q->until, &zone, now, &a->to_ms, why);
        fl_buf_adds(&a->sql, " AND a.start_ms < :to_ms");
    }
    if (!err && q->since && q->until && a->from_ms >= a->to_ms)
        err = fl_fail(why, FL_ARG, "the time until which lies before the time since which");
    a->n += q->since != NULL; /* a time alone is a question too */
    return err;
}

static enum fl_err ask(struct report *r, const struct recall_query *q, struct asked *a, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    fl_buf_adds(&a->sql, head_sql);
    if (q->lot)
        err = ask_lot(r, q->lot, a, why);
    if (!err && q->image)
        err = ask_image(r, q->image, a, why);
    if (!err && q->bridge)
        err = ask_bridge(r, q->bridge, a, why);
    if (!err && q->slot)
        err = ask_slot(r, q->slot, a, why);
    if (!err && q->program)
        err = ask_program(r, q->program, a, why);
    if (!err)
        err = ask_times(r, q, a, why);
    if (!err && a->n == 0)
        err = fl_fail(why, FL_ARG, "which units? Ask for a lot, image, bridge, slot, program version or a time since which");
    fl_buf_adds(&a->sql, tail_sql);
    return err ? err : fl_buf_err(&a->sql, why);
}

/* ---- reading ------------------------------------------------------------------------------------------ */

static void bind(struct recall *c, const struct recall_query *q, const struct asked *a)
{
    const struct {
        const char *name, *text;
        int64_t v;
    } row[] = {{":lot", NULL, a->lot}, {":slot", NULL, a->slot}, {":from_ms", NULL, a->from_ms}, {":to_ms", NULL, a->to_ms},
               {":leaf_from", NULL, a->leaf_from}, {":image", a->image, 0}, {":bridge", q->bridge, 0}, {":program", q->program, 0}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int at = sqlite3_bind_parameter_index(c->rows, row[i].name);
        if (at && row[i].text)
            (void)sqlite3_bind_text(c->rows, at, row[i].text, -1, SQLITE_TRANSIENT);
        else if (at)
            (void)sqlite3_bind_int64(c->rows, at, row[i].v);
    }
}

enum fl_err recall_open(struct report *r, const struct recall_query *q, struct recall **out, struct fl_why *why)
{
    struct asked a = {.sql = FL_BUF(20000)};
    struct recall *c = calloc(1, sizeof *c);
    *out = NULL;
    enum fl_err err = c ? ask(r, q, &a, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = db_prepare(r->reader.db, fl_buf_text(&a.sql), &c->rows, why);
    if (!err) {
        c->r = r;
        bind(c, q, &a);
        *out = c;
    } else {
        free(c);
    }
    fl_buf_fini(&a.sql);
    return err;
}

void recall_close(struct recall *c)
{
    if (c)
        (void)sqlite3_finalize(c->rows);
    free(c);
}

static void add_mac(struct table *t, int64_t unit)
{
    uint8_t mac[6];
    char text[24];
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)(unit >> (40 - 8 * i));
    event_mac_format(mac, sizeof mac, text);
    table_text(t, text);
}

static void add_row(struct table *t, sqlite3_stmt *s)
{
    char time[FL_TIME_TEXT];
    for (int c = 0; c < N_COLUMNS; c++) {
        int type = sqlite3_column_type(s, c);
        if (c == MAC) {
            add_mac(t, sqlite3_column_int64(s, c));
        } else if (c == FIRST_MS || c == LAST_MS) {
            fl_time_format(sqlite3_column_int64(s, c), time);
            table_text(t, time);
        } else if (type == SQLITE_INTEGER) {
            table_int(t, sqlite3_column_int64(s, c));
        } else {
            table_text(t, query_text(s, c));
        }
    }
    table_end(t);
}

enum fl_err recall_next(struct recall *c, size_t max, struct table **out, struct fl_why *why)
{
    struct table *t = table_new(columns, N_COLUMNS);
    int rc = SQLITE_ROW;
    *out = t;
    if (!t)
        return fl_fail(why, FL_NOMEM, "out of memory");
    while (c->rows && table_rows(t) < max && (rc = sqlite3_step(c->rows)) == SQLITE_ROW)
        add_row(t, c->rows);
    if (rc == SQLITE_ROW)
        return FL_OK;
    enum fl_err err = rc == SQLITE_DONE ? FL_OK : db_fail(c->r->reader.db, why, "cannot read");
    (void)sqlite3_finalize(c->rows); /* another step would begin again */
    c->rows = NULL;
    return err;
}
