/* SPDX-License-Identifier: Apache-2.0
 *
 * slot.c: what a slot does between attempts.
 *
 *              ┌───────────────────────────────────────────────────────────────────────┐
 *              ▼                                                                       │
 *   is the port there? ── no ─► wait for a notice, or look again                      │
 *      │ yes                                                                           │
 *   has it stayed for `detect.settle`? ── no ─► five times in ten seconds: port.flapping, closed until it stays
 *      │ yes                                                                           │
 *   does the bridge stay without a board (fixture, network port, was silent at the start)?
 *      │ no: a board was plugged in        │ yes: it is asked every `detect.every`     │
 *      ▼                                   ▼                                           │
 *   the attempt, recorded ─► left alone until the port vanishes, or, where the bridge stays, until the chip asked
 *                            every `detect.removed` is silent or another ──────────────┘
 *
 * A board that passed and is back within `detect.again` is the same that never left (steps.c): nothing is done. */
#include "line/slot.h"

#include "line/desk.h"
#include "line/guard.h"
#include "link/ports.h"

#include <stdio.h>
#include <string.h>

enum {
    LOOK_MS = 500,        /* how often a finished slot's port is looked at, beside notices */
    RARELY_MS = 5000,     /* an empty one's, where there are notices */
    STOPPED_MS = 1000,    /* a stopped slot: was it reopened? */
    FLAPS_WITHIN_MS = 10000,
    STEADY_MS = 2000,     /* a port that flapped must stay so long */
    LOST_OFTEN = 3,       /* attempts in a row whose network connection was lost: then the next one is waited with */
    LOST_DOUBLINGS = 5,   /* of STEADY_MS: a minute at most */
};

static bool cancelled(const struct slot_worker *w)
{
    return atomic_load(w->cancelled);
}

static const struct profile_detect *detect(const struct slot_worker *w)
{
    return &w->attempt.profile->detect;
}

/* ---- a unit ----------------------------------------------------------------------------------------- */

/* A rule of the lot stopped this slot or the line. */
static bool held(const struct slot_worker *w)
{
    char why[ATTEMPT_WHY_MAX];
    return w->attempt.c->guard && guard_holds(w->attempt.c->guard, w->attempt.slot->slot, why);
}

/* The unit may be tried again by itself: the fault says it can help, and the profile allows it. */
static bool try_again(const struct slot_worker *w, unsigned tries)
{
    const struct attempt_facts *f = &w->attempt.facts;
    const struct fault *fault = fault_find(f->fault);
    return f->outcome != OUTCOME_PASS && fault && fault->retry && f->has_mac &&
           tries < w->attempt.profile->attempts && !cancelled(w) && !held(w);
}

/* After a port that vanished: is it there again, before another attempt is begun? */
static bool port_back(struct slot_worker *w)
{
    struct fl_deadline d = fl_deadline_in_ms(ATTEMPT_BACK_MS); /* a board pulled out does not come back */
    while (!attempt_open(&w->attempt))
        if (fl_deadline_passed(d) || fl_wake_sleep(&w->wake, fl_deadline_in_ms(LOOK_MS)))
            return false;
    return true;
}

enum attempt_end slot_try(struct slot_worker *w, enum attempt_how how)
{
    enum attempt_end end = attempt_run(&w->attempt, how);
    for (unsigned tries = 1; end == ATTEMPT_RECORDED && try_again(w, tries) && port_back(w); tries++)
        end = attempt_run(&w->attempt, ATTEMPT_LOUD);
    return end;
}

/* ---- coming ----------------------------------------------------------------------------------------- */

static bool flapping(const struct slot_worker *w)
{
    return w->n_flaps >= SLOT_FLAPS && fl_mono_ms() - w->flaps[w->n_flaps % SLOT_FLAPS] < FLAPS_WITHIN_MS;
}

/* The port vanished without having been of use. */
static void flap(struct slot_worker *w)
{
    struct attempt *a = &w->attempt;
    w->flaps[w->n_flaps++ % SLOT_FLAPS] = fl_mono_ms();
    if (a->came_ms - a->done.gone_ms <= detect(w)->again_ms)
        a->done.gone_ms = fl_mono_ms(); /* still the same coming and going */
    if (!flapping(w) || strcmp(a->view.fault, "port.flapping") == 0)
        return;
    (void)attempt_fault(a, "port.flapping", "the port vanished five times in ten seconds; it must stay for two");
    attempt_show(a, SLOT_CLOSED);
}

/* Does the port stay? False: it vanished, or the line ends. */
static bool settles(struct slot_worker *w)
{
    struct fl_deadline d = fl_deadline_in_ms(flapping(w) ? STEADY_MS : detect(w)->settle_ms);
    for (;;) {
        if (link_port_there(w->attempt.slot->port) == LINK_NO) {
            flap(w);
            return false;
        }
        if (fl_deadline_passed(d))
            return true;
        if (!plug_wait(w->plug, &w->seen, d))
            return false;
    }
}

/* A network port says nothing of itself, a pseudo-terminal has no cable: there it is asked. */
static bool asks(const struct slot_worker *w, enum link_known there)
{
    const struct station_slot *s = w->attempt.slot;
    return there == LINK_UNKNOWN || w->bridge_stays || s->fixture || strncmp(s->port, "pty:", 4) == 0;
}

