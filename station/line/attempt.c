/* SPDX-License-Identifier: Apache-2.0
 *
 * attempt.c: the steps of one attempt as a table; what each step must have done before the next.
 *
 *   open ─► connect ─► identify ─► gate ─► stub/baud ─► gate (flash) ─► write+verify ─► boot-check ─► record
 *                          │                                              ▲
 *                          └─ attempt_start queued ── must be durable ────┘
 *
 * A step that fails leaves the fault in the facts and ends the attempt; recording always follows.
 */
#include "line/attempt.h"

#include "line/boot_check.h"
#include "line/command.h"
#include "line/gate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPEN_MS = 5000,          /* a network server that does not answer by then is not there */
    RECORD_MS = 120000,      /* a disk that takes longer is broken */
    POWER_MS = 30000,        /* for the station file's power_cycle command */
};

#define COPY(to, from) ((void)snprintf((to), sizeof(to), "%s", (from)))

/* ---- what is shown and measured ------------------------------------------------------------------ */

void attempt_show(struct attempt *a, enum slot_state state)
{
    struct slot_view *v = &a->view;
    const struct attempt_facts *f = &a->facts;
    v->state = state;
    v->step = a->step ? a->step : "";
    COPY(v->chip, f->chip);
    v->mac[0] = 0;
    if (f->has_mac)
        event_mac_format(f->mac, 6, v->mac);
    v->baud = f->baud;
    v->rungs = (unsigned)f->n_rungs;
    v->fault = f->fault ? f->fault : "";
    v->outcome = f->outcome;
    COPY(v->why, f->why);
    board_put(a->c->board, a->index, v);
}

/* Close the running step and begin another. The same step entered twice is one entry, with its times added. */
static void begin_step(struct attempt *a, const char *name)
{
    struct attempt_facts *f = &a->facts;
    uint64_t now = fl_mono_ns();
    if (a->step) {
        size_t i = 0;
        while (i < f->n_steps && strcmp(f->steps[i].name, a->step) != 0)
            i++;
        if (i == f->n_steps && i < ATTEMPT_STEPS_MAX)
            f->steps[f->n_steps++] = (struct attempt_step){a->step, 0};
        if (i < f->n_steps)
            f->steps[i].ms += (uint32_t)((now - a->step_ns) / 1000000u);
    }
    a->step = name;
    a->step_ns = now;
    if (name)
        attempt_show(a, SLOT_WORK);
}

static bool fault(struct attempt *a, const char *name, const char *why)
{
    const struct fault *f = fault_find(name);
    a->facts.outcome = f ? f->outcome : OUTCOME_ERROR;
    a->facts.fault = f ? f->name : "station.internal";
    a->facts.step = a->step ? a->step : "";
    COPY(a->facts.why, why);
    return false;
}

static bool problem(struct attempt *a, const struct esp_problem *p)
{
    return fault(a, esp_fault_name(p->fault), p->text);
}

/* ---- what the engine tells ------------------------------------------------------------------------ */

static void on_step(void *ctx, const char *step)
{
    begin_step(ctx, step);
}

static void on_rung(void *ctx, const struct esp_rung *r)
{
    struct attempt_facts *f = &((struct attempt *)ctx)->facts;
    const char *name = esp_rung_name(r->kind), *cause = esp_fault_name(r->cause);
    struct attempt_rung *last = f->n_rungs ? &f->rungs[f->n_rungs - 1] : NULL;
    if (last && strcmp(last->name, name) == 0 && strcmp(last->cause, cause) == 0) {
        last->value = r->value;
        last->count++;
    } else if (f->n_rungs < ATTEMPT_RUNGS_MAX) {
        f->rungs[f->n_rungs++] = (struct attempt_rung){name, cause, r->value, 1};
    } else {
        last->count++; /* full: the last one counts what no longer fits */
    }
    attempt_show(ctx, SLOT_WORK);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct attempt *a = ctx;
    a->view.done = done;
    a->view.total = total;
    board_progress(a->c->board, a->index, done, total);
}

static enum fl_err on_power_cycle(void *ctx)
{
    struct attempt *a = ctx;
    struct fl_why why = {0};
    return command_run(a->slot->power_cycle, a->wake, fl_deadline_in_ms(POWER_MS), &why);
}

