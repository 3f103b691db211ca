/* SPDX-License-Identifier: Apache-2.0
 *
 * steps.c: the steps of one attempt as a table; what each must have done before the next.
 *
 *   open ─► connect ─► identify ─► gate ─► stub/baud ─► gate (flash) ─► write+verify ─► boot-check
 *                          │                                              ▲
 *                          └─ attempt_start queued ── must be durable ────┘
 *
 * A step that fails leaves the fault in the facts and ends the attempt; recording always follows.
 */
#include "line/attempt.h"

#include "line/command.h"
#include "line/gate.h"
#include "line/desk.h"
#include "line/guard.h"
#include "line/hook.h"

#include <stdlib.h>
#include <string.h>

enum {
    POWER_MS = 30000, /* for the station file's power_cycle command */
    /* behind it: a socket that is switched over a network acts within about a second of its command's end. A port that keeps its
     * supply, or had it back before the end, is waited for in vain, once an attempt. */
    POWER_GOES_MS = 2000,
};

/* ---- what the engine tells ------------------------------------------------------------------------ */

static void on_step(void *ctx, const char *step)
{
    attempt_step(ctx, step);
}

static void on_rung(void *ctx, const struct esp_rung *r)
{
    struct attempt *a = ctx;
    struct attempt_facts *f = &a->facts;
    const char *name = esp_rung_name(r->kind), *cause = esp_fault_name(r->cause);
    struct attempt_rung *last = f->n_rungs ? &f->rungs[f->n_rungs - 1] : NULL;
    if (last && strcmp(last->name, name) == 0 && strcmp(last->cause, cause) == 0 && last->step == a->step) {
        last->value = r->value;
        last->count++;
    } else if (f->n_rungs < ATTEMPT_RUNGS_MAX) {
        f->rungs[f->n_rungs++] = (struct attempt_rung){name, cause, r->value, 1, a->step};
    } else {
        last->count++; /* full: the last one counts what no longer fits */
    }
    a->step_rungs++;
    attempt_show(a, SLOT_WORK);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct attempt *a = ctx;
    a->view.done = done;
    a->view.total = total;
    board_progress(a->c->board, a->index, done, total);
}

/* A hub's socket takes the bridge's supply too, so the port is let go of, and waited for. */
static enum fl_err on_power_cycle(void *ctx, struct link **link, struct fl_why *why)
{
    struct attempt *a = ctx;
    struct fl_why lost = {0};
    const struct link_counters c = link_counters(*link);
    enum fl_err err = link_let_go(link), back;
    if (err)
        return fl_fail(why, err, "out of memory");
    err = command_run_text(a->slot->power_cycle, a->wake, fl_deadline_in_ms(POWER_MS), why);
    /* one that ended before the supply did, and a port that is opened in this moment, would be a port lost */
    if (!err)
        (void)link_goes(*link, fl_deadline_in_ms(POWER_GOES_MS));
    back = link_come_back(link, fl_deadline_in_ms(ATTEMPT_BACK_MS), &lost);
    a->link = *link;
    if (!back) {
        a->let_go.bytes_out += c.bytes_out;
        a->let_go.bytes_in += c.bytes_in;
    } else if (!err) {
        *why = lost;
        err = back;
    }
    return err;
}

/* The first board may be here before the image is compressed. */
static enum fl_err on_forms(void *ctx)
{
    const struct attempt *a = ctx;
    const struct esp_region *regions;
    size_t n;
    return profile_regions(a->profile, a->facts.flash_size, &regions, &n, NULL);
}

/* ---- the steps ------------------------------------------------------------------------------------ */

static bool problem(struct attempt *a, const struct esp_problem *p)
{
    return attempt_fault(a, esp_fault_name(p->fault), p->text);
}

/* What was learned about a kind of bridge holds for that kind only. */
static void note_bridge(struct attempt *a)
{
    struct attempt_facts *f = &a->facts;
    const struct link_info *i = link_info(a->link);
    ATTEMPT_COPY(f->bridge_path, i->usb_path);
    ATTEMPT_COPY(f->bridge_driver, i->driver);
    ATTEMPT_COPY(f->bridge_serial, i->usb_serial);
    f->bridge_vid = i->usb_vid;
    f->bridge_pid = i->usb_pid;
    ATTEMPT_COPY(f->bridge_product, i->product);
    f->bridge_mbps = i->usb_mbps;
    f->bridge_latency_ms = i->latency_ms;
    f->bridge_slow = i->low_latency == LINK_NO;
    f->bridge_fast = i->low_latency == LINK_YES;
    char id[10] = "", kind[TUNING_KIND_MAX];
    if (i->usb_vid)
        (void)snprintf(id, sizeof id, "%04x:%04x", i->usb_vid, i->usb_pid);
    tuning_kind(kind, id, f->bridge_driver);
    a->tuning = tuning_of(&a->book, kind);
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
        enum fl_err err = link_open(a->slot->port, a->wake, fl_deadline_in_ms(ATTEMPT_OPEN_MS), &a->link, &why);
        if (err)
            return attempt_fault(a, open_fault(err), why.text);
    }
    note_bridge(a);
    struct esp_config config = a->profile->esp;
    if (a->slot->reset)
        config.reset = a->slot->reset;
    if (a->how == ATTEMPT_ASK)
        config.connect_attempts = 1;
    else if (a->slot->power_cycle) {
        config.power_cycle = on_power_cycle;
        config.power_cycle_ctx = a;
    }
    const struct esp_observer observer = {
        .ctx = a, .step = on_step, .rung = on_rung, .progress = on_progress, .forms = on_forms};
    tuning_before(&a->tuning->t, &config);
    enum fl_err err = esp_open(a->link, &config, &a->tuning->t.now, &observer, &a->esp);
    return err ? attempt_fault(a, "station.internal", fl_err_text(err)) : true;
}

