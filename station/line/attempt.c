/* SPDX-License-Identifier: Apache-2.0
 * attempt.c: one attempt from its first moment to its durable record. */
#include "line/attempt.h"

#include "line/desk.h"
#include "line/guard.h"
#include "line/hook.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is shown and measured ------------------------------------------------------------------ */

void attempt_show(struct attempt *a, enum slot_state state)
{
    struct slot_view *v = &a->view;
    const struct attempt_facts *f = &a->facts;
    v->state = state;
    v->step = a->step ? a->step : "";
    ATTEMPT_COPY(v->chip, f->chip);
    v->mac[0] = 0;
    if (f->has_mac)
        event_mac_format(f->mac, 6, v->mac);
    v->baud = f->baud;
    v->rungs = (unsigned)f->n_rungs;
    v->fault = f->fault ? f->fault : "";
    v->outcome = f->outcome;
    ATTEMPT_COPY(v->why, f->why);
    board_put(a->c->board, a->index, v);
}

/* Close the running step and begin another. The same step entered twice is one entry, with its times added. */
void attempt_step(struct attempt *a, const char *name)
{
    struct attempt_facts *f = &a->facts;
    uint64_t now = fl_mono_ns();
    if (a->step) {
        size_t i = 0;
        while (i < f->n_steps && strcmp(f->steps[i].name, a->step) != 0)
            i++;
        if (i == f->n_steps && i < ATTEMPT_STEPS_MAX)
            f->steps[f->n_steps++] = (struct attempt_step){a->step, 0, 0};
        if (i < f->n_steps) {
            f->steps[i].ms += (uint32_t)((now - a->step_ns) / 1000000u);
            f->steps[i].rungs += a->step_rungs;
        }
    }
    a->step = name;
    a->step_rungs = 0;
    a->step_ns = now;
    if (name)
        attempt_show(a, SLOT_WORK);
}

bool attempt_fault(struct attempt *a, const char *name, const char *why)
{
    const struct fault *f = fault_find(name);
    a->facts.outcome = f ? f->outcome : OUTCOME_ERROR;
    a->facts.fault = f ? f->name : "station.internal";
    a->facts.step = a->step ? a->step : "";
    ATTEMPT_COPY(a->facts.why, why);
    return false;
}

/* ---- recording ------------------------------------------------------------------------------------- */

/* The record of how it ended, with what leaves the station because of it. */
static struct event *result_event(struct attempt *a)
{
    struct fl_why why = {0};
    struct event *e = event_attempt(EVENT_ATTEMPT_RESULT, &a->facts, &a->end_ticket);
    if (!e || a->facts.outcome != OUTCOME_PASS || !a->c->parcels || !a->c->parcels(a->c->parcels_ctx, &a->facts, e, &why))
        return e;
    event_free(e);
    (void)attempt_fault(a, "station.internal", why.text);
    return event_attempt(EVENT_ATTEMPT_RESULT, &a->facts, &a->end_ticket);
}

/* What the slot learned with this unit goes with its result. Should it get lost, the next change tells all of it. */
static void tell_tuning(struct attempt *a)
{
    struct esp_tuning t;
    const char *what = a->tuning ? tuning_news(a->tuning, &t) : NULL;
    if (!what)
        return;
    const struct event_tuning told = {.what = what, .baud = t.baud, .ram_block = t.ram_block, .flash_block = t.flash_block,
                                      .burst = t.burst, .gap_us = t.burst_gap_us, .rom_only = t.rom_only,
                                      .slow_reset = t.slow_reset, .late_speed = t.late_speed};
    struct event *e = event_new(EVENT_TUNING, event_tuning_body(&a->facts, &told), NULL);
    if (e && fl_queue_put(a->c->facts, e, fl_deadline_in_ms(ATTEMPT_RECORD_MS)) == FL_OK)
        a->tuning->told = t;
    else
        event_free(e);
}