/* True: something is there that may be a board, and how to begin. False: not yet, and the wait is done. */
static bool comes(struct slot_worker *w, enum attempt_how *how)
{
    struct attempt *a = &w->attempt;
    enum link_known there = link_port_there(a->slot->port);
    bool first = !w->looked;
    w->looked = true;
    a->came_ms = fl_mono_ms();
    if (there == LINK_NO) {
        w->bridge_stays = false;
        attempt_shut(a);
        attempt_forget(a);
        if (!flapping(w))
            attempt_show(a, SLOT_EMPTY);
        uint64_t ms = plug_hears(w->plug) ? RARELY_MS : detect(w)->every_ms;
        (void)plug_wait(w->plug, &w->seen, fl_deadline_in_ms(ms));
        return false;
    }
    if (there == LINK_YES && !settles(w))
        return false;
    *how = asks(w, there) ? ATTEMPT_ASK : first ? ATTEMPT_QUIET : ATTEMPT_BOARD;
    return true;
}

/* Nobody answered. Where the port was there before any board, it stays without one. */
static void nobody(struct slot_worker *w, enum attempt_how how)
{
    struct attempt *a = &w->attempt;
    const char *fault = a->facts.fault;
    if (strcmp(fault, "link.lost") == 0)
        flap(w);
    if (how == ATTEMPT_QUIET && strcmp(fault, "link.silent") == 0)
        w->bridge_stays = true;
    if (strcmp(fault, "port.busy") == 0 || strcmp(fault, "port.denied") == 0)
        attempt_show(a, SLOT_CLOSED); /* nothing comes of itself here: somebody must look */
    else if (!flapping(w))
        attempt_show(a, SLOT_EMPTY);
    (void)plug_wait(w->plug, &w->seen, fl_deadline_in_ms(flapping(w) ? STEADY_MS : detect(w)->every_ms));
}

/* ---- going ------------------------------------------------------------------------------------------ */

/* A dead board's port was closed after its attempt: as long as it is there the board is, unless the bridge stays. */
static bool still_there(struct slot_worker *w, bool probe)
{
    struct attempt *a = &w->attempt;
    enum link_known there = link_port_there(a->slot->port);
    if (there == LINK_NO || (there == LINK_UNKNOWN && !a->link))
        return false;
    if (!a->link && (!probe || !attempt_open(a)))
        return true;
    return attempt_still_there(a, probe);
}

/* A finished board that stays in is left alone until it is gone. */
static void wait_until_gone(struct slot_worker *w)
{
    struct attempt *a = &w->attempt;
    bool probes = asks(w, link_port_there(a->slot->port));
    struct fl_deadline probe_at = fl_deadline_in_ms(detect(w)->removed_ms);
    for (;;) {
        struct fl_deadline look = fl_deadline_in_ms(LOOK_MS);
        if (!plug_wait(w->plug, &w->seen, probes ? fl_deadline_min(look, probe_at) : look))
            return;
        bool probe = probes && fl_deadline_passed(probe_at);
        if (!still_there(w, probe))
            break;
        if (probe)
            probe_at = fl_deadline_in_ms(detect(w)->removed_ms);
    }
    a->done.gone_ms = fl_mono_ms();
}

/* Looked at again and again until somebody reopens it. */
static bool stopped(struct slot_worker *w)
{
    struct attempt *a = &w->attempt;
    char why[ATTEMPT_WHY_MAX] = "";
    const char *fault = a->c->guard ? guard_holds(a->c->guard, a->slot->slot, why) : NULL;
    if (!fault)
        return false;
    attempt_forget(a);
    (void)attempt_fault(a, fault, why);
    if (a->view.state != SLOT_CLOSED || strcmp(a->view.fault, fault) != 0)
        attempt_show(a, SLOT_CLOSED);
    if (plug_wait(w->plug, &w->seen, fl_deadline_in_ms(STOPPED_MS)) && !held(w)) {
        attempt_forget(a);
        attempt_show(a, SLOT_EMPTY);
    }
    return true;
}

/* A network port is there again at once. One that loses each attempt, a server that falls over or a hub behind it that
 * does, is given longer and longer: else a night of it fills the records with thousands of attempts at one unit. */
static void rest_after_losses(struct slot_worker *w)
{
    struct attempt *a = &w->attempt;
    bool lost = strcmp(a->facts.fault, "link.lost") == 0 && link_port_there(a->slot->port) == LINK_UNKNOWN;
    w->lost = lost ? w->lost + 1 : 0;
    if (w->lost < LOST_OFTEN)
        return;
    unsigned doublings = w->lost - LOST_OFTEN < LOST_DOUBLINGS ? w->lost - LOST_OFTEN : LOST_DOUBLINGS;
    uint32_t ms = (uint32_t)STEADY_MS << doublings;
    char why[ATTEMPT_WHY_MAX];
    (void)snprintf(why, sizeof why, "the connection was lost %u times in a row; the next attempt begins in %u s", w->lost, ms / 1000);
    attempt_forget(a);
    (void)attempt_fault(a, "port.flapping", why);
    attempt_show(a, SLOT_CLOSED);
    struct fl_deadline d = fl_deadline_in_ms(ms);
    while (!cancelled(w) && !fl_deadline_passed(d) && plug_wait(w->plug, &w->seen, d))
        ;
}

void slot_stay(struct slot_worker *w)
{
    enum attempt_how how;
    attempt_show(&w->attempt, SLOT_EMPTY);
    while (!cancelled(w)) {
        if (stopped(w) || !comes(w, &how))
            continue;
        enum attempt_end end = slot_try(w, how);
        if (w->attempt.stopped)
            plug_tell(w->plug); /* the others need not wait to hear of it */
        if (end == ATTEMPT_STATION)
            return;
        if (end == ATTEMPT_NOBODY) {
            nobody(w, how);
            continue;
        }
        wait_until_gone(w);
        if (w->attempt.c->desk && end == ATTEMPT_RECORDED)
            desk_forget(w->attempt.c->desk, w->attempt.slot->slot, w->attempt.facts.serial);
        rest_after_losses(w);
        attempt_forget(&w->attempt);
        attempt_show(&w->attempt, SLOT_EMPTY);
    }
}
