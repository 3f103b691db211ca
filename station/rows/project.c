/* SPDX-License-Identifier: Apache-2.0
 *
 * A leaf runs the statements of its kind, in order. A statement runs only when the member it needs is there, and once
 * for each element when it is about an array. Statements and parameters: project_rows.h and the files it names.
 *
 * Whatever these statements compute must follow from the leaves before and nothing else: no clock, no random, no
 * rowid that depends on what was deleted.
 */
#include "rows/project_rows.h"

#include "base/clock.h"
#include "base/hash.h"
#include "rows/abridge.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

const struct projected_table projected_tables[] = {
    {"word", NULL}, {"station", NULL}, {"boot", NULL}, {"operator", "id = 0"}, {"lot", "id = 0"}, {"slot", NULL},
    {"bridge", NULL}, {"profile", NULL}, {"image", NULL}, {"profile_image", NULL}, {"unit", NULL}, {"serial", NULL},
    {"lot_profile", NULL}, {"open_attempt", NULL}, {"attempt", NULL}, {"unit_lot", NULL}, {"bridge_model", "id = 0"},
    {"shift", NULL}, {"note", NULL}, {"disposition", NULL}, {"config_change", NULL}, {"line_stop", NULL},
    {"label", NULL}, {"tuning", NULL}, {"step", NULL}, {"tally", NULL}, {"tally_fault", NULL}, {"tally_step", NULL},
    {"tally_day", NULL}, {"tally_step_day", NULL}, {"image_region", NULL},
    {NULL, NULL}};

const char *const seeded_tables[] = {"event_kind", "outcome", "purpose", NULL};

static const struct statements *const groups[] = {&project_names, &project_station, &project_attempts, &project_lots,
                                                  &project_people, &project_line};

enum { STATEMENTS_MAX = 96, PARAMS_MAX = 40 };

struct projector {
    sqlite3 *db;
    struct restore *restore;
    size_t n;
    struct {
        const struct statement *s;
        sqlite3_stmt *stmt; /* NULL: not needed yet */
        int n;
        const struct param *param[PARAMS_MAX]; /* of ?1, ?2, ... */
    } of[STATEMENTS_MAX];
};

/* ---- binding -------------------------------------------------------------------------------------- */

static const json_t *member_of(const json_t *leaf, const json_t *element, const char *member)
{
    char head[32];
    const char *slash = strchr(member, '/');
    if (!slash)
        return json_object_get(leaf, member);
    if (member[0] == '.')
        return json_is_array(element) ? json_array_get(element, (size_t)(slash[1] - '0')) : json_object_get(element, slash + 1);
    size_t n = (size_t)(slash - member);
    if (n >= sizeof head)
        return NULL;
    memcpy(head, member, n);
    head[n] = 0;
    return json_object_get(json_object_get(leaf, head), slash + 1);
}

/* Hex, with or without separators, into at most 32 bytes; 0 when it is none. */
static size_t hex_bytes(const char *text, uint8_t out[static 32])
{
    char plain[65];
    size_t n = 0;
    for (; *text; text++) {
        if (*text == ':' || *text == '-')
            continue;
        if (n == sizeof plain - 1)
            return 0;
        plain[n++] = *text;
    }
    plain[n] = 0;
    return n % 2 == 0 && fl_unhex(plain, out, n / 2) ? n / 2 : 0;
}

static int bind_bytes(sqlite3_stmt *s, int at, const char *text)
{
    uint8_t bytes[32];
    size_t n = hex_bytes(text, bytes);
    return n ? sqlite3_bind_blob(s, at, bytes, (int)n, SQLITE_TRANSIENT) : SQLITE_MISMATCH;
}

static int bind_mac(sqlite3_stmt *s, int at, const char *text)
{
    uint8_t mac[8];
    sqlite3_int64 v = 0;
    if (event_mac_parse(text, mac) != 6)
        return SQLITE_MISMATCH;
    for (int i = 0; i < 6; i++)
        v = v << 8 | mac[i];
    return sqlite3_bind_int64(s, at, v);
}

/* The numbers of the table `purpose`. */
static int bind_purpose(sqlite3_stmt *s, int at, const char *text)
{
    static const char *const names[] = {"golden", "known_bad", "dry_run"};
    for (int i = 0; i < 3; i++)
        if (strcmp(names[i], text) == 0)
            return sqlite3_bind_int(s, at, i + 1);
    return SQLITE_MISMATCH;
}

static int bind_json(sqlite3_stmt *s, int at, const json_t *v)
{
    struct fl_buf b = FL_BUF(65536);
    int rc = SQLITE_MISMATCH;
    if (fl_json_canonical(v, &b, NULL) == FL_OK)
        rc = sqlite3_bind_text(s, at, fl_buf_text(&b), (int)b.len, SQLITE_TRANSIENT);
    fl_buf_fini(&b);
    return rc;
}

static int bind_text(sqlite3_stmt *s, int at, enum param_type type, const json_t *v)
{
    const char *text = json_string_value(v);
    enum outcome o;
    int64_t ms;
    switch (type) {
    case PARAM_TEXT:
        if (!*text)
            return sqlite3_bind_null(s, at);
        /* fall through */
    case PARAM_TEXT0:
        return sqlite3_bind_text(s, at, text, (int)json_string_length(v), SQLITE_TRANSIENT);
    case PARAM_MAC:
        return bind_mac(s, at, text);
    case PARAM_BYTES:
        return bind_bytes(s, at, text);
    case PARAM_TIME:
        return fl_time_parse(text, &ms) ? sqlite3_bind_int64(s, at, ms) : SQLITE_MISMATCH;
    case PARAM_OUTCOME:
        return outcome_parse(text, &o) ? sqlite3_bind_int(s, at, (int)o) : SQLITE_MISMATCH;
    case PARAM_PURPOSE:
        return bind_purpose(s, at, text);
    default:
        return SQLITE_MISMATCH;
    }
}

