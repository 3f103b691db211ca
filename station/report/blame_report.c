/* SPDX-License-Identifier: Apache-2.0
 * blame over the records: cells from the tally, findings as an engineer would write them. */
#include "base/grow.h"
#include "base/utf8.h"
#include "report/blame.h"
#include "report/engine.h"
#include "report/stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct blame_cell *cells;
    struct blame_image *images;
    size_t n, cap, n_images, cap_images;
};

static const char cells_sql[] =
    "SELECT (SELECT slot FROM slot WHERE id = t.slot), t.model, t.lot, t.profile, t.half / 2, t.units, t.units - t.passed_1, t.other_slot, "
    "t.other_slot - t.other_passed FROM {halves} WHERE {where} AND t.units > 0";

static enum fl_err read_cells(struct report *r, const struct filter *f, struct reading *d, struct fl_why *why)
{
    sqlite3_stmt *s;
    int rc = SQLITE_DONE;
    enum fl_err err = filter_prepare(r, f, cells_sql, &s, why);
    if (err)
        return err;
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct blame_cell *p = fl_grow(d->cells, d->n, 1, &d->cap, sizeof *p);
        if (!p) {
            err = fl_fail(why, FL_NOMEM, "out of memory");
            break;
        }
        d->cells = p;
        struct blame_cell *c = &d->cells[d->n++];
        for (int i = 0; i < BLAME_LEVELS; i++)
            c->key[i] = sqlite3_column_int64(s, i);
        c->units = sqlite3_column_int64(s, 5);
        c->failed = sqlite3_column_int64(s, 6);
        c->again = sqlite3_column_int64(s, 7);
        c->again_failed = sqlite3_column_int64(s, 8);
    }
    if (!err && rc != SQLITE_DONE)
        err = db_fail(r->reader.db, why, "cannot read");
    (void)sqlite3_finalize(s);
    return err;
}

static enum fl_err image_row(void *ctx, sqlite3_stmt *s)
{
    struct reading *d = ctx;
    struct blame_image *p = fl_grow(d->images, d->n_images, 1, &d->cap_images, sizeof *p);
    if (!p)
        return FL_NOMEM;
    d->images = p;
    d->images[d->n_images++] = (struct blame_image){sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1)};
    return FL_OK;
}

/* ---- words ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *factor, *there; /* "in slot 7" */
    const char *advice;
} words[] = {
    [BLAME_SLOT] = {"slot", "in", "To confirm: put three boards that passed elsewhere into it, and its board elsewhere; then cable, pogo pins, socket."},
    [BLAME_BRIDGE] = {"bridge", "behind", "To confirm: try the other kind of bridge with the same boards, then another driver, cable or a lower speed."},
    [BLAME_LOT] = {"lot", "of", "To confirm: mix boards of another lot into the same slots; then ask where these boards come from."},
    [BLAME_IMAGE] = {"image", "with", "To confirm: flash the image before it onto boards that failed."},
    [BLAME_HOUR] = {"hour", "in", "Ask what happened then: power, a new operator, a hub that was moved, a change of material."},
    [BLAME_UNIT] = {"unit", "", "The boards themselves are at fault, not slot or cable: look at them, by the faults in the Pareto."},
};

static enum fl_err name_row(void *ctx, sqlite3_stmt *s)
{
    (void)snprintf(ctx, 100, "%s", query_text(s, 0) ? query_text(s, 0) : "");
    return FL_OK;
}

