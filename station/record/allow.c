/* SPDX-License-Identifier: Apache-2.0 */
#include "record/allow.h"

#include "base/hash.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

/* ---- questions ------------------------------------------------------------------------------------------ */

enum question { Q_LOT, Q_PINNED, Q_PASSED, Q_WORKED_ON, Q_PLACES, Q_DISPOSED, Q_TRIES, Q_SERIAL, Q_UNIT, Q_STARTED, Q_STOP,
                Q_COUNT };

static const char *const questions[Q_COUNT] = {
    [Q_LOT] = "SELECT id, opened IS NOT NULL, closed IS NOT NULL, duplicates = 'reflash', authorised, passed, tries "
              "FROM lot WHERE name = ?1 AND id > 0",
    [Q_PINNED] = "SELECT 1 FROM lot_profile l JOIN profile p ON p.id = l.profile WHERE l.lot = ?1 AND p.hash = ?2",
    [Q_PASSED] = "SELECT passed_at IS NOT NULL FROM unit_lot WHERE unit = ?1 AND lot = ?2",
    [Q_WORKED_ON] = "SELECT slot FROM open_attempt WHERE unit = ?1",
    /* few rows: one a slot */
    [Q_PLACES] = "SELECT count(*) FROM open_attempt o WHERE o.lot = ?1 AND o.purpose IS NULL AND o.unit IS NOT NULL AND NOT EXISTS "
                 "(SELECT 1 FROM unit_lot u WHERE u.unit = o.unit AND u.lot = ?1 AND u.passed_at IS NOT NULL)",
    [Q_DISPOSED] = "SELECT disposition = 'scrap', coalesce((SELECT max(leaf) FROM disposition WHERE unit = ?1 AND "
                   "disposition = 'rework'), -1) FROM disposition WHERE unit = ?1 ORDER BY leaf DESC LIMIT 1",
    [Q_TRIES] = "SELECT count(*) FROM attempt WHERE unit = ?1 AND lot = ?2 AND leaf > ?3 AND number IS NOT NULL AND outcome <> 0",
    [Q_SERIAL] = "SELECT state = 'confirmed', state = 'reserved', unit FROM serial WHERE serial = ?1",
    [Q_UNIT] = "SELECT 1 FROM unit WHERE mac = ?1",
    [Q_STARTED] = "SELECT 1 FROM open_attempt WHERE job = ?1",
    [Q_STOP] = "SELECT 1 FROM line_stop WHERE reopened IS NULL AND slot IS ?1",
};

struct allow {
    sqlite3 *db;
    sqlite3_stmt *q[Q_COUNT];
    struct fl_why *why;  /* of the event in hand */
    const char *fault;
    enum fl_err err;     /* the first failure of the database; a question then says nothing is there */
};

enum { ANSWERS = 8 };
struct found {
    bool row;
    int64_t v[ANSWERS]; /* NULL: -1 */
};

/* Bound values are put in front by the ask_... below; the statement is ready again afterwards. */
static struct found answer(struct allow *a, enum question q)
{
    struct found f = {.row = false};
    sqlite3_stmt *s = a->q[q];
    int rc = a->err ? SQLITE_DONE : sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        f.row = true;
        for (int c = 0; c < sqlite3_column_count(s) && c < ANSWERS; c++)
            f.v[c] = sqlite3_column_type(s, c) == SQLITE_NULL ? -1 : sqlite3_column_int64(s, c);
    } else if (rc != SQLITE_DONE) {
        a->err = db_fail(a->db, a->why, "cannot ask");
    }
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return f;
}

