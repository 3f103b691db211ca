/* SPDX-License-Identifier: Apache-2.0
 * line/guard: what the alarm of the line says about what its rules stopped. */
#include "unit/t.h"

#include "line/guard.h"

static void alarms(void **state)
{
    (void)state;
    static const struct {
        int slots[6]; /* stopped, one after another; -1 ends */
        const char *alarm;
    } row[] = {
        {{-1}, ""},
        {{7, -1}, "slot 7 is closed: hub (flashline line ack --slot 7)"},
        {{7, 2, 9, -1}, "slot 2 is closed: hub (flashline line ack --slot 2); slot 7 is closed: hub (flashline line ack --slot 7); "
                        "slot 9 is closed: hub (flashline line ack --slot 9)"},
        {{1, 2, 3, 4, -1}, "slot 1 is closed: hub (flashline line ack --slot 1); slot 2 is closed: hub (flashline line ack --slot 2); "
                           "slot 3 is closed: hub (flashline line ack --slot 3); and 1 more slot"},
        {{1, 2, 3, 4, 5, -1}, "slot 1 is closed: hub (flashline line ack --slot 1); slot 2 is closed: hub (flashline line ack --slot 2); "
                              "slot 3 is closed: hub (flashline line ack --slot 3); and 2 more slots"},
        {{1, 2, 0, 3, -1}, "the line is stopped: hub (flashline line ack)"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        static const struct rules_set none;
        struct tally *t = tally_new();
        struct tally_head head;
        struct fl_queue facts;
        assert_int_equal(fl_queue_init(&facts, 4), FL_OK);
        struct guard *g = guard_new(&(struct guard_config){.rules = &none, .facts = &facts, .tally = t});
        for (size_t k = 0; row[i].slots[k] >= 0; k++)
            guard_replay_stop(g, row[i].slots[k], "consecutive", "hub");
        guard_replayed(g);
        tally_get(t, 0, &head);
        assert_string_equal(head.alarm, row[i].alarm);
        guard_free(g);
        fl_queue_close(&facts);
        fl_queue_fini(&facts);
        tally_free(t);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(alarms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