static enum fl_err level_name(struct report *r, const struct filter *f, const struct blame_level *l, char out[static 100], struct fl_why *why)
{
    static const char *const sql[BLAME_LEVELS] = {
        [BLAME_BRIDGE] = "SELECT 'bridges ' || iif(usb_id = '', 'of no known kind', usb_id || iif(driver = '', '', ' (' || driver || ')')) "
                         "FROM bridge_model WHERE id = %lld",
        [BLAME_LOT] = "SELECT iif(name = '', 'units without a lot', 'lot ' || name) FROM lot WHERE id = %lld",
        [BLAME_IMAGE] = "SELECT 'image ' || coalesce((SELECT min(file) FROM profile_image WHERE image = i.id) || ' ', '') || "
                        "lower(substr(hex(sha256), 1, 12)) FROM image i WHERE id = %lld",
    };
    char text[PERIOD_TEXT], zone[8];
    out[0] = 0;
    if (l->factor == BLAME_SLOT)
        (void)snprintf(out, 100, "slot %lld", (long long)l->key);
    if (l->factor == BLAME_HOUR) {
        zone_text(&f->period.zone, l->key * 3600000, text);
        (void)snprintf(out, 100, "the hour from %s %s", text, zone_name(&f->period.zone, zone));
    }
    if (l->factor == BLAME_UNIT)
        (void)snprintf(out, 100, "the units themselves");
    if ((int)l->factor >= BLAME_LEVELS || !sql[l->factor])
        return FL_OK;
    char *q = sqlite3_mprintf(sql[l->factor], l->key);
    enum fl_err err = q ? query_each(r, q, name_row, out, why) : fl_fail(why, FL_NOMEM, "out of memory");
    sqlite3_free(q);
    fl_utf8_clean(out, false); /* a file's name may be longer than what is kept, and be cut within a letter */
    return err;
}

static double percent(int64_t part, int64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static double times_of(const struct blame_finding *f)
{
    double rest = percent(f->rest_failed, f->rest_units);
    return rest > 0 ? percent(f->level.failed, f->level.units) / rest : 0;
}

static void sentence(const struct blame_finding *f, const char *name, size_t looks, struct fl_buf *b)
{
    double times = times_of(f);
    struct stat_interval w = stat_wilson(f->level.failed, f->level.units);
    if (f->level.factor == BLAME_UNIT)
        fl_buf_addf(b, "Failures go along with the unit: of units that failed at first, %.1f %% fail again in another slot (%lld of %lld), while "
                       "%.1f %% %s (%lld of %lld)", percent(f->level.failed, f->level.units), (long long)f->level.failed,
                    (long long)f->level.units, percent(f->rest_failed, f->rest_units),
                    f->weighed ? "would in those slots, whatever the unit" : "of all fail at first", (long long)f->rest_failed,
                    (long long)f->rest_units);
    else
        fl_buf_addf(b, "%c%s: %.1f %% of units fail at their first attempt %s it (%lld of %lld; 95 %%: %.1f to %.1f %%), %.1f %% elsewhere "
                       "(%lld of %lld)", name[0] >= 'a' ? name[0] - 32 : name[0], name + 1, percent(f->level.failed, f->level.units),
                    words[f->level.factor].there, (long long)f->level.failed, (long long)f->level.units, 100 * w.low, 100 * w.high,
                    percent(f->rest_failed, f->rest_units), (long long)f->rest_failed, (long long)f->rest_units);
    if (times > 0)
        fl_buf_addf(b, ": %.1f times as often", times);
    fl_buf_addf(b, ", p = %.2g after correction for %zu looks.\n", f->adjusted, looks);
}

static enum fl_err together(struct report *r, const struct filter *f, const struct blame_finding *g, struct fl_buf *b, struct fl_why *why)
{
    char name[100];
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < g->n_together && !err; i++) {
        err = level_name(r, f, &g->together[i], name, why);
        fl_buf_addf(b, "%s%s", i ? ", " : "  These are nearly the same units as: ", name);
    }
    if (g->n_together)
        fl_buf_adds(b, ". The records cannot tell which of them it is; run one without the other.\n");
    fl_buf_addf(b, "  %s\n", words[g->level.factor].advice);
    return err;
}

/* ---- the sheet ------------------------------------------------------------------------------------------- */

static const struct table_column columns[] = {
    {"factor", "factor", TABLE_TEXT}, {"level", "level", TABLE_TEXT}, {"units", "units", TABLE_INT}, {"failed", "failed", TABLE_INT},
    {"share", "share", TABLE_PERCENT}, {"low", "from", TABLE_PERCENT}, {"high", "to", TABLE_PERCENT}, {"rest_units", "other units", TABLE_INT},
    {"rest_failed", "failed", TABLE_INT}, {"rest_share", "share", TABLE_PERCENT}, {"times", "times", TABLE_REAL}, {"p", "p", TABLE_TEXT},
    {"p_corrected", "p corrected", TABLE_TEXT},
};