/* Not before it is known that there is a board: an empty fixture is asked all day. Gone through again with another
 * profile, only that one's. */
static bool do_before(struct attempt *a)
{
    bool again = a->hooked, ok = true;
    if (hook_before_wanted(a) && a->how == ATTEMPT_QUIET)
        a->how = ATTEMPT_ASK;
    a->hooked = again || a->how != ATTEMPT_ASK;
    if (a->hooked && hook_before_wanted(a)) {
        attempt_step(a, "before");
        ok = hook_before(a, again);
        if (ok)
            attempt_step(a, "connect");
    }
    return ok;
}

/* Somebody answered in a place that was asked. The command may switch its supply: the board is met anew after it. */
static bool hook_and_meet_again(struct attempt *a)
{
    struct esp_problem p = {0};
    if (!hook_before_wanted(a)) {
        a->hooked = true;
        return true;
    }
    attempt_leave(a);
    a->how = ATTEMPT_BOARD;
    if (!do_before(a))
        return false;
    return do_open(a) && (esp_connect(a->esp, &p) == FL_OK || problem(a, &p));
}

static bool do_connect(struct attempt *a)
{
    struct esp_problem p = {0};
    if (esp_connect(a->esp, &p) == FL_OK)
        return a->hooked || hook_and_meet_again(a);
    if (a->how != ATTEMPT_ASK || p.fault == ESP_FAULT_LINK_SILENT || p.fault == ESP_FAULT_LINK_LOST)
        return problem(a, &p);
    /* somebody is there and does not load: from here it is an attempt, with all that can be tried */
    attempt_leave(a);
    a->how = ATTEMPT_QUIET;
    if (!do_open(a))
        return false;
    return esp_connect(a->esp, &p) == FL_OK ? a->hooked || hook_and_meet_again(a) : problem(a, &p);
}

/* The board that passed here and is back within a moment never left: a contact that bounced, a chip that brings its USB
 * port along and restarted, a question that it did not answer. It is left as it is. */
static bool do_known(struct attempt *a)
{
    struct esp_problem p = {0};
    if (a->how == ATTEMPT_LOUD || !a->done.pass || memcmp(a->done.mac, a->facts.mac, 6) != 0 ||
        a->came_ms - a->done.gone_ms > a->profile->detect.again_ms)
        return true;
    a->same = true;
    if (esp_run(a->esp, &p) && p.fault == ESP_FAULT_LINK_LOST) {
        link_close(a->link);
        a->link = NULL;
    }
    return false;
}

/* The rules of the lot, and a serial number for the unit. */
static bool let_in(struct attempt *a)
{
    struct attempt_facts *f = &a->facts;
    char text[ATTEMPT_WHY_MAX] = "";
    struct fl_why why = {0};
    if (!f->has_mac)
        return true;
    if (a->c->guard) {
        const char *no = guard_unit(a->c->guard, f->slot, f->mac, a->profile, &f->purpose, text);
        if (no)
            return attempt_fault(a, no, text);
    }
    if (a->c->desk && !(f->purpose && *f->purpose))
        desk_number(a->c->desk, f->slot, f->serial);
    if (a->c->serials && !f->serial[0] && !(f->purpose && *f->purpose) &&
        a->c->serials->take(a->c->serials->ctx, f->slot, f->mac, f->serial, &why))
        return attempt_fault(a, "station.internal", why.text);
    return true;
}

