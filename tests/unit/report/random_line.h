/* SPDX-License-Identifier: Apache-2.0
 * random_line.h: whatever can happen on a line, by chance from a seed, told to a recorder: tries in several lots, of which one refuses
 * a unit that has passed, one flashes it again and one was never opened; boards that tell no MAC or are taken out, golden boards and
 * dry runs; rework, scrap and releases; stations that die. What was told is counted beside it. Included by one program each. */
#ifndef FL_TESTS_REPORT_RANDOM_LINE_H
#define FL_TESTS_REPORT_RANDOM_LINE_H

#include "unit/record/station.h"

enum { LINE_UNITS = 40, LINE_STEPS = 5, LINE_PROFILES = 2 };
static const int64_t line_start = 1795334400000; /* 2026-11-22 08:00 UTC */
static const char *const line_steps[LINE_STEPS] = {"connect", "identify", "stub", "write", "boot-check"};

struct line {
    uint32_t seed;
    int64_t clock; /* where the history ends */
    /* what was told; of steps in attempts that count */
    int64_t attempts, refused, died, rework, scrap, released, step_attempts[LINE_STEPS], step_ms[LINE_STEPS];
};

static uint32_t line_roll(struct line *l, uint32_t n)
{
    l->seed = l->seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(l->seed >> 8) * n >> 24);
}

static json_t *line_job(json_t *o)
{
    char job[EVENT_JOB_TEXT];
    assert_int_equal(event_job(job), FL_OK);
    assert_int_equal(json_object_set_new(o, "job", json_string(job)), 0);
    return o;
}

static void line_lot(struct t_station *s, const char *name, const char *duplicates, int tries)
{
    char hash[LINE_PROFILES][65] = {"", ""};
    for (int i = 0; i < 64; i++)
        (void)strcat(hash[0], i % 2 ? "b" : "a"), (void)strcat(hash[1], "e");
    (void)t_told(s, EVENT_LOT_OPEN, line_job(json_pack("{ss,ss,si,s[{ss,s[]},{ss,s[]}]}", "lot", name, "duplicates", duplicates, "tries", tries,
                                                       "profiles", "hash", hash[0], "images", "hash", hash[1], "images")));
}

/* One attempt, with whatever may differ between attempts. */
static struct attempt_facts line_attempt(struct line *l)
{
    static const char *const faults[] = {"", "verify.md5", "link.lost", "operator.cancelled"};
    static const char *const lots[] = {"", "L-refuse", "L-reflash", "L-named"};
    static const char *const purposes[] = {"golden", "known_bad", "dry_run"};
    struct attempt_facts f = t_attempt(1 + (int)line_roll(l, LINE_UNITS), (enum outcome)(line_roll(l, 2) ? 0 : line_roll(l, 4)));
    l->clock += line_roll(l, 40) ? line_roll(l, 900000) : 40000000; /* mostly within the hour, sometimes after a night */
    f.start_ms = l->clock;
    f.duration_ms = 5000 + line_roll(l, 20000);
    f.slot = 1 + (int)line_roll(l, 3);
    f.has_mac = line_roll(l, 20) != 0;
    (void)snprintf(f.lot, sizeof f.lot, "%s", lots[line_roll(l, 4)]);
    f.outcome = !f.has_mac && f.lot[0] && f.outcome == OUTCOME_PASS ? OUTCOME_ERROR : f.outcome; /* a lot's PASS has a MAC */
    f.fault = faults[f.outcome];
    f.bridge_vid = line_roll(l, 3) ? 0x1a86 : 0;
    (void)snprintf(f.bridge_serial, sizeof f.bridge_serial, "S%u", line_roll(l, 30));
    if (line_roll(l, 2))
        memset(f.profile, 'e', 64);
    f.n_steps = f.outcome ? 1 + line_roll(l, LINE_STEPS) : LINE_STEPS;
    for (size_t i = 0; i < f.n_steps; i++)
        f.steps[i] = (struct attempt_step){line_steps[i], 100 + line_roll(l, 1000), line_roll(l, 6) ? 0 : 1 + line_roll(l, 3)};
    f.step = f.outcome ? f.steps[f.n_steps - 1].name : "";
    f.n_rungs = line_roll(l, 3) ? 0 : 1;
    f.purpose = line_roll(l, 8) ? "" : purposes[line_roll(l, 3)]; /* counts nowhere */
    return f;
}

static void line_end(struct t_station *s, struct line *l, struct attempt_facts *f)
{
    l->attempts++;
    for (size_t i = 0; i < f->n_steps && !*f->purpose; i++) {
        l->step_attempts[i]++;
        l->step_ms[i] += f->steps[i].ms;
    }
    (void)t_result(s, f);
}

static void line_try(struct t_station *s, struct line *l)
{
    struct attempt_facts f = line_attempt(l);
    struct fl_why why = {0, ""};
    struct recorder_opened o;
    int64_t leaf;
    bool opened = strcmp(f.lot, "L-refuse") == 0 || strcmp(f.lot, "L-reflash") == 0;
    enum fl_err err = FL_OK;
    if (!opened && (f.lot[0] || !f.has_mac || line_roll(l, 2))) { /* into a lot that nobody opened no start is let */
        line_end(s, l, &f);
        return;
    }
    err = t_send(s, EVENT_ATTEMPT_START, event_attempt_start_body(&f), &leaf, &why);
    if (err == FL_REFUSED) { /* not let in: taken out, and no try of the unit */
        l->refused++;
        f.outcome = OUTCOME_ABORTED;
        f.fault = "lot.duplicate";
        f.n_steps = 1;
        f.step = line_steps[0];
    } else if (err) {
        fail_msg("%s", why.text);
    } else if (line_roll(l, 20) == 0) {
        l->attempts++;
        l->died++;
        t_close(s);
        t_open(s, &o);
        assert_int_equal(o.interrupted, 1);
        return;
    }
    line_end(s, l, &f);
}

/* Of a unit that was never seen: refused, and not counted. */
static void line_disposition(struct t_station *s, struct line *l)
{
    static const char *const words[] = {"rework", "rework", "rework", "rework", "scrap", "released", "released"};
    int64_t *const count[] = {&l->rework, &l->rework, &l->rework, &l->rework, &l->scrap, &l->released, &l->released};
    uint32_t i = line_roll(l, 7);
    char mac[24];
    struct fl_why why = {0, ""};
    int64_t leaf;
    (void)snprintf(mac, sizeof mac, "24:6f:28:00:00:%02x", 1 + line_roll(l, LINE_UNITS));
    enum fl_err err = t_send(s, EVENT_DISPOSITION, line_job(json_pack("{ss,ss,ss,ss}", "mac", mac, "disposition", words[i], "why", "by chance",
                                                                      "operator", "ann")), &leaf, &why);
    if (err && err != FL_REFUSED)
        fail_msg("%s", why.text);
    *count[i] += err == FL_OK;
}

/* `n` attempts; the seed is said, so that a history that fails can be made again. */
static struct line line_record(struct t_station *s, uint32_t seed, int n)
{
    struct line l = {.seed = seed, .clock = line_start};
    struct recorder_opened o;
    printf("# seed %u\n", (unsigned)seed);
    (void)fflush(stdout);
    t_open(s, &o);
    (void)t_profile(s);
    line_lot(s, "L-refuse", "refuse", 3);
    line_lot(s, "L-reflash", "reflash", 3);
    for (int i = 0; i < n; i++) {
        if (line_roll(&l, 5) == 0)
            line_disposition(s, &l);
        line_try(s, &l);
    }
    t_close(s);
    return l;
}

#endif