/* ---- the steps ------------------------------------------------------------------------------------ */

/* What was learned about a bridge holds for that bridge only. */
static void note_bridge(struct attempt *a)
{
    struct attempt_facts *f = &a->facts;
    const struct link_info *i = link_info(a->link);
    COPY(f->bridge_path, i->usb_path);
    COPY(f->bridge_driver, i->driver);
    COPY(f->bridge_serial, i->usb_serial);
    f->bridge_vid = i->usb_vid;
    f->bridge_pid = i->usb_pid;
    char id[sizeof a->tuned_for];
    (void)snprintf(id, sizeof id, "%04x:%04x:%s", i->usb_vid, i->usb_pid, f->bridge_serial);
    if (strcmp(id, a->tuned_for) != 0) {
        COPY(a->tuned_for, id);
        a->tuning = (struct esp_tuning){0};
    }
}

static const char *open_fault(enum fl_err err)
{
    return err == FL_NOT_FOUND   ? "port.missing"
           : err == FL_BUSY      ? "port.busy"
           : err == FL_ACCESS    ? "port.denied"
           : err == FL_CANCELLED ? "operator.cancelled"
                                 : "port.failed";
}

static bool do_open(struct attempt *a)
{
    struct fl_why why = {0};
    if (!a->link) {
        enum fl_err err = link_open(a->slot->port, a->wake, fl_deadline_in_ms(OPEN_MS), &a->link, &why);
        if (err)
            return fault(a, open_fault(err), why.text);
    }
    note_bridge(a);
    struct esp_config config = a->profile->esp;
    if (a->slot->reset)
        config.reset = a->slot->reset;
    if (a->slot->power_cycle) {
        config.power_cycle = on_power_cycle;
        config.power_cycle_ctx = a;
    }
    const struct esp_observer observer = {
        .ctx = a, .step = on_step, .rung = on_rung, .progress = on_progress};
    enum fl_err err = esp_open(a->link, &config, &a->tuning, &observer, &a->esp);
    return err ? fault(a, "station.internal", fl_err_text(err)) : true;
}

static bool do_connect(struct attempt *a)
{
    struct esp_problem p = {0};
    return esp_connect(a->esp, &p) == FL_OK ? true : problem(a, &p);
}

static bool do_identify(struct attempt *a)
{
    struct attempt_facts *f = &a->facts;
    struct esp_problem p = {0};
    struct esp_unit u = {0};
    enum fl_err err = esp_identify(a->esp, &u, &p);
    if (u.chip) { /* also when it is the wrong one: the record says which it was */
        COPY(f->chip, u.chip);
        f->has_mac = u.has_mac;
        memcpy(f->mac, u.mac, 6);
        f->has_eui64 = u.has_eui64;
        memcpy(f->eui64, u.eui64, 8);
        f->revision = u.revision;
        f->secure_boot = u.security.secure_boot;
        f->flash_encryption = u.security.flash_encryption;
    }
    if (err)
        return problem(a, &p);
    begin_step(a, "gate");
    struct fl_why why = {0};
    const char *no = gate_unit(a->profile, &u, &why);
    return no ? fault(a, no, why.text) : true;
}

/* Queue the attempt_start; it becomes durable while the stub is loaded. */
static bool do_start(struct attempt *a)
{
    if (a->started)
        return true;
    event_ticket_reset(&a->start_ticket);
    struct event *e = event_new(EVENT_ATTEMPT_START, event_attempt_start_body(&a->facts), &a->start_ticket);
    if (!e)
        return fault(a, "station.internal", "out of memory");
    enum fl_err err = fl_queue_put(a->c->facts, e, fl_deadline_in_ms(RECORD_MS));
    if (err) {
        event_free(e);
        return fault(a, "station.record", fl_err_text(err));
    }
    a->started = true;
    return true;
}

static bool do_prepare(struct attempt *a)
{
    struct esp_problem p = {0};
    struct esp_flash_info flash = {0};
    struct attempt_facts *f = &a->facts;
    struct fl_why why = {0};
    if (esp_prepare(a->esp, &p))
        return problem(a, &p);
    COPY(f->stub, esp_has_stub(a->esp) ? "stub" : "rom");
    f->baud = esp_baud(a->esp);
    begin_step(a, "gate");
    if (esp_attach_flash(a->esp, a->profile->flash_size, &flash, &p))
        return problem(a, &p);
    f->flash_id = flash.jedec;
    f->flash_size = flash.size;
    const char *no = gate_flash(a->profile, &flash, &why);
    return no ? fault(a, no, why.text) : true;
}

