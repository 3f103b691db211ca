/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/results.h"

#include "base/grow.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { NOTES_MAX = 1 << 16, BAD_MAX = 1 << 16 /* units: 1 MB */ };

enum fl_err results_init(struct results *r, int format, size_t slots, int fd, uint64_t patience_ms, struct fl_why *why)
{
    enum fl_err err = outlet_open(fd, &r->out, why);
    if (err)
        return err;
    if (pthread_mutex_init(&r->lock, NULL) != 0) {
        (void)outlet_close(r->out, 0);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    r->ready = true;
    r->json = format == CLI_JSON_OUT;
    r->slots = slots;
    r->patience_ms = patience_ms;
    r->notes = FL_BUF(NOTES_MAX);
    r->began_ms = fl_mono_ms();
    return FL_OK;
}

void results_hold(struct results *r, bool results_too)
{
    (void)pthread_mutex_lock(&r->lock);
    outlet_hold(r->out, results_too);
    r->hold_notes = true;
    (void)pthread_mutex_unlock(&r->lock);
}

static void let_notes_go(struct results *r)
{
    (void)pthread_mutex_lock(&r->lock);
    cli_say("%s", fl_buf_text(&r->notes));
    fl_buf_fini(&r->notes);
    r->hold_notes = false;
    (void)pthread_mutex_unlock(&r->lock);
}

void results_note(struct results *r, const char *text)
{
    (void)pthread_mutex_lock(&r->lock);
    if (!r->hold_notes)
        cli_say("flashline: %s\n", text);
    else if (r->notes.len + strlen(text) < NOTES_MAX / 2) /* what is beyond is no news */
        fl_buf_addf(&r->notes, "flashline: %s\n", text);
    (void)pthread_mutex_unlock(&r->lock);
}

void results_fini(struct results *r)
{
    if (!r->ready)
        return;
    let_notes_go(r);
    (void)outlet_close(r->out, r->patience_ms);
    r->out = NULL;
    (void)pthread_mutex_destroy(&r->lock);
    free(r->bad);
    r->ready = false;
    r->bad = NULL;
}

static json_t *text_or_null(const char *s)
{
    return s && *s ? json_string(s) : json_null();
}

/* Several rungs of one kind are one name with their counts added. */
static void rung_lists(const struct attempt_facts *f, json_t *names, json_t *counts)
{
    for (size_t i = 0; i < f->n_rungs; i++) {
        size_t k = 0;
        while (k < json_array_size(names) &&
               strcmp(json_string_value(json_array_get(names, k)), f->rungs[i].name) != 0)
            k++;
        json_int_t before = k < json_array_size(counts) ? json_integer_value(json_array_get(counts, k)) : 0;
        if (k == json_array_size(names)) {
            (void)json_array_append_new(names, json_string(f->rungs[i].name));
            (void)json_array_append_new(counts, json_integer(f->rungs[i].count));
        } else {
            (void)json_array_set_new(counts, k, json_integer(before + f->rungs[i].count));
        }
    }
}

static json_t *measures_json(const struct attempt_facts *f)
{
    json_t *o = json_object();
    for (size_t i = 0; i < f->n_measures; i++) {
        const struct attempt_measure *m = &f->measures[i];
        (void)json_object_set_new(o, m->name, json_pack("{ss sf ss}", "verdict", m->verdict, "value", (double)m->value / 1e6,
                                                        "unit", m->unit));
    }
    return o;
}

static json_t *attempt_json(const struct attempt_facts *f, int64_t leaf)
{
    char mac[24] = "", revision[16] = "";
    json_t *names = json_array(), *counts = json_array();
    rung_lists(f, names, counts);
    if (f->has_mac)
        event_mac_format(f->mac, 6, mac);
    if (f->chip[0] && f->revision != UINT_MAX)
        (void)snprintf(revision, sizeof revision, "%u.%u", f->revision / 100, f->revision % 100);
    json_t *o = json_pack("{ss si ss so so so ss so so so so so}", "type", "attempt", "slot", f->slot,
                          "port", f->port, "mac", text_or_null(mac), "chip", text_or_null(f->chip),
                          "revision", text_or_null(revision), "outcome", outcome_name(f->outcome),
                          "fault", text_or_null(f->fault), "step", text_or_null(f->fault[0] ? f->step : ""),
                          "rungs", names, "rung_counts", counts, "loader", text_or_null(f->stub));
    if (!o)
        return NULL;
    if (!f->why[0] || fl_json_set_dirty(o, "why", f->why, strlen(f->why)))
        (void)json_object_set_new(o, "why", json_null());
    (void)json_object_set_new(o, "baud", f->baud ? json_integer(f->baud) : json_null());
    (void)json_object_set_new(o, "bytes", json_integer((json_int_t)f->plain_bytes));
    (void)json_object_set_new(o, "wire_bytes", json_integer((json_int_t)f->bytes_out));
    (void)json_object_set_new(o, "seconds", json_real(f->duration_ms / 1000.0));
    (void)json_object_set_new(o, "lot", text_or_null(f->lot));
    (void)json_object_set_new(o, "serial", text_or_null(f->serial));
    (void)json_object_set_new(o, "purpose", text_or_null(f->purpose));
    if (f->n_measures)
        (void)json_object_set_new(o, "measures", measures_json(f));
    (void)json_object_set_new(o, "leaf", leaf >= 0 ? json_integer((json_int_t)leaf) : json_null());
    return o;
}

static void print_json(FILE *out, json_t *o)
{
    char *s = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    if (s)
        fprintf(out, "%s\n", s);
    free(s);
    json_decref(o);
}

/* Each rung and its cause once, in the order in which they first came: a bad line takes dozens, by turns. */
static void print_rungs(FILE *out, const struct attempt_facts *f)
{
    for (size_t i = 0, said = 0; i < f->n_rungs; i++) {
        unsigned long long sum = 0, before = 0;
        for (size_t k = 0; k < f->n_rungs; k++)
            if (strcmp(f->rungs[k].name, f->rungs[i].name) == 0 && strcmp(f->rungs[k].cause, f->rungs[i].cause) == 0) {
                sum += f->rungs[k].count;
                before += k < i;
            }
        if (!before)
            cli_fprint(out, "%s%s x%llu (%s)", said++ ? ", " : " rungs: ", f->rungs[i].name, sum, f->rungs[i].cause);
    }
}

static void print_text(FILE *out, const struct attempt_facts *f, int64_t leaf)
{
    char mac[24] = "no MAC";
    const struct fault *fault = fault_find(f->fault);
    if (f->has_mac)
        event_mac_format(f->mac, 6, mac);
    cli_fprint(out, "slot %d: %s %s", f->slot, outcome_name(f->outcome), mac);
    if (f->chip[0])
        cli_fprint(out, " %s", f->chip);
    cli_fprint(out, " %.1f s", f->duration_ms / 1000.0);
    if (leaf >= 0)
        cli_fprint(out, " leaf %lld", (long long)leaf);
    print_rungs(out, f);
    fputc('\n', out);
    if (fault)
        cli_fprint(out, "    %s: %s\n    %s\n    -> %s\n", fault->name, fault->what, f->why, fault_todo(fault, f->port));
}

static bool answered(const struct attempt_facts *f)
{
    return f->has_mac || f->chip[0] ||
           (strncmp(f->fault, "port.", 5) != 0 && strcmp(f->fault, "link.silent") != 0 &&
            strcmp(f->fault, "operator.cancelled") != 0);
}

static bool same_unit(const struct unit_bad *u, const struct attempt_facts *f)
{
    return u->has_mac == f->has_mac && (f->has_mac ? memcmp(u->mac, f->mac, 6) == 0 : u->slot == f->slot);
}

static void note_unit(struct results *r, const struct attempt_facts *f)
{
    size_t i = r->n_bad;
    while (i > 0 && !same_unit(&r->bad[i - 1], f)) /* from the newest: one that is tried again was usually tried just now */
        i--;
    if (i && f->outcome == OUTCOME_PASS)
        r->bad[i - 1] = r->bad[--r->n_bad];
    if (i || f->outcome == OUTCOME_PASS)
        return;
    struct unit_bad *u = r->n_bad < BAD_MAX ? fl_grow(r->bad, r->n_bad, 1, &r->cap_bad, sizeof *u) : NULL;
    if (!u) {
        r->unknown = true; /* the exit code then says "not every unit PASS" */
        return;
    }
    r->bad = u;
    u += r->n_bad++;
    *u = (struct unit_bad){.has_mac = f->has_mac, .slot = f->slot};
    memcpy(u->mac, f->mac, 6);
}

/* What was written into memory goes out, if there is room. */
static bool put(struct results *r, FILE *m, char **text, size_t *n, bool last)
{
    bool ok = m && fclose(m) == 0 && outlet_put(r->out, *text, *n, last);
    free(*text);
    return ok;
}

static void say_unsaid(struct results *r, bool last)
{
    char *text = NULL;
    size_t n = 0;
    FILE *m = r->unsaid ? open_memstream(&text, &n) : NULL;
    if (m && r->json)
        print_json(m, json_pack("{ss si}", "type", "unsaid", "attempts", (int)r->unsaid));
    else if (m)
        cli_fprint(m, "and %u more attempts: see `flashline report summary`\n", r->unsaid);
    if (m && put(r, m, &text, &n, last))
        r->unsaid = 0;
}

static void say_attempt(struct results *r, const struct attempt_facts *f, int64_t leaf)
{
    char *text = NULL;
    size_t n = 0;
    say_unsaid(r, false);
    FILE *m = r->unsaid ? NULL : open_memstream(&text, &n);
    if (m && r->json)
        print_json(m, attempt_json(f, leaf));
    else if (m)
        print_text(m, f, leaf);
    r->unsaid += !put(r, m, &text, &n, false);
}

void results_add(struct results *r, const struct attempt_facts *f, int64_t leaf)
{
    (void)pthread_mutex_lock(&r->lock);
    r->attempts++;
    r->count[f->outcome]++;
    r->answered += answered(f);
    if (strcmp(f->fault, "unit.twice") == 0)
        r->twins = true;
    else
        note_unit(r, f);
    say_attempt(r, f, leaf);
    (void)pthread_mutex_unlock(&r->lock);
}

static void say_totals(struct results *r, double seconds)
{
    char *text = NULL;
    size_t n = 0;
    FILE *m = open_memstream(&text, &n);
    if (m && r->json)
        print_json(m, json_pack("{ss si si si si si si sf}", "type", "totals", "slots", (int)r->slots,
                                "attempts", (int)r->attempts, "pass", (int)r->count[OUTCOME_PASS], "fail",
                                (int)r->count[OUTCOME_FAIL], "error", (int)r->count[OUTCOME_ERROR],
                                "aborted", (int)r->count[OUTCOME_ABORTED], "seconds", seconds));
    else if (m)
        cli_fprint(m, "%u attempt%s on %zu slot%s in %.1f s: %u PASS, %u FAIL, %u ERROR, %u ABORTED\n",
                   r->attempts, r->attempts == 1 ? "" : "s", r->slots, r->slots == 1 ? "" : "s", seconds,
                   r->count[OUTCOME_PASS], r->count[OUTCOME_FAIL], r->count[OUTCOME_ERROR],
                   r->count[OUTCOME_ABORTED]);
    (void)put(r, m, &text, &n, true);
}

int results_end(struct results *r)
{
    double seconds = (double)(fl_mono_ms() - r->began_ms) / 1000.0;
    say_unsaid(r, true);
    say_totals(r, seconds);
    enum fl_err err = outlet_close(r->out, r->patience_ms);
    if (err == FL_TIMEOUT)
        cli_say("flashline: nobody reads standard output: not all results were told; the records have them\n");
    r->out = NULL;
    let_notes_go(r);
    if (r->attempts && r->answered == 0)
        return CLI_NO_BOARD;
    if (err == FL_IO)
        return cli_fail(CLI_STATION, "standard output could not be written");
    return r->n_bad || r->twins || r->unknown ? CLI_NOT_PASS : CLI_OK;
}