static struct found ask(struct allow *a, enum question q, const int64_t *v, int n)
{
    for (int i = 0; i < n; i++)
        if (sqlite3_bind_int64(a->q[q], i + 1, v[i]) != SQLITE_OK)
            a->err = FL_NOMEM;
    return answer(a, q);
}
#define ASK(a, q, ...) \
    ask((a), (q), (const int64_t[]){__VA_ARGS__}, (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

static struct found ask_text(struct allow *a, enum question q, const char *text)
{
    if (sqlite3_bind_text(a->q[q], 1, text, -1, SQLITE_TRANSIENT) != SQLITE_OK)
        a->err = FL_NOMEM;
    return answer(a, q);
}

static bool pinned(struct allow *a, int64_t lot, const char *profile)
{
    uint8_t hash[FL_SHA256_SIZE];
    if (strlen(profile) != 2 * sizeof hash || !fl_unhex(profile, hash, sizeof hash))
        return false;
    if (sqlite3_bind_int64(a->q[Q_PINNED], 1, lot) != SQLITE_OK ||
        sqlite3_bind_blob(a->q[Q_PINNED], 2, hash, sizeof hash, SQLITE_TRANSIENT) != SQLITE_OK)
        a->err = FL_NOMEM;
    return answer(a, Q_PINNED).row;
}

static int64_t mac_of(const json_t *body)
{
    uint8_t mac[8];
    int64_t v = 0;
    if (event_mac_parse(fl_json_text(body, "mac"), mac) != 6)
        return -1;
    for (int i = 0; i < 6; i++)
        v = v << 8 | mac[i];
    return v;
}

/* ---- answers -------------------------------------------------------------------------------------------- */

static enum fl_err refuse(struct allow *a, const char *fault, const char *fmt, ...) FL_PRINTF(3, 4);
static enum fl_err refuse(struct allow *a, const char *fault, const char *fmt, ...)
{
    va_list ap;
    if (a->err)
        return a->err; /* nothing was there because nothing could be read */
    va_start(ap, fmt);
    if (a->why) {
        a->why->os = 0;
        (void)vsnprintf(a->why->text, sizeof a->why->text, fmt, ap);
    }
    va_end(ap);
    a->fault = fault;
    return FL_REFUSED;
}

/* ---- attempts ------------------------------------------------------------------------------------------- */

enum { LOT_ID, LOT_OPENED, LOT_CLOSED, LOT_REFLASH, LOT_AUTHORISED, LOT_PASSED, LOT_TRIES };

static enum fl_err unit_in_lot(struct allow *a, const struct found *lot, const char *name, const char *mac, int64_t unit)
{
    int64_t id = lot->v[LOT_ID];
    bool passed = ASK(a, Q_PASSED, unit, id).v[0] > 0;
    if (passed && lot->v[LOT_REFLASH] != 1)
        return refuse(a, "lot.duplicate", "%s has passed in lot %.60s already", mac, name);
    struct found disposed = ASK(a, Q_DISPOSED, unit);
    int64_t tries = ASK(a, Q_TRIES, unit, id, disposed.row ? disposed.v[1] : -1).v[0];
    if (!passed && lot->v[LOT_TRIES] > 0 && tries >= lot->v[LOT_TRIES])
        return refuse(a, "lot.tries", "%s has failed %lld times in lot %.60s: to rework", mac, (long long)tries, name);
    int64_t places = ASK(a, Q_PLACES, id).v[0];
    if (!passed && lot->v[LOT_AUTHORISED] > 0 && lot->v[LOT_PASSED] + places >= lot->v[LOT_AUTHORISED])
        return refuse(a, "lot.quantity", "%lld units of lot %.60s have passed, %lld more are being worked on, and %lld are authorised",
                      (long long)lot->v[LOT_PASSED], name, (long long)places, (long long)lot->v[LOT_AUTHORISED]);
    return a->err;
}

static enum fl_err open_lot(struct allow *a, const char *name, struct found *lot)
{
    *lot = ask_text(a, Q_LOT, name);
    if (!lot->row || !lot->v[LOT_OPENED] || lot->v[LOT_CLOSED])
        return refuse(a, "lot.closed", "lot %.60s %s", name, lot->row && lot->v[LOT_CLOSED] ? "is closed" : "was not opened");
    return a->err;
}

static enum fl_err serial_is_free(struct allow *a, const char *serial, int64_t unit)
{
    struct found s = ask_text(a, Q_SERIAL, serial);
    bool own = s.row && unit >= 0 && s.v[2] == unit;
    if (s.row && !own && (s.v[0] || (s.v[1] && s.v[2] >= 0)))
        return refuse(a, "serial.used", "the serial number %.60s belongs to another unit", serial);
    return a->err;
}

static enum fl_err allow_start(struct allow *a, const json_t *b)
{
    const char *name = fl_json_text(b, "lot"), *mac = fl_json_text(b, "mac"), *serial = fl_json_text(b, "serial");
    bool production = !*fl_json_text(b, "purpose");
    int64_t unit = mac_of(b);
    struct found lot, worked_on = {.row = false};
    enum fl_err err = FL_OK;
    if (unit >= 0)
        worked_on = ASK(a, Q_WORKED_ON, unit);
    if (worked_on.row)
        return refuse(a, "unit.twice", "%s is being worked on in slot %lld: two boards with one MAC, or one board in two slots",
                      mac, (long long)worked_on.v[0]);
    if (*name) {
        err = open_lot(a, name, &lot);
        if (!err && !pinned(a, lot.v[LOT_ID], fl_json_text(b, "profile")))
            err = refuse(a, "lot.profile", "lot %.60s was not opened with this profile and these images", name);
        if (!err && production && unit >= 0 && ASK(a, Q_DISPOSED, unit).v[0] > 0)
            err = refuse(a, "unit.scrapped", "%s was scrapped", mac);
        if (!err && production && unit >= 0)
            err = unit_in_lot(a, &lot, name, mac, unit);
    }
    if (!err && *serial)
        err = serial_is_free(a, serial, unit);
    return err ? err : a->err;
}

static enum fl_err allow_result(struct allow *a, const json_t *b)
{
    enum outcome o;
    uint8_t job[16];
    char hex[33];
    size_t n = 0;
    const char *name = fl_json_text(b, "lot"), *text = fl_json_text(b, "job");
    if (!*name || *fl_json_text(b, "purpose") || !outcome_parse(fl_json_text(b, "outcome"), &o) || o != OUTCOME_PASS ||
        ask_text(a, Q_LOT, name).v[LOT_OPENED] != 1)
        return a->err;
    for (; *text && n < sizeof hex - 1; text++)
        if (*text != '-')
            hex[n++] = *text;
    hex[n] = 0;
    if (mac_of(b) < 0 || !fl_unhex(hex, job, sizeof job))
        return refuse(a, "station.record", "a PASS in lot %.60s must name its unit", name);
    if (sqlite3_bind_blob(a->q[Q_STARTED], 1, job, sizeof job, SQLITE_TRANSIENT) != SQLITE_OK)
        a->err = FL_NOMEM;
    if (!answer(a, Q_STARTED).row)
        return refuse(a, "station.record", "a PASS in lot %.60s has no start that was let in", name);
    return a->err;
}

/* ---- what people do ------------------------------------------------------------------------------------- */

static bool printable(const char *s, size_t max)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < ' ' || s[i] == 127)
            return false;
    return n > 0 && n <= max;
}