static char region_letter(enum esp_region_state s)
{
    static const char letters[] = {[ESP_REGION_PENDING] = '-', [ESP_REGION_SKIPPED] = 's',
                                   [ESP_REGION_WRITTEN] = 'w', [ESP_REGION_VERIFIED] = 'v',
                                   [ESP_REGION_BAD] = 'b'};
    return letters[s];
}

static void note_regions(struct attempt_facts *f, const struct esp_region *r,
                         const struct esp_region_result *got, size_t n)
{
    f->n_regions = n;
    for (size_t i = 0; i < n; i++) {
        struct attempt_region *to = &f->regions[i];
        *to = (struct attempt_region){.offset = r[i].offset, .size = r[i].size,
                                      .state = region_letter(got[i].state), .writes = got[i].writes};
        memcpy(to->md5, r[i].md5, 16);
        memcpy(to->md5_found, got[i].md5_found, 16);
        if (to->state == 'v' || to->state == 's')
            f->plain_bytes += r[i].size;
    }
}

static bool do_write(struct attempt *a)
{
    struct attempt_facts *f = &a->facts;
    const struct profile *profile = a->profile;
    const struct esp_region *regions;
    struct esp_region_result *results = NULL;
    struct esp_problem p = {0};
    struct fl_why why = {0};
    size_t n;
    bool ok = false;
    enum fl_err err = profile_regions(profile, f->flash_size, &regions, &n, &why);
    if (err)
        return fault(a, err == FL_LIMIT ? "gate.image" : "station.internal", why.text);
    if (n > ATTEMPT_REGIONS_MAX)
        return fault(a, "gate.image", "more regions than one record can hold");
    /* intent before touch */
    err = event_ticket_wait(&a->start_ticket, fl_deadline_in_ms(RECORD_MS), NULL, &why);
    if (err)
        return fault(a, "station.record", why.text);
    results = calloc(n + 1, sizeof *results);
    if (!results)
        return fault(a, "station.internal", "out of memory");
    if (profile->erase_all) {
        begin_step(a, "erase");
        if (esp_erase_all(a->esp, &p)) {
            (void)problem(a, &p);
            goto out;
        }
    }
    begin_step(a, "write");
    err = esp_write(a->esp, regions, n, profile->skip_matching, results, &p);
    note_regions(f, regions, results, n);
    f->baud = esp_baud(a->esp);
    COPY(f->stub, esp_has_stub(a->esp) ? "stub" : "rom");
    ok = err ? problem(a, &p) : true;
out:
    free(results);
    return ok;
}

static bool watch_boot(struct attempt *a, struct boot_check *b)
{
    const struct profile_boot_check *want = &a->profile->boot_check;
    struct fl_deadline d = fl_deadline_in_ms(want->within_ms);
    enum boot_verdict v = BOOT_GO_ON;
    while (v == BOOT_GO_ON) {
        uint8_t bytes[512];
        size_t got = 0;
        enum fl_err err = link_read(a->link, bytes, sizeof bytes, &got, d);
        if (err == FL_CANCELLED)
            return fault(a, "operator.cancelled", "stopped while the program booted");
        if (err && err != FL_TIMEOUT)
            return fault(a, "link.lost", "the port vanished while the program booted");
        v = boot_check_feed(b, bytes, got);
        if (v == BOOT_GO_ON && (err == FL_TIMEOUT || fl_deadline_passed(d)))
            break;
    }
    char why[200];
    switch (v) {
    case BOOT_GOOD:
        return true;
    case BOOT_FAIL_TEXT:
        (void)snprintf(why, sizeof why, "it said '%.100s'", want->fail);
        return fault(a, "boot.fail_text", why);
    case BOOT_PANIC:
        return fault(a, "boot.panic", "a panic text came after the reset");
    case BOOT_BROWNOUT:
        return fault(a, "board.brownout", "the brownout detector fired while the program booted");
    case BOOT_GO_ON:
        break;
    }
    if (!want->expect)
        return b->seen ? true : fault(a, "boot.silent", "nothing was received after the reset");
    (void)snprintf(why, sizeof why, "'%.100s' did not come within %u ms; %llu bytes were received",
                   want->expect, (unsigned)want->within_ms, (unsigned long long)b->seen);
    return fault(a, b->seen ? "boot.pattern" : "boot.silent", why);
}