static int bind_missing(sqlite3_stmt *s, int at, enum param_type type)
{
    return type == PARAM_TEXT0 ? sqlite3_bind_text(s, at, "", 0, SQLITE_STATIC)
           : type == PARAM_INT1 || type == PARAM_COUNT ? sqlite3_bind_int(s, at, type == PARAM_INT1)
                                           : sqlite3_bind_null(s, at);
}

static int bind_value(sqlite3_stmt *s, int at, enum param_type type, const json_t *v)
{
    if (!v)
        return bind_missing(s, at, type);
    if (type == PARAM_JSON)
        return bind_json(s, at, v);
    if (json_is_string(v))
        return bind_text(s, at, type, v);
    if (json_is_integer(v) && (type == PARAM_INT || type == PARAM_INT1))
        return sqlite3_bind_int64(s, at, json_integer_value(v));
    if (json_is_array(v) && type == PARAM_COUNT)
        return sqlite3_bind_int64(s, at, (sqlite3_int64)json_array_size(v));
    return SQLITE_MISMATCH;
}

/* ---- running -------------------------------------------------------------------------------------- */

static enum fl_err make_ready(struct projector *p, size_t i, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = db_prepare(p->db, p->of[i].s->sql, &s, why);
    int n = err ? 0 : sqlite3_bind_parameter_count(s);
    if (n > PARAMS_MAX)
        err = fl_fail(why, FL_LIMIT, "a statement has more than %d parameters", PARAMS_MAX);
    for (int k = 0; k < n && !err; k++) {
        const char *name = sqlite3_bind_parameter_name(s, k + 1);
        p->of[i].param[k] = project_param(name);
        if (!p->of[i].param[k])
            err = fl_fail(why, FL_ARG, "no member is known for the parameter %s", name ? name : "?");
    }
    if (err) {
        (void)sqlite3_finalize(s);
        return err;
    }
    p->of[i].n = n;
    p->of[i].stmt = s;
    return FL_OK;
}

void projector_warm(struct projector *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (!p->of[i].stmt && make_ready(p, i, NULL))
            return;
}

static enum fl_err run_one(struct projector *p, size_t i, int64_t index, const json_t *leaf, const json_t *element,
                           struct fl_why *why)
{
    enum fl_err err = p->of[i].stmt ? FL_OK : make_ready(p, i, why);
    if (err)
        return err;
    sqlite3_stmt *s = p->of[i].stmt;
    for (int k = 0; k < p->of[i].n; k++) {
        const struct param *q = p->of[i].param[k];
        int rc = q->type == PARAM_LEAF ? sqlite3_bind_int64(s, k + 1, index)
                                 : bind_value(s, k + 1, q->type, member_of(leaf, element, q->member));
        if (rc == SQLITE_MISMATCH)
            return fl_fail(why, FL_FORMAT, "the member %s of the record is not what it must be", q->member);
        if (rc != SQLITE_OK)
            return db_fail(p->db, why, "cannot bind a value");
    }
    return db_run(s, why);
}

/* `told`: the record as it is, `leaf`: with what it left out. */
static enum fl_err run_all(struct projector *p, enum event_kind kind, int64_t index, const json_t *told, const json_t *leaf,
                           struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < p->n && !err; i++) {
        const struct statement *s = p->of[i].s;
        if (!(s->kinds >> kind & 1u) || (s->needs && !member_of(leaf, NULL, s->needs)))
            continue;
        if (!s->each) {
            err = run_one(p, i, index, leaf, NULL, why);
            continue;
        }
        const json_t *list = *s->each == '=' ? json_object_get(told, s->each + 1) : json_object_get(leaf, s->each);
        for (size_t k = 0; k < json_array_size(list) && !err; k++)
            err = run_one(p, i, index, leaf, json_array_get(list, k), why);
    }
    return err;
}

enum fl_err projector_leaf(struct projector *p, int64_t index, const json_t *leaf, struct fl_why *why)
{
    enum event_kind kind;
    json_t *whole;
    if (!event_kind_parse(fl_json_text(leaf, "event"), &kind))
        return FL_OK; /* of a newer program: no rows here, the leaf is kept */
    enum fl_err err = restore_leaf(p->restore, leaf, &whole, why);
    if (!err)
        err = run_all(p, kind, index, leaf, whole, why);
    json_decref(whole);
    return err;
}

/* ---- life ------------------------------------------------------------------------------------------ */

enum fl_err projector_new(sqlite3 *db, sqlite3 *leaves, struct projector **out, struct fl_why *why)
{
    struct projector *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p)
        return fl_fail(why, FL_NOMEM, "out of memory");
    p->db = db;
    enum fl_err err = restore_new(leaves, &p->restore, why);
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (size_t i = 0; i < groups[g]->n && !err; i++) {
            if (p->n == STATEMENTS_MAX)
                err = fl_fail(why, FL_LIMIT, "more statements than a projector holds");
            else
                p->of[p->n++].s = &groups[g]->list[i];
        }
    if (err)
        projector_free(p);
    else
        *out = p;
    return err;
}

void projector_forget(struct projector *p)
{
    restore_forget(p->restore);
}

void projector_free(struct projector *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        (void)sqlite3_finalize(p->of[i].stmt);
    restore_free(p->restore);
    free(p);
}
