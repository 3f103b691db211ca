/* SPDX-License-Identifier: Apache-2.0 */
#include "report/recall.h"

#include "base/clock.h"
#include "event/event.h"
#include "report/period.h"
#include "report/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Flash was or may have been changed: it passed, or ended in a step behind those that leave flash as it is; where the station
 * died nobody knows. A unit that was refused or failed a gate received nothing. */
#define TOUCHED "(a.outcome IN (0, 4) OR a.step NOT IN (SELECT id FROM word WHERE text IN " \
                "('connect', 'before', 'identify', 'gate', 'stub', 'baud')))"

/* Attempts that answer are walked in the order of their leaves, and a unit (in a lot) is told at its last one. Of most units
 * there is one attempt in all, which table `unit` says: then nothing is grouped or sorted. Of the others all attempts are
 * looked at. A question is a condition over attempt `a`; what is not asked is not in the query. */
static const char walk_sql[] = "SELECT a.leaf, a.unit, a.lot, a.start_ms, a.outcome, a.slot, a.fault, a.profile, a.boot, u.first_leaf = u.leaf, %s "
                               "FROM attempt a CROSS JOIN unit u ON u.mac = a.unit WHERE a.unit IS NOT NULL%s ORDER BY %s";
static const char serial_sql[] = "(SELECT n.serial FROM serial n WHERE n.unit = a.unit AND n.lot = a.lot ORDER BY n.leaf DESC LIMIT 1)";
enum { W_LEAF, W_UNIT, W_LOT, W_START, W_OUTCOME, W_SLOT, W_FAULT, W_PROFILE, W_BOOT, W_ALONE, W_SERIAL };
static const char others_sql[] = "SELECT a.leaf, a.lot, a.start_ms, a.outcome = 0, " TOUCHED ", (1%s) FROM attempt a WHERE a.unit = :unit";
enum { O_LEAF, O_LOT, O_START, O_PASS, O_TOUCHED, O_ANSWERS };

/* The words of a number: there are few, and looking up seven for each unit would take longer than finding it. */
enum { MEMO = 64 };
struct memo {
    sqlite3_stmt *s;
    struct word {
        bool known;
        int64_t id, number; /* what the table says, as a number */
        char *text;         /* owned; NULL: nothing */
    } at[MEMO];
};
enum memo_of { OF_LOT, OF_SLOT, OF_OUTCOME, OF_FAULT, OF_PROFILE, OF_VERSION, OF_PROGRAM, MEMOS };
static const char *const memo_sql[MEMOS] = {
    [OF_LOT] = "SELECT name FROM lot WHERE id = ?1",         [OF_SLOT] = "SELECT slot FROM slot WHERE id = ?1",
    [OF_OUTCOME] = "SELECT name FROM outcome WHERE id = ?1", [OF_FAULT] = "SELECT text FROM word WHERE id = ?1",
    [OF_PROFILE] = "SELECT name FROM profile WHERE id = ?1", [OF_VERSION] = "SELECT version FROM profile WHERE id = ?1",
    [OF_PROGRAM] = "SELECT w.text FROM boot b JOIN word w ON w.id = b.sw WHERE b.leaf = ?1"};

struct recall {
    struct report *r;
    sqlite3_stmt *walk, *others;
    bool ended;
    struct memo memo[MEMOS];
};