static void finding_row(struct table *t, const struct blame_finding *f, const char *name)
{
    char p[24];
    struct stat_interval w = stat_wilson(f->level.failed, f->level.units);
    table_text(t, words[f->level.factor].factor);
    table_text(t, name);
    table_int(t, f->level.units);
    table_int(t, f->level.failed);
    table_ratio(t, f->level.failed, f->level.units);
    table_share(t, w.low);
    table_share(t, w.high);
    table_int(t, f->rest_units);
    table_int(t, f->rest_failed);
    table_ratio(t, f->rest_failed, f->rest_units);
    times_of(f) > 0 ? table_real(t, times_of(f), 1) : table_none(t);
    (void)snprintf(p, sizeof p, "%.3g", f->p);
    table_text(t, p);
    (void)snprintf(p, sizeof p, "%.3g", f->adjusted);
    table_text(t, p);
    table_end(t);
}

static enum fl_err findings(struct report *r, const struct filter *f, const struct blame_result *b, struct sheet *s, struct fl_why *why)
{
    struct table *t = table_new(columns, sizeof columns / sizeof *columns);
    struct fl_buf text = FL_BUF(100000);
    char name[100];
    enum fl_err err = t ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < b->n_found && !err; i++) {
        const struct blame_finding *g = &b->found[i];
        err = level_name(r, f, &g->level, name, why);
        if (err)
            break;
        fl_buf_addf(&text, "%s", i ? "\n" : "");
        sentence(g, name, b->looks, &text);
        err = together(r, f, g, &text, why);
        finding_row(t, g, name);
    }
    if (b->explained && !err)
        fl_buf_addf(&text, "\n%zu more looked worse than the rest, but only through the units named above.\n", b->explained);
    if (!b->n_found && !err)
        fl_buf_addf(&text, "No difference shown: of %zu looks none is worse than chance gives. %s\n", b->looks,
                    b->looks ? "That does not prove that all are equal: small differences need many units." :
                               "There is nothing to compare: one slot, lot, hour and so on only, or no unit yet.");
    s->text = err || fl_buf_err(&text, NULL) ? NULL : strdup(fl_buf_text(&text));
    fl_buf_fini(&text);
    if (!err && s->text)
        sheet_fact(s, "sentences", json_string(s->text), NULL, "%s", "");
    if (!err)
        sheet_part(s, &(struct sheet_part){"findings", "Findings",
                                           "the strongest first; each found again without the units of those above it", t, NULL});
    else
        table_free(t);
    return err;
}

enum fl_err facts_blame(struct report *r, const struct filter *f, struct sheet *s, struct fl_why *why)
{
    struct reading d = {.cells = NULL};
    struct blame_result *b = malloc(sizeof *b);
    enum fl_err err = b ? read_cells(r, f, &d, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = query_each(r, "SELECT profile, image FROM profile_image ORDER BY 1, 2", image_row, &d, why);
    if (!err) {
        const struct blame_input in = {.cells = d.cells, .n = d.n, .images = d.images, .n_images = d.n_images, .alpha = BLAME_ALPHA};
        if (blame_run(&in, b))
            err = fl_fail(why, FL_NOMEM, "out of memory");
    }
    if (!err) {
        sheet_fact(s, "units", json_integer(b->units), "units", "%lld, %lld failed at their first attempt", (long long)b->units,
                   (long long)b->failed);
        sheet_fact(s, "failed", json_integer(b->failed), NULL, "%s", "");
        sheet_fact(s, "looks", json_integer((json_int_t)b->looks), "looks",
                   "%zu slots, %zu kinds of bridge, %zu lots, %zu images, %zu hours, %zu units again",
                   b->looks_of[BLAME_SLOT], b->looks_of[BLAME_BRIDGE], b->looks_of[BLAME_LOT], b->looks_of[BLAME_IMAGE],
                   b->looks_of[BLAME_HOUR], b->looks_of[BLAME_UNIT]);
        sheet_fact(s, "false_alarm_rate", json_real(BLAME_ALPHA), "false alarms", "at most %.0f in 100 such reports over a line without a difference "
                   "(Fisher's exact test, Holm's correction)", 100 * BLAME_ALPHA);
        err = findings(r, f, b, s, why);
    }
    free(d.cells);
    free(d.images);
    free(b);
    return err;
}