static enum attempt_end record(struct attempt *a)
{
    struct attempt_facts *f = &a->facts;
    struct fl_why why = {0};
    int64_t leaf = -1;
    attempt_step(a, NULL);
    if (a->tuning)
        tuning_after(&a->tuning->t, f->outcome == OUTCOME_PASS, f->n_rungs);
    attempt_show(a, SLOT_RECORD);
    f->end_ms = fl_wall_ms();
    f->duration_ms = (uint32_t)((fl_mono_ns() - a->began_ns) / 1000000u);
    enum fl_err err = attempt_start(a) ? FL_OK : FL_IO;
    /* whoever was not let in did not try: that is what the record says, whatever else went wrong meanwhile */
    if (!err && event_ticket_wait(&a->start_ticket, fl_deadline_in_ms(ATTEMPT_RECORD_MS), NULL, &why) == FL_REFUSED)
        (void)attempt_fault(a, event_ticket_fault(&a->start_ticket), why.text);
    if (!err)
        tell_tuning(a);
    if (!err) {
        event_ticket_reset(&a->end_ticket);
        struct event *e = result_event(a);
        err = e ? fl_queue_put(a->c->facts, e, fl_deadline_in_ms(ATTEMPT_RECORD_MS)) : FL_NOMEM;
        if (err)
            event_free(e);
    }
    /* both answers are waited for: the tickets must not be reused while the recorder may still answer */
    if (a->started) {
        enum fl_err start = event_ticket_wait(&a->start_ticket, fl_deadline_never(), NULL, &why);
        if (!err)
            err = event_ticket_wait(&a->end_ticket, fl_deadline_never(), &leaf, &why);
        err = err ? err : start == FL_REFUSED ? FL_OK : start;
    }
    if (err) {
        leaf = -1;
        (void)attempt_fault(a, "station.record", why.text[0] ? why.text : fl_err_text(err));
    }
    if (a->c->serials && f->serial[0])
        a->c->serials->done(a->c->serials->ctx, f);
    if (a->c->desk && f->outcome == OUTCOME_PASS)
        desk_forget(a->c->desk, f->slot, f->serial);
    a->stopped = !err && a->c->guard && guard_ended(a->c->guard, f);
    a->view.leaf = leaf;
    a->view.ended_ms = fl_mono_ms();
    attempt_show(a, SLOT_DONE);
    if (a->c->finished)
        a->c->finished(a->c->ctx, f, leaf);
    return err ? ATTEMPT_STATION : ATTEMPT_RECORDED;
}

static void begin(struct attempt *a, enum attempt_how how)
{
    struct attempt_facts *f = &a->facts;
    a->how = how;
    a->same = a->hooked = a->stopped = false;
    memset(f, 0, sizeof *f);
    f->slot = a->slot->slot;
    f->outcome = OUTCOME_PASS;
    f->fault = f->step = "";
    f->secure_boot = f->flash_encryption = -1;
    f->tries = 1;
    f->start_ms = fl_wall_ms();
    ATTEMPT_COPY(f->port, a->slot->port);
    ATTEMPT_COPY(f->profile, a->profile->hash);
    ATTEMPT_COPY(f->operator_id, a->c->operator_id ? a->c->operator_id : "");
    if (a->c->desk)
        desk_who(a->c->desk, f->operator_id);
    ATTEMPT_COPY(f->lot, a->c->lot ? a->c->lot : "");
    f->purpose = a->c->purpose ? a->c->purpose : "";
    a->began_ns = fl_mono_ns();
    a->step = NULL;
    a->step_rungs = 0;
    a->started = a->unproven = false;
    a->unit = (struct esp_unit){0};
    a->let_go = (struct link_counters){0};
    a->view.leaf = -1;
    a->view.done = a->view.total = 0;
    a->view.started_ms = fl_mono_ms();
    a->view.ended_ms = 0;
}

/* Nobody there: the port is missing, nothing at all was heard, or it was gone before anybody answered. */
static bool nobody(const struct attempt *a)
{
    const struct attempt_facts *f = &a->facts;
    if (a->how == ATTEMPT_LOUD || a->started || f->n_hooks)
        return false; /* it was told to, or something was done already */
    return strncmp(f->fault, "port.", 5) == 0 || strcmp(f->fault, "operator.cancelled") == 0 ||
           (strcmp(f->fault, "link.lost") == 0 && strcmp(f->step, "connect") == 0) ||
           (strcmp(f->fault, "link.silent") == 0 && a->how != ATTEMPT_BOARD);
}

/* A port that cannot be used, or is silent, is opened anew next time. */
static bool shut(const struct attempt_facts *f)
{
    return strncmp(f->fault, "port.", 5) == 0 || strncmp(f->fault, "link.lost", 9) == 0 ||
           strcmp(f->fault, "link.silent") == 0;
}