static bool positive_or_missing(const json_t *b, const char *key)
{
    const json_t *v = json_object_get(b, key);
    return !v || (json_is_integer(v) && json_integer_value(v) > 0);
}

static enum fl_err allow_lot_open(struct allow *a, const json_t *b)
{
    const char *name = fl_json_text(b, "lot"), *duplicates = fl_json_text(b, "duplicates");
    const json_t *profiles = json_object_get(b, "profiles"), *rules = json_object_get(b, "rules");
    struct found lot = ask_text(a, Q_LOT, name);
    if (!printable(name, 63))
        return refuse(a, "", "the name of a lot is 1 to 63 printable characters");
    if (lot.row && lot.v[LOT_OPENED])
        return refuse(a, "", "lot %.63s is %s: a name is used once", name, lot.v[LOT_CLOSED] ? "closed" : "open already");
    if (json_array_size(profiles) == 0)
        return refuse(a, "", "a lot needs a profile");
    for (size_t i = 0; i < json_array_size(profiles); i++)
        if (strlen(fl_json_text(json_array_get(profiles, i), "hash")) != 64)
            return refuse(a, "", "a profile of the lot has no hash");
    if (*duplicates && strcmp(duplicates, "refuse") != 0 && strcmp(duplicates, "reflash") != 0)
        return refuse(a, "", "duplicates are 'refuse' or 'reflash', not '%.30s'", duplicates);
    if (!positive_or_missing(b, "planned") || !positive_or_missing(b, "authorised") || !positive_or_missing(b, "tries"))
        return refuse(a, "", "planned, authorised and tries are whole numbers above 0");
    if (rules && !json_is_object(rules))
        return refuse(a, "", "the rules of a lot are an object");
    return a->err;
}

static enum fl_err allow_lot_close(struct allow *a, const json_t *b)
{
    struct found lot;
    enum fl_err err = open_lot(a, fl_json_text(b, "lot"), &lot);
    a->fault = "";
    return err;
}

/* The unit and the lot that an event names must be there. */
static enum fl_err known(struct allow *a, const json_t *b, bool needs_unit)
{
    const char *mac = fl_json_text(b, "mac"), *lot = fl_json_text(b, "lot");
    int64_t unit = mac_of(b);
    if ((*mac && unit < 0) || (needs_unit && !*mac))
        return refuse(a, "", "'%.30s' is no MAC", mac);
    if (*mac && !ASK(a, Q_UNIT, unit).row)
        return refuse(a, "", "this station never saw %.30s", mac);
    if (*lot && !ask_text(a, Q_LOT, lot).row)
        return refuse(a, "", "there is no lot %.60s", lot);
    return a->err;
}

static enum fl_err allow_known(struct allow *a, const json_t *b)
{
    return known(a, b, false);
}