static bool do_identify(struct attempt *a)
{
    struct attempt_facts *f = &a->facts;
    struct esp_problem p = {0};
    struct esp_unit u = {0};
    enum fl_err err = esp_identify(a->esp, &u, &p);
    a->unit = u;
    if (u.chip) { /* also when it is the wrong one: the record says which it was */
        ATTEMPT_COPY(f->chip, u.chip);
        f->has_mac = u.has_mac;
        memcpy(f->mac, u.mac, 6);
        f->has_eui64 = u.has_eui64;
        memcpy(f->eui64, u.eui64, 8);
        f->revision = u.revision;
        f->secure_boot = u.security.secure_boot;
        f->flash_encryption = u.security.flash_encryption;
        f->secure_download = u.security.secure_download == ESP_ON;
        f->jtag_off = u.security.jtag_off == ESP_ON;
        f->has_security_flags = u.security.has_flags;
        f->security_flags = u.security.flags;
    }
    if (err)
        return problem(a, &p);
    if (!do_known(a) || !let_in(a))
        return false;
    attempt_step(a, "gate");
    struct fl_why why = {0};
    const char *no = gate_unit(a->profile, &u, &why);
    if (no && esp_certain(a->esp, why.text, &p))
        return problem(a, &p);
    return no ? attempt_fault(a, no, why.text) : true;
}

/* Queue the attempt_start; it becomes durable while the stub is loaded. */
bool attempt_start(struct attempt *a)
{
    if (a->started)
        return true;
    event_ticket_reset(&a->start_ticket);
    struct event *e = event_attempt(EVENT_ATTEMPT_START, &a->facts, &a->start_ticket);
    if (!e)
        return attempt_fault(a, "station.internal", "out of memory");
    enum fl_err err = fl_queue_put(a->c->facts, e, fl_deadline_in_ms(ATTEMPT_RECORD_MS));
    if (err) {
        event_free(e);
        return attempt_fault(a, "station.record", fl_err_text(err));
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
    ATTEMPT_COPY(f->stub, esp_has_stub(a->esp) ? "stub" : "rom");
    f->baud = esp_baud(a->esp);
    attempt_step(a, "gate");
    if (esp_attach_flash(a->esp, a->profile->flash_size, &flash, &p))
        return problem(a, &p);
    f->flash_id = flash.jedec;
    f->flash_size = flash.size;
    const char *no = gate_flash(a->profile, &flash, &why);
    if (no && esp_certain(a->esp, why.text, &p))
        return problem(a, &p);
    return no ? attempt_fault(a, no, why.text) : true;
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
    enum fl_err err = profile_regions_early(profile, f->flash_size, &regions, &n, &why);
    if (err)
        return attempt_fault(a, err == FL_LIMIT ? "gate.image" : "station.internal", why.text);
    if (n > ATTEMPT_REGIONS_MAX)
        return attempt_fault(a, "gate.image", "more regions than one record can hold");
    /* intent before touch */
    err = event_ticket_wait(&a->start_ticket, fl_deadline_in_ms(ATTEMPT_RECORD_MS), NULL, &why);
    if (err == FL_REFUSED)
        return attempt_fault(a, event_ticket_fault(&a->start_ticket), why.text);
    if (err)
        return attempt_fault(a, "station.record", why.text);
    results = calloc(n + 1, sizeof *results);
    if (!results)
        return attempt_fault(a, "station.internal", "out of memory");
    if (profile->erase_all) {
        attempt_step(a, "erase");
        if (esp_erase_all(a->esp, &p)) {
            (void)problem(a, &p);
            goto out;
        }
    }
    attempt_step(a, "write");
    a->unproven = profile->unproven && esp_unproven(&a->unit);
    err = a->unproven ? esp_write_unproven(a->esp, regions, n, results, &p)
                      : esp_write(a->esp, regions, n, profile->skip_matching, results, &p);
    note_regions(f, regions, results, n);
    f->baud = esp_baud(a->esp);
    ATTEMPT_COPY(f->stub, esp_has_stub(a->esp) ? "stub" : "rom");
    ok = err ? problem(a, &p) : true;
out:
    free(results);
    return ok;
}

/* A unit that was written without proof does not pass, however well it starts. */
static bool do_boot(struct attempt *a)
{
    if (!attempt_boot(a))
        return false;
    if (!a->unproven)
        return true;
    attempt_step(a, "verify");
    return attempt_fault(a, "verify.unproven",
                         a->unit.security.secure_download == ESP_ON
                             ? "written in secure download mode: the chip took every block, and cannot be asked for an MD5"
                             : "written encrypted by the chip: its MD5 is of bytes that nobody else can compute");
}

static const struct {
    const char *name; /* as measured and recorded */
    bool (*run)(struct attempt *a);
} steps[] = {
    {"connect", do_before}, {"connect", do_open}, {"connect", do_connect}, {"identify", do_identify},
    {"gate", attempt_start}, {"stub", do_prepare}, {"write", do_write},    {"boot-check", do_boot},
};

bool attempt_steps(struct attempt *a)
{
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof steps / sizeof *steps; i++) {
        if (!a->step || strcmp(a->step, steps[i].name) != 0)
            attempt_step(a, steps[i].name);
        ok = steps[i].run(a);
    }
    return ok;
}