static bool do_boot(struct attempt *a)
{
    const struct profile_boot_check *want = &a->profile->boot_check;
    struct attempt_facts *f = &a->facts;
    struct esp_problem p = {0};
    struct boot_check b;
    boot_check_init(&b, want->expect, want->fail);
    enum fl_err err = esp_run(a->esp, &p);
    if (err == FL_UNSUPPORTED && !want->wanted)
        return true; /* no lines: whoever holds the board resets it */
    if (err)
        return problem(a, &p);
    if (!want->wanted)
        return true;
    if (want->baud && want->baud != link_baud(a->link)) {
        err = link_set_baud(a->link, want->baud, fl_deadline_in_ms(OPEN_MS));
        if (err && err != FL_UNSUPPORTED)
            return fault(a, "link.lost", "the speed could not be set for the boot check");
    }
    bool ok = watch_boot(a, &b);
    f->boot_text_n = b.n < sizeof f->boot_text ? b.n : sizeof f->boot_text;
    memcpy(f->boot_text, b.tail + b.n - f->boot_text_n, f->boot_text_n);
    return ok;
}

static const struct {
    const char *name; /* as measured and recorded */
    bool (*run)(struct attempt *a);
} steps[] = {
    {"connect", do_open},  {"connect", do_connect}, {"identify", do_identify}, {"gate", do_start},
    {"stub", do_prepare},  {"write", do_write},     {"boot-check", do_boot},
};

/* ---- recording ------------------------------------------------------------------------------------- */

static enum attempt_end record(struct attempt *a)
{
    struct attempt_facts *f = &a->facts;
    struct fl_why why = {0};
    int64_t leaf = -1;
    begin_step(a, NULL);
    attempt_show(a, SLOT_RECORD);
    f->end_ms = fl_wall_ms();
    f->duration_ms = (uint32_t)((fl_mono_ns() - a->began_ns) / 1000000u);
    enum fl_err err = do_start(a) ? FL_OK : FL_IO;
    if (!err) {
        event_ticket_reset(&a->end_ticket);
        struct event *e = event_new(EVENT_ATTEMPT_RESULT, event_attempt_result_body(f), &a->end_ticket);
        err = e ? fl_queue_put(a->c->facts, e, fl_deadline_in_ms(RECORD_MS)) : FL_NOMEM;
        if (err)
            event_free(e);
    }
    /* both answers are waited for: the tickets must not be reused while the recorder may still answer */
    if (a->started) {
        enum fl_err start = event_ticket_wait(&a->start_ticket, fl_deadline_never(), NULL, &why);
        if (!err)
            err = event_ticket_wait(&a->end_ticket, fl_deadline_never(), &leaf, &why);
        err = err ? err : start;
    }
    if (err) {
        leaf = -1;
        (void)fault(a, "station.record", why.text[0] ? why.text : fl_err_text(err));
    }
    a->view.leaf = leaf;
    a->view.ended_ms = fl_mono_ms();
    attempt_show(a, SLOT_DONE);
    if (a->c->finished)
        a->c->finished(a->c->ctx, f, leaf);
    return err ? ATTEMPT_STATION : ATTEMPT_RECORDED;
}

static void begin(struct attempt *a)
{
    struct attempt_facts *f = &a->facts;
    memset(f, 0, sizeof *f);
    f->slot = a->slot->slot;
    f->outcome = OUTCOME_PASS;
    f->fault = f->step = "";
    f->secure_boot = f->flash_encryption = -1;
    f->tries = 1;
    f->start_ms = fl_wall_ms();
    COPY(f->port, a->slot->port);
    COPY(f->profile, a->profile->hash);
    COPY(f->operator_id, a->c->operator_id ? a->c->operator_id : "");
    a->began_ns = fl_mono_ns();
    a->step = NULL;
    a->started = false;
    a->view.leaf = -1;
    a->view.done = a->view.total = 0;
    a->view.started_ms = fl_mono_ms();
    a->view.ended_ms = 0;
}