static const struct table_column columns[] = {
    {"mac", "MAC", TABLE_TEXT},       {"serial", "serial", TABLE_TEXT},   {"lot", "lot", TABLE_TEXT},
    {"attempts", "attempts", TABLE_INT}, {"passes", "PASS", TABLE_INT},   {"first", "first", TABLE_TEXT},
    {"last", "last", TABLE_TEXT},     {"slot", "slot", TABLE_INT},        {"outcome", "outcome", TABLE_TEXT},
    {"fault", "fault", TABLE_TEXT},   {"profile", "profile", TABLE_TEXT}, {"version", "version", TABLE_TEXT},
    {"program", "program", TABLE_TEXT}, {"leaf", "leaf", TABLE_INT},      {"newer", "newer", TABLE_INT},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

/* ---- the question ------------------------------------------------------------------------------------- */

struct asked {
    struct fl_buf sql; /* " AND ..." */
    int64_t lot, from_ms, to_ms;
    unsigned n;
};

static void also(struct asked *a, const char *condition)
{
    fl_buf_addf(&a->sql, " AND %s", condition);
    a->n++;
}

static enum fl_err ids_row(void *ctx, sqlite3_stmt *s)
{
    char **out = ctx;
    *out = query_text(s, 0) ? strdup(query_text(s, 0)) : NULL;
    return query_text(s, 0) && !*out ? FL_NOMEM : FL_OK;
}

/* The column is one of the ids that `list` (with %Q for the text) gives. Of one id the rows come by its index in the order of
 * their leaves; only of several they are sorted. FL_NOT_FOUND, without words: there are none. */
static enum fl_err also_of(struct report *r, struct asked *a, const char *column, const char *list, const char *text, struct fl_why *why)
{
    char *one = sqlite3_mprintf(list, text), *sql = one ? sqlite3_mprintf("SELECT group_concat(DISTINCT id) FROM (%s)", one) : NULL, *ids = NULL;
    enum fl_err err = sql ? query_each(r, sql, ids_row, &ids, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && !ids)
        err = FL_NOT_FOUND;
    if (!err)
        fl_buf_addf(&a->sql, strchr(ids, ',') ? " AND a.%s IN (%s)" : " AND a.%s = %s", column, ids);
    a->n++;
    free(ids);
    sqlite3_free(sql);
    sqlite3_free(one);
    return err;
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
    enum fl_err err = query_find(r, "SELECT count(*) FROM image WHERE hex(sha256) LIKE ? || '%'", image, &found, why);
    if (!err && found == 0)
        err = fl_fail(why, FL_NOT_FOUND, "no image %.70s was ever flashed here", image);
    if (!err && found > 1)
        err = fl_fail(why, FL_ARG, "%lld images begin with %.70s: more digits, please", (long long)found, image);
    if (!err)
        err = also_of(r, a, "profile", "SELECT q.profile AS id FROM profile_image q JOIN image i ON i.id = q.image WHERE hex(i.sha256) LIKE %Q || '%%'",
                      image, why);
    also(a, TOUCHED);
    return err;
}

static enum fl_err ask_bridge(struct report *r, const char *serial, struct asked *a, struct fl_why *why)
{
    enum fl_err err = also_of(r, a, "bridge", "SELECT id FROM bridge WHERE serial = %Q AND serial <> ''", serial, why);
    return err == FL_NOT_FOUND ? fl_fail(why, err, "no bridge with the serial number '%.60s' was ever seen here", serial) : err;
}

static enum fl_err ask_slot(struct report *r, const char *slot, struct asked *a, struct fl_why *why)
{
    char *end;
    (void)strtoll(slot, &end, 10);
    if (*slot < '0' || *slot > '9' || *end || end - slot > 9)
        return fl_fail(why, FL_ARG, "'%.40s' is no slot: its number on the fixture", slot);
    enum fl_err err = also_of(r, a, "slot", "SELECT id FROM slot WHERE slot = CAST(%Q AS INTEGER)", slot, why);
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

static enum fl_err ask_times(const struct recall_query *q, struct asked *a, struct fl_why *why)
{
    struct zone zone;
    int64_t now = q->now_ms ? q->now_ms : fl_wall_ms();
    enum fl_err err = zone_parse(q->zone, &zone, why);
    if (!err && q->since) {
        err = time_parse(q->since, &zone, now, &a->from_ms, why);
        fl_buf_adds(&a->sql, " AND a.start_ms >= :from_ms");
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
        err = ask_times(q, a, why);
    if (!err && a->n == 0)
        err = fl_fail(why, FL_ARG, "which units? Ask for a lot, image, bridge, slot, program version or a time since which");
    return err ? err : fl_buf_err(&a->sql, why);
}

/* ---- reading ------------------------------------------------------------------------------------------ */

static void bind(sqlite3_stmt *s, const struct recall_query *q, const struct asked *a)
{
    const struct {
        const char *name, *text;
        int64_t v;
    } row[] = {{":lot", NULL, a->lot}, {":from_ms", NULL, a->from_ms}, {":to_ms", NULL, a->to_ms}, {":program", q->program, 0}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int at = sqlite3_bind_parameter_index(s, row[i].name);
        if (at && row[i].text)
            (void)sqlite3_bind_text(s, at, row[i].text, -1, SQLITE_TRANSIENT);
        else if (at)
            (void)sqlite3_bind_int64(s, at, row[i].v);
    }
}

static enum fl_err prepare(struct recall *c, const struct fl_buf *sql, sqlite3_stmt **out, struct fl_why *why)
{
    enum fl_err err = fl_buf_err(sql, why);
    return err ? err : db_prepare(c->r->reader.db, fl_buf_text(sql), out, why);
}

static enum fl_err make_ready(struct recall *c, const struct recall_query *q, struct fl_why *why)
{
    struct asked a = {.sql = FL_BUF(20000)};
    struct fl_buf walk = FL_BUF(20000), others = FL_BUF(20000);
    int64_t serials = 0;
    enum fl_err err = ask(c->r, q, &a, why);
    const char *conditions = fl_buf_text(&a.sql);
    if (!err)
        err = db_int(c->r->reader.db, "SELECT EXISTS (SELECT 1 FROM serial)", 0, &serials, why);
    /* with the plus, the order is no reason to walk all attempts by their leaves instead of those of the time by their index */
    fl_buf_addf(&walk, walk_sql, serials ? serial_sql : "NULL", conditions, q->since ? "+a.leaf" : "a.leaf");
    fl_buf_addf(&others, others_sql, conditions);
    if (!err)
        err = prepare(c, &walk, &c->walk, why);
    if (!err)
        err = prepare(c, &others, &c->others, why);
    for (int i = 0; i < MEMOS && !err; i++)
        err = db_prepare(c->r->reader.db, memo_sql[i], &c->memo[i].s, why);
    if (!err) {
        bind(c->walk, q, &a);
        bind(c->others, q, &a);
    }
    fl_buf_fini(&a.sql);
    fl_buf_fini(&walk);
    fl_buf_fini(&others);
    return err;
}

enum fl_err recall_open(struct report *r, const struct recall_query *q, struct recall **out, struct fl_why *why)
{
    struct recall *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return fl_fail(why, FL_NOMEM, "out of memory");
    c->r = r;
    enum fl_err err = make_ready(c, q, why);
    if (err)
        recall_close(c);
    else
        *out = c;
    return err;
}

void recall_close(struct recall *c)
{
    if (!c)
        return;
    (void)sqlite3_finalize(c->walk);
    (void)sqlite3_finalize(c->others);
    for (int i = 0; i < MEMOS; i++) {
        (void)sqlite3_finalize(c->memo[i].s);
        for (int k = 0; k < MEMO; k++)
            free(c->memo[i].at[k].text);
    }
    free(c);
}

/* ---- a row ---------------------------------------------------------------------------------------------- */

/* What the number in this column of the walk stands for; NULL: nothing. */
static enum fl_err word_of(struct recall *c, enum memo_of of, int column, const struct word **out, struct fl_why *why)
{
    struct memo *m = &c->memo[of];
    int64_t id = sqlite3_column_int64(c->walk, column);
    struct word *w = &m->at[(uint64_t)id % MEMO];
    *out = NULL;
    if (sqlite3_column_type(c->walk, column) == SQLITE_NULL)
        return FL_OK;
    if (!w->known || w->id != id) {
        free(w->text);
        *w = (struct word){.known = true, .id = id};
        (void)sqlite3_bind_int64(m->s, 1, id);
        int rc = sqlite3_step(m->s);
        const char *text = rc == SQLITE_ROW ? query_text(m->s, 0) : NULL;
        w->number = rc == SQLITE_ROW ? sqlite3_column_int64(m->s, 0) : 0;
        w->text = text ? strdup(text) : NULL;
        (void)sqlite3_reset(m->s);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            return db_fail(c->r->reader.db, why, "cannot read");
        if (text && !w->text)
            return fl_fail(why, FL_NOMEM, "out of memory");
    }
    *out = w->text ? w : NULL;
    return FL_OK;
}

/* The unit in its lot, as far as it answers the question. */
struct told {
    int64_t leaf, lot, attempts, passes, first_ms, newer;
    bool last; /* the walk stands at its last attempt that answers */
};

static void alone(sqlite3_stmt *walk, struct told *t)
{
    t->attempts = 1;
    t->passes = sqlite3_column_int64(walk, W_OUTCOME) == 0;
    t->first_ms = sqlite3_column_int64(walk, W_START);
}

static enum fl_err among_others(struct recall *c, struct told *t, struct fl_why *why)
{
    sqlite3_stmt *s = c->others;
    int rc = SQLITE_DONE;
    (void)sqlite3_bind_int64(s, sqlite3_bind_parameter_index(s, ":unit"), sqlite3_column_int64(c->walk, W_UNIT));
    while (t->last && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        bool after = sqlite3_column_int64(s, O_LEAF) > t->leaf;
        if (sqlite3_column_int64(s, O_ANSWERS) && sqlite3_column_int64(s, O_LOT) == t->lot) {
            int64_t start = sqlite3_column_int64(s, O_START);
            t->first_ms = t->attempts++ && t->first_ms < start ? t->first_ms : start;
            t->passes += sqlite3_column_int64(s, O_PASS);
            t->last = !after;
        }
        t->newer += after && sqlite3_column_int64(s, O_TOUCHED);
    }
    bool failed = t->last && rc != SQLITE_DONE;
    enum fl_err err = failed ? db_fail(c->r->reader.db, why, "cannot read") : FL_OK;
    (void)sqlite3_reset(s);
    return err;
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

static void add_time(struct table *t, int64_t ms)
{
    char time[FL_TIME_TEXT];
    fl_time_format(ms, time);
    table_text(t, time);
}

static enum fl_err add_row(struct recall *c, const struct told *told, struct table *t, struct fl_why *why)
{
    static const int column[MEMOS] = {[OF_LOT] = W_LOT, [OF_SLOT] = W_SLOT, [OF_OUTCOME] = W_OUTCOME, [OF_FAULT] = W_FAULT,
                                      [OF_PROFILE] = W_PROFILE, [OF_VERSION] = W_PROFILE, [OF_PROGRAM] = W_BOOT};
    const struct word *word[MEMOS];
    for (int i = 0; i < MEMOS; i++) {
        enum fl_err err = word_of(c, (enum memo_of)i, column[i], &word[i], why);
        if (err)
            return err;
    }
    add_mac(t, sqlite3_column_int64(c->walk, W_UNIT));
    table_text(t, query_text(c->walk, W_SERIAL));
    table_text(t, word[OF_LOT] ? word[OF_LOT]->text : NULL);
    table_int(t, told->attempts);
    table_int(t, told->passes);
    add_time(t, told->first_ms);
    add_time(t, sqlite3_column_int64(c->walk, W_START));
    table_int(t, word[OF_SLOT] ? word[OF_SLOT]->number : 0);
    for (enum memo_of i = OF_OUTCOME; i < MEMOS; i++)
        table_text(t, word[i] ? word[i]->text : NULL);
    table_int(t, told->leaf);
    table_int(t, told->newer);
    table_end(t);
    return FL_OK;
}

/* The next unit, or none: *rc is SQLITE_DONE. */
static enum fl_err next_unit(struct recall *c, struct told *t, int *rc, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    do {
        *rc = sqlite3_step(c->walk);
        if (*rc != SQLITE_ROW)
            return *rc == SQLITE_DONE ? FL_OK : db_fail(c->r->reader.db, why, "cannot read");
        *t = (struct told){.leaf = sqlite3_column_int64(c->walk, W_LEAF), .lot = sqlite3_column_int64(c->walk, W_LOT), .last = true};
        if (sqlite3_column_int64(c->walk, W_ALONE))
            alone(c->walk, t);
        else
            err = among_others(c, t, why);
    } while (!err && !t->last);
    return err;
}

enum fl_err recall_next(struct recall *c, size_t max, struct table **out, struct fl_why *why)
{
    struct table *t = table_new(columns, N_COLUMNS);
    enum fl_err err = t ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    *out = t;
    while (!err && !c->ended && table_rows(t) < max) {
        struct told told;
        int rc;
        err = next_unit(c, &told, &rc, why);
        c->ended = rc != SQLITE_ROW; /* another step would begin again */
        if (!err && !c->ended)
            err = add_row(c, &told, t, why);
    }
    return err;
}
