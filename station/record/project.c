/* SPDX-License-Identifier: Apache-2.0
 *
 * A leaf runs the statements of its kind, in order. A statement runs only when the member it needs is there, and once
 * for each element when it is about an array. Its parameters are found by name in the table below: a column never has
 * a second road from the leaf.
 *
 * Whatever these statements compute must follow from the leaves before and nothing else: no clock, no random, no
 * rowid that depends on what was deleted.
 */
#include "record/project.h"

#include "base/clock.h"
#include "base/hash.h"
#include "event/event.h"
#include "record/db.h"

#include <stdlib.h>
#include <string.h>

const char *const projected_tables[] = {"word", "station", "boot", "operator", "lot", "slot", "bridge", "profile",
                                        "image", "profile_image", "unit", "open_attempt", "attempt", "unit_lot",
                                        "bridge_model", "step", "tally", "tally_fault", "tally_step", NULL};

/* ---- parameters ----------------------------------------------------------------------------------- */

enum type {
    LEAF,    /* the leaf's index */
    TEXT,    /* NULL when missing or empty */
    TEXT0,   /* '' when missing */
    INT,
    INT1,    /* 1 when missing */
    TIME,    /* RFC 3339 text as milliseconds */
    MAC,     /* text as a 48-bit number */
    BYTES,   /* hex as a blob, colons and dashes allowed */
    OUTCOME, /* name as its number */
    COUNT,   /* how many elements, 0 when missing */
};

/* `member` may go one step into an object: "bridge/id". Of an element: "./sha256", and of one that is an array "./0". */
static const struct param {
    const char *name, *member;
    enum type type;
} params[] = {
    {":leaf", NULL, LEAF},
    {":time", "time", TIME},
    {":boot", "boot", INT},
    {":sw", "sw", TEXT},
    {":station", "station", TEXT},
    {":origin", "origin", TEXT},
    {":vkey", "vkey", TEXT},
    {":host", "host", TEXT},
    {":job", "job", BYTES},
    {":start", "start", INT},
    {":slot", "slot", INT},
    {":port", "port", TEXT0},
    {":path", "bridge/path", TEXT0},
    {":usb_id", "bridge/id", TEXT},
    {":usb_serial", "bridge/serial", TEXT0},
    {":usb_driver", "bridge/driver", TEXT0},
    {":profile", "profile", BYTES},
    {":operator", "operator", TEXT0},
    {":lot", "lot", TEXT0},
    {":mac", "mac", MAC},
    {":eui64", "eui64", BYTES},
    {":chip", "chip", TEXT},
    {":revision", "revision", INT},
    {":flash_id", "flash_id", INT},
    {":flash_size", "flash_size", INT},
    {":secure_boot", "secure_boot", INT},
    {":flash_encryption", "flash_encryption", INT},
    {":outcome", "outcome", OUTCOME},
    {":fault", "fault", TEXT},
    {":step", "step", TEXT},
    {":loader", "loader", TEXT},
    {":baud", "baud", INT},
    {":start_ms", "start_ms", INT},
    {":ms", "ms", INT},
    {":tries", "tries", INT1},
    {":rungs", "rungs", COUNT},
    {":bytes_out", "bytes_out", INT},
    {":bytes_in", "bytes_in", INT},
    {":plain_bytes", "plain_bytes", INT},
    {":hash", "hash", BYTES},
    {":name", "name", TEXT},
    {":version", "version", TEXT},
    {":i_sha256", "./sha256", BYTES},
    {":i_size", "./size", INT},
    {":i_offset", "./offset", INT},
    {":i_file", "./file", TEXT0},
    {":t_step", "./0", TEXT},
    {":t_ms", "./1", INT},
    {":t_rungs", "./2", INT},
};

/* ---- statements ----------------------------------------------------------------------------------- */

#define BIT(kind) (1u << EVENT_##kind)
#define ENDS (BIT(ATTEMPT_RESULT) | BIT(INTERRUPTED))

#define WORD(param) "(SELECT id FROM word WHERE text = " param ")"
#define SLOT "(SELECT id FROM slot WHERE slot = :slot AND port = :port AND path = :path)"
#define LOT "(SELECT id FROM lot WHERE name = :lot)"
/* the attempts of this unit in this lot that count, before this one */
#define BEFORE "(SELECT attempts FROM unit_lot WHERE unit = :mac AND lot = " LOT ")"

