/* SPDX-License-Identifier: Apache-2.0
 * Rows that are written while the signer works: every fact that a line can find out has rows, and one that has none is refused
 * alone, as before. */
#include "unit/t.h"

#include "unit/record/station.h"

static uint64_t draw(uint64_t *x) /* xorshift64: the same facts each time */
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void any_text(uint64_t *x, char *to, size_t cap)
{
    size_t n = draw(x) % 3 ? draw(x) % cap : 0;
    for (size_t i = 0; i < n; i++)
        to[i] = (char)(1 + draw(x) % 255);
    to[n] = 0;
}

/* Whatever a board, a descriptor or a program may say, and a few of everything. */
static struct attempt_facts any_facts(uint64_t *x, int n)
{
    static const char *const steps[] = {"connect", "identify", "write", "verify"}, *const purposes[] = {NULL, "", "golden", "dry_run"};
    struct attempt_facts f = t_attempt(n, (enum outcome)(draw(x) % (OUTCOME_INTERRUPTED + 1)));
    any_text(x, f.port, sizeof f.port);
    any_text(x, f.bridge_path, sizeof f.bridge_path);
    any_text(x, f.bridge_driver, sizeof f.bridge_driver);
    any_text(x, f.bridge_serial, sizeof f.bridge_serial);
    any_text(x, f.chip, sizeof f.chip);
    any_text(x, f.stub, sizeof f.stub);
    any_text(x, f.why, sizeof f.why);
    any_text(x, f.operator_id, sizeof f.operator_id);
    f.bridge_vid = (unsigned)draw(x) % 2 * 0x1a86;
    f.slot = (int)(draw(x) % 300);
    f.purpose = purposes[draw(x) % 4];
    f.has_mac = draw(x) % 4;
    f.has_eui64 = draw(x) % 2;
    f.revision = (unsigned)draw(x);
    f.flash_id = (uint32_t)draw(x);
    f.flash_size = draw(x) >> 11;
    f.secure_boot = (int)(draw(x) % 3) - 1;
    f.flash_encryption = (int)(draw(x) % 3) - 1;
    f.bytes_out = draw(x) >> 11;
    f.start_ms = (int64_t)(draw(x) % 4000000000000);
    f.duration_ms = (uint32_t)draw(x);
    f.tries = (unsigned)(draw(x) % 4);
    f.n_steps = draw(x) % 5;
    for (size_t i = 0; i < f.n_steps; i++)
        f.steps[i] = (struct attempt_step){steps[draw(x) % 4], (uint32_t)draw(x), (unsigned)(draw(x) % 3)};
    f.n_regions = draw(x) % 4;
    for (size_t i = 0; i < f.n_regions; i++)
        f.regions[i] = (struct attempt_region){.offset = (uint32_t)draw(x), .size = (uint32_t)(draw(x) % 3 * 4096), .state = "svbw-"[draw(x) % 5]};
    if (draw(x) % 8 == 0)
        f.profile[0] = 0;
    return f;
}

static void all_facts_have_rows(void **state)
{
    enum { N = 300 };
    struct t_station *s = *state;
    struct recorder_opened o;
    uint64_t x = 88172645463325252u;
    t_open(s, &o);
    for (int i = 0; i < N; i++) {
        struct attempt_facts f = any_facts(&x, i);
        struct event *e = event_attempt(EVENT_ATTEMPT_RESULT, &f, NULL);
        assert_true(e && e->typed);
        event_free(e);
        (void)t_start(s, &f);
        (void)t_result(s, &f);
    }
    t_close(s);
    t_sql_is(s, "SELECT count(*), sum(start_leaf IS NULL) FROM attempt", "300|0");
    t_verdict(s, AUDIT_GOOD);
}

static void odd_step(struct attempt_facts *f)
{
    f->steps[0].name = "";
}

static void odd_profile(struct attempt_facts *f)
{
    f->profile[63] = 'x';
}

static void odd_flag(struct attempt_facts *f)
{
    f->secure_boot = 2;
}

static void odd_encryption(struct attempt_facts *f)
{
    f->flash_encryption = 2;
}

static void odd_purpose(struct attempt_facts *f)
{
    f->purpose = "silver";
}

static void odd_outcome(struct attempt_facts *f)
{
    f->outcome = (enum outcome)(OUTCOME_INTERRUPTED + 1);
}

static void odd_job(struct attempt_facts *f)
{
    f->job[3] = 'x';
}

static void refused_alone(void **state)
{
    static void (*const odd[])(struct attempt_facts *f) = {odd_step, odd_profile, odd_flag, odd_encryption, odd_purpose, odd_outcome, odd_job};
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct attempt_facts f = t_attempt((int)i, OUTCOME_FAIL);
        int64_t leaf;
        odd[i](&f);
        if (t_send_attempt(s, EVENT_ATTEMPT_RESULT, &f, &leaf, NULL) != FL_FORMAT)
            fail_msg("odd fact %zu was not refused", i);
        assert_int_equal(recorder_health(s->r, NULL), FL_OK);
    }
    struct attempt_facts f = t_attempt(99, OUTCOME_PASS);
    (void)t_start(s, &f);
    (void)t_result(s, &f);
    t_close(s);
    t_sql_is(s, "SELECT group_concat(event, ' ') FROM record", "log_open boot attempt_start attempt_result unit_final log_close");
    t_verdict(s, AUDIT_GOOD);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(all_facts_have_rows, t_setup, t_teardown),
                                              cmocka_unit_test_setup_teardown(refused_alone, t_setup, t_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