/* Nobody there: the port is missing, or nothing at all was heard. */
static bool nobody(const struct attempt_facts *f)
{
    return strncmp(f->fault, "port.", 5) == 0 || strcmp(f->fault, "link.silent") == 0;
}

static bool run_steps(struct attempt *a)
{
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof steps / sizeof *steps; i++) {
        if (!a->step || strcmp(a->step, steps[i].name) != 0)
            begin_step(a, steps[i].name);
        ok = steps[i].run(a);
    }
    return ok;
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
            COPY(f->profile, a->profile->hash);
            f->outcome = OUTCOME_PASS;
            f->fault = f->step = "";
            f->why[0] = 0;
            esp_close(a->esp);
            a->esp = NULL;
            return true;
        }
    return false;
}

enum attempt_end attempt_run(struct attempt *a, bool quiet)
{
    begin(a);
    if (event_job(a->facts.job))
        return ATTEMPT_STATION;
    struct link_counters before = {0}, after = {0};
    if (a->link)
        before = link_counters(a->link);
    bool ok = run_steps(a);
    if (!ok && other_profile(a))
        ok = run_steps(a);
    if (a->link)
        after = link_counters(a->link);
    a->facts.bytes_out = after.bytes_out - before.bytes_out;
    a->facts.bytes_in = after.bytes_in - before.bytes_in;
    esp_close(a->esp);
    a->esp = NULL;
    if (!ok && (strcmp(a->facts.fault, "link.lost") == 0 || nobody(&a->facts))) {
        link_close(a->link);
        a->link = NULL;
    }
    if (!ok && quiet && !a->started &&
        (nobody(&a->facts) || strcmp(a->facts.fault, "operator.cancelled") == 0)) {
        begin_step(a, NULL);
        return ATTEMPT_NOBODY;
    }
    return record(a);
}

bool attempt_still_there(struct attempt *a, bool probe)
{
    uint8_t bytes[256];
    size_t got;
    if (!a->link)
        return false;
    /* what the program says meanwhile is read away; a vanished port shows here */
    for (int i = 0; i < 64; i++) {
        enum fl_err err = link_read(a->link, bytes, sizeof bytes, &got, fl_deadline_in_ms(1));
        if (err == FL_TIMEOUT || err == FL_CANCELLED)
            break;
        if (err) {
            link_close(a->link);
            a->link = NULL;
            return false;
        }
    }
    if (!probe)
        return true;
    struct esp_config config = a->profile->esp;
    struct esp_observer none = {0};
    struct esp_tuning tuning = a->tuning;
    struct esp_problem p = {0};
    struct esp_unit u = {0};
    struct esp *e = NULL;
    config.connect_attempts = 1;
    config.chip = NULL;
    if (a->slot->reset)
        config.reset = a->slot->reset;
    bool there = true;
    if (esp_open(a->link, &config, &tuning, &none, &e) == FL_OK) {
        if (esp_connect(e, &p))
            there = p.fault != ESP_FAULT_LINK_SILENT && p.fault != ESP_FAULT_LINK_LOST;
        else if (esp_identify(e, &u, &p) == FL_OK && a->facts.has_mac && u.has_mac)
            there = memcmp(u.mac, a->facts.mac, 6) == 0;
        if (there && p.fault == ESP_FAULT_NONE && esp_run(e, &p))
            there = p.fault != ESP_FAULT_LINK_LOST;
        esp_close(e);
    }
    if (p.fault == ESP_FAULT_LINK_LOST) {
        link_close(a->link);
        a->link = NULL;
    }
    return there;
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
    COPY(a->view.port, a->slot->port);
    enum fl_err err = event_ticket_init(&a->start_ticket);
    if (err)
        return err;
    err = event_ticket_init(&a->end_ticket);
    if (err)
        event_ticket_fini(&a->start_ticket);
    return err;
}

void attempt_fini(struct attempt *a)
{
    link_close(a->link);
    a->link = NULL;
    event_ticket_fini(&a->end_ticket);
    event_ticket_fini(&a->start_ticket);
}