static const struct statement {
    unsigned kinds;
    const char *needs; /* member that must be there, NULL: none */
    const char *each;  /* array to go through, NULL: once */
    const char *sql;
} statements[] = {
    {BIT(LOG_OPEN), NULL, NULL,
     "INSERT INTO station (leaf, name, origin, vkey, opened_ms) VALUES (:leaf, :station, :origin, :vkey, :time)"},

    {BIT(BOOT), NULL, NULL,
     "INSERT INTO word (text) SELECT column1 FROM (VALUES (:sw), (:host)) WHERE column1 IS NOT NULL "
     "ON CONFLICT (text) DO NOTHING"},
    {BIT(BOOT), NULL, NULL,
     "INSERT INTO boot (leaf, at_ms, sw, host) VALUES (:leaf, :time, " WORD(":sw") ", " WORD(":host") ")"},

    {BIT(PROFILE), NULL, NULL,
     /* an attempt may have named the hash before: then the name comes to its row now */
     "INSERT INTO profile (hash, name, version, leaf) VALUES (:hash, :name, :version, :leaf) "
     "ON CONFLICT (hash) DO UPDATE SET name = excluded.name, version = excluded.version, leaf = excluded.leaf"},
    {BIT(PROFILE), NULL, "images",
     "INSERT INTO image (sha256, size, leaf) VALUES (:i_sha256, :i_size, :leaf) ON CONFLICT (sha256) DO NOTHING"},
    {BIT(PROFILE), NULL, "images",
     "INSERT INTO profile_image (profile, offset, image, file) "
     "VALUES ((SELECT id FROM profile WHERE hash = :hash), :i_offset, (SELECT id FROM image WHERE sha256 = :i_sha256), :i_file)"},

    {BIT(ATTEMPT_START), NULL, NULL,
     "INSERT INTO open_attempt (job, slot, leaf) VALUES (:job, :slot, :leaf)"},

    {ENDS, NULL, NULL,
     "INSERT INTO word (text) SELECT column1 FROM (VALUES (:chip), (:fault), (:step), (:loader)) "
     "WHERE column1 IS NOT NULL ON CONFLICT (text) DO NOTHING"},
    {ENDS, "operator", NULL, "INSERT INTO operator (name, leaf) VALUES (:operator, :leaf) ON CONFLICT (name) DO NOTHING"},
    {ENDS, "lot", NULL, "INSERT INTO lot (name, leaf) VALUES (:lot, :leaf) ON CONFLICT (name) DO NOTHING"},
    {ENDS, NULL, NULL,
     "INSERT INTO slot (slot, port, path, leaf) VALUES (:slot, :port, :path, :leaf) ON CONFLICT (slot, port, path) DO NOTHING"},
    {ENDS, "bridge/id", NULL,
     "INSERT INTO bridge (usb_id, serial, driver, leaf) VALUES (:usb_id, :usb_serial, :usb_driver, :leaf) "
     "ON CONFLICT (usb_id, serial, driver) DO NOTHING"},
    {ENDS, "profile", NULL, "INSERT INTO profile (hash, leaf) VALUES (:profile, :leaf) ON CONFLICT (hash) DO NOTHING"},
    {ENDS, "mac", NULL,
     "INSERT INTO unit (mac, eui64, chip, revision, flash_id, flash_size, secure_boot, flash_encryption, first_leaf, leaf) "
     "VALUES (:mac, :eui64, " WORD(":chip") ", :revision, :flash_id, :flash_size, :secure_boot, :flash_encryption, :leaf, :leaf) "
     "ON CONFLICT (mac) DO UPDATE SET eui64 = coalesce(excluded.eui64, eui64), chip = coalesce(excluded.chip, chip), "
     "revision = coalesce(excluded.revision, revision), flash_id = coalesce(excluded.flash_id, flash_id), "
     "flash_size = coalesce(excluded.flash_size, flash_size), secure_boot = coalesce(excluded.secure_boot, secure_boot), "
     "flash_encryption = coalesce(excluded.flash_encryption, flash_encryption), leaf = excluded.leaf"},
    {ENDS, NULL, NULL,
     "INSERT INTO attempt (leaf, start_leaf, boot, unit, lot, number, slot, bridge, profile, operator, outcome, fault, step, "
     "loader, baud, start_ms, ms, tries, rungs, bytes_out, bytes_in, plain_bytes) VALUES (:leaf, "
     "(SELECT leaf FROM open_attempt WHERE job = :job), :boot, :mac, " LOT ", "
     "CASE WHEN :outcome <> 3 AND :mac IS NOT NULL THEN coalesce(" BEFORE ", 0) + 1 END, " SLOT ", "
     "(SELECT id FROM bridge WHERE usb_id = :usb_id AND serial = :usb_serial AND driver = :usb_driver), "
     "(SELECT id FROM profile WHERE hash = :profile), (SELECT id FROM operator WHERE name = :operator), :outcome, "
     WORD(":fault") ", " WORD(":step") ", " WORD(":loader") ", :baud, coalesce(:start_ms, :time), :ms, :tries, :rungs, "
     ":bytes_out, :bytes_in, :plain_bytes)"},
    {ENDS, "mac", NULL,
     /* 3 is ABORTED: taken out by the operator, no try of the unit. passed_at: number of the first PASS. fail_...: of the
      * first attempt that did not pass */
     "INSERT INTO unit_lot (unit, lot, attempts, first_outcome, passed_at, fail_fault, fail_step, fail_slot, first_leaf, leaf) "
     "SELECT :mac, " LOT ", 1, :outcome, iif(:outcome = 0, 1, NULL), iif(:outcome = 0, NULL, " WORD(":fault") "), "
     "iif(:outcome = 0, NULL, " WORD(":step") "), iif(:outcome = 0, NULL, " SLOT "), :leaf, :leaf WHERE :outcome <> 3 "
     "ON CONFLICT (unit, lot) DO UPDATE SET attempts = attempts + 1, "
     "passed_at = coalesce(passed_at, iif(excluded.passed_at IS NULL, NULL, attempts + 1)), "
     "fail_fault = iif(fail_slot IS NULL, excluded.fail_fault, fail_fault), "
     "fail_step = iif(fail_slot IS NULL, excluded.fail_step, fail_step), "
     "fail_slot = coalesce(fail_slot, excluded.fail_slot), leaf = excluded.leaf"},
    {ENDS, NULL, NULL, "DELETE FROM open_attempt WHERE job = :job"},

    /* the other tallies are kept by triggers (db/, statistics): what a step took stands in the record alone */
    {ENDS, NULL, "steps", "INSERT INTO step (name) VALUES (:t_step) ON CONFLICT (name) DO NOTHING"},
    {ENDS, NULL, "steps",
     "INSERT INTO tally_step (half, slot, lot, model, profile, step, attempts, ms, pass_ms, firsts, first_passed) "
     "SELECT c.half, c.slot, c.lot, c.model, c.profile, (SELECT id FROM step WHERE name = :t_step), 1, :t_ms, "
     "iif(a.outcome = 0, :t_ms, 0), a.number IS 1, a.number IS 1 AND :t_rungs IS NULL AND (a.outcome = 0 OR :step IS NOT :t_step) "
     "FROM attempt a JOIN attempt_cell c ON c.leaf = a.leaf WHERE a.leaf = :leaf "
     "ON CONFLICT (half, slot, lot, model, profile, step) DO UPDATE SET attempts = attempts + 1, ms = ms + excluded.ms, "
     "pass_ms = pass_ms + excluded.pass_ms, firsts = firsts + excluded.firsts, first_passed = first_passed + excluded.first_passed"},
};