static enum fl_err allow_note(struct allow *a, const json_t *b)
{
    if (!*fl_json_text(b, "mac") && !*fl_json_text(b, "lot"))
        return refuse(a, "", "a note is about a unit or a lot");
    if (!*fl_json_text(b, "text"))
        return refuse(a, "", "a note without words");
    return known(a, b, false);
}

static enum fl_err allow_disposition(struct allow *a, const json_t *b)
{
    static const char *const words[] = {"scrap", "rework", "released"};
    const char *d = fl_json_text(b, "disposition");
    bool ok = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        ok = ok || strcmp(words[i], d) == 0;
    if (!ok)
        return refuse(a, "", "a disposition is scrap, rework or released, not '%.30s'", d);
    if (!*fl_json_text(b, "why") || !*fl_json_text(b, "operator"))
        return refuse(a, "", "a disposition says by whom and why");
    return known(a, b, true);
}

static enum fl_err allow_operator(struct allow *a, const json_t *b)
{
    return *fl_json_text(b, "operator") ? FL_OK : refuse(a, "", "nobody is named");
}

static enum fl_err allow_reopen(struct allow *a, const json_t *b)
{
    const json_t *slot = json_object_get(b, "slot");
    if (!*fl_json_text(b, "why") || !*fl_json_text(b, "operator"))
        return refuse(a, "", "who reopens says who and why");
    if (slot && sqlite3_bind_int64(a->q[Q_STOP], 1, json_integer_value(slot)) != SQLITE_OK)
        a->err = FL_NOMEM;
    if (!answer(a, Q_STOP).row)
        return refuse(a, "", slot ? "the slot is not stopped" : "the line is not stopped");
    return a->err;
}

static enum fl_err allow_serial(struct allow *a, const json_t *b)
{
    const char *serial = fl_json_text(b, "serial"), *state = fl_json_text(b, "state");
    if (!printable(serial, 63))
        return refuse(a, "", "a serial number is 1 to 63 printable characters");
    if (strcmp(state, "returned") == 0)
        return ask_text(a, Q_SERIAL, serial).v[1] == 1 ? FL_OK : refuse(a, "", "the serial number %.63s is not reserved", serial);
    if (strcmp(state, "reserved") != 0)
        return refuse(a, "", "a serial number is 'reserved' or 'returned' by hand, not '%.30s'", state);
    struct found s = ask_text(a, Q_SERIAL, serial);
    if (s.row && (s.v[0] || s.v[1]))
        return refuse(a, "serial.used", "the serial number %.63s is %s", serial, s.v[0] ? "used" : "reserved");
    return known(a, b, false);
}

static enum fl_err (*const rules[EVENT_KIND_COUNT])(struct allow *a, const json_t *body) = {
    [EVENT_ATTEMPT_START] = allow_start,  [EVENT_ATTEMPT_RESULT] = allow_result, [EVENT_LOT_OPEN] = allow_lot_open,
    [EVENT_LOT_CLOSE] = allow_lot_close,  [EVENT_OPERATOR] = allow_operator,     [EVENT_NOTE] = allow_note,
    [EVENT_DISPOSITION] = allow_disposition, [EVENT_LINE_STOP] = allow_known,
    [EVENT_LINE_REOPEN] = allow_reopen,   [EVENT_SERIAL] = allow_serial,         [EVENT_LABEL] = allow_known,
};

enum fl_err allow_event(struct allow *a, enum event_kind kind, const json_t *body, const char **fault, struct fl_why *why)
{
    *fault = "";
    if (!rules[kind])
        return FL_OK;
    a->why = why;
    a->fault = "";
    a->err = FL_OK;
    enum fl_err err = rules[kind](a, body);
    if (err == FL_REFUSED)
        *fault = a->fault;
    return err;
}

/* ---- made and taken apart ------------------------------------------------------------------------------- */

enum fl_err allow_new(sqlite3 *db, struct allow **out, struct fl_why *why)
{
    struct allow *a = calloc(1, sizeof *a);
    enum fl_err err = FL_OK;
    *out = NULL;
    if (!a)
        return fl_fail(why, FL_NOMEM, "out of memory");
    a->db = db;
    for (int i = 0; i < Q_COUNT && !err; i++)
        err = db_prepare(db, questions[i], &a->q[i], why);
    if (err)
        allow_free(a);
    else
        *out = a;
    return err;
}

void allow_free(struct allow *a)
{
    if (!a)
        return;
    for (int i = 0; i < Q_COUNT; i++)
        (void)sqlite3_finalize(a->q[i]);
    free(a);
}