/* What the line did to this session's bytes. */
static void note_damage(struct attempt *a)
{
    struct attempt_damage *d = &a->facts.damage;
    const struct esp_counters c = esp_counters(a->esp);
    *d = (struct attempt_damage){.refused = c.damaged, .lost = c.lost, .changed = c.changed, .silent = c.timeouts, .cut = c.cut};
    for (; d->n_cells < c.n_cells && d->n_cells < ATTEMPT_CELLS_MAX; d->n_cells++) {
        const struct esp_cell *from = &c.cells[d->n_cells];
        d->cells[d->n_cells] = (struct attempt_cell){from->baud, from->bytes, from->sent, from->refused};
    }
}

void attempt_leave(struct attempt *a)
{
    if (a->esp)
        note_damage(a);
    esp_close(a->esp);
    a->esp = NULL;
}

/* The chip is another than this slot's last one was: is there a profile for it? */
static bool other_profile(struct attempt *a)
{
    const struct line_config *c = a->c;
    struct attempt_facts *f = &a->facts;
    if (strcmp(f->fault, "chip.wrong") != 0 || a->started)
        return false;
    for (size_t i = 0; i < c->n_profiles; i++)
        if (c->profiles[i] != a->profile && strcmp(c->profiles[i]->chip, f->chip) == 0) {
            a->profile = c->profiles[i];
            ATTEMPT_COPY(f->profile, a->profile->hash);
            f->outcome = OUTCOME_PASS;
            f->fault = f->step = "";
            f->why[0] = 0;
            attempt_leave(a);
            return true;
        }
    return false;
}

void attempt_forget(struct attempt *a)
{
    memset(&a->facts, 0, sizeof a->facts);
    a->facts.fault = a->facts.step = "";
    a->view.done = a->view.total = 0;
    a->view.leaf = -1;
}

enum attempt_end attempt_run(struct attempt *a, enum attempt_how how)
{
    begin(a, how);
    if (event_job(a->facts.job))
        return ATTEMPT_STATION;
    struct link_counters before = {0}, after = {0};
    if (a->link)
        before = link_counters(a->link);
    bool ok = attempt_steps(a);
    if (!ok && other_profile(a))
        ok = attempt_steps(a);
    if (a->link)
        after = link_counters(a->link);
    a->facts.bytes_out = a->let_go.bytes_out + after.bytes_out - before.bytes_out;
    a->facts.bytes_in = a->let_go.bytes_in + after.bytes_in - before.bytes_in;
    attempt_leave(a);
    if (!ok && shut(&a->facts)) {
        link_close(a->link);
        a->link = NULL;
    }
    if (a->same || (!ok && nobody(a))) {
        attempt_step(a, NULL);
        if (a->same) {
            a->view = a->done.view;
            board_put(a->c->board, a->index, &a->view);
        }
        return a->same ? ATTEMPT_SAME : ATTEMPT_NOBODY;
    }
    if (a->hooked)
        hook_after(a);
    enum attempt_end end = record(a);
    a->done.pass = end == ATTEMPT_RECORDED && a->facts.outcome == OUTCOME_PASS && a->facts.has_mac;
    memcpy(a->done.mac, a->facts.mac, 6);
    a->done.view = a->view;
    return end;
}

enum fl_err attempt_init(struct attempt *a, const struct line_config *c, size_t index,
                         struct fl_wake *wake)
{
    memset(a, 0, sizeof *a);
    a->c = c;
    a->slot = &c->slots[index];
    a->index = index;
    a->wake = wake;
    a->profile = c->profiles[0];
    a->facts.fault = a->facts.step = "";
    a->view = (struct slot_view){.slot = a->slot->slot, .step = "", .fault = "", .leaf = -1};
    ATTEMPT_COPY(a->view.port, a->slot->port);
    for (size_t i = 0; i < c->n_learned; i++)
        if (c->learned[i].slot == a->slot->slot && strcmp(c->learned[i].port, a->slot->port) == 0)
            tuning_recall(&a->book, c->learned[i].kind, &c->learned[i].tuning);
    enum fl_err err = event_ticket_init(&a->start_ticket);
    if (err)
        return err;
    err = event_ticket_init(&a->end_ticket);
    if (err)
        event_ticket_fini(&a->start_ticket);
    return err;
}

void attempt_shut(struct attempt *a)
{
    link_close(a->link);
    a->link = NULL;
}

void attempt_fini(struct attempt *a)
{
    attempt_shut(a);
    event_ticket_fini(&a->end_ticket);
    event_ticket_fini(&a->start_ticket);
}