enum { N_STATEMENTS = sizeof statements / sizeof *statements, PARAMS_MAX = 40 };

struct projector {
    sqlite3 *db;
    struct {
        sqlite3_stmt *stmt;
        int n;
        const struct param *param[PARAMS_MAX]; /* of ?1, ?2, ... */
    } of[N_STATEMENTS];
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

static int bind_text(sqlite3_stmt *s, int at, enum type type, const json_t *v)
{
    const char *text = json_string_value(v);
    enum outcome o;
    int64_t ms;
    switch (type) {
    case TEXT:
        if (!*text)
            return sqlite3_bind_null(s, at);
        /* fall through */
    case TEXT0:
        return sqlite3_bind_text(s, at, text, (int)json_string_length(v), SQLITE_TRANSIENT);
    case MAC:
        return bind_mac(s, at, text);
    case BYTES:
        return bind_bytes(s, at, text);
    case TIME:
        return fl_time_parse(text, &ms) ? sqlite3_bind_int64(s, at, ms) : SQLITE_MISMATCH;
    case OUTCOME:
        return outcome_parse(text, &o) ? sqlite3_bind_int(s, at, (int)o) : SQLITE_MISMATCH;
    default:
        return SQLITE_MISMATCH;
    }
}

static int bind_missing(sqlite3_stmt *s, int at, enum type type)
{
    return type == TEXT0 ? sqlite3_bind_text(s, at, "", 0, SQLITE_STATIC)
           : type == INT1 || type == COUNT ? sqlite3_bind_int(s, at, type == INT1)
                                           : sqlite3_bind_null(s, at);
}

static int bind_value(sqlite3_stmt *s, int at, enum type type, const json_t *v)
{
    if (!v)
        return bind_missing(s, at, type);
    if (json_is_string(v))
        return bind_text(s, at, type, v);
    if (json_is_integer(v) && (type == INT || type == INT1))
        return sqlite3_bind_int64(s, at, json_integer_value(v));
    if (json_is_array(v) && type == COUNT)
        return sqlite3_bind_int64(s, at, (sqlite3_int64)json_array_size(v));
    return SQLITE_MISMATCH;
}

static enum fl_err run_one(struct projector *p, size_t i, int64_t index, const json_t *leaf, const json_t *element,
                           struct fl_why *why)
{
    sqlite3_stmt *s = p->of[i].stmt;
    for (int k = 0; k < p->of[i].n; k++) {
        const struct param *q = p->of[i].param[k];
        int rc = q->type == LEAF ? sqlite3_bind_int64(s, k + 1, index)
                                 : bind_value(s, k + 1, q->type, member_of(leaf, element, q->member));
        if (rc == SQLITE_MISMATCH)
            return fl_fail(why, FL_FORMAT, "the member %s of the record is not what it must be", q->member);
        if (rc != SQLITE_OK)
            return db_fail(p->db, why, "cannot bind a value");
    }
    return db_run(s, why);
}

enum fl_err projector_leaf(struct projector *p, int64_t index, const json_t *leaf, struct fl_why *why)
{
    enum event_kind kind;
    enum fl_err err = FL_OK;
    if (!event_kind_parse(fl_json_text(leaf, "event"), &kind))
        return FL_OK; /* of a newer program: no rows here, the leaf is kept */
    for (size_t i = 0; i < N_STATEMENTS && !err; i++) {
        const struct statement *s = &statements[i];
        if (!(s->kinds >> kind & 1u) || (s->needs && !member_of(leaf, NULL, s->needs)))
            continue;
        if (!s->each) {
            err = run_one(p, i, index, leaf, NULL, why);
            continue;
        }
        const json_t *list = json_object_get(leaf, s->each);
        for (size_t k = 0; k < json_array_size(list) && !err; k++)
            err = run_one(p, i, index, leaf, json_array_get(list, k), why);
    }
    return err;
}

/* ---- statements made ready ------------------------------------------------------------------------ */

static const struct param *param_named(const char *name)
{
    for (size_t i = 0; name && i < sizeof params / sizeof *params; i++)
        if (strcmp(params[i].name, name) == 0)
            return &params[i];
    return NULL;
}

enum fl_err projector_new(sqlite3 *db, struct projector **out, struct fl_why *why)
{
    struct projector *p = calloc(1, sizeof *p);
    enum fl_err err = FL_OK;
    *out = NULL;
    if (!p)
        return fl_fail(why, FL_NOMEM, "out of memory");
    p->db = db;
    for (size_t i = 0; i < N_STATEMENTS && !err; i++) {
        err = db_prepare(db, statements[i].sql, &p->of[i].stmt, why);
        p->of[i].n = err ? 0 : sqlite3_bind_parameter_count(p->of[i].stmt);
        for (int k = 0; k < p->of[i].n && !err; k++) {
            const char *name = k < PARAMS_MAX ? sqlite3_bind_parameter_name(p->of[i].stmt, k + 1) : NULL;
            p->of[i].param[k < PARAMS_MAX ? k : 0] = param_named(name);
            if (!param_named(name))
                err = fl_fail(why, FL_ARG, "no member is known for the parameter %s", name ? name : "?");
        }
    }
    if (err)
        projector_free(p);
    else
        *out = p;
    return err;
}

void projector_free(struct projector *p)
{
    for (size_t i = 0; p && i < N_STATEMENTS; i++)
        (void)sqlite3_finalize(p->of[i].stmt);
    free(p);
}
