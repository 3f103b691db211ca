/* SPDX-License-Identifier: Apache-2.0
 * How much the database grows for each attempt, everything counted: three leaves (start, result, unit_final), tree, heads,
 * rows, indexes. The figures of db/README.md. */
#include "unit/t.h"

#include "unit/record/station.h"

enum { SETTLE = 96, UNITS = 480, SLOTS = 16 };

static struct attempt_facts unit(int n)
{
    static const char *const steps[] = {"connect", "identify", "gate", "stub", "baud", "write", "verify", "boot-check"};
    static const char boot[] = "I (44) boot: Loaded app from partition at offset 0x10000\r\nI (250) cpu_start: Project name: core\r\n";
    struct attempt_facts f = t_attempt(n, OUTCOME_PASS);
    f.step = "";
    (void)snprintf(f.bridge_serial, sizeof f.bridge_serial, "02A%05X", n);
    (void)strcpy(f.operator_id, "ann");
    (void)strcpy(f.lot, "L-2026-118");
    f.has_eui64 = false;
    f.n_rungs = 0;
    f.n_steps = T_COUNT(steps);
    for (size_t i = 0; i < f.n_steps; i++)
        f.steps[i] = (struct attempt_step){steps[i], (uint32_t)(100 + 37 * i + (unsigned)n % 50), 0};
    f.n_regions = 3;
    for (uint32_t i = 0; i < 3; i++) {
        f.regions[i] = (struct attempt_region){.offset = 4096 + 65536 * i, .size = 20480 * (i + 1), .state = 'v', .writes = 1};
        memset(f.regions[i].md5, (int)(0x50 + i), 16);
        memset(f.regions[i].md5_found, (int)(0x50 + i), 16);
    }
    f.plain_bytes = 20480 * 6;
    f.start_ms += n * 20000;
    memcpy(f.boot_text, boot, sizeof boot - 1);
    f.boot_text_n = sizeof boot - 1;
    return f;
}

static int64_t grown(struct t_station *s)
{
    return t_sql_int(s, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
}

static void begin(struct t_station *s)
{
    struct recorder_opened o;
    char job[EVENT_JOB_TEXT];
    t_open(s, &o);
    assert_int_equal(event_job(job), FL_OK);
    (void)t_told(s, EVENT_LOT_OPEN, json_pack("{ss,ss,s[{ss}],si}", "job", job, "lot", "L-2026-118", "profiles", "hash",
                                              "abababababababababababababababababababababababababababababababab", "authorised", 100000));
}

static void end(struct t_station *s, int64_t before, int64_t most)
{
    int64_t each = (grown(s) - before) / UNITS;
    /* of one attempt: its own record with all that stands beside it, and its rows; not its start, nor what certificates prove */
    int64_t own = t_sql_int(s, "SELECT avg(length(l.rec)) + 120 FROM leaf l JOIN event_kind k ON k.id = l.kind WHERE k.name = 'attempt_result'") +
                  t_sql_int(s, "SELECT sum(pgsize) FROM dbstat WHERE name GLOB 'attempt*' OR name GLOB 'unit*' OR name GLOB '*bridge*'") /
                      (SETTLE + UNITS);
    print_message("# %lld bytes an attempt, %lld of them its rows and its result\n", (long long)each, (long long)own);
    t_close(s);
    if (each > most || own > 1000)
        fail_msg("an attempt takes %lld bytes, its rows and result %lld", (long long)each, (long long)own);
}

/* The hard case: one slot, so that every start and every end has a commit of its own; boards that carry their bridge, so
 * that each is another one. */
static void one_slot(void **state)
{
    struct t_station *s = *state;
    int64_t before = 0;
    begin(s);
    for (int i = 0; i < SETTLE + UNITS; i++) {
        struct attempt_facts f = unit(i);
        (void)t_start(s, &f);
        (void)t_result(s, &f);
        if (i + 1 == SETTLE)
            before = grown(s);
    }
    end(s, before, 1500);
}

/* Sixteen slots with bridges of their own, which begin and end together. */
static void sixteen_slots(void **state)
{
    struct t_station *s = *state;
    static struct attempt_facts f[SLOTS];
    static struct event_ticket t[SLOTS];
    int64_t before = 0;
    begin(s);
    for (int i = 0; i < SETTLE + UNITS; i += SLOTS) {
        for (int end = 0; end < 2; end++) {
            for (int k = 0; k < SLOTS; k++) {
                if (!end) {
                    f[k] = unit(i + k);
                    f[k].slot = 1 + k;
                    (void)snprintf(f[k].bridge_serial, sizeof f[k].bridge_serial, "FX%02d", k);
                    f[k].boot_text_n = 0;
                }
                assert_int_equal(event_ticket_init(&t[k]), FL_OK);
                t_put(s, end ? EVENT_ATTEMPT_RESULT : EVENT_ATTEMPT_START,
                      end ? event_attempt_result_body(&f[k]) : event_attempt_start_body(&f[k]), &t[k]);
            }
            for (int k = 0; k < SLOTS; k++) {
                assert_int_equal(event_ticket_wait(&t[k], fl_deadline_in_ms(60000), NULL, NULL), FL_OK);
                event_ticket_fini(&t[k]);
            }
        }
        if (i + SLOTS == SETTLE)
            before = grown(s);
    }
    end(s, before, 1100);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(one_slot, t_setup, t_teardown),
                                              cmocka_unit_test_setup_teardown(sixteen_slots, t_setup, t_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
