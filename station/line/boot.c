/* SPDX-License-Identifier: Apache-2.0
 * boot.c: the step after the flash is right: reset, and listen to what the program says. */
#include "line/attempt.h"

#include "line/boot_check.h"

#include <stdio.h>
#include <string.h>

enum { LATE_MAX = 65536 }; /* more than that a board says only while it is listened to */

const char *attempt_port_fault(enum fl_err err)
{
    return err == FL_GONE ? "link.lost" : err == FL_CANCELLED ? "operator.cancelled" : "port.failed";
}

/* What came, also where something else ended the check. */
static void note_values(struct attempt *a, const struct boot_check *b)
{
    struct attempt_facts *f = &a->facts;
    f->n_measures = 0;
    for (size_t i = 0; i < b->n_measures && f->n_measures < ATTEMPT_MEASURES_MAX; i++) {
        const struct profile_measure *m = &b->measures[i];
        if (!b->values[i].seen)
            continue;
        struct attempt_measure *to = &f->measures[f->n_measures++];
        *to = (struct attempt_measure){
            .value = b->values[i].micro, .low = m->low, .high = m->high, .has_low = m->has_low, .has_high = m->has_high,
            .verdict = boot_check_verdict(m, b->values[i].micro, a->profile->boot_check.near_percent)};
        ATTEMPT_COPY(to->name, m->name);
        ATTEMPT_COPY(to->unit, m->unit);
    }
}

static bool values_good(struct attempt *a, const struct boot_check *b)
{
    for (size_t i = 0; i < b->n_measures; i++) {
        const struct profile_measure *m = &b->measures[i];
        const char *verdict = boot_check_verdict(m, b->values[i].micro, 0);
        if (strcmp(verdict, "ok") == 0)
            continue;
        char why[200], value[32];
        (void)snprintf(value, sizeof value, "%.6f", (double)b->values[i].micro / 1e6);
        size_t n = strlen(value);
        while (value[n - 1] == '0')
            value[--n] = 0;
        value[n - (value[n - 1] == '.')] = 0;
        (void)snprintf(why, sizeof why, "%s is %s%s%s, too %s", m->name, value, m->unit[0] ? " " : "", m->unit, verdict);
        return attempt_fault(a, "boot.limit", why);
    }
    return true;
}

static bool value_missing(struct attempt *a, const struct boot_check *b)
{
    size_t i = 0;
    char why[200];
    while (i + 1 < b->n_measures && b->values[i].seen)
        i++;
    (void)snprintf(why, sizeof why, "no number came as '%.100s' within %u ms", b->measures[i].text,
                   (unsigned)a->profile->boot_check.within_ms);
    return attempt_fault(a, "boot.missing", why);
}

static bool watch_boot(struct attempt *a, struct boot_check *b)
{
    const struct profile_boot_check *want = &a->profile->boot_check;
    struct fl_deadline d = fl_deadline_in_ms(want->within_ms);
    enum boot_verdict v = BOOT_GO_ON;
    size_t late = 0; /* bytes that were read behind the end: they came in time, where the machine was held up */
    while (v == BOOT_GO_ON) {
        uint8_t bytes[512];
        size_t got = 0;
        enum fl_err err = link_read(a->link, bytes, sizeof bytes, &got, d);
        if (err == FL_CANCELLED)
            return attempt_fault(a, "operator.cancelled", "stopped while the program booted");
        if (err == FL_GONE)
            return attempt_fault(a, attempt_port_fault(err), "the port vanished while the program booted");
        if (err && err != FL_TIMEOUT)
            return attempt_fault(a, attempt_port_fault(err), link_why(a->link)->text);
        v = boot_check_feed(b, bytes, got);
        if (fl_deadline_passed(d))
            late += got;
        if (v == BOOT_GO_ON && (err == FL_TIMEOUT || late > LATE_MAX))
            break;
    }
    char why[200];
    switch (v) {
    case BOOT_GOOD:
        return values_good(a, b);
    case BOOT_FAIL_TEXT:
        (void)snprintf(why, sizeof why, "it said '%.100s'", want->fail);
        return attempt_fault(a, "boot.fail_text", why);
    case BOOT_PANIC:
        return attempt_fault(a, "boot.panic", "a panic text came after the reset");
    case BOOT_BROWNOUT:
        return attempt_fault(a, "board.brownout", "the brownout detector fired while the program booted");
    case BOOT_GO_ON:
        break;
    }
    if (!want->expect && !want->n_measures)
        return b->seen ? true : attempt_fault(a, "boot.silent", "nothing was received after the reset");
    if (b->seen && (b->expected || !want->expect))
        return value_missing(a, b);
    (void)snprintf(why, sizeof why, "'%.100s' did not come within %u ms; %llu bytes were received",
                   want->expect ? want->expect : want->measures[0].text, (unsigned)want->within_ms, (unsigned long long)b->seen);
    return attempt_fault(a, b->seen ? "boot.pattern" : "boot.silent", why);
}

/* A bridge that cannot make it is one thing, a port that is gone another. */
static bool no_speed(struct attempt *a, enum fl_err err)
{
    char why[500];
    (void)snprintf(why, sizeof why, "the boot check's %u baud could not be set: %s", (unsigned)a->profile->boot_check.baud,
                   err == FL_CANCELLED ? "stopped from outside" : link_why(a->link)->text);
    return attempt_fault(a, attempt_port_fault(err), why);
}

bool attempt_boot(struct attempt *a)
{
    const struct profile_boot_check *want = &a->profile->boot_check;
    struct attempt_facts *f = &a->facts;
    struct esp_problem p = {0};
    struct boot_check b;
    boot_check_init(&b, want);
    enum fl_err err = esp_run(a->esp, &p);
    if (err == FL_UNSUPPORTED && !want->wanted)
        return true; /* no lines: whoever holds the board resets it */
    if (err == FL_UNSUPPORTED)
        return attempt_fault(a, "boot.no_reset", p.text);
    if (err)
        return attempt_fault(a, esp_fault_name(p.fault), p.text);
    if (!want->wanted)
        return true;
    if (want->baud && want->baud != link_baud(a->link)) {
        err = link_set_baud(a->link, want->baud, fl_deadline_in_ms(ATTEMPT_OPEN_MS));
        if (err && err != FL_UNSUPPORTED)
            return no_speed(a, err);
    }
    bool ok = watch_boot(a, &b);
    note_values(a, &b);
    f->boot_text_n = b.n < sizeof f->boot_text ? b.n : sizeof f->boot_text;
    memcpy(f->boot_text, b.tail + b.n - f->boot_text_n, f->boot_text_n);
    return ok;
}
